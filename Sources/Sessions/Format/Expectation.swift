import Stage2Sim

/// Something that an author expects of a step: judged by `kvmtui check`, and by the tests for every session shipped.
public struct Expectation: Sendable {
    public enum What: Sendable {
        /// A fault of this kind at this level was taken in this step.
        case fault(FaultStatus.Kind?, level: UInt8?)
        /// How many faults this step took.
        case faults(Int)
        case memoryCache(Int)
        /// The access's or the process's value.
        case value(UInt64)
        case hsr(UInt32)
        case hpfar(UInt32)
        case ipa(UInt64)
        /// A leaf by its low 12 bits and more, or nil: none.
        case leaf(UInt64, LeafState)
        case flushes(Int)
        case retries(Int)
        case outcome(Outcome)
        case error(Errno)
        case message(String)
        case broken(Rule?)
        case sequence(Int)
        case count(Int)
        case waiting
        case tables(Int)
        case register(String, UInt64)
    }

    public enum LeafState: Sendable, Equatable { case none, present, readOnly, readWrite, exactly(UInt64) }

    public let what: What
    /// As written.
    public let text: String
    public let place: SourcePlace

    static let forms =
        "fault [translation|permission] [level N], no fault, faults N, memcache N, value N, hsr N, hpfar N, leaf IPA none|ro|rw|VALUE, flushes N, retries N, "
        + "done, exit mmio, abort, error -EFAULT, message TEXT, stuck, bug, refused, signal, broken RULE, no broken, seq N, count N, waiting, tables N, pc N, lr N"

    /// - Throws: an `ActionLanguage.Mistake` whose column counts in `text`.
    static func parse(_ text: String, at place: SourcePlace) throws(ActionLanguage.Mistake) -> Expectation {
        let words = text.split(whereSeparator: \.isWhitespace)
        func fail(_ found: String) -> ActionLanguage.Mistake { ActionLanguage.Mistake(column: 1, found: found, fits: "one of: \(forms)") }
        func number(_ i: Int) throws(ActionLanguage.Mistake) -> UInt64 {
            guard i < words.count, let n = parseNumber(words[i]) else { throw fail("'\(text)'") }
            return n
        }
        guard let first = words.first else { throw fail("an empty expectation") }
        let what: What
        switch (first, words.count) {
        case ("fault", _): what = try fault(words, fail)
        case ("no", 2) where words[1] == "fault": what = .faults(0)
        case ("no", 2) where words[1] == "broken": what = .broken(nil)
        case ("faults", 2): what = .faults(Int(try number(1)))
        case ("memcache", 2): what = .memoryCache(Int(try number(1)))
        case ("value", 2): what = .value(try number(1))
        case ("hsr", 2): what = .hsr(UInt32(truncatingIfNeeded: try number(1)))
        case ("hpfar", 2): what = .hpfar(UInt32(truncatingIfNeeded: try number(1)))
        case ("ipa", 2): what = .ipa(try number(1))
        case ("flushes", 2): what = .flushes(Int(try number(1)))
        case ("retries", 2): what = .retries(Int(try number(1)))
        case ("seq", 2): what = .sequence(Int(try number(1)))
        case ("count", 2): what = .count(Int(try number(1)))
        case ("tables", 2): what = .tables(Int(try number(1)))
        case ("pc", 2), ("lr", 2), ("ifar", 2), ("dfar", 2), ("ifsr", 2), ("dfsr", 2), ("cpsr", 2), ("spsr", 2):
            what = .register(String(first), try number(1))
        case ("leaf", 3):
            let ipa = try number(1)
            switch words[2] {
            case "none": what = .leaf(ipa, .none)
            case "present": what = .leaf(ipa, .present)
            case "ro": what = .leaf(ipa, .readOnly)
            case "rw": what = .leaf(ipa, .readWrite)
            default: what = .leaf(ipa, .exactly(try number(2)))
            }
        case ("done", 1): what = .outcome(.done)
        case ("exit", 2) where words[1] == "mmio": what = .outcome(.emulated)
        case ("abort", 1): what = .outcome(.abortInjected)
        case ("stuck", 1): what = .outcome(.stuck)
        case ("bug", 1): what = .outcome(.bug)
        case ("refused", 1): what = .outcome(.refused)
        case ("signal", 1): what = .outcome(.signal)
        case ("waiting", 1): what = .waiting
        case ("error", 2):
            guard let error = [Errno.ENOMEM, .EFAULT, .EBUSY, .EINVAL, .ENOSYS].first(where: { $0.name == words[1] }) else {
                throw ActionLanguage.Mistake(column: 7, found: "'\(words[1])'", fits: "-ENOMEM, -EFAULT, -EINVAL or -ENOSYS")
            }
            what = .error(error)
        case ("message", 2...): what = .message(words.dropFirst().joined(separator: " "))
        case ("broken", 2):
            guard let rule = Rule.named(String(words[1])) else {
                throw ActionLanguage.Mistake(column: 8, found: "'\(words[1])'", fits: "a check: \(Rule.allCases.map(\.name).joined(separator: ", "))")
            }
            what = .broken(rule)
        default: throw fail("'\(text)'")
        }
        return Expectation(what: what, text: text, place: place)
    }

    private static func fault(_ words: [Substring], _ fail: (String) -> ActionLanguage.Mistake) throws(ActionLanguage.Mistake) -> What {
        var kind: FaultStatus.Kind?
        var level: UInt8?
        var i = 1
        while i < words.count {
            switch words[i] {
            case "translation": kind = .translation
            case "permission": kind = .permission
            case "access-flag": kind = .accessFlag
            case "level":
                i += 1
                guard i < words.count, let n = UInt8(words[i]), (1...3).contains(n) else { throw fail("no level from 1 to 3") }
                level = n
            default: throw fail("'\(words[i])'")
            }
            i += 1
        }
        return .fault(kind, level: level)
    }
}
