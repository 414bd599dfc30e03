/// The line of keys above the status. Where it is too narrow for all of them, the least important are left out.
struct HintLine {
    /// Keys and a word for each, as they stand on the line.
    let hints: [(key: String, word: String)]
    /// Their places in `hints`, the most important first.
    let importance: [Int]

    /// - Parameter importance: without it, as they stand, but the last, which leads out or to the help, is kept before all.
    init(_ hints: [(key: String, word: String)], importance: [Int]? = nil) {
        // An action that no key is left for has no hint.
        self.hints = importance == nil ? hints.filter { !$0.key.isEmpty } : hints
        self.importance = importance ?? Array(self.hints.indices.suffix(1)) + Array(self.hints.indices.dropLast())
    }

    /// The table's hints.
    static var ofTable: HintLine { KeyTable.hintLine }

    init(_ table: [KeyBinding]) {
        let bindings = table.filter { !$0.hint.isEmpty }
        let first: [KeyAction] = [.stepOn, .stepBack, .finishFault, .nextFault, .nextPane, .help, .why, .close, .zoom]
        let ranked = first.compactMap { action in bindings.firstIndex { $0.action == action } }
        self.init(
            bindings.map { ($0.shown.split(separator: " ").first.map(String.init) ?? "", $0.hint) },
            importance: ranked + bindings.indices.filter { !ranked.contains($0) })
    }

    /// Those that fit, in their order on the line.
    func fitting(width: Int) -> [(key: String, word: String)] {
        var left = width + Self.gap
        var kept: Set<Int> = []
        for index in importance {
            let needed = CharacterWidth.of(hints[index].key) + 1 + CharacterWidth.of(hints[index].word) + Self.gap
            guard needed <= left else { continue }
            left -= needed
            kept.insert(index)
        }
        return hints.indices.filter(kept.contains).map { hints[$0] }
    }

    private static let gap = 2

    /// What a click on a hint does.
    enum Click: Equatable {
        case key(Key)
        /// The prompt opens with this.
        case type(String)
    }

    /// What the hint at column `x` stands for: of several keys, the one at hand, or the first where the word is. Nil: none, or no key.
    func click(at x: Int, width: Int) -> Click? {
        var start = 1
        for (key, word) in fitting(width: width - 1) {
            let end = start + CharacterWidth.of(key) + 1 + CharacterWidth.of(word)
            if x >= start, x < end {
                // A command is written as it is typed, with what it takes.
                if key.hasPrefix(":"), key.count > 1 { return key.dropFirst().split(separator: " ").first.map { .type($0 + (key.contains(" ") ? " " : "")) } }
                var at = start
                let parts = key.split(separator: " ")
                for part in parts {
                    let next = at + CharacterWidth.of(part) + 1
                    if x < next - 1 || x < start + CharacterWidth.of(key), x < next { return Explorer.key(shown: String(part)).map(Click.key) }
                    at = next
                }
                return parts.first.flatMap { Explorer.key(shown: String($0)) }.map(Click.key)
            }
            start = end + Self.gap
        }
        return nil
    }

    /// The key of the hint at column `x`.
    func key(at x: Int, width: Int) -> Key? { if case .key(let key) = click(at: x, width: width) { key } else { nil } }

    func draw(in canvas: inout Canvas) {
        var x = 1
        for (key, word) in fitting(width: canvas.width - 1) {
            x = canvas.put(x, 0, key, .key)
            x = canvas.put(x + 1, 0, word, .dim) + Self.gap
        }
    }
}
