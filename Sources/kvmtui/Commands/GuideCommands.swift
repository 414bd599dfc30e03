import ArgumentParser
import Foundation
import Screens
import Sessions
import Stage2Sim

// What helps to find things: sessions, the review, behaviours, the field's words, the session language.

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "sessions", abstract: "List the sessions that ship by chapters, or those in which words are found.",
        discussion:
            "Words are looked for in names first, then in titles, in texts, in names of the kernel's source (release_dirty) and in the review (weird). Behind the chapters stands what answers the review's questions. They are inside the program; those of the folder that KVMTUI_SESSIONS names, and of sessions/ in the current folder, go before them, and are told on standard error.",
        examples: [Example("kvmtui sessions", "all of them, by chapters"), Example("kvmtui sessions release_dirty", "those in which a word is found")])

    @Argument(help: "Words that all must be found.")
    var words: [String] = []

    func run() throws {
        let entries = SessionDesk.shippedEntries()
        var output = StandardOutput()
        func name(_ entry: SessionEntry) -> String { DisplayText(entry.name, limit: 200).text }
        let width = entries.map { name($0).count }.max() ?? 0
        func line(_ entry: SessionEntry) {
            let mark = entry.session?.hypothetical == nil ? "" : "hypothetical: "
            let title = mark + DisplayText(entry.session?.title ?? "in error: \(entry.problem)", limit: 400).text
            output.line("  " + name(entry) + String(repeating: " ", count: width - name(entry).count + 2) + title)
        }
        if !words.isEmpty {
            var index = SessionIndex()
            for entry in entries { index.add(name: entry.name, session: entry.session) }
            let found = index.find(words.joined(separator: " "))
            found.forEach { line(entries[$0]) }
            try output.flush()
            guard found.isEmpty else { return }
            CommandIO.complain("no session has '\(DisplayText(words.joined(separator: " "), limit: 80).text)' in it")
            throw CommandIO.notHeld
        }
        let chapters = Course.arranged(entries.map { .init(name: $0.name, chapter: $0.session?.chapter ?? "", after: $0.session?.after ?? []) })
        for (number, chapter) in chapters.enumerated() {
            if number > 0 { output.line("") }
            output.line(chapter.heading)
            for index in chapter.sessions { line(entries[index]) }
        }
        output.line("\nThe questions of the review of 19 November 2012 (kvmtui review)")
        for question in Review.questions {
            output.line("  \(Review.short(question))")
            output.line("    \(question.sessions.joined(separator: ", "))")
        }
        try output.flush()
        if let problem = FoundSession.problem { CommandIO.complain(problem) }
        for folder in FoundSession.folders {
            let count = entries.count { if case .folder(let path) = $0.origin { path.hasPrefix(folder + "/") } else { false } }
            if count > 0 {
                CommandIO.complain(
                    "\(count) of them \(count == 1 ? "is" : "are") from \(DisplayText(folder, limit: 200).text), which goes before those inside the program")
            }
        }
    }
}

struct ReviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "review", abstract: "Show the review of 19 November 2012, and open the sessions that answer its questions.",
        discussion:
            "The mails are as they were written; what the patch does between the questions is told in our words. Where standard output is no terminal, it is printed.",
        examples: [Example("kvmtui review | head -n 20", "how it begins")])

    @OptionGroup var screen: ScreenOptions

    func run() throws {
        try CommandIO.reporting {
            guard isatty(1) != 0 else { return try CommandIO.output(Self.text) }
            let looks = screen.resolved(onTerminal: true)
            let desk = SessionDesk(looks.choice, BehaviourOptions.Choice(revision: nil, switchedOn: [], switchedOff: []), keepsWork: true)
            let browser = SessionBrowser(nil, outside: desk.outside, ascii: screen.ascii, plain: screen.plain, showsReview: true)
            do throws(TerminalError) {
                let left = try TerminalDriver.run(browser, options: looks.terminal, environment: ProcessInfo.processInfo.environment)
                if let kept = left.explorer.flatMap({ desk.close($0) }) { CommandIO.complain(kept) }
            } catch {
                CommandIO.complain(error)
                throw ExitCode(error.exitStatus)
            }
        }
    }

    /// The mail as plain text.
    static var text: String {
        var out = "\(Review.title)\n\(Review.from)\n"
        for passage in Review.passages {
            out += "\n"
            switch passage.kind {
            case .quoted: out += TextLayout.wrap(passage.text, width: 76).map { "> \($0)\n" }.joined()
            case .patch: out += TextLayout.wrap("[\(passage.text)]", width: 76).map { "> \($0)\n" }.joined()
            case .question: out += TextLayout.wrap(passage.text, width: 78).map { "\($0)\n" }.joined()
            }
            if !passage.answer.isEmpty { out += "    (\(passage.answer))\n" }
            if !passage.sessions.isEmpty { out += "    -> \(passage.sessions.joined(separator: ", "))\n" }
        }
        return out
    }
}

