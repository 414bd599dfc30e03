extension Picture {
    /// The rows with SGR escapes in 24-bit colours, as `cat` shows them in a terminal. Every row ends in
    /// a reset, so that a line taken out of it leaves nothing behind.
    var ansi: String {
        var text = ""
        for row in 0..<grid.height {
            text += ansi(row: row, columns: 0..<grid.width) + "\n"
        }
        return text
    }

    /// A part of a row.
    func ansi(row: Int, columns: Range<Int>) -> String {
        var text = ""
        for run in runs(row: row, columns: columns) {
            let look = theme[run.role]
            let codes = sgr(look, look.attributes.union(run.attributes))
            text += codes.isEmpty ? run.text : "\u{1b}[\(codes)m\(run.text)\u{1b}[0m"
        }
        return text
    }

    private func sgr(_ look: Theme.Look, _ attributes: Attributes) -> String {
        var codes: [String] = []
        let names: [(Attributes, String)] = [
            (.bold, "1"), (.dim, "2"), (.italic, "3"), (.underline, "4"), (.reverse, "7"),
        ]
        for (attribute, code) in names where attributes.contains(attribute) { codes.append(code) }
        if let colour = look.foreground { codes.append("38;2;\(colour.red);\(colour.green);\(colour.blue)") }
        if let colour = look.background { codes.append("48;2;\(colour.red);\(colour.green);\(colour.blue)") }
        return codes.joined(separator: ";")
    }
}
