import Sessions

// Manual/: the manual page, written from the commands, the key table and the prompt's commands. mdoc, for man and mandoc alike.

/// The manual page of the program.
public struct Manual {
    /// A command of the command line.
    public struct Command: Sendable {
        public var name: String
        public var abstract: String
        public var discussion: String
        /// Lines to type, each with what it does on the next.
        public var examples: String
        public var parameters: [Parameter]

        public init(name: String, abstract: String, discussion: String, examples: String = "", parameters: [Parameter]) {
            self.name = name
            self.abstract = abstract
            self.discussion = discussion
            self.examples = examples
            self.parameters = parameters
        }
    }

    /// An argument or option of a command.
    public struct Parameter: Sendable, Hashable {
        /// With their dashes; empty: an argument by its place.
        public var names: [String]
        /// What stands for its value; empty: a flag.
        public var value: String
        public var help: String
        public var isOptional: Bool
        public var isRepeating: Bool

        public init(names: [String], value: String, help: String, isOptional: Bool, isRepeating: Bool) {
            self.names = names
            self.value = value
            self.help = help
            self.isOptional = isOptional
            self.isRepeating = isRepeating
        }
    }

    let abstract: String
    let commands: [Command]
    /// As mdoc writes it: `November 22, 2026`.
    let date: String
    private var out = ""

    public init(abstract: String, commands: [Command], date: String) {
        self.abstract = abstract
        self.commands = commands
        self.date = date
    }

    /// The page.
    public var text: String {
        var page = self
        page.write()
        return page.out
    }

    // MARK: Roff

