import Testing
@testable import Stage2Sim

/// The instruction cache and the fault path: each kind's rule, the rule next to it, and what the rules leave out.
@Suite struct CachesInTheFaultPath {
    @Test func aFrameThatAnotherVMExecuted() {
        var right = CachedMachine(.cortexA15)
        #expect(right.executeInAFrameThatAnotherVMExecuted() == 0xbbbb)
        #expect(right.violations.isEmpty)

        for (with, without) in [([Behaviour](), [Behaviour.icacheMaintenance]), ([.icacheRuleNothing], [])] {
            var wrong = CachedMachine(.cortexA15, with: with, without: without)
            #expect(wrong.executeInAFrameThatAnotherVMExecuted() != 0xbbbb)
            let violation = wrong.violations.first { $0.rule == .staleBytes }
            #expect(violation?.expected == 0xbbbb && violation?.found == wrong.machine.actors[0].value)
            #expect(violation?.stale?.omission == .kernel && violation?.stale?.access == .executed)
            #expect(violation?.stale?.source == .instruction)
            #expect(violation?.stale?.right == CacheLevels(.data))
        }
    }

    @Test func whyInvalidateOnADataFault() {
        // The guest may read a page before it executes it; then no fault comes any more.
        for (without, fine) in [([Behaviour](), true), ([.icacheMaintenance], false)] {
            var m = CachedMachine(.cortexA15, without: without)
            m.load(0x40, 0xcccc)
            m.read(0x40)
            #expect((m.execute(0x40) == 0xcccc) == fine)
            #expect(m.stale.isEmpty == fine)
        }
    }

    @Test func viptLeavesTheDataCache() {
        var b14 = CachedMachine(.cortexA7)
        #expect(b14.executeInAFrameThatAnotherVMExecuted() != 0xbbbb)
        #expect(b14.stale.first?.source != .instruction, "the instruction cache is empty; the bytes never left L1D")
        #expect(b14.stale.first?.right == CacheLevels(.data) && b14.stale.first?.omission == .kernel)
        for fix in [[Behaviour.cleanOnMap], []] {
            var m = CachedMachine(.cortexA7, with: fix, without: fix.isEmpty ? [.b14VIPTLeavesDCache] : [])
            #expect(m.executeInAFrameThatAnotherVMExecuted() == 0xbbbb)
            #expect(m.violations.isEmpty)
        }
    }

