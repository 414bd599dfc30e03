/// A part of a page's state: a heading, and under it lists, tables, sentences.
struct PageSection: Equatable, Sendable {
    /// By which the page's script and style know it.
    var id: String
    var title: String
    var blocks: [Block] = []

    /// A text with what is to be said of it beside.
    struct Cell: Equatable, Sendable, ExpressibleByStringInterpolation {
        enum Mark: Int, Sendable {
            case none, stale, wrong, right, dim
        }

        var text: String
        var mark = Mark.none

        init(_ text: String, _ mark: Mark = .none) {
            self.text = text
            self.mark = mark
        }
        init(stringLiteral text: String) { self.text = text }
    }

    enum Block: Equatable, Sendable {
        case sentence(Cell)
        /// Terms with their values.
        case list(String, [(term: String, value: Cell)])
        /// A caption, the heads of the columns, how many of the first of them tell a row from others, the rows.
        case table(String, [String], key: Int, [[Cell]])
        /// A part of a whole.
        case meter(Int, of: Int, String)

        static func == (a: Block, b: Block) -> Bool {
            switch (a, b) {
            case (.sentence(let a), .sentence(let b)): a == b
            case (.list(let a, let x), .list(let b, let y)): a == b && x.map(\.term) == y.map(\.term) && x.map(\.value) == y.map(\.value)
            case (.table(let a, let c, let k, let x), .table(let b, let d, let l, let y)): a == b && c == d && k == l && x == y
            case (.meter(let a, let b, let x), .meter(let c, let d, let y)): a == c && b == d && x == y
            default: false
            }
        }
    }

    mutating func say(_ text: String, _ mark: Cell.Mark = .none) { blocks.append(.sentence(Cell(text, mark))) }

    /// A table of at most `limit` rows; what is left out is counted.
    mutating func table(_ caption: String, _ columns: [String], key: Int, _ rows: [[Cell]], limit: Int = .max, whole: Int? = nil) {
        blocks.append(.table(caption, columns, key: key, Array(rows.prefix(limit))))
        let left = (whole ?? rows.count) - min(rows.count, limit)
        if left > 0 { say("… and \(left) more", .dim) }
    }

    func node(_ texts: inout PageTexts) -> PageNode {
        func cell(_ cell: Cell) -> PageNode {
            let text = texts.node(cell.text)
            return cell.mark == .none ? text : .list([text, .number(cell.mark.rawValue)])
        }
        return .list([
            texts.node(id), texts.node(title),
            .list(
                blocks.map { block in
                    switch block {
                    case .sentence(let text): return .list([.number(0), cell(text)])
                    case .list(let caption, let rows):
                        return .list([.number(1), texts.node(caption), .list(rows.map { texts.row([texts.node($0.term), cell($0.value)]) })])
                    case .table(let caption, let columns, let key, let rows):
                        return .list([
                            .number(2), texts.node(caption), .list(columns.map { texts.node($0) }), .number(key), .list(rows.map { texts.row($0.map(cell)) }),
                        ])
                    case .meter(let part, let whole, let text): return .list([.number(3), .number(part), .number(whole), texts.node(text)])
                    }
                }),
        ])
    }
}