    /// Text in which nothing is taken for a request or an escape.
    static func escaped(_ text: some StringProtocol) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\e"
            case _ where scalar.value >= 0x7f:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                out += "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
            case _ where scalar.value < 0x20: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out.hasPrefix(".") || out.hasPrefix("'") ? "\\&" + out : out
    }

    /// Words behind a macro: none of them is taken for another macro, and none ends in what would be moved out of it.
    private static func words(_ text: String) -> String {
        text.split(separator: " ").map { "\\&" + escaped($0).replacing("\"", with: "\\(dq") + "\\&" }.joined(separator: " ")
    }

    private mutating func line(_ text: String) { out += text + "\n" }

    /// Running text, a sentence a line.
    private mutating func paragraph(_ text: String) {
        for line in text.split(separator: "\n") {
            var rest = line[...]
            while let end = rest.firstRange(of: ". ") {
                self.line(Self.escaped(rest[..<end.lowerBound]) + ".")
                rest = rest[end.upperBound...].drop { $0 == " " }
            }
            if !rest.isEmpty { self.line(Self.escaped(rest)) }
        }
    }

    private mutating func list(_ items: [(head: String, text: String)], width: String) {
        line(".Bl -tag -width \(width)")
        for item in items {
            line(".It \(item.head)")
            paragraph(item.text)
        }
        line(".El")
    }

    // MARK: The page

    private mutating func write() {
        line(".Dd \(date)")
        line(".Dt KVMTUI 1")
        line(".Os")
        line(".Sh NAME")
        line(".Nm kvmtui")
        line(".Nd \(Self.escaped(abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract))")
        line(".Sh SYNOPSIS")
        for command in commands { synopsis(command) }
        line(".Nm")
        line(".Fl -version")
        line(".Sh DESCRIPTION")
        paragraph(
            "A terminal explorer of KVM's guest-fault path on 32-bit ARM. It steps through guest faults one at a time, forwards and backwards: the stage-2 tables, the bits of their entries, HSR and HPFAR, the TLB, the caches, the memory cache, the host underneath; and beside each step what it is, and why."
        )
        line(".Pp")
        paragraph("--version prints the version, the commit, and the compiler; help COMMAND, or COMMAND --help, what a command takes, with examples.")
        line(".Sh COMMANDS")
        for command in commands { write(command) }
        writeKeys()
        writePrompt()
        writeFormat()
        writeRest()
    }

    /// The session language, from the tables that its reader uses.
    private mutating func writeFormat() {
        line(".Sh SESSION FORMAT")
        paragraph("What kvmtui format prints.")
        for section in FormatGuide.sections {
            line(".Ss \(Self.words(section.title))")
            paragraph(section.text)
            list(section.rows.map { ("Ic \(Self.words($0.usage))", $0.about) }, width: "Ds")
        }
    }

    private mutating func synopsis(_ command: Command) {
        line(".Nm")
        line(".Cm \(command.name)")
        let arguments = command.parameters.filter(\.names.isEmpty)
        if command.parameters.contains(where: { !$0.names.isEmpty }) { line(".Op Ar options") }
        for argument in arguments {
            let name = Self.words(argument.value) + (argument.isRepeating ? " ..." : "")
            line(argument.isOptional ? ".Op Ar \(name)" : ".Ar \(name)")
        }
    }

    private mutating func write(_ command: Command) {
        line(".Ss kvmtui \(command.name)")
        paragraph(command.abstract)
        if !command.discussion.isEmpty {
            line(".Pp")
            paragraph(command.discussion)
        }
        if !command.parameters.isEmpty {
            line(".Bl -tag -width Ds")
            for parameter in command.parameters {
                var head = parameter.names.map { "Fl \($0.dropFirst())" }.joined(separator: " , ")
                if !parameter.value.isEmpty { head += (head.isEmpty ? "" : " ") + "Ar \(Self.words(parameter.value))" }
                line(".It \(head)")
                paragraph(parameter.help)
            }
            line(".El")
        }
        if !command.examples.isEmpty {
            line(".Bd -literal -offset indent")
            for example in command.examples.split(separator: "\n") { line(Self.escaped(example)) }
            line(".Ed")
        }
    }

    private mutating func writeKeys() {
        line(".Sh KEYS")
        paragraph("The keys of open and play.")
        var group = ""
        for binding in KeyTable.bindings {
            if binding.group != group {
                if !group.isEmpty { line(".El") }
                group = binding.group
                line(".Ss \(Self.words(group))")
                line(".Bl -tag -width Backspace")
            }
            line(".It Ic \(Self.words(binding.shown))")
            paragraph(binding.help)
        }
        line(".El")
    }

    private mutating func writePrompt() {
        line(".Sh COMMANDS AT THE PROMPT")
        paragraph("What : takes. Tab completes, the arrows go through what was typed before.")
        list(ExplorerCommand.all.map { ("Ic \(Self.words(":" + $0.usage))", $0.help) }, width: "Ds")
    }

    private mutating func writeRest() {
        line(".Sh KEY SCRIPTS")
        paragraph(
            "open --keys plays a file of keys without a terminal. Words are keys, with blanks between them; quotes type their characters; # begins a comment; *COUNT behind a key repeats it. Sizes, clicks and the like stand in angle brackets."
        )
        paragraph("Names: \(KeyScript.names.joined(separator: " ")).")
        line(".Bd -literal -offset indent")
        line("s s F ] 42g Tab \":without smp-rmb\" Enter C-d*3 <size 120x36> <click 10,5> # a comment")
        line(".Ed")
        for chapter in Self.chapters {
            line(".Sh \(chapter.title)")
            for (number, text) in chapter.paragraphs.enumerated() {
                if number > 0 { line(".Pp") }
                paragraph(text)
            }
        }
        line(".Sh ENVIRONMENT")
        list(
            [
                ("Ev KVMTUI_SESSIONS", "A folder of sessions that are found by name before those inside the program."),
                ("Ev KVMTUI_THEME", "dark, light, mono, or auto: what --theme is without being given. It goes before the configuration's theme."),
                ("Ev COLORFGBG", "Whether the terminal is light, where it does not say so itself: its last number is the background's colour."),
                ("Ev ESCDELAY", "How long a lone Escape waits for the rest of a key, in milliseconds; 25 by default."),
                ("Ev VISUAL , EDITOR", "The editor that the key e opens; without either, vi."),
                ("Ev NO_COLOR", "Set and not empty: no colours, unless --color always."),
                ("Ev TERM", "The terminal's name."),
                ("Ev XDG_CONFIG_HOME", "Where the configuration is: kvmtui/config.yaml there. Without it in .config of HOME."),
                (
                    "Ev XDG_STATE_HOME",
                    "Where unsaved work is kept: in the folder kvmtui there. Without it in .local/state/kvmtui of HOME; where that cannot be written, in TMPDIR."
                ),
            ], width: "KVMTUI_SESSIONS")
        line(".Sh FILES")
        list(
            [
                ("Pa *.yaml", "Sessions."),
                ("Pa sessions/", "In the current folder: sessions that are found by name before those inside the program."),
                ("Pa /usr/share/kvmtui/sessions", "The sessions inside the program, to read and to copy, where a package has installed it."),
                ("Pa ~/.config/kvmtui/config.yaml", "Keys, theme, layout and mouse. kvmtui config prints the defaults, kvmtui config --check what is wrong."),
                ("Pa ~/.local/state/kvmtui/progress", "How far each session was read: what the list marks as done, and where a session goes on."),
                (
                    "Pa ~/.local/state/kvmtui/*.work",
                    "What was typed at a session and not saved, from the first action on until the session is left. The same session offers what a program that died has left: :recover does it again."
                ),
            ], width: "Ds")
        line(".Sh EXIT STATUS")
        list(
            [
                ("0", "Done."), ("1", "An expectation or a check failed."),
                ("2", "The input is bad: one line on standard error says where, what was found, and what would fit."),
                ("64", "Usage."), ("74", "Terminal, or input and output."), ("130", "Ended by ^C, with what there was by then."),
            ], width: "Ds")
        line(".Sh EXAMPLES")
        paragraph("Each command has its own above. A first look at everything:")
        line(".Bd -literal -offset indent")
        line("kvmtui open first-touch")
        line(".Ed")
    }
}
