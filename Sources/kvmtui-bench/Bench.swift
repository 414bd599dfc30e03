import ArgumentParser
import CReference

// The benchmark: how long the core takes, against plain C where C can do the same. It gives figures and ratios and judges
// nothing; it is no part of the tests. Run it with `swift run -c release kvmtui-bench`.

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kvmtui-bench",
        abstract: "Measure the simulation core: table work beside plain C, the whole fault path, snapshots, the timeline.",
        discussion: "Every figure is the median of several rounds; what is compared runs in turn within each round.")

    @Argument(help: "Faults a round, 1000 to 1000000.")
    var n = 65_536

    @Option(help: "Rounds.")
    var rounds = 9

    @Flag(help: "One JSON object.")
    var json = false

    @Option(help: "Only this pattern: seq, stride2m, shuffled, random.")
    var pattern: Pattern?

    @Option(help: "Only the parts whose name begins with this: tables, path, memory, timeline.")
    var only = ""

    func validate() throws {
        guard (1000...1_000_000).contains(n), rounds > 0 else { throw ValidationError("n is 1000 to 1000000, and there is a round at least") }
    }

    func run() throws {
        // What a round frees stays in the process for the next one: C's arena is mapped once, too.
        keep_freed_memory()
        var report = Report(n: n, rounds: rounds, only: pattern)
        let parts: [(name: String, measure: (inout Report) -> Void)] = [
            ("tables", TableWork.measure), ("path", FaultPath.measure), ("memory", SnapshotMemory.measure),
            ("timeline", TimelineSeeking.measure),
        ]
        for part in parts where part.name.hasPrefix(only) {
            if !json { print(Report.title(part.name)) }
            let before = report.rows.count
            part.measure(&report)
            if !json { report.rows[before...].forEach { print($0.text) } }
        }
        if json { print(report.json) }
    }
}

extension Pattern: ExpressibleByArgument {}
