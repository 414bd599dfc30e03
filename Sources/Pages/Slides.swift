import Sessions
import Stage2Sim

/// A session as overlays of a Beamer frame: the tables on the way of the IPA at hand, drawn by TikZ, one overlay for each note or each step.
/// It is made to be put into a talk by `\input`, which needs `\usepackage{tikz}` and nothing else.
public struct Slides {
    /// What an overlay is made for.
    public enum Unit: String, CaseIterable, Sendable {
        case note, step
    }

    /// The frame.
    public let tikz: String
    /// How many overlays it has.
    public let count: Int
    /// More are no talk, and more than TeX takes well.
    public static let most = 200

    /// - Returns: nil: there would be more than `most` overlays.
    public init?(_ given: Timeline, each unit: Unit, steps range: ClosedRange<Int>? = nil) {
        var timeline = given
        let range = range ?? 0...timeline.count
        let places: [(place: Timeline.Place, note: String)]
        switch unit {
        case .note: places = Handout.stretches(timeline, range).map { ($0.last, $0.operation.note) }
        case .step:
            guard range.count <= Self.most + 1 else { return nil }
            places = range.filter { $0 > 0 }.map { (Timeline.Place(step: $0), "") }
        }
        guard places.count <= Self.most else { return nil }
        count = places.count
        var out = """
            % Made by kvmtui \(libraryVersion). In a talk: \\usepackage{tikz}, and \\input of this file.
            \\begin{frame}{\(LaTeXText.escaped(timeline.session.title))}
            \\footnotesize

            """
        for (number, (place, note)) in places.enumerated() {
            timeline.seek(place)
            out += "\\only<\(number + 1)>{%\n" + Self.picture(timeline) + "\\par\n"
            if let narration = timeline.narration {
                let words = narration.text, result = narration.result
                out +=
                    "\\textbf{Step \(place)\(words.function.isEmpty ? "" : ", \\texttt{\(LaTeXText.escaped(words.function))}")}: \(LaTeXText.escaped(words.title + (result == words.title ? "" : ": " + result)))\\par\n"
            } else if let stop = timeline.stopHere {
                out += "\\textbf{Step \(place)}: \(LaTeXText.escaped(StopText(stop).title))\\par\n"
            }
            if !note.isEmpty { out += "\\emph{\(LaTeXText.escaped(note))}\\par\n" }
            out += "}%\n"
        }
        tikz = out + "\\end{frame}\n"
    }

    /// The tables on the way, side by side; the entry on the way in each, and two of its neighbours.
    private static func picture(_ timeline: Timeline) -> String {
        let machine = timeline.now.machine
        let state = PageState(timeline)
        guard let source = MachineTables(machine.world, vm: state.vm.id) else { return "The VM has no tables any more.\\par\n" }
        var written: Set<UInt64> = []
        for case .descriptorWritten(let pa, _, _, _) in timeline.effects { written.insert(pa.rawValue) }
        var out = "\\begin{tikzpicture}[x=1cm,y=0.42cm,font=\\ttfamily\\tiny]\n"
        let way = source.tables(towards: state.ipa)
        for (column, table) in way.enumerated() {
            let left = Double(column) * 3.8
            out += "\\node[anchor=south west] at (\(left),0) {level \(table.level), \(LaTeXText.escaped(hex(table.address.rawValue)))};\n"
            let index = source.index(state.ipa, level: table.level)
            let rows = (max(0, index - 1)...min(table.entryCount - 1, index + 1)).map { $0 }
            for (row, entry) in rows.enumerated() {
                let address = table.address(of: entry), word = source.word(at: address) ?? 0
                let isOn = entry == index, isNew = written.contains(address.rawValue)
                // A line of the box: where it leads, and what it permits.
                let descriptor = Stage2Descriptor(word)
                let text = word == 0 ? "0" : hex(descriptor.address.rawValue) + (table.level < 3 ? " table" : " " + descriptor.rights)
                let style = isNew ? "draw=red,thick" : isOn ? "draw,thick" : "draw=gray"
                out +=
                    "\\node[\(style),anchor=north west,minimum width=3.4cm,minimum height=0.4cm,text width=3.2cm] (l\(table.level)e\(row)) at (\(left),\(-row)) {[\(entry)] \(isNew ? "* " : "")\(LaTeXText.escaped(text))};\n"
            }
            if column > 0 {
                let previous = way[column - 1], from = source.index(state.ipa, level: previous.level)
                out += "\\draw[->] (l\(previous.level)e\(from == 0 ? 0 : 1).east) -- (l\(table.level)e0.north west);\n"
            }
        }
        out +=
            "\\node[anchor=north west] at (0,-4) {IPA \(LaTeXText.escaped(hex(state.ipa.rawValue, digits: 10))), memory cache \(state.vcpu.memoryCache.count)/\(MemoryCache.capacity), seq \(state.vm.notifierSequence), count \(state.vm.notifierCount)};\n"
        return out + "\\end{tikzpicture}%\n"
    }
}

/// Text as it stands in LaTeX.
enum LaTeXText {
    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\textbackslash{}"
            case "{", "}", "$", "&", "#", "%", "_": out += "\\" + String(scalar)
            case "^": out += "\\textasciicircum{}"
            case "~": out += "\\textasciitilde{}"
            case "<": out += "\\textless{}"
            case ">": out += "\\textgreater{}"
            case "|": out += "\\textbar{}"
            case "\"": out += "\\textquotedbl{}"
            case "→": out += "$\\rightarrow$"
            case "−": out += "$-$"
            case "≥": out += "$\\geq$"
            case "≤": out += "$\\leq$"
            case "…": out += "\\ldots{}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
