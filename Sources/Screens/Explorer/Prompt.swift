/// The line that `:` and `/` open: text, cursor, history, completion.
struct Prompt {
    enum Kind { case command, search, answer }
    let kind: Kind
    private(set) var text: [Character] = []
    private(set) var cursor = 0
    /// How far back in the history; 0: the line being typed, which waits meanwhile.
    var historyIndex = 0
    private var draft = ""
    /// What ^R looks for; nil where it has not been asked.
    private(set) var wanted: String?
    /// What Tab has offered, and which of it stands in the line.
    private(set) var candidates: [String] = []
    private var candidate = 0

    init(kind: Kind, text: String = "") {
        self.kind = kind
        self.text = Array(text)
        cursor = self.text.count
    }

    var string: String { String(text) }

    /// Longer lines are no commands: what is more is left out.
    static let longest = 10_000

    mutating func insert(_ character: Character) {
        guard text.count < Self.longest else { return }
        text.insert(character, at: cursor)
        cursor += 1
        candidates = []
    }

    mutating func set(_ string: String) {
        text = Array(string)
        cursor = text.count
        candidates = []
    }

    /// False: the line was empty, and the prompt should close.
    mutating func deleteBack() -> Bool {
        guard cursor > 0 else { return !text.isEmpty }
        cursor -= 1
        text.remove(at: cursor)
        candidates = []
        return true
    }

    /// The line `by` places further back.
    mutating func recall(_ by: Int, _ history: [String]) {
        guard kind == .command else { return }
        show(min(max(0, historyIndex + by), history.count), history)
    }

    /// ^R: the last line before this one that has what was typed in it.
    mutating func searchBack(_ history: [String]) {
        guard kind == .command else { return }
        let text = wanted ?? string
        var index = historyIndex + 1
        while index <= history.count, !history[history.count - index].contains(text) { index += 1 }
        if index <= history.count { show(index, history) }
        wanted = text
    }

    private mutating func show(_ index: Int, _ history: [String]) {
        if historyIndex == 0 { draft = string }
        historyIndex = index
        set(index == 0 ? draft : history[history.count - index])
    }

    /// Anything else than ^R ends its search.
    mutating func endSearch() { wanted = nil }

    mutating func deleteToEnd() {
        text.removeSubrange(cursor...)
        candidates = []
    }

    mutating func deleteForward() { if cursor < text.count { text.remove(at: cursor) } }
    mutating func deleteAll() { set("") }
    mutating func deleteWord() {
        while cursor > 0, text[cursor - 1] == " " { _ = deleteBack() }
        while cursor > 0, text[cursor - 1] != " " { _ = deleteBack() }
    }
    mutating func moveCursor(_ by: Int) { cursor = min(max(0, cursor + by), text.count) }
    mutating func moveToStart() { cursor = 0 }
    mutating func moveToEnd() { cursor = text.count }

    /// Tab: the next of `offers` for the line's last word, and round again.
    mutating func complete(_ offers: (String) -> [String]) {
        if candidates.isEmpty {
            candidates = offers(String(text[..<cursor]))
            candidate = 0
        } else {
            candidate = (candidate + 1) % candidates.count
        }
        guard !candidates.isEmpty else { return }
        let kept = candidates
        let start = text[..<cursor].lastIndex(of: " ").map { $0 + 1 } ?? 0
        let rest = text[cursor...]
        let word = Array(kept[candidate])
        text = Array(text[..<start]) + word + rest
        cursor = start + word.count
        candidates = kept
        if kept.count == 1 { candidates = [] }
    }
}
