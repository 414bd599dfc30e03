import Stage2Sim
import Yams

/// Reads session files.
public struct SessionReader {
    /// Larger files are refused before they are parsed: larger input comes as traces.
    public static let sizeLimit = 16 << 20
    /// Operations that a file may write out, whatever its aliases multiply to.
    static let writtenLimit = 1_000_000

    let file: String
    /// What is wrong with it, so far.
    let findings = Findings()
    /// The vCPUs could not be read: any vCPU may be meant.
    var takesAnyVCPU = false
    /// The file says what memory the VM of a trace has: HVAs are those of the host's VMM, 64 bits, and 0 where the file does not say.
    var isForTrace = false
    /// The host's processes have addresses of 64 bits, as those of most traces: `host: arm64`.
    var isWideHost = false
    /// The machine runs v6.1.
    var isArm64 = false
    var written = 0
    /// The questions read so far, and how many repeats stand around what is being read.
    var togethers: [Together] = []
    var loopDepth = 0
    /// What each name at the head of a step is; nil where it is nobody's.
    var actorKinds: [String: Actor.Kind] = [:]

    /// - Parameter isForTrace: only the machine is wanted, for a trace: see `isForTrace`.
    public static func read(path: String, isForTrace: Bool = false) throws -> Session {
        let source: ByteSource
        do { source = try ByteSource(path: path) } catch { throw InputError(path, error) }
        return try read(source, isForTrace: isForTrace)
    }

    /// - Throws: `InputError`.
    public static func read(_ source: ByteSource, isForTrace: Bool = false) throws -> Session {
        let bytes: [UInt8]
        do {
            bytes = try source.readAll(limit: sizeLimit)
        } catch let error as ByteSourceError {
            if let size = source.size, size > UInt64(sizeLimit) {
                throw InputError(source.name, nil, "is \(size >> 20) MiB long", fits: "a session has at most \(sizeLimit >> 20) MiB; use repeat, or a trace")
            }
            throw InputError(source.name, error)
        }
        return try read(bytes, file: source.name, isForTrace: isForTrace)
    }

