import Sessions
import Stage2Sim

/// A session as one page that needs nothing beside itself: its words, and its state from step to step.
///
///     let page = try LessonPage(Timeline(session))
///     print(page.html)
public struct LessonPage {
    /// Why there is no page of a session, and what would fit.
    public struct TooLong: Error, Sendable, Equatable {
        /// Places between the steps asked for; the bytes that they would take, where that is what is too much.
        public let places: Int
        public let bytes: Int?
        /// Steps that fit into a page.
        public let fits: ClosedRange<Int>
    }

    /// Steps, and stops between them, that a page has at most.
    public static let mostPlaces = 5000
    /// Bytes that a page has at most.
    public static let mostBytes = 4 << 20

    /// The whole page.
    public let html: String
    /// What stands in it as JSON: texts by number, places, the first state and what is different in each of the others.
    public let json: String

    /// - Parameters:
    ///   - timeline: a session that has been run.
    ///   - steps: the first and the last step to be shown; what is beyond the session's end is left out.
    ///   - home: where the index of the site is that the page belongs to; nil: it stands alone.
    /// - Throws: `TooLong`.
    public init(_ timeline: Timeline, steps: ClosedRange<Int>? = nil, home: String? = nil) throws(TooLong) {
        let data = try LessonData(timeline, steps: steps ?? 0...timeline.count)
        json = data.json
        html = Self.html(timeline.session, data, home: home)
        if html.utf8.count > Self.mostBytes { throw TooLong(places: data.count, bytes: html.utf8.count, fits: data.fitting(Self.mostBytes)) }
    }

    private static func html(_ session: Session, _ data: LessonData, home: String?) -> String {
        let title = HTMLText.escaped(session.title)
        let kernel = HTMLText.escaped("kernel \(KernelInForce(session.machine)), \(session.machine.cpu.name), I-cache \(session.machine.instructionCacheName)")
        func button(_ id: String, _ words: String, _ label: String, rare: Bool = false, pressed: Bool = false) -> String {
            "<button type=\"button\" id=\"\(id)\" aria-label=\"\(label)\" title=\"\(label)\"\(rare ? " class=\"rare\"" : "")\(pressed ? " aria-pressed=\"false\"" : "")>\(words)</button>"
        }
        let notes = data.notes.map { "<li><code>\(HTMLText.escaped($0.action))</code>: \(HTMLText.escaped($0.note))</li>" }.joined(separator: "\n")
        return """
            \(HTMLText.head(title: title))
            <body>
            <a class="skip" href="#why-box">To the step</a>
            <header>
            \(home.map { "<nav aria-label=\"Course\"><a href=\"\(HTMLText.escaped($0))\">All sessions</a></nav>\n" } ?? "")<h1>\(title)</h1>
            <p class="about">\(HTMLText.escaped(session.about))</p>
            \(session.question.isEmpty ? "" : "<p class=\"note\"><strong>It asks:</strong> \(HTMLText.escaped(session.question))</p>\n")<p class="kernel">\(kernel)</p>
            </header>
            <noscript><p class="wrong">This page steps by script, and script is switched off. What the author says:</p><ol>\(notes)</ol></noscript>
            <div class="controls" role="group" aria-label="Steps">
            <div class="buttons">
            \(button("start", "start", "Start (g)"))
            \(button("fault-back", "« fault", "Previous fault ([)", rare: true))
            \(button("back", "‹ back", "One step back (S or left)"))
            \(button("on", "step ›", "One step on (s, right or space)"))
            \(button("fault-on", "fault »", "Next fault (])"))
            \(button("end", "end", "End (G)"))
            <span id="where"></span>
            \(button("changes", "changes only", "Show only what changed (d)", rare: true, pressed: true))
            \(button("predict", "predict", "Be asked before steps what comes of them (P)", pressed: true))
            \(button("handout-button", "handout", "Show every note with its state (p)", rare: true, pressed: true))
            \(button("print-button", "print", "Print the handout", rare: true))
            \(button("theme", "Colours: auto", "Colours: automatic, light, dark", rare: true))
            \(button("help-button", "?", "Keys (?)"))
            </div>
            <div class="slide"><input type="range" id="slider" min="0" max="0" value="0" aria-label="Step"><div id="marks" aria-hidden="true"></div></div>
            </div>
            <p id="live" class="hidden" role="status" aria-live="polite"></p>
            <main>
            <div class="grid">
            <div class="side card" role="region" tabindex="0" aria-label="Fault path"><h2>Fault path</h2><div id="path" class="path"></div></div>
            <div>
            <section id="why-box" class="card" tabindex="-1" aria-labelledby="why-heading"><h2 id="why-heading">This step</h2><div id="why"></div></section>
            <div id="asked"></div>
            <h2>State after it</h2>
            <div id="state" class="state"></div>
            </div>
            </div>
            <div class="leads">
            <details id="faults-box"><summary>Faults</summary><ul class="lead" id="faults"></ul></details>
            <details id="breaks-box"><summary>Broken checks</summary><ul class="lead" id="breaks"></ul></details>
            </div>
            <section id="handout" aria-label="Handout"><h2>Notes, with the state they speak about</h2></section>
            </main>
            <footer><p class="dim">Made by kvmtui \(libraryVersion) from \(HTMLText.escaped(data.file)): \(data.summary). <span class="screen">A link to a step is this page's address with #103 behind it.</span></p></footer>
            <dialog id="help" aria-labelledby="help-heading">
            <h2 id="help-heading">Keys</h2>
            <dl>
            <div><dt><kbd>s</kbd> <kbd>→</kbd> <kbd>Space</kbd></dt><dd>one step on; <kbd>5</kbd> <kbd>s</kbd>: five</dd></div>
            <div><dt><kbd>S</kbd> <kbd>←</kbd> <kbd>Backspace</kbd></dt><dd>one step back</dd></div>
            <div><dt><kbd>f</kbd> <kbd>F</kbd></dt><dd>to the end of this fault, back to its start</dd></div>
            <div><dt><kbd>]</kbd> <kbd>[</kbd></dt><dd>next, previous fault</dd></div>
            <div><dt><kbd>c</kbd> <kbd>C</kbd></dt><dd>on, back to the next broken check</dd></div>
            <div><dt><kbd>g</kbd> <kbd>G</kbd></dt><dd>first, last step; <kbd>42</kbd> <kbd>g</kbd>: step 42</dd></div>
            <div><dt><kbd>d</kbd></dt><dd>only what changed, or everything</dd></div>
            <div><dt><kbd>w</kbd></dt><dd>to what the step is, and why</dd></div>
            <div><dt><kbd>P</kbd></dt><dd>be asked before steps what comes of them, or not</dd></div>
            <div><dt><kbd>p</kbd></dt><dd>the handout: every note with its state</dd></div>
            <div><dt><kbd>?</kbd></dt><dd>this</dd></div>
            </dl>
            <p>A swipe to the left is a step on, to the right a step back. * is what the step changed, ~ what is stale, ✗ a broken check.</p>
            <button type="button" id="help-close">Close</button>
            </dialog>
            <script type="application/json" id="lesson">\(HTMLText.embedded(json: data.json))</script>
            <script>
            \(HTMLText.asset(PackageResources.page_js))</script>
            </body>
            </html>

            """
    }
}
