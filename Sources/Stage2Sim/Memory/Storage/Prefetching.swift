// Memory of the machine that the simulation runs on, asked for before it is needed. It changes nothing but the time: with pages
// all over the guest's memory, waiting for the level-3 entry, the host's entry and the frame's record, one after the other, was
// more than half of a fault.

extension Machine {
    /// Says which access an actor begins after the one under way, so that what that one needs is at hand by then.
    ///
    ///     for i in accesses.indices {
    ///         machine.start(.access(accesses[i]), by: vcpu)
    ///         if i + 1 < accesses.count { machine.foresee(accesses[i + 1].ipa, by: vcpu) }
    ///         _ = machine.run(vcpu)
    ///     }
    @inline(__always) public mutating func foresee(_ ipa: IPA, by actor: ActorNumber) {
        if ipa.isNear(actors[actor].access.ipa) { return }
        world.foreseen = ipa
        withPrefetcher(of: actor) { if let table = $0.world.vms[$0.vm].level1 { $0.fetchEntries(ipa, from: table) } }
    }

    /// What was foreseen begins: the host's entry is at hand, and names the frame.
    @inline(__always) mutating func prefetchForeseen(_ action: Action, by actor: ActorNumber) {
        guard case .access(let access) = action, access.ipa == world.foreseen else { return }
        withPrefetcher(of: actor) { $0.fetchFrame(access.ipa) }
    }

    @inline(__always) private mutating func withPrefetcher(of actor: ActorNumber, _ body: (Prefetcher) -> Void) {
        let (vm, slotHint) = (actors[actor].vm, actors[actor].slotIndex)
        withUnsafePointer(to: &world) { body(Prefetcher($0, vm: vm, slotHint: slotHint)) }
    }
}

extension Stepper {
    /// On the actor's behalf, with what it remembers of the slot.
    var prefetcher: Prefetcher { @inline(__always) get { Prefetcher(worldPointer, vm: me.vm, slotHint: me.slotIndex) } }
}

extension IPA {
    /// Whether a fault on `other` leaves what one on this needs at hand: eight entries are a line.
    @inline(__always) func isNear(_ other: IPA) -> Bool { (rawValue ^ other.rawValue) >> 15 == 0 }
}

/// Looks at the world in place, as `Stepper` does, but changes nothing.
struct Prefetcher {
    private let worldPointer: UnsafePointer<World>
    let vm: VMNumber
    private let slotHint: Int

    @inline(__always) init(_ world: UnsafePointer<World>, vm: VMNumber, slotHint: Int) {
        worldPointer = world
        self.vm = vm
        self.slotHint = slotHint
    }

    var world: World { @inline(__always) unsafeAddress { worldPointer } }

    /// Before a walk from `table`: the level-3 entry that it will come to, and the host's entry that a fault will look for.
    @inline(__always) func fetchEntries(_ ipa: IPA, from table: PA) {
        if let leaf = leafAddress(ipa, from: table) { world.kernelPages.prefetch(leaf) }
        if let (process, index) = hostEntry(of: ipa) { world.processes[process].entries.prefetch(index) }
    }

    /// Before a host page is looked up: the record of the frame that its entry has.
    @inline(__always) func fetchFrame(_ ipa: IPA) {
        guard let (process, index) = hostEntry(of: ipa) else { return }
        let entry = world.processes[process].entries[index]
        if entry.isPresent { world.frames.prefetch(entry.pfn) }
    }

    @inline(__always) private func hostEntry(of ipa: IPA) -> (process: ProcessNumber, index: Int)? {
        guard let slot = world.vms[vm].slotIndex(ipa, hint: slotHint) else { return nil }
        return (world.vms[vm].process, Process.index(world.vms[vm].slots[slot].hva(of: ipa)))
    }

    /// Where the level-3 entry stands, if the tables go so far.
    @inline(__always) private func leafAddress(_ ipa: IPA, from table: PA) -> PA? {
        let found = world.lookUp(ipa, from: table, to: 2)
        guard found.word != 0 else { return nil }
        return Stage2Walk.descriptorAddress(table: Stage2Descriptor(found.word).address, ipa: ipa, level: 3)
    }
}
