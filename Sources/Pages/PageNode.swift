import Sessions

// Pages/: sessions as web pages, a second front end on the core's words beside Screens. No terminal and no files here; what the
// browser runs stands in Assets.

/// What a page shows at a place, as nothing but numbers and lists of them: texts are kept once, by number. A page holds the first of
/// these whole, and of the others what is different.
enum PageNode: Hashable, Sendable {
    case number(Int)
    case list([PageNode])

    /// What makes `other` of this; nil: they are equal.
    func patch(to other: PageNode) -> PagePatch? {
        guard self != other else { return nil }
        guard case .list(let old) = self, case .list(let new) = other else { return .replace(other) }
        if old.count == new.count {
            let children = old.indices.compactMap { i in old[i].patch(to: new[i]).map { (i, $0) } }
            let patch = PagePatch.children(children)
            return patch.size < other.size ? patch : .replace(other)
        }
        // What both begin and end with stays.
        let shorter = min(old.count, new.count)
        var start = 0, end = 0
        while start < shorter, old[start] == new[start] { start += 1 }
        while end < shorter - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
        let patch = PagePatch.splice(start, old.count - start - end, Array(new[start..<(new.count - end)]))
        return patch.size < other.size ? patch : .replace(other)
    }

    /// About as many characters as it takes in JSON.
    var size: Int {
        switch self {
        case .number(let number): number < 10 ? 2 : number < 100 ? 3 : number < 1000 ? 4 : 5
        case .list(let list): list.reduce(2) { $0 + $1.size }
        }
    }

    func write(to json: inout JSONText) {
        switch self {
        case .number(let number): json.value(number)
        case .list(let list): json.array { json in list.forEach { $0.write(to: &json) } }
        }
    }
}

/// A difference between two nodes. In JSON: a number, which takes the other's place; `{"=": list}`; `{"-": [start, removed, node, …]}`; `{"3": patch, …}`
/// by index.
indirect enum PagePatch: Sendable {
    case replace(PageNode)
    /// From an index on, so many go, and these come.
    case splice(Int, Int, [PageNode])
    case children([(index: Int, patch: PagePatch)])

    var size: Int {
        switch self {
        case .replace(.number(let number)): PageNode.number(number).size
        case .replace(let node): 6 + node.size
        case .splice(_, _, let nodes): nodes.reduce(14) { $0 + $1.size }
        case .children(let children): children.reduce(2) { $0 + 6 + $1.patch.size }
        }
    }

    func write(to json: inout JSONText) {
        if case .replace(.number(let number)) = self { return json.value(number) }
        json.object { json in
            switch self {
            case .replace(let node): json.entry("=") { node.write(to: &$0) }
            case .splice(let start, let removed, let nodes):
                json.entry("-") {
                    $0.array { json in
                        json.value(start)
                        json.value(removed)
                        nodes.forEach { $0.write(to: &json) }
                    }
                }
            case .children(let children): for (index, patch) in children { json.entry(String(index)) { patch.write(to: &$0) } }
            }
        }
    }
}

/// Texts of a page, and rows of its tables, each kept once.
struct PageTexts {
    private(set) var all: [String] = [""]
    private var numbers: [String: Int] = ["": 0]
    /// Bytes of all of them.
    private(set) var bytes = 0

    /// The number of a text; the empty one is 0.
    mutating func number(_ text: String) -> Int {
        if let known = numbers[text] { return known }
        numbers[text] = all.count
        all.append(text)
        bytes += text.utf8.count + 3
        return all.count - 1
    }

    mutating func node(_ text: String) -> PageNode { .number(number(text)) }

    private(set) var rows: [PageNode] = []
    private var rowNumbers: [PageNode: Int] = [:]

    /// A row by its number.
    mutating func row(_ cells: [PageNode]) -> PageNode {
        let row = PageNode.list(cells)
        if let known = rowNumbers[row] { return .number(known) }
        rowNumbers[row] = rows.count
        rows.append(row)
        bytes += row.size
        return .number(rows.count - 1)
    }
}
