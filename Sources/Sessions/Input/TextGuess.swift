extension InputKind {
    /// Whether a text that is no trace may have been meant as a session: a word with a colon begins a line, as in YAML.
    public static func mayBeSession(_ bytes: [UInt8]) -> Bool {
        let lines = bytes.prefix(1 << 20).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d })
        guard let first = lines.first(where: { $0.first != UInt8(ascii: "#") }) else { return true }
        return first.starts(with: "---".utf8) || first.starts(with: "%YAML".utf8) || first.starts(with: "- ".utf8) || lines.prefix(2000).contains(where: isKey)
    }

    private static func isKey(_ line: ArraySlice<UInt8>) -> Bool {
        let word = line.prefix { LineCursor.isNamePart($0) }
        guard !word.isEmpty, LineCursor.isNameStart(word[word.startIndex]), line.dropFirst(word.count).first == UInt8(ascii: ":") else { return false }
        return line.dropFirst(word.count + 1).first.map(LineCursor.isSpace) ?? true
    }

    /// What a text without any event of KVM's seems to be, and what to do.
    public static func guessText(_ bytes: [UInt8]) -> String {
        let start = bytes.prefix(4096).drop { $0 == 0x20 || ($0 >= 9 && $0 <= 13) }
        func begins(_ texts: String...) -> Bool { texts.contains { start.starts(with: $0.utf8) } }
        func has(_ text: String) -> Bool { bytes.prefix(1 << 20).firstRange(of: text.utf8) != nil }
        if start.isEmpty { return "nothing but blank" }
        if begins("<!DOCTYPE html", "<!doctype html", "<html", "<HTML") { return "a web page, and no line of it is an event of KVM's" }
        if begins("cpus=", "version = ") { return "what trace-cmd report prints of a recording without events" }
        if begins("<?xml", "<domain") { return "XML" }
        if begins("{", "[{", "[\n") { return "JSON" }
        if begins("# To display the perf.data header") || has("# Samples: ") {
            return "a report of perf's: `perf script --guest-code` prints the events themselves"
        }
        if begins("[    0.0") || begins("[   ") || has("] Linux version ") {
            return "a kernel's log without events of KVM's; `kvmtui decode` reads the numbers in it"
        }
        if begins("-----BEGIN", "From ", "diff --git", "commit ") { return "a mail or a patch without lines of a trace" }
        return "a text in which no line is an event of KVM's"
    }
}

extension Trace {
    /// Whether any line is an event of KVM's, or the tool's notice that events are missing; or most of its lines are events of others.
    public static func hasEvents(_ bytes: [UInt8]) -> Bool {
        let counts = Trace(bytes, damagesKept: 0)
        return !counts.events.isEmpty || counts.counts.damaged > 0 || counts.counts.skipped > counts.counts.lines / 2
    }
}
