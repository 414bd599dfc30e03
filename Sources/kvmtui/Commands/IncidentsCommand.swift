import ArgumentParser
import Foundation
import Screens
import Sessions

/// What has gone wrong on this path since, and the sessions that show it.
struct IncidentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "incidents", abstract: "List what went wrong on this path since 2012: the fix, how it came about, the sessions that show it.",
        discussion:
            "Each stands with its commit's id where id and subject have been seen together; without, it is a fix of its year. open, run, check, play and export take an id of seven digits or more in place of a session's name. Where no session shows one, the list says what the core would need.",
        examples: [
            Example("kvmtui incidents swap", "those in which a word is found"), Example("kvmtui incidents --json | head -n 4", "for a program"),
            Example("kvmtui check 363ef89", "the session that shows a commit's incident, judged"),
        ])

    @Argument(help: "Words that all must be found: of titles, subjects, mechanisms, ids, years, sessions.")
    var words: [String] = []

    @Flag(help: "A JSON array of objects: id, also, year, title, subject, cve, mechanism, needs, sessions.")
    var json = false

    func run() throws {
        let found = words.isEmpty ? Incidents.all : Incidents.find(words)
        guard !found.isEmpty else {
            let shown = DisplayText(words.joined(separator: " "), limit: 80).text
            let near = words.count == 1 && Incidents.isCommitID(words[0]) ? Incidents.nearest(to: words[0]) : []
            CommandIO.complain("no incident has '\(shown)' in it" + (near.isEmpty ? "" : "; did you mean \(NearNames.list(near))?"))
            throw CommandIO.notHeld
        }
        var output = StandardOutput()
        if json {
            var text = JSONText(indent: 2)
            text.array { for incident in found { Self.write(incident, to: &$0) } }
            output.line(text.text)
        } else {
            for (number, incident) in found.enumerated() {
                if number > 0 { output.line("") }
                Self.lines(incident).forEach { output.line($0) }
            }
        }
        try output.flush()
    }

    private static func write(_ incident: Incident, to json: inout JSONText) {
        json.object {
            $0.entry("id") { if let id = incident.id { $0.value(id) } else { $0.null() } }
            $0.entry("also") { list in list.array { for id in incident.alsoIDs { $0.value(id) } } }
            $0.entry("year", incident.year)
            $0.entry("title", incident.title)
            $0.entry("subject", incident.subject)
            $0.entry("cve", incident.cve)
            $0.entry("mechanism", incident.mechanism)
            $0.entry("needs", incident.needs)
            $0.entry("sessions") { list in list.array { for session in incident.sessions { $0.value(session) } } }
        }
    }

    private static func lines(_ incident: Incident) -> [String] {
        var lines = ["\(incident.year)  \(incident.name)  \(incident.title)"]
        func add(_ text: String, _ head: String = "") {
            guard !text.isEmpty else { return }
            for (row, line) in TextLayout.wrap(text, width: 74 - head.count).enumerated() {
                lines.append("    " + (row == 0 ? head : String(repeating: " ", count: head.count)) + line)
            }
        }
        add([incident.subject.isEmpty ? "" : "\"\(incident.subject)\"", incident.cve].filter { !$0.isEmpty }.joined(separator: ", "))
        add(incident.mechanism)
        add(incident.needs, "needs: ")
        add(incident.sessions.isEmpty ? "none yet" : incident.sessions.joined(separator: ", "), "sessions: ")
        return lines
    }
}
