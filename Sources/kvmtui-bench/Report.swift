import Glibc

/// What was measured.
struct Report {
    let n: Int
    let rounds: Int
    /// The one pattern asked for; nil: all.
    let only: Pattern?
    var rows: [Row] = []

    struct Row {
        let part: String
        let pattern: String
        let name: String
        let value: Double
        let unit: String
        /// How many times as long as the C version of the same work.
        var ratio: Double?

        var text: String {
            var line = "  " + Report.padded(pattern, 10) + Report.padded(name, 34) + Report.number(value, width: 10) + " " + unit
            if unit == "ns/fault" { line += Report.number(1000 / value, width: 9) + " M faults/s" }
            if let ratio { line += "   \(Report.number(ratio, width: 0)) times C" }
            return line
        }

        var json: String {
            var fields = [
                "\"part\":\"\(part)\"", "\"pattern\":\"\(pattern)\"", "\"name\":\"\(name)\"", "\"value\":\(Report.number(value, width: 0))",
                "\"unit\":\"\(unit)\"",
            ]
            if unit == "ns/fault" { fields.append("\"faults_per_second\":\(Int(1e9 / value))") }
            if let ratio { fields.append("\"ratio\":\(Report.number(ratio, width: 0))") }
            return "{" + fields.joined(separator: ",") + "}"
        }
    }

    /// Those of `patterns` that were asked for.
    func wanted(_ patterns: [Pattern]) -> [Pattern] { patterns.filter { only == nil || only == $0 } }

    mutating func add(_ part: String, _ pattern: String, _ name: String, _ value: Double, _ unit: String, ratio: Double? = nil) {
        rows.append(Row(part: part, pattern: pattern, name: name, value: value, unit: unit, ratio: ratio))
    }

    var json: String { "{\"n\":\(n),\"rounds\":\(rounds),\"rows\":[" + rows.map(\.json).joined(separator: ",") + "]}" }

    static func title(_ part: String) -> String {
        switch part {
        case "tables": "Table work alone: top-up and set, over 4 GiB"
        case "path": "The whole fault path: a guest write, from the access to its success"
        case "timeline": "The timeline of a session of n faults, and its screen at 200x60"
        default: "Snapshots of the whole machine"
        }
    }

    static func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }

    /// Two decimals, right-aligned.
    static func number(_ value: Double, width: Int) -> String {
        let hundredths = Int((value * 100).rounded())
        let text = "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

/// Medians of what runs in turn.
enum Measure {
    /// Runs each of `work` once a round, in turn, and gives each one's median time in ns per fault.
    /// A work sets up what it needs and returns what the measured part took, in ns.
    static func medians(rounds: Int, n: Int, _ work: [() -> Double]) -> [Double] {
        var times = work.map { _ in [Double]() }
        // One round to warm up: memory is mapped, code is read.
        for round in 0...rounds {
            for (i, one) in work.enumerated() {
                let time = one()
                if round > 0 { times[i].append(time / Double(n)) }
            }
        }
        return times.map { $0.sorted()[$0.count / 2] }
    }

    /// The processor time of this thread that `body` takes, in ns: what others do on the machine counts as little as it can.
    static func time(_ body: () -> Void) -> Double {
        let before = now()
        body()
        return now() - before
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
