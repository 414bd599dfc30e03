// Pictures/: a grid of cells as a file: plain text, text with escapes for a terminal, SVG for a page.
// It does not know what the grid shows.

/// A screen as it is saved to a file.
public struct Picture: Sendable {
    public let grid: Grid
    public let theme: Theme

    public init(_ grid: Grid, theme: Theme = .dark) {
        self.grid = grid
        self.theme = theme
    }

    /// What a picture can be saved as.
    public enum Format: String, CaseIterable, Sendable {
        case text = "txt"
        case ansi = "ans"
        case svg

        /// The format that a file name's ending asks for.
        public init(fileName: String) throws(PictureError) {
            let last = fileName.split(separator: "/").last ?? ""
            let ending = last.lastIndex(of: ".").map { String(last[last.index(after: $0)...]).lowercased() }
            guard let ending, let format = Format(rawValue: ending) else {
                throw PictureError(fileName: fileName, ending: ending)
            }
            self = format
        }
    }

    /// The file's contents, UTF-8, with a line feed at the end.
    public func encoded(as format: Format) -> String {
        switch format {
        case .text: text
        case .ansi: ansi
        case .svg: svg
        }
    }

    /// The rows without the blanks at their ends and without empty rows at the bottom.
    public var text: String {
        var rows = (0..<grid.height).map { row in
            let text = grid.text(row: row)
            let end = text.unicodeScalars.lastIndex { $0 != " " }
            return end.map { String(text.unicodeScalars[...$0]) } ?? ""
        }
        while rows.last == "" { rows.removeLast() }
        return rows.map { $0 + "\n" }.joined()
    }
}

/// A file name whose ending names no kind of picture.
public struct PictureError: Error, Hashable, Sendable, CustomStringConvertible {
    public let fileName: String
    /// Without the dot; nil if the name has none.
    public let ending: String?

    public var description: String {
        let found = ending.map { "the ending .\($0)" } ?? "no ending"
        return "\(fileName): \(found) says no kind of picture; "
            + ".txt is plain text, .ans text with colours for a terminal, .svg a drawing"
    }
}
