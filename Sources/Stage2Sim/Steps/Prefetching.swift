// Memory of the machine that the simulation runs on, asked for before it is needed. It changes nothing but the time: with pages
// all over the guest's memory, waiting for the level-3 entry, the host's entry and the frame's record, one after the other, was
// more than half of a fault.

extension Stepper {
    /// Before a walk: the level-3 entry that it will come to, and the host's entry that a fault will look for.
    @inline(__always) func prefetchEntries() {
        if let leaf = leafAddress { world.kernelPages.prefetch(leaf) }
        if let slot = world.vms[Int(me.vm)].slotIndex(me.ipa, hint: me.slotIndex) {
            let (process, index) = hostEntry(of: me.ipa, slot: slot)
            world.processes[process].entries.prefetch(index)
        }
    }

    /// Before a host page is looked up: the record of the frame that its entry has.
    @inline(__always) func prefetchFrame(slot: Int) {
        let (process, index) = hostEntry(of: me.faultIPA, slot: slot)
        let entry = world.processes[process].entries[index]
        if entry.isPresent { world.frames.prefetch(entry.pfn) }
    }

    @inline(__always) private func hostEntry(of ipa: IPA, slot: Int) -> (process: Int, index: Int) {
        withVM(me.vm) { (Int($0.process), Process.index($0.slots[slot].hva(of: ipa))) }
    }

    /// Where the level-3 entry stands, if the tables go so far.
    private var leafAddress: PA? {
        @inline(__always) get {
            var table = me.vttbr.table
            for level in 1...2 {
                let address = Stage2Walk.descriptorAddress(table: table, ipa: me.ipa, level: level)
                guard let word = world.kernelPages.word(at: address), case .table(let next) = Stage2Walk.next(Stage2Descriptor(word), level: level) else { return nil }
                table = next
            }
            return Stage2Walk.descriptorAddress(table: table, ipa: me.ipa, level: 3)
        }
    }
}
