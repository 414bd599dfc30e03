import ArgumentParser
import Stage2Sim

@main
struct KVMTUI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kvmtui",
        abstract: "Step through KVM/ARM's guest faults in the terminal, forwards and backwards.",
        version: libraryVersion,
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
            ManualCommand.self,
        ])
}
