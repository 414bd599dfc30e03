import Testing

@testable import Stage2Sim

/// The fault path of v6.1: the figures that its facts give for first faults, copies, fetches, forks, and accesses to no memory.
struct TodayFaultPathTests {
    /// What one access came to.
    struct Came: Equatable {
        var exits: [UInt32] = []
        /// By-IPA flushes, as level hints in their order.
        var flushes: [UInt8] = []
        var outcome = Outcome.none
    }

    private func machine(
        _ content: MachineConfiguration.Memory.Content = .untouched, cpu: CPUModel = .max, vcpus: [CPUNumber] = [0], readOnly: Bool = false
    ) -> Machine {
        var configuration = MachineConfiguration()
        configuration.revision = .v61
        configuration.cpu = cpu
        var memory = MachineConfiguration.Memory(ipa: IPA(0x8000_0000), size: 64 << 20, hva: HVA(0x7600_0000), content: content)
        memory.readOnly = readOnly
        configuration.vms = [.init(vcpus: vcpus, memory: [memory])]
        return Machine(configuration)
    }

    private func run(_ machine: inout Machine, _ action: Action, by actor: ActorNumber) -> Came {
        machine.start(action, by: actor)
        var came = Came(), effects = EffectBuffer()
        while true {
            let step = machine.actors[actor].next
            guard machine.step(actor, effects: &effects) == .stepped else { break }
            for effect in effects {
                if case .hsrSet(let value) = effect, step == .takeException { came.exits.append(value) }
                if case .tlbFlushedByIPA(_, _, let level, _) = effect { came.flushes.append(level) }
            }
            effects.removeAll()
        }
        came.outcome = machine.actors[actor].outcome
        #expect(machine.world.violations.isEmpty)
        return came
    }

    private func access(_ kind: AccessKind, _ ipa: UInt64, form: Access.Form = .plain, width: UInt8 = 8) -> Action {
        var access = Access(kind, IPA(ipa), form: form, width: width, value: 0x2a, register: kind == .read ? 6 : 5)
        access.isAArch64 = true
        return .access(access)
    }

    private func attributes(_ machine: Machine, _ ipa: UInt64) -> UInt64? { machine.world.leaf(of: 0, IPA(ipa)).map { $0.rawValue & ~0xff_ffff_f000 } }
    private func cache(_ machine: Machine) -> Int { machine.actors[machine.vcpu(0)!].memoryCache.count }

    @Test("populated memory: a read maps for writing, and a write does not exit") func populated() {
        var machine = machine(.populated)
        let vcpu = machine.vcpu(0)!
        #expect(run(&machine, access(.read, 0x8000_0000), by: vcpu) == Came(exits: [0x93c6_8005], outcome: .done))
        #expect(attributes(machine, 0x8000_0000) == 0x0040_0000_0000_07db && cache(machine) == 38)
        #expect(run(&machine, access(.write, 0x8000_0010), by: vcpu) == Came(outcome: .done))
    }

    @Test("untouched memory: zero page, copy, retry, relax; three flushes and a translation fault where the leaf was alone") func untouched() {
        var machine = machine()
        let vcpu = machine.vcpu(0)!
        _ = run(&machine, access(.read, 0x8000_0000), by: vcpu)
        #expect(run(&machine, access(.read, 0x8000_4000), by: vcpu) == Came(exits: [0x93c6_8007], outcome: .done))
        #expect(attributes(machine, 0x8000_4000) == 0x0040_0000_0000_075b)
        #expect(run(&machine, access(.write, 0x8000_4000), by: vcpu) == Came(exits: [0x93c5_804f, 0x93c5_804f], flushes: [3, 3], outcome: .done))
        #expect(attributes(machine, 0x8000_4000) == 0x0040_0000_0000_07db && cache(machine) == 38)
        machine = self.machine()
        _ = run(&machine, access(.read, 0x8000_4000), by: vcpu)
        #expect(run(&machine, access(.write, 0x8000_4000), by: vcpu) == Came(exits: [0x93c5_804f, 0x93c5_8045], flushes: [3, 0, 0], outcome: .done))
        #expect(cache(machine) == 36)
        machine = self.machine()
        #expect(run(&machine, access(.write, 0x8000_4000), by: vcpu) == Came(exits: [0x93c5_8045], outcome: .done))
    }

