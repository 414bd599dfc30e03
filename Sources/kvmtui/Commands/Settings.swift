import Foundation
import Screens
import Sessions
import Synchronization
import Yams

/// What the user has set for good: `$XDG_CONFIG_HOME/kvmtui/config.yaml`, or `~/.config/kvmtui/config.yaml`.
struct Settings: Sendable {
    /// A theme's name; nil: not set, or auto.
    var theme: String?
    var mouse: Bool?
    /// The largest arrangement of panes.
    var layout: Layout.Kind?
    var keys: [KeyAction: [Key]] = [:]

    private static let current = Mutex(Settings())
    static var inForce: Settings { current.withLock { $0 } }

    private static let layouts: [(name: String, kind: Layout.Kind?)] = [("auto", nil), ("narrow", .narrow), ("single", .single)]

    /// Reads the file and puts it in force, before anything else is done. A mistake in it ends the program: what was meant is not guessed, and
    /// `kvmtui config` shows what would fit.
    static func begin(_ arguments: [String]) {
        guard let path, arguments.first != "config", FileManager.default.fileExists(atPath: path) else { return }
        do {
            let settings = try read(path)
            current.withLock { $0 = settings }
            KeyTable.rebind(settings.keys)
        } catch {
            CommandIO.complain(error)
            KVMTUI.exit(withError: CommandIO.badInput)
        }
    }

