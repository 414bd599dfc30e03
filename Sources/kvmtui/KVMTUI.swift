import ArgumentParser
import EmbeddedSessions
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
            WalkCommand.self,
            FindCommand.self,
            CompareCommand.self,
            AttachCommand.self,
            DecodeCommand.self,
            ExportCommand.self,
            TablesCommand.self,
            SessionsCommand.self,
            DoctorCommand.self,
            ManualCommand.self,
        ])

    /// The program's version is the library's: packages take it from `kvmtui --version`.
    static let number = libraryVersion

    /// What `--version` says: the version, the commit, the compiler.
    static var version: String {
        "kvmtui \(number), " + (BuildStamp.commit.map { "commit \($0)" } ?? "built without git")
            + ", Swift \(BuildStamp.swift ?? "of a version that it did not tell")"
    }
}
