import ArgumentParser

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "doctor", abstract: "Say what kvmtui finds around it: the terminal, sessions, folders, tools.",
        discussion: """
            To paste into a report, or to see why a screen looks as it does. What stands in the way of something is repeated at the end, with a remedy. \
            Nothing is changed, and the exit status is 0 in any case.
            """,
        examples: [Example("kvmtui doctor", "what is here, and what is missing")])

    func run() throws { try CommandIO.output(Doctor().report) }
}
