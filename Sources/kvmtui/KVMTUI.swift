import ArgumentParser
import EmbeddedSessions
import Foundation
import Sessions
import Stage2Sim

@main
struct KVMTUI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kvmtui",
        abstract: "Step through KVM/ARM's guest faults in the terminal, forwards and backwards.",
        version: version,
        subcommands: [
            OpenCommand.self,
            PlayCommand.self,
            RunCommand.self,
            CheckCommand.self,
            SearchCommand.self,
            WalkCommand.self,
            FindCommand.self,
            CompareCommand.self,
            AttachCommand.self,
            DecodeCommand.self,
            ExportCommand.self,
            TablesCommand.self,
            SiteCommand.self,
            QuizCommand.self,
            TasksCommand.self,
            SessionsCommand.self,
            DoctorCommand.self,
            ProgressCommand.self,
            ReviewCommand.self,
            IncidentsCommand.self,
            BehavioursCommand.self,
            GlossaryCommand.self,
            FormatCommand.self,
            ConfigCommand.self,
            ManualCommand.self,
        ])

    /// The program's version is the library's: packages take it from `kvmtui --version`.
    static let number = libraryVersion

    /// What `--version` says: the version, the commit, the compiler.
    static var version: String {
        "kvmtui \(number), " + (BuildStamp.commit.map { "commit \($0)" } ?? "built without git")
            + ", Swift \(BuildStamp.swift ?? "of a version that it did not tell")"
    }

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let message = unknownCommand(arguments) {
            CommandIO.complain(message)
            exit(withError: ExitCode(EX_USAGE))
        }
        Settings.begin(arguments)
        main(arguments)
    }

    /// What is wrong with a first word that is no command; nil: nothing. The parser itself would name the word only.
    private static func unknownCommand(_ arguments: [String]) -> String? {
        guard let word = arguments.first, !word.hasPrefix("-") else { return nil }
        let commands = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard !commands.contains(word) else { return nil }
        let shown = DisplayText(word, limit: 60).text
        if (try? FoundSession.named(word)) != nil { return "unknown command '\(shown)'; to open it: kvmtui open \(shown)" }
        return "unknown command '\(shown)'; \(NearNames.fits(word, among: commands, otherwise: "kvmtui --help lists them"))"
    }
}
