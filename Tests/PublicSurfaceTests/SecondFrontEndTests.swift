import Stage2Sim
import Testing

/// What a front end of somebody else's needs of the core, by its public declarations alone.
@Suite("The public surface") struct SecondFrontEndTests {
    static let ipa = IPA(0x8000_1000)

    private func machine(vcpus: [CPUNumber] = [0, 1]) -> Machine {
        var configuration = MachineConfiguration()
        configuration.vms = [
            .init(vcpus: vcpus, memory: [.init(ipa: IPA(0x8000_0000), size: 1 << 20, hva: HVA(0x7600_0000), content: .populated)])
        ]
        return Machine(configuration)
    }

    @Test("tells each step of a fault in words") func words() throws {
        var machine = machine()
        let vcpu = try #require(machine.vcpu(0))
        machine.start(.access(Access(.write, Self.ipa, value: 42)), by: vcpu)
        var effects = EffectBuffer(), functions: [String] = []
        while true {
            let before = machine, step = machine.actors[vcpu].next
            effects.removeAll()
            guard machine.step(vcpu, effects: &effects) == .stepped else { break }
            let narration = Narration(before: before, after: machine, actor: vcpu, step: step, effects: Array(effects))
            #expect(!narration.result.isEmpty && !narration.text.what.isEmpty && !narration.text.why.isEmpty && !narration.text.source.isEmpty)
            functions.append(narration.text.function)
        }
        #expect(functions.contains("user_mem_abort") && functions.contains("kvm_set_pte"))
        #expect(machine.actors[vcpu].outcome == .done)
        #expect(machine.world.leaf(of: 0, Self.ipa)?.allowsWrite == true)
    }

    @Test("says whom a vCPU waits for") func standings() throws {
        var machine = machine()
        let first = try #require(machine.vcpu(0)), second = try #require(machine.vcpu(1))
        machine.start(.access(Access(.write, Self.ipa)), by: first)
        while machine.actors[first].next != .checkRetryCount { #expect(machine.run(first, limit: 1).steps == 1) }
        machine.start(.access(Access(.write, IPA(0x8000_2000))), by: second)
        #expect(machine.run(second).last == .blocked)
        let standings = machine.standings
        #expect(standings[first.index].canMove && standings[first.index].next == .checkRetryCount)
        #expect(!standings[second.index].canMove && standings[second.index].holders == [first])
        #expect(standings[second.index].waitsFor?.words == "mmu_lock")
        #expect(standings.filter { $0.next == nil }.count == HostThread.allCases.count)
    }

    @Test("keeps a copy as it was") func copies() throws {
        var machine = machine(vcpus: [0])
        let kept = machine, vcpu = try #require(machine.vcpu(0))
        machine.start(.access(Access(.write, Self.ipa)), by: vcpu)
        #expect(machine.run(vcpu).last == .idle)
        #expect(kept.world.leaf(of: 0, Self.ipa) == nil && kept.world.statistics.faults == 0)
        #expect(machine.world.leaf(of: 0, Self.ipa) != nil && machine.world.statistics.faults == 1)
    }

    @Test("gives every behaviour a name, a sentence and a place") func behaviours() {
        for behaviour in Behaviour.allCases {
            #expect(Behaviour.named(behaviour.name)?.0 == behaviour)
            #expect(!behaviour.about.isEmpty)
        }
        for routine in Routine.all { #expect(!routine.outline.isEmpty && !routine.rows.isEmpty) }
    }
}
