import ArgumentParser

/// A line to type, which stands at the end of a command's help and in the manual page, and is run by the tests.
struct Example {
    /// As typed; `kvmtui` and the command are its first words, or those behind a `|`.
    let line: String
    let does: String

    init(_ line: String, _ does: String) {
        self.line = line
        self.does = does
    }

    /// What parts the examples from the discussion above them.
    static let heading = "Examples:"
}

extension CommandConfiguration {
    /// A command of kvmtui. Each has an example at least.
    static func command(_ name: String, abstract: String, discussion: String = "", examples: [Example]) -> CommandConfiguration {
        let lines = examples.map { "\n  \($0.line)\n      \($0.does)" }.joined()
        return CommandConfiguration(
            commandName: name, abstract: abstract, discussion: (discussion.isEmpty ? "" : discussion + "\n\n") + Example.heading + lines)
    }
}
