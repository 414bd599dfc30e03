import Foundation
import Testing

@testable import Screens

/// Compares a screen's text with the file `Pictures/<name>.txt` in the folder `Recorded` beside the tests.
///
/// `KVMTUI_RECORD=1 swift test` writes the files anew; look at the difference in git before committing it.
/// - Parameters:
///   - roles: also compare what the cells mean, as a second block with a letter a role: for the tests of
///     marks and highlights. The text alone stays readable.
func expectPicture(
    _ grid: Grid, named name: String, roles: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
) {
    expectRecorded(
        Picture(grid).text + (roles ? roleMap(grid) : ""), file: "\(name).txt", sourceLocation: sourceLocation)
}

/// Compares any text with the file `Recorded/<file>`; see `expectPicture`.
func expectRecorded(_ text: String, file: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Recorded")
    let path = folder.appendingPathComponent(file)
    if ProcessInfo.processInfo.environment["KVMTUI_RECORD"] == "1" {
        do {
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: path, atomically: true, encoding: .utf8)
        } catch {
            Issue.record("cannot record \(path.path): \(error)", sourceLocation: sourceLocation)
        }
        return
    }
    guard let recorded = try? String(contentsOf: path, encoding: .utf8) else {
        Issue.record(
            "nothing is recorded as \(file); KVMTUI_RECORD=1 records this:\n\(text)", sourceLocation: sourceLocation)
        return
    }
    guard recorded != text else { return }
    Issue.record(
        "not as recorded in \(file) (- recorded, + now; KVMTUI_RECORD=1 records it anew)\n\(difference(recorded, text))",
        sourceLocation: sourceLocation)
}

/// The rows that differ, with two rows around them, and a line of `^` under the columns that differ.
func difference(_ old: String, _ new: String) -> String {
    let rows = [old, new].map { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    let count = max(rows[0].count, rows[1].count)
    func row(_ side: Int, _ index: Int) -> String? { index < rows[side].count ? rows[side][index] : nil }
    let changed = (0..<count).filter { row(0, $0) != row(1, $0) }
    var lines: [String] = []
    var last = -1
    for index in 0..<count where changed.contains(where: { abs($0 - index) <= 2 }) {
        if index > last + 1 { lines.append("     …") }
        last = index
        let number = String(repeating: " ", count: max(0, 4 - "\(index + 1)".count)) + "\(index + 1)"
        let (before, after) = (row(0, index), row(1, index))
        if before == after {
            lines.append("\(number)   \(before ?? "")")
            continue
        }
        if let before { lines.append("\(number) - \(before)") }
        if let after { lines.append("\(number) + \(after)") }
        if let before, let after {
            let (a, b) = (Array(before), Array(after))
            let marks = (0..<max(a.count, b.count)).map { $0 < a.count && $0 < b.count && a[$0] == b[$0] ? " " : "^" }
            lines.append("       " + marks.joined())
        }
    }
    return lines.joined(separator: "\n")
}

/// A row of letters under each row that has other roles than `plain`, and what the letters mean.
private func roleMap(_ grid: Grid) -> String {
    var used: [Role] = []
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    var rows: [String] = []
    for y in 0..<grid.height {
        var line = ""
        for x in 0..<grid.width {
            let role = grid[x, y].role
            if role == .plain {
                line.append(".")
            } else {
                if !used.contains(role) { used.append(role) }
                line.append(letters[used.firstIndex(of: role)! % letters.count])
            }
        }
        rows.append(line)
    }
    let legend = used.enumerated().map { "\(letters[$0.offset % letters.count]) \($0.element)" }
    return "---- roles: \(legend.joined(separator: ", "))\n" + rows.joined(separator: "\n") + "\n"
}
