import ArgumentParser
import Sessions

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "sessions", abstract: "List the sessions that ship, a line each.",
        discussion: """
            They are inside the program. Those of the folder that KVMTUI_SESSIONS names, and of sessions/ in the current folder, go before them, and \
            are told on standard error.
            """,
        examples: [
            Example("kvmtui sessions | grep swap", "the lessons about swap")
        ])

    func run() throws {
        var output = StandardOutput()
        let sessions = FoundSession.all()
        let names = sessions.map { DisplayText($0.name, limit: 200).text }
        let width = names.map(\.count).max() ?? 0
        for (session, name) in zip(sessions, names) {
            let title: String
            do { title = try session.session().title } catch { title = "in error: \((error as? InputError)?.message ?? "\(error)")" }
            output.line(name + String(repeating: " ", count: width - name.count + 2) + DisplayText(title, limit: 400).text)
        }
        try output.flush()
        if let problem = FoundSession.problem { CommandIO.complain(problem) }
        for folder in FoundSession.folders {
            let count = sessions.count { if case .folder(let path) = $0.origin { path.hasPrefix(folder + "/") } else { false } }
            if count > 0 {
                CommandIO.complain(
                    "\(count) of them \(count == 1 ? "is" : "are") from \(DisplayText(folder, limit: 200).text), which goes before those inside the program")
            }
        }
    }
}
