import ArgumentParser

@main
struct KVMTUI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kvmtui", abstract: "Step through KVM/ARM guest faults in the terminal.",
        subcommands: [WalkCommand.self, DecodeCommand.self, ExportCommand.self])
}
