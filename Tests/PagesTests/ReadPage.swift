import EmbeddedSessions
import Foundation
import Pages
import Sessions
import Stage2Sim
import Testing

/// A page's embedded data, read as the page's script reads it: nothing of how it was written is used.
struct ReadPage {
    /// What a place shows: of each section the terms of its lists and the rows of its tables.
    struct Section: Equatable {
        var lists: [String: String] = [:]
        var tables: [String: [[String]]] = [:]
    }

    let data: [String: Any]
    private let texts: [String]
    private let rows: [[Any]]
    /// Every place's state, made from the first by the differences.
    let states: [[Any]]

    init(html: String) throws {
        let start = try #require(html.range(of: "<script type=\"application/json\" id=\"lesson\">"))
        let end = try #require(html.range(of: "</script>", range: start.upperBound..<html.endIndex))
        let json = try JSONSerialization.jsonObject(with: Data(html[start.upperBound..<end.lowerBound].utf8))
        data = try #require(json as? [String: Any])
        texts = try #require(data["texts"] as? [String])
        rows = try #require(data["rows"] as? [[Any]])
        var state = try #require(data["state"] as? [Any])
        var all = [state]
        for patch in try #require(data["patches"] as? [Any]) {
            if !(patch is NSNull) { state = try #require(Self.patched(state, patch) as? [Any]) }
            all.append(state)
        }
        states = all
    }

    private static func patched(_ node: Any, _ patch: Any) -> Any {
        guard let patch = patch as? [String: Any] else { return patch }
        if let whole = patch["="] { return whole }
        var list = node as? [Any] ?? []
        if let splice = patch["-"] as? [Any], let start = splice[0] as? Int, let removed = splice[1] as? Int {
            list.replaceSubrange(start..<(start + removed), with: splice.dropFirst(2))
            return list
        }
        for (index, child) in patch { list[Int(index)!] = patched(list[Int(index)!], child) }
        return list
    }

    var placeCount: Int { (data["places"] as? [Any])?.count ?? 0 }

    /// A place in words: actor, name of the step, function, title, result.
    func words(_ place: Int) -> [String] {
        let row = (data["places"] as! [[Int]])[place]
        let said = rows[row[1]].map { texts[$0 as! Int] }
        return [texts[row[0]], said[0], said[1], said[2], texts[row[2]]]
    }

    func note(_ place: Int) -> String? {
        let operation = (data["places"] as! [[Int]])[place][3]
        return operation < 0 ? nil : texts[(data["operations"] as! [[Int]])[operation][2]]
    }

    private func text(_ cell: Any) -> String { texts[(cell as? [Int])?[0] ?? cell as! Int] }

    func section(_ id: String, at place: Int) -> Section? {
        for case let section as [Any] in states[place] where text(section[0]) == id {
            var found = Section()
            for case let block as [Any] in section[2] as! [Any] {
                if block[0] as! Int == 1 { for row in block[2] as! [Int] { found.lists[text(rows[row][0])] = text(rows[row][1]) } }
                if block[0] as! Int == 2 { found.tables[text(block[1])] = (block[4] as! [Int]).map { rows[$0].map { text($0) } } }
            }
            return found
        }
        return nil
    }
}

func shipped(_ name: String) throws -> Session {
    try SessionReader.read(Array(try #require(EmbeddedSessions.text(of: name)).utf8), file: "\(name).yaml")
}

func session(_ text: String) throws -> Session { try SessionReader.read(Array(text.utf8), file: "test.yaml") }
