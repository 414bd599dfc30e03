import Sessions
import Stage2Sim

/// The course as a site of static files: the sessions by chapters with an index that can be searched, the review, the glossary, behaviours,
/// incidents, the session language.
public struct CourseSite {
    /// A session of it.
    public struct Lesson: Sendable {
        /// By which it is opened, and its file is called.
        public let name: String
        public let session: Session

        public init(name: String, session: Session) {
            self.name = name
            self.session = session
        }
    }

    /// A file of the site.
    public struct File: Sendable, Equatable {
        /// Below the site's folder: `index.html`, `sessions/retry.html`.
        public let path: String
        public let text: String
    }

    private let lessons: [Lesson]
    private let chapters: [Course.Chapter]
    private let names: Set<String>

    /// - Parameter lessons: those that the site has; of two of one name the first.
    public init(_ lessons: [Lesson]) {
        var seen: Set<String> = []
        self.lessons = lessons.filter { Self.isFileName($0.name) && seen.insert($0.name).inserted }
        names = seen
        chapters = Course.arranged(self.lessons.map { .init(name: $0.name, chapter: $0.session.chapter, after: $0.session.after) })
    }

    /// A name that is the name of a file in any folder, and means nothing else to a browser.
    private static func isFileName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }

    /// The pages beside the sessions', which cost nothing to make.
    public var guides: [File] { [index, review, glossary, behaviours, incidents, format] }

    /// The names of the sessions, in the order of the course.
    public var order: [String] { chapters.flatMap { $0.sessions.map { lessons[$0].name } } }

    /// The page of a session; one that is too long for a page shows its beginning.
    public func page(of name: String) -> File? {
        guard let lesson = lessons.first(where: { $0.name == name }) else { return nil }
        let timeline = Timeline(lesson.session), home = "../index.html"
        let path = "sessions/\(name).html"
        do throws(LessonPage.TooLong) { return File(path: path, text: try LessonPage(timeline, home: home).html) } catch {
            return (try? LessonPage(timeline, steps: error.fits, home: home)).map { File(path: path, text: $0.html) }
        }
    }

    // MARK: Pages

    private static let sections = [
        ("index.html", "Sessions"), ("review.html", "The review"), ("glossary.html", "Glossary"), ("behaviours.html", "Behaviours"),
        ("incidents.html", "Incidents"), ("format.html", "Session language"),
    ]

    private func file(_ path: String, _ title: String, _ body: String, script: String = "") -> File {
        let links = Self.sections.map { file, name in
            file == path ? "<li><a href=\"\(file)\" aria-current=\"page\">\(name)</a></li>" : "<li><a href=\"\(file)\">\(name)</a></li>"
        }.joined(separator: "\n")
        return File(
            path: path,
            text: """
                \(HTMLText.head(title: HTMLText.escaped(title)))
                <body class="guide">
                <a class="skip" href="#main">To the text</a>
                <header><nav aria-label="Course"><ul class="sections">
                \(links)
                </ul></nav>
                <h1>\(HTMLText.escaped(title))</h1></header>
                <main id="main">
                \(body)
                </main>
                <footer><p class="dim">Made by kvmtui \(libraryVersion).</p></footer>
                \(script.isEmpty ? "" : "<script>\n\(script)</script>\n")</body>
                </html>

                """)
    }

    /// A link to a session's page; its bare name where the site has none.
    private func link(_ name: String) -> String {
        let shown = HTMLText.escaped(name)
        return names.contains(name) ? "<a href=\"sessions/\(shown).html\">\(shown)</a>" : "<code>\(shown)</code>"
    }

    private func links(_ names: [String]) -> String { names.map(link).joined(separator: ", ") }

    private var index: File {
        var body = """
            <p><label for="search">Search</label> <input type="search" id="search" autocomplete="off" aria-describedby="found"> <span id="found" role="status" aria-live="polite"></span></p>

            """
        for (number, chapter) in chapters.enumerated() {
            body += "<section class=\"chapter\" aria-labelledby=\"c\(number)\">\n<h2 id=\"c\(number)\">\(HTMLText.escaped(chapter.heading))</h2>\n<ol>\n"
            for place in chapter.sessions {
                let lesson = lessons[place], session = lesson.session
                // What the search looks through, beside what is shown.
                let words = ([session.question] + session.script.written.prefix(2000).map { $0.note + " " + $0.text }).joined(separator: " ")
                body +=
                    "<li data-words=\"\(HTMLText.escaped(words))\">\(link(lesson.name)): <strong>\(HTMLText.escaped(session.title))</strong> <span>\(HTMLText.escaped(session.about))</span></li>\n"
            }
            body += "</ol>\n</section>\n"
        }
        return file("index.html", "KVM's guest-fault path on ARM, step by step", body, script: HTMLText.asset(PackageResources.search_js))
    }

    private var review: File {
        var body = "<p><strong>\(HTMLText.escaped(Review.title))</strong><br>\(HTMLText.escaped(Review.from))</p>\n"
        for passage in Review.passages {
            let text = HTMLText.escaped(passage.text)
            switch passage.kind {
            case .quoted: body += "<blockquote>\(text)</blockquote>\n"
            case .patch: body += "<p class=\"dim\">[\(text)]</p>\n"
            case .question: body += "<p class=\"note\"><strong>\(text)</strong></p>\n"
            }
            if !passage.answer.isEmpty { body += "<p>\(HTMLText.escaped(passage.answer))</p>\n" }
            if !passage.sessions.isEmpty { body += "<p>Shown by: \(links(passage.sessions))</p>\n" }
        }
        return file("review.html", "The review of 19 November 2012", body)
    }

    private var glossary: File {
        let terms = Glossary.terms.map { term in
            "<dt id=\"\(Self.anchor(term.name))\">\(HTMLText.escaped(term.names.joined(separator: ", ")))</dt><dd>\(HTMLText.escaped(term.meaning)) <span class=\"dim\">Source: \(HTMLText.escaped(term.source))</span></dd>"
        }
        return file("glossary.html", "Glossary", "<dl class=\"terms\">\n\(terms.joined(separator: "\n"))\n</dl>")
    }

    private var behaviours: File {
        let all = BehaviourGuide.all(sessions: lessons.map { ($0.name, $0.session) })
        let terms = all.map { guide in
            var lines = ["<p>\(HTMLText.escaped(guide.about))</p>"]
            lines.append(
                "<p class=\"dim\">\(guide.revisions.isEmpty ? "In no revision by itself." : "In \(HTMLText.escaped(guide.revisions.joined(separator: ", "))).")</p>"
            )
            if !guide.places.isEmpty { lines.append("<p>Decided in: \(HTMLText.escaped(guide.places.joined(separator: "; ")))</p>") }
            if !guide.sessions.isEmpty { lines.append("<p>Sessions: \(links(guide.sessions))</p>") }
            let opposite = guide.opposite.map { " (opposite: \(HTMLText.escaped($0)))" } ?? ""
            return "<dt id=\"\(Self.anchor(guide.name))\"><code>\(HTMLText.escaped(guide.name))</code>\(opposite)</dt><dd>\(lines.joined())</dd>"
        }
        return file(
            "behaviours.html", "Behaviours",
            "<p>What <code>--with</code> and <code>--without</code> switch, one by one.</p>\n<dl class=\"terms\">\n\(terms.joined(separator: "\n"))\n</dl>")
    }

    private var incidents: File {
        var body = "<p>What went wrong on this path since, and the sessions that show it.</p>\n"
        for incident in Incidents.all {
            body += "<article><h2>\(incident.year): \(HTMLText.escaped(incident.title))</h2>\n"
            let ids = ([incident.id].compactMap { $0 } + incident.alsoIDs).map { "<code>\(HTMLText.escaped($0))</code>" }.joined(separator: ", ")
            if !ids.isEmpty {
                body +=
                    "<p class=\"dim\">\(ids)\(incident.subject.isEmpty ? "" : " \(HTMLText.escaped(incident.subject))")\(incident.cve.isEmpty ? "" : " (\(HTMLText.escaped(incident.cve)))")</p>\n"
            }
            body += "<p>\(HTMLText.escaped(incident.mechanism))</p>\n"
            body +=
                incident.sessions.isEmpty
                ? "<p class=\"dim\">To show it the core would need \(HTMLText.escaped(incident.needs)).</p>\n"
                : "<p>Shown by: \(links(incident.sessions))</p>\n"
            body += "</article>\n"
        }
        return file("incidents.html", "Incidents since", body)
    }

    private var format: File {
        let sections = FormatGuide.sections.map { section in
            let rows = section.rows.map { "<dt><code>\(HTMLText.escaped($0.usage))</code></dt><dd>\(HTMLText.escaped($0.about))</dd>" }.joined(separator: "\n")
            return "<h2>\(HTMLText.escaped(section.title))</h2>\n<p>\(HTMLText.escaped(section.text))</p>\n<dl class=\"terms\">\n\(rows)\n</dl>"
        }
        return file("format.html", "The session language", sections.joined(separator: "\n"))
    }

    /// A name as the end of an address.
    private static func anchor(_ name: String) -> String {
        String(name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
    }
}