    @Test func viptNeedsEverything() {
        // One page by the VMM's address: enough only where it has the colour of the guest's.
        for (hva, fine) in [(CachedMachine.hva, false), (0x7600_0000, true)] {
            var m = CachedMachine(.cortexA7, with: [.icacheRulePage], hva: hva)
            #expect((m.executeInAFrameThatAnotherVMExecuted() == 0xbbbb) == fine)
            #expect(m.stale.isEmpty == fine)
            if !fine { #expect(m.stale.first?.source == .instruction) }
        }
    }

    @Test func pageRuleIsEnoughForPIPTWhateverTheColour() {
        var m = CachedMachine(.cortexA15, hva: CachedMachine.hva + 0x1000)
        #expect(m.executeInAFrameThatAnotherVMExecuted() == 0xbbbb)
        #expect(m.violations.isEmpty)
    }

    /// Both VMs execute the same virtual address; their code was cleaned before.
    private func alternate(_ caches: CacheConfiguration, with: [Behaviour] = []) -> CachedMachine {
        var m = CachedMachine(caches, with: with + [.cleanOnMap])
        m.load(0x40, 0x1111)
        m.load(0x40, 0x2222, vm: 1)
        for _ in 0..<2 {
            m.execute(0x40)
            m.execute(0x40, vm: 1)
        }
        return m
    }

    @Test func virtuallyTaggedCaches() {
        #expect(alternate(.vivtASIDVMID).violations.isEmpty)
        let stale = alternate(.vivtASID).stale
        #expect(stale.count == 2 && stale.allSatisfy { $0.source == .instruction && $0.omission == .kernel })
        // Invalidating everything at each fault is not enough: the VMs take turns without a fault.
        #expect(alternate(.vivtASID, with: [.icacheRuleAll]).stale.count == 1)
    }

    @Test func vivtLeavesTheDataCacheToo() {
        var m = CachedMachine(.vivtASIDVMID)
        m.load(0x40, 0x1111)
        m.execute(0x40)
        #expect(m.stale.first?.right == CacheLevels(.data))
    }

    @Test func rolloverOfVMIDsInvalidatesEverything() {
        var m = alternate(.vivtASIDVMID)
        #expect(m.machine.world.caches!.cpus[0].instruction.count > 0)
        m.host(.exhaustVMIDs)
        m.host(.vmCreate)
        m.machine.world.vms[0].vmidGeneration = 0
        m.read(0x40)
        #expect(m.machine.world.caches!.cpus[0].instruction.count == 0)
    }

    @Test func changePteMaintainsNothing() {
        var m = CachedMachine(.cortexA15)
        m.read(0x0)
        m.read(0x1000)
        m.load(0x40, 0xdddd)
        let leaf = m.machine.world.leaf(of: 0, IPA(CachedMachine.ipa))
        #expect(leaf?.shortRights == "RO" && m.machine.world.zeroPage != leaf?.address.pfn, "change_pte made a leaf to the copy")
        let faults = m.machine.world.statistics.faults
        #expect(m.execute(0x40) == 0)
        #expect(m.machine.world.statistics.faults == faults)
        #expect(m.stale.first?.omission == .kernel)
    }

    @Test func theGuestsOwnOmission() {
        for configuration in CacheConfiguration.all {
            var m = CachedMachine(configuration)
            m.write(0x40, 0xe1)
            m.maintain(.dccmvau, 0x40)
            #expect(m.execute(0x40) == 0xe1)
            m.write(0x40, 0xe2)
            #expect(m.execute(0x40) == 0xe1)
            #expect(m.stale.map(\.omission) == [.guest])
            m.maintain(.dccmvau, 0x40)
            m.maintain(.dsb)
            m.maintain(.icimvau, 0x40)
            m.maintain(.bpiallis)
            m.maintain(.isb)
            #expect(m.execute(0x40) == 0xe2)
            #expect(m.violations.count == 1)
        }
    }

    @Test func theGuestsICIALLUIsBroadcast() {
        var m = CachedMachine(.cortexA15, secondCPU: 1)
        m.execute(0x40, vm: 1)
        m.execute(0x40)
        m.maintain(.iciallu)
        #expect(m.machine.world.caches!.cpus.map(\.instruction.count) == [0, 0])
    }

    @Test func laterSchemeInvalidatesOnExecutionOnly() {
        var m = CachedMachine(.cortexA15, with: [.cleanOnMap, .invalidateIOnExec])
        m.load(0x40, 0xabc)
        m.read(0x40)
        let ipa = IPA(CachedMachine.ipa)
        #expect(m.machine.world.leaf(of: 0, ipa)?.neverExecute == true)
        #expect(m.execute(0x40) == 0xabc)
        #expect(m.machine.world.leaf(of: 0, ipa)?.neverExecute == false)
        m.write(0x80, 1)
        #expect(m.machine.world.leaf(of: 0, ipa)?.neverExecute == false, "what was executed stays executable")
        #expect(m.machine.world.leaf(of: 0, ipa)?.allowsWrite == true)
        #expect(m.violations.isEmpty)
        var again = CachedMachine(.cortexA7, with: [.cleanOnMap, .invalidateIOnExec])
        #expect(again.executeInAFrameThatAnotherVMExecuted() == 0xbbbb)
        #expect(again.violations.isEmpty)
    }

    @Test func cacheOperationUnderTheLock() {
        for (kernelMapping, hangs) in [(false, true), (true, false)] {
            var m = CachedMachine(.cortexA15, with: [.cacheOpUnderLock] + (kernelMapping ? [.cacheOpKernelMapping] : []))
            m.load(0x40, 0x77)
            let vcpu = m.machine.vcpu(0)!, kswapd = m.machine.thread(.kswapd)
            m.machine.start(.access(Access(.read, IPA(CachedMachine.ipa + 0x40))), by: vcpu)
            while m.machine.actors[vcpu].next != .syncInstructionCache { #expect(m.machine.run(vcpu, limit: 1).steps == 1) }
            #expect(m.machine.world.vms[0].lockHolder == vcpu)
            var action = HostAction(.swapOut)
            action.process = m.machine.world.vms[0].process
            action.hva = HVA(CachedMachine.hva)
            m.machine.start(.host(action), by: kswapd)
            #expect(m.machine.run(kswapd).last == .blocked, "the notifier waits for mmu_lock")
            let result = m.machine.run(vcpu)
            #expect((result.last == .blocked) == hangs)
            #expect((m.machine.actors[vcpu].next == .faultUnderLock) == hangs)
            #expect(m.violations.contains { $0.rule == .deadlock } == hangs)
            if !hangs {
                #expect(m.machine.run(kswapd).last == .idle)
                #expect(m.read(0x40) == 0x77)
                #expect(m.violations.isEmpty)
            }
        }
    }

    @Test func byUserAddressOutsideTheLockTheFaultIsServed() {
        var m = CachedMachine(.cortexA15)
        m.load(0x40, 0x77)
        let vcpu = m.machine.vcpu(0)!
        m.machine.start(.access(Access(.read, IPA(CachedMachine.ipa + 0x40))), by: vcpu)
        while m.machine.actors[vcpu].next != .syncInstructionCache { #expect(m.machine.run(vcpu, limit: 1).steps == 1) }
        m.host(.swapOut, by: .kswapd)
        #expect(m.machine.run(vcpu).last == .idle)
        #expect(m.machine.actors[vcpu].value == 0x77)
        #expect(m.machine.world.statistics.retries == 1)
        #expect(m.violations.isEmpty)
    }
}
