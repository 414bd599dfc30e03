import Stage2Sim

/// Machines that have been through something: random accesses by several vCPUs and what hosts do to memory, in any order.
enum RandomMachine {
    /// Two VMs; memory below 4 GiB, above, and in the second half of the level-1 table; a device.
    private static func configuration(_ random: inout SplitMix64) -> MachineConfiguration {
        typealias Memory = MachineConfiguration.Memory
        var configuration = MachineConfiguration()
        configuration.revision = random.next() & 1 == 0 ? .v39 : .v4
        configuration.behaviours = configuration.revision.behaviours
        configuration.multiprocessor = random.next() & 7 != 0
        configuration.reuse = random.next() & 3 == 0 ? .lastFreedFirst : .never
        configuration.vms = (0..<2).map { vm in
            MachineConfiguration.VM(
                vcpus: vm == 0 ? [0, 1] : [1],
                memory: [
                    Memory(ipa: IPA(0x8000_0000), size: 0x40_0000, hva: HVA(0x7600_0000), content: random.next() & 1 == 0 ? .populated : .untouched),
                    Memory(ipa: IPA(0x1_2340_0000), size: 0x20_0000, hva: HVA(0x7700_0000)),
                    Memory(ipa: IPA(0x80_4000_0000), size: 0x20_0000, hva: HVA(0x7800_0000)),
                    Memory(ipa: IPA(0xff_ffe0_0000), size: 0x20_0000, hva: HVA(0x7900_0000), content: .populated),
                    Memory(ipa: IPA(0x1c00_0000), size: 0x1_0000, hva: HVA(0x7a00_0000), content: .device(PA(0x1c00_0000))),
                ])
        }
        return configuration
    }

    /// - Parameter actions: how many; the last one may be under way.
    static func make(seed: UInt64, actions: Int) -> Machine {
        var random = SplitMix64(state: seed)
        let configuration = configuration(&random)
        var machine = Machine(configuration)
        for _ in 0..<actions {
            if random.next() % 4 > 0 { access(&machine, &random) } else { hostAction(&machine, &random) }
        }
        // Stop somewhere in the middle of a fault.
        if let vcpu = machine.vcpu(0), machine.actors[vcpu].isIdle {
            machine.start(.access(Access(.write, IPA(0x8000_0000 + random.next() % 0x400 * 0x1000), value: 1)), by: vcpu)
            _ = machine.run(vcpu, limit: Int(random.next() % 40))
        }
        return machine
    }

    private static func memory(_ random: inout SplitMix64) -> (slot: MachineConfiguration.Memory, offset: UInt64) {
        let slots = configuration(&random).vms[0].memory
        let slot = slots[Int(random.next() % UInt64(slots.count))]
        return (slot, random.next() % (slot.size >> 12) << 12)
    }

    private static func access(_ machine: inout Machine, _ random: inout SplitMix64) {
        let vcpus = machine.actors.indices.filter { machine.actors[$0].kind == .vcpu && machine.actors[$0].isIdle }
        guard let vcpu = vcpus.randomElement(using: &random) else { return }
        let (slot, offset) = memory(&random)
        let kind = AccessKind.allCases[Int(random.next() % 3)]
        machine.start(.access(Access(kind, IPA(slot.ipa.rawValue + offset + random.next() % 1024 * 4), value: random.next())), by: vcpu)
        _ = machine.run(vcpu, limit: 2000)
    }

    private static func hostAction(_ machine: inout Machine, _ random: inout SplitMix64) {
        let kinds: [HostAction.Kind] = [.swapOut, .swapOut, .processWrite, .processRead, .madviseDontneed, .ksmMerge, .fork]
        var action = HostAction(kinds[Int(random.next() % UInt64(kinds.count))])
        let (slot, offset) = memory(&random)
        action.process = ProcessNumber(at: Int(random.next() % 2))
        action.hva = HVA(slot.hva.rawValue + offset)
        action.otherProcess = action.process == 0 ? 1 : 0
        action.other = action.hva
        action.size = 0x1000 << (random.next() % 4)
        action.value = random.next() & 0xffff_ffff
        let host = machine.thread(.host)
        // Each fork adds a process; a few are enough.
        guard machine.actors[host].isIdle, action.kind != .fork || machine.world.processes.count < 6 else { return }
        machine.start(.host(action), by: host)
        _ = machine.run(host, limit: 20000)
    }
}
