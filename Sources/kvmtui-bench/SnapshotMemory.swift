import CReference
import Stage2Sim

/// What it costs to keep the past: copies of the machine, and the memory that they hold on to.
enum SnapshotMemory {
    static func measure(_ report: inout Report) {
        for pattern in report.wanted([Pattern.seq, .random]) { keyframes(pattern, &report) }
    }

    /// Keeps 32 copies along the way, as a timeline does, then looks at what a step after a copy takes.
    private static func keyframes(_ pattern: Pattern, _ report: inout Report) {
        let addresses = pattern.addresses(report.n)
        var machine = FaultPath.machine(.untouched)
        let vcpu = machine.vcpu(0)!
        let before = memory_in_use()
        var kept: [Machine] = []
        for (i, ipa) in addresses.enumerated() {
            if i % max(1, report.n / 32) == 0 { kept.append(machine) }
            machine.start(.access(Access(.write, ipa, value: 42)), by: vcpu)
            _ = machine.run(vcpu)
        }
        let bytes = Double(memory_in_use() - before)
        report.add("memory", pattern.rawValue, "state and 32 copies", bytes / Double(report.n), "bytes/fault")
        report.add("memory", pattern.rawValue, "together", bytes / 1_048_576, "MiB")

        var effects = EffectBuffer()
        var copying: [Double] = [], stepping: [Double] = []
        machine.start(.access(Access(.write, addresses[report.n / 2], value: 43)), by: vcpu)
        for _ in 0..<101 {
            var copy = machine
            copying.append(microseconds { copy = machine })
            stepping.append(microseconds { while copy.step(vcpu, effects: &effects) == .stepped {} })
            effects.removeAll()
        }
        report.add("memory", pattern.rawValue, "a copy", median(copying), "us")
        report.add("memory", pattern.rawValue, "one access in a fresh copy", median(stepping), "us")
        withExtendedLifetime(kept) {}
    }

    private static func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }

    private static func microseconds(_ body: () -> Void) -> Double { Measure.time(body) / 1000 }
}
