import Stage2Sim

/// One fault after the other through the whole path: access, trap, kernel, tables, access again.
enum FaultPath {
    /// How the machine is run.
    enum Delivery: String, CaseIterable {
        case nothing = "nothing delivered, no checks"
        case checks = "nothing delivered, checks"
        case effects = "effects, no checks"
        case effectsAndChecks = "effects and checks"
    }

    /// 4 GiB of guest memory. A host process of 3 GiB cannot hold as much, so two slots lie over the same 2 GiB of it.
    ///
    /// - Parameter pages: one slot of so many pages instead.
    static func machine(_ content: MachineConfiguration.Memory.Content, pages: Int? = nil) -> Machine {
        var configuration = MachineConfiguration()
        let hva = HVA(0x1000_0000)
        let memory: [MachineConfiguration.Memory] =
            if let pages {
                [.init(ipa: IPA(Pattern.start), size: UInt64(pages) << 12, hva: hva, content: content)]
            } else {
                [0, 1].map { .init(ipa: IPA(Pattern.start + $0 << 31), size: 1 << 31, hva: hva, content: content) }
            }
        configuration.vms = [.init(memory: memory)]
        return Machine(configuration)
    }

    static func measure(_ report: inout Report) {
        for (content, contentName) in [(MachineConfiguration.Memory.Content.populated, "VMM's memory"), (.untouched, "fresh memory")] {
            for pattern in report.wanted([Pattern.seq, .shuffled, .random]) {
                let addresses = pattern.addresses(report.n)
                let medians = Measure.medians(
                    rounds: report.rounds, n: report.n, Delivery.allCases.map { delivery in { time(delivery, pattern, content, addresses) } })
                for (delivery, median) in zip(Delivery.allCases, medians) {
                    report.add("path", pattern.rawValue, "\(contentName): \(delivery.rawValue)", median, "ns/fault")
                }
            }
        }
    }

    static func time(_ delivery: Delivery, _ pattern: Pattern, _ content: MachineConfiguration.Memory.Content, _ addresses: [IPA]) -> Double {
        var machine = machine(content, pages: pattern == .random || addresses.count > 1 << 19 ? nil : addresses.count)
        let vcpu = machine.vcpu(0)!
        var effects = EffectBuffer()
        var delivered = 0
        let duration = Measure.time {
            for (i, ipa) in addresses.enumerated() {
                machine.start(.access(Access(.write, ipa, value: 42)), by: vcpu)
                if i + 1 < addresses.count { machine.foresee(addresses[i + 1], by: vcpu) }
                switch delivery {
                case .nothing: _ = machine.runUnchecked(vcpu)
                case .checks: _ = machine.run(vcpu)
                case .effects: _ = machine.run(vcpu, checks: false, effects: &effects)
                case .effectsAndChecks: _ = machine.run(vcpu, checks: true, effects: &effects)
                }
                delivered += effects.count
                effects.removeAll()
            }
        }
        precondition(machine.world.statistics.faults >= addresses.count && machine.world.violations.isEmpty)
        return duration
    }
}