    @Test("fetches: everything in one, or XN off by one store; read-only and executable after fork") func execute() {
        var machine = machine(.populated)
        let vcpu = machine.vcpu(0)!
        _ = run(&machine, access(.read, 0x8000_0000), by: vcpu)
        #expect(run(&machine, access(.execute, 0x8001_0000, width: 4), by: vcpu) == Came(exits: [0x8200_0007], outcome: .done))
        #expect(attributes(machine, 0x8001_0000) == 0x7db)
        #expect(run(&machine, access(.read, 0x8060_0000), by: vcpu) == Came(exits: [0x93c6_8006], outcome: .done))
        #expect(run(&machine, access(.execute, 0x8060_0000, width: 4), by: vcpu) == Came(exits: [0x8200_000f], flushes: [3], outcome: .done))
        #expect(attributes(machine, 0x8060_0000) == 0x7db)
        var fork = HostAction(.fork)
        fork.process = machine.world.vms[0].process
        _ = run(&machine, .host(fork), by: machine.thread(.vmm))
        _ = run(&machine, access(.execute, 0x8060_0000, width: 4), by: vcpu)
        #expect(attributes(machine, 0x8060_0000) == 0x75b)
    }

    @Test("without FWB the memory type is another, and the page is cleaned before it is mapped; DIC makes all memory executable") func features() {
        var machine = machine(.populated, cpu: .cortexA57)
        let vcpu = machine.vcpu(0)!
        _ = run(&machine, access(.read, 0x8000_0000), by: vcpu)
        #expect(attributes(machine, 0x8000_0000) == 0x0040_0000_0000_07ff && machine.world.statistics.dcacheBytes == 4096)
        machine = self.machine(.populated, cpu: .max.adding(.dic))
        _ = run(&machine, access(.read, 0x8000_0000), by: vcpu)
        #expect(attributes(machine, 0x8000_0000) == 0x7db)
        #expect(run(&machine, access(.execute, 0x8000_0000, width: 4), by: vcpu) == Came(outcome: .done))
    }

    @Test("no memory: MMIO of 1 to 8 bytes, the PC moved at its completion; pairs fail, fetches abort") func noMemory() {
        var machine = machine(.populated, readOnly: true)
        let vcpu = machine.vcpu(0)!
        #expect(run(&machine, access(.read, 0x900_0000, width: 4), by: vcpu) == Came(exits: [0x9386_0005], outcome: .emulated))
        #expect(machine.actors[vcpu].value == 0x2a && machine.actors[vcpu].registers.pc == 0x8004)
        #expect(run(&machine, access(.read, 0x900_0000, form: .multiple), by: vcpu) == Came(exits: [0x9200_0005], outcome: .failed))
        #expect(run(&machine, access(.execute, 0x900_0000, width: 4), by: vcpu).outcome == .abortInjected)
        #expect(machine.actors[vcpu].el1.esr == 0xffff_ffff_8600_0010 && machine.actors[vcpu].el1.far == 0x900_0000)
        _ = run(&machine, access(.read, 0x8000_0000), by: vcpu)
        #expect(attributes(machine, 0x8000_0000) == 0x0040_0000_0000_075b)
        #expect(run(&machine, access(.write, 0x8000_0000), by: vcpu) == Came(exits: [0x93c5_804f], outcome: .emulated))
    }

    @Test("a second vCPU finds the page mapped: -EAGAIN, nothing written, nothing flushed") func secondMapper() {
        var machine = machine(vcpus: [0, 1])
        let first = machine.vcpu(0)!, second = machine.vcpu(1)!
        machine.start(access(.write, 0x8000_1000), by: second)
        while machine.actors[second].next != .lockTables { _ = machine.run(second, limit: 1) }
        #expect(run(&machine, access(.write, 0x8000_1000), by: first) == Came(exits: [0x93c5_8045], outcome: .done))
        _ = machine.run(second)
        #expect(machine.actors[second].outcome == .done && machine.actors[second].memoryCache.count == 40)
        #expect(machine.world.statistics.tlbFlushesByIPA == 0 && machine.world.violations.isEmpty)
    }
}
