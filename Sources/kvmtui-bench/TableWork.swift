import CReference
import Stage2Sim

/// The core's table functions beside the same work in plain C.
enum TableWork {
    static func measure(_ report: inout Report) {
        let n = report.n
        guard let c = creference_create(4096) else { return }
        defer { creference_destroy(c) }
        for pattern in report.wanted([Pattern.seq, .stride2m, .random]) {
            let addresses = pattern.addresses(n), raw = addresses.map(\.rawValue)
            let medians = Measure.medians(
                rounds: report.rounds, n: n,
                [
                    {
                        creference_reset(c)
                        return Measure.time { _ = creference_map_all(c, raw, n, 0, 1) }
                    },
                    {
                        var tables = TableFunctions(.v39)
                        let time = Measure.time { tables.map(addresses, from: PFN(0), writable: true) }
                        precondition(tables.world.leaf(of: 0, addresses[n - 1])?.rawValue == creference_leaf(c, addresses[n - 1].rawValue))
                        return time
                    },
                ])
            report.add("tables", pattern.rawValue, "plain C", medians[0], "ns/fault")
            report.add("tables", pattern.rawValue, "the core", medians[1], "ns/fault", ratio: medians[1] / medians[0])
        }
    }
}
