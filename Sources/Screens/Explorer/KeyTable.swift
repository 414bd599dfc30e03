import Synchronization

// The explorer: what it remembers, what keys do, where panes stand. What is in the panes stands in Panes/.

/// What a key can do.
public enum KeyAction: String, CaseIterable, Sendable {
    case stepOn, stepBack, finishFault, startFault, nextFault, previousFault, nextStop, previousStop, first, last, goTo
    case nextOperation, previousOperation, stepOver, stepOverBack, visitedBack, visitedForth, setMark, goToMark
    case moveDown, moveUp, pageDown, pageUp
    case nextPane, previousPane, pane
    case into, out, zoom, firstRow, lastRow, map, writer, names, refresh
    case search, searchNext, searchPrevious, changesOnly, why, actors, lanes, compare, play, more, less, breakpoint, glossary, copy, edit, predict, lecture,
        command, help,
        repaint, close, quit,
        suspend
}

/// One row of the key table.
public struct KeyBinding: Sendable {
    public let action: KeyAction
    public let keys: [Key]
    /// As the help and the manual write the keys.
    public let shown: String
    public let help: String
    /// A word for the hint line; empty: not hinted.
    public let hint: String
    public let group: String
}

/// The one source of bindings: keys, help screen, hint line, manual page and tests read it.
public enum KeyTable {
    /// The key that takes back what this one does, of those that move by a step, a fault or a stop.
    static func opposite(of key: Key) -> Key? { opposites[key] }

    private static let opposites: [Key: Key] = {
        let pairs: [(KeyAction, KeyAction)] = [
            (.stepOn, .stepBack), (.nextFault, .previousFault), (.nextStop, .previousStop), (.nextOperation, .previousOperation), (.stepOver, .stepOverBack),
        ]
        var opposites: [Key: Key] = [:]
        for (on, back) in pairs {
            // The keys stand in the same order on both sides.
            for (one, other) in zip(keys(of: on), keys(of: back)) { (opposites[one], opposites[other]) = (other, one) }
        }
        return opposites
    }()

    private static func keys(of action: KeyAction) -> [Key] { bindings.first { $0.action == action }?.keys ?? [] }

    private static func makeShipped() -> [KeyBinding] {
        [
            row(.stepOn, [.character("s"), .right, .character(" ")], "s → Space", "one step on", "step", "Moving"),
            row(.stepBack, [.character("S"), .left, .backspace], "S ← Backspace", "one step back", "back", "Moving"),
            row(.finishFault, [.character("f")], "f", "to the end of this fault", "finish", "Moving"),
            row(.startFault, [.character("F")], "F", "back to the start of this fault", "", "Moving"),
            row(.nextFault, [.character("]")], "]", "next fault", "next fault", "Moving"),
            row(.previousFault, [.character("[")], "[", "previous fault", "", "Moving"),
            row(.nextOperation, [.character("}")], "}", "next operation of the session", "", "Moving"),
            row(.previousOperation, [.character("{")], "{", "back to the operation before", "", "Moving"),
            row(.stepOver, [.character("o")], "o", "step over: routines called here, and what others do meanwhile, as one", "", "Moving"),
            row(.stepOverBack, [.character("O")], "O", "the same back", "", "Moving"),
            row(.nextStop, [.character("c")], "c", "on to the next breakpoint or broken check", "", "Moving"),
            row(.previousStop, [.character("C")], "C", "back to the one before", "", "Moving"),
            row(.first, [.character("g"), .home], "g Home", "first step; 42g goes to step 42, and 10s makes ten steps: a number repeats", "", "Moving"),
            row(.last, [.character("G"), .end], "G End", "last step", "", "Moving"),
            row(.visitedBack, [.control("o")], "^O", "back in the places visited; right behind it, ^I (Tab) goes forth", "", "Moving"),
            row(.visitedForth, [], "^I", "forth again, right behind ^O", "", "Moving"),
            row(.setMark, [.character("M")], "M", "mark this place: Ma, then 'a comes back", "", "Moving"),
            row(.goToMark, [.character("'")], "'", "'a to mark a; '' to the place visited last", "", "Moving"),
            row(.moveDown, [.character("j"), .down], "j ↓", "down in the pane", "", "In a pane"),
            row(.moveUp, [.character("k"), .up], "k ↑", "up in the pane", "", "In a pane"),
            row(.pageDown, [.control("d"), .pageDown, .control("f")], "^d ^f PgDn", "half a page down", "", "In a pane"),
            row(.pageUp, [.control("u"), .pageUp, .control("b")], "^u ^b PgUp", "half a page up", "", "In a pane"),
            row(.firstRow, [.character("<")], "<", "to the pane's first line, the table's first entry", "", "In a pane"),
            row(.lastRow, [.character(">")], ">", "to the last", "", "In a pane"),
            row(.into, [.enter], "Enter", "into: table, entry, bits; in the path: go to the step", "", "In a pane"),
            row(.out, [.escape], "Esc", "out again; follow the fault", "", "In a pane"),
            row(.search, [.character("/")], "/", "search: from path and why in the whole session, else in the pane", "", "In a pane"),
            row(.searchNext, [.character("n")], "n", "next match", "", "In a pane"),
            row(.searchPrevious, [.character("N")], "N", "previous match", "", "In a pane"),
            row(.nextPane, [.tab, .character("l")], "Tab l", "next pane", "pane", "Panes"),
            row(.previousPane, [.backTab, .character("h")], "Shift-Tab h", "previous pane", "", "Panes"),
            row(.pane, [], "1…9", "that pane", "", "Panes"),
            row(
                .zoom, [.character("z")], "z",
                "this pane over the whole screen, and back; at 80 columns, path and note: the tables, or entry and the whole note", "zoom", "Panes"),
            row(.changesOnly, [.character("d")], "d", "only what the step changed", "", "Panes"),
            row(.why, [.character("w")], "w", "why this step, with its source", "why", "Asking"),
            row(.actors, [.character("a")], "a", "who could move next; a digit or Enter lets that one make a step, as a branch", "", "Asking"),
            row(.lanes, [.character("t")], "t", "timeline of the whole session, a lane for each actor", "timeline", "Asking"),
            row(.compare, [.character("=")], "=", "this branch beside the one that it grew out of", "", "Asking"),
            row(.play, [.character("p")], "p", "play by itself; then Space pauses", "", "Asking"),
            row(.more, [.character("+")], "+", "timeline: closer; playing: faster", "", "Asking"),
            row(.less, [.character("-")], "-", "timeline: farther; playing: slower", "", "Asking"),
            row(.map, [.character("m")], "m", "map of the guest's physical address space", "map", "Asking"),
            row(.names, [.character("i")], "i", "every name of the place at hand: IPA, slot, HVA, frame, leaf, TLB entries", "", "Asking"),
            row(.writer, [.character("u")], "u", "to the step that set this entry; again: to the one that set it before", "", "Asking"),
            row(.breakpoint, [.character("b")], "b", "breakpoint that fits the pane: step, table entry, page; on and off", "", "Asking"),
            row(.glossary, [.character("K")], "K", "explain the words of the pane at hand, and all others", "", "Asking"),
            row(.copy, [.character("y")], "y", "copy a value, the step, or a command line that comes back here", "", "Asking"),
            row(.edit, [.character("e")], "e", "the session in $EDITOR, at this operation; then read again", "", "Asking"),
            row(.predict, [.character("P")], "P", "predict: before a step that decides something you are asked what comes", "", "Asking"),
            row(.lecture, [.character("L")], "L", "in front of a class: two panes and the whole note, in high contrast", "", "Panes"),
            row(.refresh, [.character("R")], "R", "attached to a running machine: read its tables again, and mark what changed", "", "Asking"),
            row(.command, [.character(":")], ":", "command line: actions, with, without, goto, break, save, screenshot …", "command", "Asking"),
            row(.help, [.character("?"), .function(1)], "? F1", "help: first what the pane at hand takes; typing filters", "help", "Asking"),
            row(.repaint, [.control("l")], "^L", "draw again", "", "Leaving"),
            row(.close, [.character("q")], "q", "close what is open; leave", "quit", "Leaving"),
            row(.quit, [.control("c")], "^C", "leave", "", "Leaving"),
            row(.suspend, [.control("z")], "^Z", "suspend", "", "Leaving"),
        ]
    }