    /// Where it lies.
    static var path: String? {
        let environment = ProcessInfo.processInfo.environment
        if let own = environment["XDG_CONFIG_HOME"], own.hasPrefix("/") { return own + "/kvmtui/config.yaml" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.config/kvmtui/config.yaml" }
        return nil
    }

    // MARK: Reading

    /// Larger files are not read.
    private static let longest = 1 << 20

    static func read(_ path: String) throws -> Settings {
        let source: ByteSource
        do { source = try ByteSource(path: path) } catch { throw InputError(path, nil, "cannot be opened", fits: error.description) }
        let bytes: [UInt8]
        do { bytes = try source.readAll(limit: longest) } catch { throw InputError(path, nil, "cannot be read", fits: "\(error)") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw InputError(path, nil, "is not UTF-8", fits: "kvmtui config prints one that is") }
        return try parse(text, file: path)
    }

    static func parse(_ text: String, file: String) throws -> Settings {
        let node: Node?
        do { node = try Yams.compose(yaml: text, .basic) } catch let error as YamlError { throw InputError(file, place(error), "not YAML: \(problem(error))") }
        var settings = Settings()
        // Nothing but comments, or nothing at all.
        guard let node, node.null == nil, node.string?.isEmpty != true else { return settings }
        guard case .mapping(let mapping) = node else { throw InputError(file, place(node), "is no mapping", fits: known) }
        var errors: [InputError] = []
        for (key, value) in mapping {
            do throws(InputError) {
                switch key.string {
                case "theme": settings.theme = try word(value, file, "theme", ["auto"] + Theme.all.map(\.name)).flatMap { $0 == "auto" ? nil : $0 }
                case "mouse":
                    settings.mouse = try word(value, file, "mouse", ["true", "false", "yes", "no", "on", "off"]).map { ["true", "yes", "on"].contains($0) }
                case "layout":
                    let name = try word(value, file, "layout", layouts.map(\.name))
                    settings.layout = layouts.first { $0.name == name }?.kind
                case "keys": settings.keys = try keys(value, file)
                default:
                    let name = key.string ?? ""
                    throw InputError(file, place(key), "unknown key '\(name)'", fits: NearNames.fits(name, among: names, otherwise: known))
                }
            } catch { errors.append(error) }
        }
        if let error = InputError.all(errors) { throw error }
        return settings
    }

    private static let names = ["theme", "mouse", "layout", "keys"]
    private static var known: String { "known here: \(names.joined(separator: ", "))" }

    private static func word(_ node: Node, _ file: String, _ what: String, _ known: [String]) throws(InputError) -> String? {
        guard let text = node.string, known.contains(text) else {
            throw InputError(file, place(node), "\(what) is '\(node.string ?? "a list or a mapping")'", fits: NearNames.list(known))
        }
        return text
    }

    private static func keys(_ node: Node, _ file: String) throws(InputError) -> [KeyAction: [Key]] {
        guard case .mapping(let mapping) = node else {
            throw InputError(file, place(node), "keys is no mapping", fits: "an action and its keys, such as stepOn: [s, Right]")
        }
        var bound: [KeyAction: [Key]] = [:]
        var owners: [Key: String] = [:]
        for (name, value) in mapping {
            guard let text = name.string, let action = KeyAction(rawValue: text), KeyTable.shipped.contains(where: { $0.action == action && !$0.keys.isEmpty })
            else {
                let actions = KeyTable.shipped.filter { !$0.keys.isEmpty }.map(\.action.rawValue)
                throw InputError(
                    file, place(name), "unknown action '\(name.string ?? "")'",
                    fits: NearNames.fits(name.string ?? "", among: actions, otherwise: "kvmtui config lists them"))
            }
            guard ![.quit, .suspend, .repaint].contains(action) else { throw InputError(file, place(name), "\(text) keeps its key", fits: "another action") }
            let items: [Node]
            if case .sequence(let sequence) = value { items = Array(sequence) } else { items = [value] }
            bound[action] = []
            for item in items {
                guard let word = item.string, let key = Key(name: word) else {
                    throw InputError(file, place(item), "'\(item.string ?? "")' is no key", fits: "a character, or a name such as Enter, Right, PgDn, C-d, F1")
                }
                if case .character(let character) = key, character.isASCII, character.isNumber {
                    throw InputError(file, place(item), "digits are panes and numbers", fits: "another key")
                }
                guard ![.control("c"), .control("z"), .control("l")].contains(key) else {
                    throw InputError(file, place(item), "\(key) keeps its meaning", fits: "another key")
                }
                if let owner = owners[key] { throw InputError(file, place(item), "\(key) is \(owner) already", fits: "another key") }
                owners[key] = text
                bound[action]?.append(key)
            }
        }
        return bound
    }

    private static func place(_ node: Node) -> SourcePlace? { node.mark.map { SourcePlace(line: $0.line, column: $0.column) } }

    private static func place(_ error: YamlError) -> SourcePlace? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): SourcePlace(line: mark.line, column: mark.column)
        default: nil
        }
    }

    private static func problem(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        case .duplicatedKeysInMapping(let duplicates, _): "the key \(duplicates.map { "'\($0)'" }.joined(separator: ", ")) stands twice"
        default: "it cannot be understood"
        }
    }

    // MARK: The defaults

    /// A file that says what is so without one.
    static var defaults: String {
        var out = """
            # kvmtui's configuration, with what holds without it. It lies at \(path ?? "~/.config/kvmtui/config.yaml").

            # auto, or \(NearNames.list(Theme.all.map(\.name))). --theme and KVMTUI_THEME go before it.
            theme: auto
            # false leaves the mouse to the terminal.
            mouse: true
            # The largest arrangement of panes: auto, narrow (three at a time), or single.
            layout: auto
            # What each key does; an action's keys here take the place of those it has. Names of keys: \(KeyScript.names.joined(separator: " ")).
            keys:

            """
        for binding in KeyTable.shipped where !binding.keys.isEmpty && ![.quit, .suspend, .repaint].contains(binding.action) {
            let keys = binding.keys.map { Self.quoted($0.description) }.joined(separator: ", ")
            let line = "  \(binding.action.rawValue): [\(keys)]"
            out += line + String(repeating: " ", count: max(1, 44 - line.count)) + "# \(binding.help)\n"
        }
        return out
    }

    private static func quoted(_ key: String) -> String {
        key.allSatisfy { $0.isLetter || $0 == "-" } && key.count > 1 || key.first?.isLetter == true
            ? key : "\"" + key.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

/// Which theme: the one place where that is decided.
enum ThemeChoice {
    /// In this order: the command line, KVMTUI_THEME, the configuration.
    /// - Returns: nil: nobody has said so, or auto; the terminal is asked.
    static func chosen(option: String?) -> Theme? {
        let said = [option, ProcessInfo.processInfo.environment["KVMTUI_THEME"]].compactMap { $0 }.first { !$0.isEmpty }
        if let said { return Theme.named(said) }
        return Settings.inForce.theme.flatMap(Theme.named)
    }
}
