import ArgumentParser
import Foundation
import Screens
import Sessions

/// What was read and predicted, by chapters of the course.
struct ProgressCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "progress", abstract: "Say how far the sessions were read, and how many predictions were right.",
        discussion: """
            A prediction is an answer given with P in the explorer, or with kvmtui open --predict; of a question that was asked again the last answer counts. It is kept in \
            $XDG_STATE_HOME/kvmtui/progress.
            """,
        examples: [Example("kvmtui progress | head -n 3", "the first chapter"), Example("kvmtui progress --json", "for a program")])

    @Flag(help: "One JSON object.")
    var json = false
    @Flag(help: "Forget all of it; asks first.")
    var reset = false
    @Flag(help: "With --reset: do not ask.")
    var yes = false

    func validate() throws {
        if yes, !reset { throw ValidationError("--yes is for --reset.") }
        if reset, json { throw ValidationError("--reset forgets, --json tells: one of them.") }
    }

    func run() throws {
        try CommandIO.reporting {
            if reset { return try forget() }
            let history = SessionHistory.all()
            let entries = SessionDesk.shippedEntries().map { entry -> SessionEntry in
                var entry = entry
                entry.progress = SessionDesk.progress(of: entry, in: history)
                return entry
            }
            let chapters = Course.arranged(entries.map { .init(name: $0.name, chapter: $0.session?.chapter ?? "", after: $0.session?.after ?? []) })
            try CommandIO.output(json ? Self.json(chapters, entries) : Self.text(chapters, entries))
        }
    }

    private func forget() throws {
        if !yes {
            guard isatty(0) == 1, isatty(2) == 1 else { throw BadValue("--reset", "no terminal to ask on", "--yes beside it") }
            _ = CommandIO.write(Array("Forget how far every session was read, and every prediction? y or n: ".utf8), to: 2)
            guard let line = readLine(), ["y", "yes"].contains(line.lowercased()) else { return CommandIO.complain("nothing is forgotten") }
        }
        guard SessionHistory.forget() else { throw BadValue("--reset", "a file that cannot be written", "XDG_STATE_HOME names a folder that can") }
        CommandIO.complain("forgotten")
    }

    private static func sum(_ sessions: [SessionEntry]) -> (done: Int, right: Int, count: Int) {
        var sum = (done: 0, right: 0, count: 0)
        for progress in sessions.compactMap(\.progress) {
            if progress.isDone { sum.done += 1 }
            sum.right += progress.score.right
            sum.count += progress.score.count
        }
        return sum
    }

    private static func text(_ chapters: [Course.Chapter], _ entries: [SessionEntry]) -> String {
        var text = ""
        let width = entries.map(\.name.count).max() ?? 0
        for chapter in chapters {
            let sessions = chapter.sessions.map { entries[$0] }, all = sum(sessions)
            text +=
                "\(DisplayText(chapter.heading, limit: 200).text): \(all.done) of \(sessions.count) done"
                + (all.count > 0 ? ", \(all.right) of \(all.count) predictions right" : "") + "\n"
            for entry in sessions {
                guard let progress = entry.progress else { continue }
                let name = DisplayText(entry.name, limit: 200).text
                var words = progress.isDone ? "done" : progress.count > 0 ? "left at step \(progress.step) of \(progress.count)" : "begun"
                if progress.score.count > 0 { words += ", \(progress.score.right) of \(progress.score.count) right" }
                text += "  \(name)\(String(repeating: " ", count: max(0, width - name.count)))  \(words)\n"
            }
        }
        let all = sum(entries)
        return text + "In all: \(all.done) of \(entries.count) done, \(all.right) of \(all.count) predictions right\n"
    }

    private static func json(_ chapters: [Course.Chapter], _ entries: [SessionEntry]) -> String {
        var out = JSONText()
        out.object { json in
            json.entry("version", 1)
            json.entry("chapters") {
                $0.array { json in
                    for chapter in chapters {
                        json.object { json in
                            let sessions = chapter.sessions.map { entries[$0] }, all = sum(sessions)
                            json.entry("title", chapter.title)
                            json.entry("done", all.done)
                            json.entry("right", all.right)
                            json.entry("answered", all.count)
                            json.entry("sessions") {
                                $0.array { json in
                                    for entry in sessions {
                                        json.object { json in
                                            json.entry("name", entry.name)
                                            json.entry("done", entry.progress?.isDone == true)
                                            json.entry("step", entry.progress?.step ?? 0)
                                            json.entry("steps", entry.progress?.count ?? 0)
                                            json.entry("right", entry.progress?.score.right ?? 0)
                                            json.entry("answered", entry.progress?.score.count ?? 0)
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return out.text + "\n"
    }
}