    private static func row(_ action: KeyAction, _ keys: [Key], _ shown: String, _ help: String, _ hint: String, _ group: String) -> KeyBinding {
        KeyBinding(action: action, keys: keys, shown: shown, help: help, hint: hint, group: group)
    }

    /// The bindings as they ship; `bindings` are those in force.
    public static let shipped: [KeyBinding] = makeShipped()

    private static let inForce = Mutex(Table(shipped))

    private struct Table: Sendable {
        let bindings: [KeyBinding]
        let byKey: [Key: KeyAction]
        let hintLine: HintLine

        init(_ bindings: [KeyBinding]) {
            self.bindings = bindings
            hintLine = HintLine(bindings)
            var byKey: [Key: KeyAction] = [:]
            for binding in bindings { for key in binding.keys { byKey[key] = binding.action } }
            self.byKey = byKey
        }
    }

    public static var bindings: [KeyBinding] { table.bindings }

    /// The hints of the table in force.
    static var hintLine: HintLine { table.hintLine }

    /// Tests try other keys while others run.
    @TaskLocal private static var tried: Table?
    private static var table: Table { tried ?? inForce.withLock { $0 } }

    /// Runs `body` with other keys, which nobody else sees.
    static func trying<Result>(_ keys: [KeyAction: [Key]], _ body: () throws -> Result) rethrows -> Result {
        try $tried.withValue(Table(rebound(keys)), operation: body)
    }

    /// The keys that do these, one for each, as hints and messages write them: those now in force. Nothing stands for an action that no key does.
    /// - Parameter preferring: of several keys of an action, one of these before its first.
    static func shown(_ actions: KeyAction..., preferring preferred: [Key] = [], ascii: Bool = false) -> String {
        let bindings = bindings
        return actions.compactMap { action -> String? in
            guard let keys = bindings.first(where: { $0.action == action })?.keys else { return nil }
            return (keys.first(where: preferred.contains) ?? keys.first)?.shown(ascii: ascii)
        }.joined(separator: " ")
    }

    /// Puts other keys in the place of those of some actions. A key that another action has by itself is taken from it. Keys that every terminal
    /// sends for its own ends (^C, ^Z, ^L) stay as they are.
    public static func rebind(_ keys: [KeyAction: [Key]]) {
        let table = Table(rebound(keys))
        inForce.withLock { $0 = table }
    }

    private static func rebound(_ keys: [KeyAction: [Key]]) -> [KeyBinding] {
        let taken = Set(keys.values.joined())
        return shipped.map { binding -> KeyBinding in
            let own = keys[binding.action] ?? binding.keys.filter { !taken.contains($0) }
            guard own != binding.keys else { return binding }
            return KeyBinding(
                action: binding.action, keys: own, shown: own.isEmpty ? "unbound" : own.map { $0.shown() }.joined(separator: " "), help: binding.help,
                hint: own.isEmpty ? "" : binding.hint,
                group: binding.group)
        }
    }

    public static func action(for key: Key) -> KeyAction? { table.byKey[key] }
}
