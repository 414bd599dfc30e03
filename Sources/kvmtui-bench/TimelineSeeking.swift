import Screens
import Sessions
import Stage2Sim

/// How fast any step of a long session is shown: the timeline alone, and up to the finished screen at 200x60.
enum TimelineSeeking {
    private static func session(_ pattern: Pattern, faults: Int) -> Session? {
        let place =
            switch pattern {
            case .seq: "stride: 4K"
            case .random: "random: 7\n    within: 2560M"
            case .stride2m: "stride: 2M"
            case .shuffled: ""
            }
        guard !place.isEmpty else { return nil }
        // Each 2 MiB region has a slot of one page there: a table of its own for every fault.
        let memory = pattern == .stride2m ? "{ ipa: 0, size: 4K, count: \(min(faults, 500_000)), stride: 2M }" : "{ ipa: 0x80000000, size: 2560M }"
        let first = pattern == .stride2m ? "0x0" : "0x80000000"
        let count = pattern == .stride2m ? min(faults, 500_000) : pattern == .seq ? min(faults, 655_360) : faults
        let text = "kvmtui: 1\nmachine:\n  memory:\n    - \(memory)\nsteps:\n  - repeat: \(count)\n    \(place)\n    steps:\n      - vcpu0: write \(first) 1\n"
        return try? SessionReader.read(text: text, file: "benchmark")
    }

    static func measure(_ report: inout Report) {
        for pattern in report.wanted([.seq, .random, .stride2m]) {
            guard let session = session(pattern, faults: report.n) else { continue }
            let clock = ContinuousClock()
            func microseconds(_ body: () -> Void) -> Double {
                let time = clock.measure(body).components
                return Double(time.seconds) * 1e6 + Double(time.attoseconds) / 1e12
            }
            var explorer: Explorer?
            report.add("timeline", pattern.rawValue, "open, to the first state", microseconds { explorer = Explorer(session) } / 1000, "ms")
            guard var explorer else { continue }
            _ = explorer.handle(.resize(width: 200, height: 60))
            var grid = Grid(width: 200, height: 60)
            func press(_ key: Key) {
                _ = explorer.handle(.key(key))
                grid.clear()
                explorer.draw(into: &grid)
            }
            let count = explorer.stepCount
            var random: UInt64 = 1
            func place() -> Int {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(random >> 33) % max(1, count)
            }
            var samples: [(name: String, times: [Double])] = []
            func sample(_ name: String, _ times: Int, before: () -> Void = {}, _ body: () -> Void) {
                var list: [Double] = []
                for _ in 0..<times {
                    before()
                    list.append(microseconds(body))
                }
                samples.append((name, list.sorted()))
            }
            sample("jump anywhere, drawn", 200) {
                explorer.jump(to: place())
                grid.clear()
                explorer.draw(into: &grid)
            }
            sample("step on, drawn", 400) { press(.character("s")) }
            sample("step back, drawn", 400) { press(.character("S")) }
            sample("next fault, drawn", 200) { press(.character("]")) }
            sample("previous fault, drawn", 200) { press(.character("[")) }
            for (name, times) in samples {
                report.add("timeline", pattern.rawValue, name + ", median", times[times.count / 2], "us")
                report.add("timeline", pattern.rawValue, name + ", 99th of 100", times[times.count * 99 / 100], "us")
            }
        }
    }
}
