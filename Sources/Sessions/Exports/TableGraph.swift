import Stage2Sim

/// The tables as a graph in Graphviz's language: a node for each table and each run of leaves, an edge for each entry that leads
/// somewhere.
public struct TableGraph {
    /// Nodes beyond these are counted and not drawn: nobody can look at more.
    public static let nodeLimit = 2000

    private let image: TableImage
    /// The tables of an image; nothing is read before `text` is asked for.
    public init(_ image: TableImage) { self.image = image }

    /// The graph in DOT, for Graphviz.
    public var text: String {
        var text = "digraph stage2 {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n"
        text += "  label=\"\(Self.escaped(image.geometry.summary))\";\n"
        let tables = image.tables(limit: Self.nodeLimit)
        let drawn = Set(tables)
        var left = Self.nodeLimit - tables.count
        var missing = 0
        for table in tables {
            let own = Self.node(table)
            text += "  \(own) [label=\"level \(table.level) table\\n\(hex(table.address.rawValue, digits: 10))\"];\n"
            var run: TableRun?
            func end() {
                guard let done = run else { return }
                run = nil
                guard left > 0 else {
                    missing += 1
                    return
                }
                left -= 1
                text += "  \(own)_\(done.first) [shape=note, label=\"\(Self.escaped(done.label(image.geometry, table.level)))\"];\n"
                text += "  \(own) -> \(own)_\(done.first) [label=\"\(done.indices)\"];\n"
            }
            for entry in image.entries(of: table) {
                guard let descriptor = entry.descriptor, descriptor.rawValue != 0 else {
                    end()
                    continue
                }
                if let child = image.child(of: table, descriptor) {
                    end()
                    if drawn.contains(child) { text += "  \(own) -> \(Self.node(child)) [label=\"\(entry.index)\"];\n" } else { missing += 1 }
                    continue
                }
                if run?.takes(descriptor, image.geometry, table.level) == true { continue }
                end()
                run = TableRun(first: entry.index, count: 1, descriptor: descriptor)
            }
            end()
        }
        if missing > 0 { text += "  more [shape=plaintext, label=\"and \(missing) more\"];\n" }
        return text + "}\n"
    }

    private static func node(_ table: TableImage.Table) -> String { "t\(table.level)_\(String(table.address.rawValue, radix: 16))" }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\"", "\\": result += "\\\(character)"
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
    }
}
