import Testing

@testable import Stage2Sim

/// Routines as they are declared: each step once, each behaviour decided somewhere, an order for every set of behaviours.
struct RoutineTests {
    @Test("each step stands in exactly one routine") func once() {
        var count: [MicroStep: Int] = [:]
        for row in Routine.all.flatMap(\.rows) { count[row.step, default: 0] += 1 }
        for step in MicroStep.allCases { #expect(count[step] == 1, "\(step)") }
    }

    @Test("each behaviour is decided at some step", arguments: Behaviour.allCases) func decided(_ behaviour: Behaviour) {
        #expect(!behaviour.steps.isEmpty, "nothing decides \(behaviour.name)")
    }

    @Test("every routine and every row says what it is, under both revisions", arguments: Revision.allCases) func words(_ revision: Revision) {
        for routine in Routine.all where routine.name != "" {
            #expect(!routine.outline.isEmpty)
            for row in routine.rows {
                let text = row.step.text(Setting(revision))
                #expect(!text.title.isEmpty && !text.what.isEmpty && !text.why.isEmpty && !text.function.isEmpty, "\(row.step)")
                #expect(!text.source.isEmpty || [.guest, .userSpace].contains(text.side) || text.function == "the machine", "\(row.step)")
            }
        }
    }

    @Test("whoever stands at a step whose behaviour is switched off goes on from there", arguments: Behaviour.allCases) func switched(_ behaviour: Behaviour) {
        for revision in Revision.allCases {
            var on = revision.behaviours, off = revision.behaviours
            on.set(behaviour, true)
            off.set(behaviour, false)
            let (before, after) = (StepOrder(on), StepOrder(off))
            for step in MicroStep.allCases where before[after: step] != .idle && !step.row.when.holds(off) {
                #expect(after[after: step] != .idle, "\(step)")
            }
        }
    }

    @Test("v4's path is headed with v4's functions") func functionsOfV4() {
        let v4 = Setting(.v4), v39 = Setting(.v39)
        #expect(MicroStep.writeLeaf.text(v4).function == "set_pte_ext" && MicroStep.writeLeaf.text(v39).function == "kvm_set_pte")
        #expect(MicroStep.releasePage.text(v4).function == "kvm_release_pfn_dirty" && MicroStep.releasePage.text(v39).function == "kvm_release_pfn_clean")
        #expect(MicroStep.clearLeaf.text(v4).function == "stage2_clear_pte" && MicroStep.clearLeaf.text(v39).function == "clear_pte_entry")
    }

    /// The stretch of user_mem_abort that behaviours reorder, as a reader would list it.
    @Test("the order of user_mem_abort follows the behaviours") func order() {
        func path(_ change: (inout Behaviours) -> Void) -> [MicroStep] {
            var behaviours = Revision.v39.behaviours
            change(&behaviours)
            let order = StepOrder(behaviours)
            var step = MicroStep.checkReadPermission, found: [MicroStep] = []
            while step != .unlockMMU, found.count < 30 {
                found.append(step)
                step = order[after: step]
            }
            return found
        }
        let whole: [MicroStep] = [
            .checkReadPermission, .topUpMemoryCache, .sampleNotifierSeq, .readBarrier, .translateGFN, .pinHostPage, .checkPFN, .buildLeaf,
            .syncInstructionCache,
            .lockMMU, .checkRetryCount, .checkRetrySeq, .grantWrite, .setPageDirty,
        ]
        #expect(path { _ in } == whole)
        #expect(path { $0.set(.smpRmb, false) } == whole.filter { $0 != .readBarrier })
        #expect(path { $0.set(.retryCheck, false) } == whole.filter { $0 != .checkRetryCount && $0 != .checkRetrySeq })
        #expect(path { $0.set(.topUp, false) } == whole.filter { $0 != .topUpMemoryCache })
        #expect(
            path { $0.set(.seqBeforeGup, false) } == [
                .checkReadPermission, .topUpMemoryCache, .translateGFN, .pinHostPage, .checkPFN, .sampleNotifierSeq, .buildLeaf, .syncInstructionCache,
                .lockMMU, .checkRetryCount, .checkRetrySeq, .grantWrite, .setPageDirty,
            ])
        #expect(
            path { $0.set(.retryUnderLock, false) } == [
                .checkReadPermission, .topUpMemoryCache, .sampleNotifierSeq, .readBarrier, .translateGFN, .pinHostPage, .checkPFN, .buildLeaf,
                .syncInstructionCache, .checkRetryCount, .checkRetrySeq, .lockMMU, .grantWrite, .setPageDirty,
            ])
        #expect(
            path { $0.set(.cacheOpUnderLock, true) } == [
                .checkReadPermission, .topUpMemoryCache, .sampleNotifierSeq, .readBarrier, .translateGFN, .pinHostPage, .checkPFN, .buildLeaf, .lockMMU,
                .checkRetryCount, .checkRetrySeq, .syncInstructionCache, .grantWrite, .setPageDirty,
            ])
    }

    @Test("of the instruction-cache rules one is chosen at a time") func choice() {
        var behaviours = Revision.v39.behaviours
        behaviours.set(.icacheRuleAll, true)
        behaviours.set(.icacheRulePage, true)
        #expect(behaviours.has(.icacheRulePage) && !behaviours.has(.icacheRuleAll))
    }

    @Test("who waits is told with what for, and who has it") func standings() {
        var configuration = MachineConfiguration()
        configuration.vms = [.init(vcpus: [0, 1], memory: [.init(ipa: IPA(0x8000_0000), size: 0x2000, hva: HVA(0x7600_0000))])]
        var machine = Machine(configuration)
        let first = machine.vcpu(0)!, second = machine.vcpu(1)!
        for vcpu in [first, second] { machine.start(.access(Access(.write, IPA(0x8000_0000), value: 1)), by: vcpu) }
        while machine.actors[first].next != .checkRetryCount { _ = machine.run(first, limit: 1) }
        while !machine.isBlocked(second) { _ = machine.run(second, limit: 1) }
        let standings = machine.standings
        #expect(standings[first.index].canMove && standings[first.index].next == .checkRetryCount)
        #expect(standings[second.index].waitsFor == .ownMMULock && standings[second.index].holders == [first])
        #expect(standings.filter { $0.next == nil }.count == HostThread.allCases.count)
    }

    @Test("a configuration that cannot be is refused with its part and what fits") func validation() {
        typealias Memory = MachineConfiguration.Memory
        func part(_ change: (inout MachineConfiguration) -> Void) -> String? {
            var configuration = MachineConfiguration()
            configuration.vms = [.init(memory: [Memory(ipa: IPA(0x8000_0000), size: 0x2000, hva: HVA(0x7600_0000))])]
            change(&configuration)
            do throws(ConfigurationError) { try configuration.validate() } catch { return error.part }
            return nil
        }
        #expect(part { _ in } == nil)
        #expect(part { $0.vms = [] } == "vms")
        #expect(part { $0.vms = Array(repeating: .init(), count: 300) } == "vms")
        #expect(part { $0.vms[0].vcpus = Array(repeating: 0, count: 9) } == "vms[0].vcpus")
        #expect(part { $0.vms[0].vcpus = [200] } == "vms[0].vcpus[0]")
        #expect(part { $0.vms[0].memory[0].size = 0 } == "vms[0].memory[0].size")
        #expect(part { $0.vms[0].memory[0].size = .max } == "vms[0].memory[0].size")
        #expect(part { $0.vms[0].memory[0].ipa = IPA(0xff_ffff_f000) } == "vms[0].memory[0].ipa")
        #expect(part { $0.vms[0].memory[0].readOnly = true } == "vms[0].memory[0].readOnly")
        #expect(part { $0.vms[0].memory.append(Memory(ipa: IPA(0x8000_1000), size: 0x1000, hva: HVA(0x7700_0000))) } == "vms[0].memory[1].ipa")
        #expect(part { $0.kernelBase = PA(0x8000_1000) } == "kernelBase")
    }
}
