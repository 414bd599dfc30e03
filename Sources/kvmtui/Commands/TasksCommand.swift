import ArgumentParser
import EmbeddedSessions
import Foundation
import Screens
import Sessions

struct TasksCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "tasks", abstract: "List the tasks at the end of each chapter, or show one.",
        discussion: """
            A task is a session with goals: its text says what is wanted, its file is where to begin. What was written for it is judged by kvmtui check \
            --against. Hints are told as many as are asked for.
            """,
        examples: [
            Example("kvmtui tasks", "all of them, by chapters"), Example("kvmtui tasks three-levels --hints 1", "what is asked, and the first hint"),
            Example("kvmtui tasks three-levels --file", "its file, to begin with"),
        ])

    @Argument(help: "A task's name, or its file.", completion: .list(EmbeddedSessions.taskNames))
    var name: String?
    @Option(help: ArgumentHelp("How many of its hints to tell.", valueName: "number"))
    var hints = 0
    @Flag(help: "Print the task's file.")
    var file = false

    func validate() throws {
        guard hints >= 0 else { throw ValidationError("--hints: found \(hints), expected 0 or more.") }
        guard name != nil || (hints == 0 && !file) else { throw ValidationError("--hints, --file: they are of a task, and none is named.") }
    }

    func run() throws {
        try CommandIO.reporting {
            guard let name else { return try list() }
            if file { return try CommandIO.output(String(decoding: try FoundTask.bytes(name).bytes, as: UTF8.self)) }
            let task = try FoundTask.named(name)
            var output = StandardOutput()
            output.line(DisplayText(task.title, limit: 400).text)
            for line in TextLayout.wrap(task.about, width: 76) { output.line("  \(line)") }
            output.line("Goals")
            for goal in task.goals { output.line("  \(goal.text)") }
            if task.hints.isEmpty { output.line("No hints") } else { output.line("Hints: \(min(hints, task.hints.count)) of \(task.hints.count)") }
            for (number, hint) in task.hints.prefix(hints).enumerated() {
                for (row, line) in TextLayout.wrap(hint, width: 72).enumerated() { output.line((row == 0 ? "  \(number + 1). " : "     ") + line) }
            }
            output.line(
                "kvmtui tasks \(DisplayText(name, limit: 100).text) --file > mine.yaml; kvmtui check mine.yaml --against \(DisplayText(name, limit: 100).text)")
            try output.flush()
        }
    }

    private func list() throws {
        let tasks = FoundTask.shipped()
        let chapters = Course.arranged(tasks.map { .init(name: $0.name, chapter: $0.session.chapter, after: []) })
        let width = tasks.map(\.name.count).max() ?? 0
        var output = StandardOutput()
        for (number, chapter) in chapters.enumerated() {
            if number > 0 { output.line("") }
            output.line(chapter.heading)
            for place in chapter.sessions {
                let name = tasks[place].name
                output.line("  " + name + String(repeating: " ", count: width - name.count + 2) + DisplayText(tasks[place].session.title, limit: 400).text)
            }
        }
        try output.flush()
    }
}

/// A task by its file, or by the name of one that ships.
enum FoundTask {
    static func named(_ name: String) throws -> Session {
        let (bytes, file) = try bytes(name)
        return try SessionReader.read(bytes, file: file)
    }

    /// Its text, and what it is called in messages.
    static func bytes(_ name: String) throws -> (bytes: [UInt8], file: String) {
        if name != "-", !FileManager.default.fileExists(atPath: name) {
            if let text = EmbeddedSessions.task(of: name) { return (Array(text.utf8), "\(name).yaml") }
            guard EmbeddedSessions.text(of: name) == nil else { return (Array(EmbeddedSessions.text(of: name)!.utf8), "\(name).yaml") }
            throw InputError(
                name, nil, "there is no such file, and no task of that name",
                fits: NearNames.fits(name, among: EmbeddedSessions.taskNames, otherwise: "kvmtui tasks lists them"))
        }
        do { return (try ByteSource(path: name).readAll(limit: SessionReader.sizeLimit), name) } catch let error as ByteSourceError {
            throw InputError(name, error)
        }
    }

    /// Those that ship.
    static func shipped() -> [(name: String, session: Session)] {
        EmbeddedSessions.taskNames.compactMap { name in (try? named(name)).map { (name, $0) } }
    }
}