struct BehavioursCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "behaviours", abstract: "List what --with and --without switch: what each does, where it is decided, the sessions about it.",
        examples: [Example("kvmtui behaviours retry-check", "what it is, and the sessions about it")])

    @Argument(help: "Names, or pieces of them; without any: all.", completion: .list(Behaviour.names))
    var names: [String] = []

    func run() throws {
        let known = SessionDesk.shippedEntries().compactMap { entry in entry.session.map { (name: entry.name, session: $0) } }
        let all = BehaviourGuide.all(sessions: known)
        let chosen = all.filter { guide in names.isEmpty || names.contains { guide.name.contains($0) || guide.opposite?.contains($0) == true } }
        guard !chosen.isEmpty else {
            throw ValidationError(
                "unknown behaviour '\(DisplayText(names.joined(separator: " "), limit: 60).text)'; \(NearNames.fits(names[0], among: Behaviour.names, otherwise: "kvmtui behaviours lists them"))"
            )
        }
        var output = StandardOutput()
        for (number, guide) in chosen.enumerated() {
            if number > 0 { output.line("") }
            output.line(guide.name + (guide.opposite.map { "   (opposite: \($0))" } ?? ""))
            for line in TextLayout.wrap(guide.about, width: 74) { output.line("    \(line)") }
            output.line("    in \(guide.revisions.isEmpty ? "no revision by itself" : guide.revisions.joined(separator: ", "))")
            for place in guide.places { output.line("    decided in \(place)") }
            for (row, line) in TextLayout.wrap(guide.sessions.joined(separator: ", "), width: 64).enumerated() where !guide.sessions.isEmpty {
                output.line((row == 0 ? "    sessions: " : "              ") + line)
            }
            for (row, line) in TextLayout.wrap(guide.unshown ?? "", width: 64).enumerated() where guide.unshown != nil {
                output.line((row == 0 ? "    not shown: " : "               ") + line)
            }
        }
        try output.flush()
    }
}

struct GlossaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "glossary", abstract: "Explain the field's words, each with its source: HPFAR, ISV, gup, memslot, PoU.",
        discussion: "Without a word: all of them, a line each.",
        examples: [Example("kvmtui glossary HPFAR", "what a word means, and who says so")])

    @Argument(help: "Words to explain.", completion: .list(Glossary.terms.flatMap(\.names)))
    var words: [String] = []

    func run() throws {
        var output = StandardOutput()
        if words.isEmpty {
            let width = Glossary.terms.map(\.name.count).max() ?? 0
            for term in Glossary.terms { output.line(term.name + String(repeating: " ", count: width - term.name.count + 2) + term.meaning) }
            return try output.flush()
        }
        var unknown = false
        for (number, word) in words.enumerated() {
            guard let term = Glossary.term(word) else {
                try output.flush()
                let fits = NearNames.fits(word, among: Glossary.terms.flatMap(\.names), otherwise: "kvmtui glossary lists the words that are")
                CommandIO.complain("'\(DisplayText(word, limit: 60).text)' is not in the glossary; \(fits)")
                unknown = true
                continue
            }
            if number > 0 { output.line("") }
            output.line(term.names.joined(separator: ", "))
            for line in TextLayout.wrap(term.meaning, width: 74) { output.line("    \(line)") }
            output.line("    Source: \(term.source)")
        }
        try output.flush()
        if unknown { throw CommandIO.notHeld }
    }
}

struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "format", abstract: "Document the session language: keys, actions, steps, expectations, behaviours.",
        discussion: "It is made from the tables that the reader takes its words from.",
        examples: [Example("kvmtui format expectations", "what a session may expect")])

    @Argument(help: "Show only the parts whose titles have this word in them, such as expectations.")
    var part: String?

    func run() throws {
        guard let part else { return try CommandIO.output(FormatGuide.text()) }
        let titles = FormatGuide.sections.map(\.title)
        let chosen = titles.filter { $0.lowercased().contains(part.lowercased()) }
        guard !chosen.isEmpty else {
            throw ValidationError("no part is called '\(DisplayText(part, limit: 60).text)': \(titles.joined(separator: ", "))")
        }
        try CommandIO.output(FormatGuide.text(only: Set(chosen)))
    }
}