    /// Reads a session from the bytes of a file.
    ///
    /// - Throws: `InputError`, with file, line and column.
    public static func read(_ bytes: [UInt8], file: String, isForTrace: Bool = false) throws -> Session {
        if let bad = bytes.firstIndex(where: { $0 < 9 || ($0 > 13 && $0 < 32 && $0 != 27) || $0 == 0x7f }) {
            throw InputError(file, place(of: bad, in: bytes), "is not text: byte \(hex(UInt64(bytes[bad]), digits: 2))", fits: "a session is YAML")
        }
        // A byte order mark says nothing in UTF-8; editors of other systems put one there.
        guard let text = String(validating: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...], as: UTF8.self) else {
            throw InputError(file, nil, "is not UTF-8", fits: "a session is YAML in UTF-8")
        }
        return try read(text: text, file: file, isForTrace: isForTrace)
    }

    private static func place(of offset: Int, in bytes: [UInt8]) -> SourcePlace {
        let before = bytes[..<offset]
        let line = before.count { $0 == 10 } + 1
        return SourcePlace(line: line, column: offset - (before.lastIndex(of: 10) ?? -1))
    }

    /// Reads a session from its text.
    ///
    /// - Throws: `InputError`, with file, line and column.
    public static func read(text: String, file: String, isForTrace: Bool = false) throws -> Session {
        let node: Node?
        do {
            // No tags are resolved: every scalar is read as text here, and resolving them costs a quarter of the time.
            node = try Yams.compose(yaml: text, .basic)
        } catch let error as YamlError {
            throw translated(error, text: text, file: file)
        }
        guard let node else { throw InputError(file, nil, "is empty", fits: "a session begins with kvmtui: 1") }
        var reader = SessionReader(file: file, isForTrace: isForTrace)
        let session: Session
        do { session = try reader.session(node) } catch {
            try reader.findings.add(error)
            try reader.findings.throwAll()
            throw error
        }
        try reader.findings.throwAll()
        return session
    }

    private init(file: String, isForTrace: Bool) {
        self.file = file
        self.isForTrace = isForTrace
    }

    private static func translated(_ error: YamlError, text: String, file: String) -> InputError {
        func at(_ mark: Mark?) -> SourcePlace? { mark.map { SourcePlace(line: $0.line, column: $0.column) } }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            let place = at(mark)
            let line = place.flatMap { p in text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(p.line - 1).first } ?? ""
            if line.prefix(while: \.isWhitespace).contains("\t") {
                let column = (line.firstIndex(of: "\t").map { line.distance(from: line.startIndex, to: $0) } ?? 0) + 1
                return InputError(file, SourcePlace(line: place!.line, column: column), "a tab indents this line", fits: "YAML is indented with spaces")
            }
            return InputError(file, place, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            return InputError(file, at(context.mark), "the key \(duplicates.map { "'\($0)'" }.joined(separator: ", ")) stands twice")
        default: return InputError(file, nil, "not YAML: \(error)")
        }
    }

    // MARK: Errors

    func place(_ node: Node) -> SourcePlace { SourcePlace(line: node.mark?.line ?? 0, column: node.mark?.column ?? 0) }

    func fail(_ node: Node, _ message: String, fits: String = "") -> InputError { InputError(file, place(node), message, fits: fits) }

    static func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string.prefix(60))'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// - Parameter goingOn: an unknown key is noted and left out; otherwise nothing of the mapping is taken.
    func mapping(_ node: Node, _ what: String, _ words: [FormatWord], goingOn: Bool = false) throws -> [(key: String, keyNode: Node, value: Node)] {
        let keys = words.names
        guard case .mapping(let mapping) = node else {
            throw fail(node, "\(what) is \(Self.kind(node))", fits: "a mapping with \(keys.joined(separator: ", "))")
        }
        var entries: [(key: String, keyNode: Node, value: Node)] = []
        var unknown: InputError?
        for (key, value) in mapping {
            if let name = key.string, keys.contains(name) {
                entries.append((name, key, value))
                continue
            }
            if let unknown { findings.add(unknown) }
            let known = "known here: \(keys.joined(separator: ", "))"
            unknown = fail(key, "unknown key \(Self.kind(key)) in \(what)", fits: key.string.map { NearNames.fits($0, among: keys, otherwise: known) } ?? known)
        }
        if let unknown {
            guard goingOn else { throw unknown }
            findings.add(unknown)
        }
        return entries
    }

    func list(_ node: Node, _ what: String) throws -> [Node] {
        guard case .sequence(let sequence) = node else { throw fail(node, "\(what) is \(Self.kind(node))", fits: "a list") }
        return Array(sequence)
    }

    func string(_ node: Node, _ what: String) throws -> String {
        guard case .scalar(let scalar) = node else { throw fail(node, "\(what) is \(Self.kind(node))", fits: "a text") }
        return scalar.string
    }

    /// An address: a number, but not one in decimal.
    func address(_ node: Node, _ what: String, in range: ClosedRange<UInt64> = 0...UInt64.max) throws -> UInt64 {
        if case .scalar(let scalar) = node, let meant = DecimalAddress(scalar.string[...]) {
            throw fail(node, "\(what) is \(meant.found)", fits: meant.fits)
        }
        return try number(node, what, in: range)
    }

    func number(_ node: Node, _ what: String, in range: ClosedRange<UInt64> = 0...UInt64.max) throws -> UInt64 {
        guard case .scalar(let scalar) = node, let value = parseNumber(scalar.string) else {
            throw fail(node, "\(what) is \(Self.kind(node))", fits: "a number, such as 0x80000000 or 64M")
        }
        guard range.contains(value) else { throw fail(node, "\(what) is \(scalar.string)", fits: "from \(range.lowerBound) to \(hex(range.upperBound))") }
        return value
    }

    func flag(_ node: Node, _ what: String) throws -> Bool {
        switch node.string {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: throw fail(node, "\(what) is \(Self.kind(node))", fits: "true or false")
        }
    }

    // MARK: The whole

    /// The end of a process's addresses.
    var hvaEnd: UInt64 { isForTrace || isWideHost ? 1 << 56 : Process.userEnd.rawValue }

    private mutating func session(_ node: Node) throws -> Session {
        let entries = try mapping(node, "the session", FormatKeys.session, goingOn: true)
        let mistakesInKeys = findings.count
        guard let version = entries.first(where: { $0.key == "kvmtui" }) else {
            // What is wrong with its keys is wrong because it is no session.
            guard mistakesInKeys == 0 || node.mapping?.contains(where: { $0.key.string == "steps" }) == true else {
                throw fail(node, "the key 'kvmtui' is missing", fits: "kvmtui: 1")
            }
            findings.add(fail(node, "the key 'kvmtui' is missing", fits: "kvmtui: 1"))
            return Session(title: "", about: "", question: "", machine: MachineConfiguration(), script: Script([]), file: file)
        }
        guard version.value.string == "1" else { throw fail(version.value, "version \(Self.kind(version.value)) of the format", fits: "kvmtui: 1") }
        var session = Session(title: "", about: "", question: "", machine: MachineConfiguration(), script: Script([]), file: file)
        var steps: Node?
        for (key, _, value) in entries {
            do {
                switch key {
                case "title": session.title = PrintableText.printable(try string(value, "the title"))
                case "about": session.about = PrintableText.printable(try string(value, "about"))
                case "question": session.question = PrintableText.printable(try string(value, "the question"))
                case "chapter": session.chapter = Course.chapter(named: PrintableText.printable(try string(value, "the chapter")))
                case "after": session.after = try sessionNames(value)
                case "goal": session.goals = try goals(value)
                case "hints": session.hints = try texts(value, "a hint")
                case "machine": session.machine = try machine(value)
                case "steps": steps = value
                default: break
                }
            } catch { try findings.add(error) }
        }
        for thread in HostThread.allCases { actorKinds[String(describing: thread)] = .host }
        for (v, vm) in session.machine.vms.enumerated() { for i in vm.vcpus.indices { actorKinds[(v == 0 ? "" : "vm\(v).") + "vcpu\(i)"] = .vcpu } }
        guard let steps else {
            if mistakesInKeys == 0 { throw fail(node, "the key 'steps' is missing", fits: "steps: a list of actions") }
            return session
        }
        if session.title.isEmpty { session.title = "untitled" }
        session.script = try script(try list(steps, "steps"))
        session.togethers = togethers
        return session
    }

    /// Of a task: what is asked, one goal or a list.
    private func goals(_ node: Node) throws -> [Goal] {
        let items: [Node]
        if case .sequence(let sequence) = node { items = Array(sequence) } else { items = [node] }
        return try items.compactMap { item in
            let text = PrintableText.printable(try string(item, "a goal"))
            do throws(ActionLanguage.Mistake) { return try Goal.parse(text, at: place(item)) } catch {
                findings.add(located(error, in: item))
                return nil
            }
        }
    }

    /// One text, or a list of them.
    private func texts(_ node: Node, _ what: String) throws -> [String] {
        let items: [Node]
        if case .sequence(let sequence) = node { items = Array(sequence) } else { items = [node] }
        return try items.map { PrintableText.printable(try string($0, what)) }
    }

    /// One name, or a list of them.
    private func sessionNames(_ node: Node) throws -> [String] {
        let items: [Node]
        if case .sequence(let sequence) = node { items = Array(sequence) } else { items = [node] }
        return try items.map { PrintableText.printable(try string($0, "a session's name")) }
    }
}
