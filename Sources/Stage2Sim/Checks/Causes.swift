// Which step broke a rule that shows later. What the state itself does not tell any more is noted here as it happens; only the checks read it.

/// Two processes came to share a frame, or all entries of a process theirs.
struct Sharing: BitwiseCopyable {
    var step: UInt32
    /// fork: the parent and the child. A merge: the two processes, and the frame.
    var process: ProcessNumber
    var other: ProcessNumber
    /// 0: every frame that both map.
    var pfn = PFN(0)
}

/// Steps by what they were made to, sparse; copies share.
struct CauseNotes {
    /// The store of a leaf that says more than was built (set_pte_ext), or that leads to no page, by VM and guest page.
    private var leaves = PagedStore<UInt32, 6>(absent: 0)
    /// The steps at which a kernel page last became a table, and stopped being one, by its number.
    private var tables = PagedStore<UInt32, 6>(absent: 0)
    private var freed = PagedStore<UInt32, 6>(absent: 0)
    var sharings: [Sharing] = []

    private static func index(_ vm: VMNumber, _ gfn: GFN) -> Int { vm.index << 28 | Int(truncatingIfNeeded: gfn.rawValue & 0xfff_ffff) }
    private static func index(_ table: PA) -> Int { Int(truncatingIfNeeded: table.rawValue >> 12 & 0xfff_ffff) }

    /// - Parameter step: 0: the leaf is as it should be.
    mutating func noteLeaf(_ vm: VMNumber, _ gfn: GFN, _ step: UInt32) {
        let index = Self.index(vm, gfn)
        if leaves[index] != step { leaves[index] = step }
    }
    func leaf(_ vm: VMNumber, _ gfn: GFN) -> UInt32? { nonzero(leaves[Self.index(vm, gfn)]) }
    mutating func noteTable(_ page: PA, _ step: UInt32) { tables[Self.index(page)] = step }
    func table(_ page: PA) -> UInt32? { nonzero(tables[Self.index(page)]) }
    mutating func noteFreed(_ page: PA, _ step: UInt32) { freed[Self.index(page)] = step }
    func freed(_ page: PA) -> UInt32? { nonzero(freed[Self.index(page)]) }
    private func nonzero(_ step: UInt32) -> UInt32? { step == 0 ? nil : step }

    func detached() -> CauseNotes {
        var copy = self
        copy.leaves = leaves.detached()
        copy.tables = tables.detached()
        copy.freed = freed.detached()
        return copy
    }

    /// Bytes copied because a kept copy shares them.
    var copied: Int { leaves.copied + tables.copied + freed.copied }
}

extension Stepper {
    /// Of a leaf that was stored: whether it is one of those that a broken check may have to be traced to.
    @inline(__always) func noteOddLeaf(_ vm: VMNumber, _ ipa: IPA, built: UInt64, stored: UInt64) {
        if has(.rawLeafStore), Stage2Descriptor.addressBits.mask & stored != 0 { return }
        noteLeafAside(vm, ipa, isOdd: built != stored || Stage2Descriptor.addressBits.mask & stored == 0)
    }

    @inline(never) private func noteLeafAside(_ vm: VMNumber, _ ipa: IPA, isOdd: Bool) {
        world.causes.noteLeaf(vm, ipa.gfn, isOdd ? world.stepNumber : 0)
    }

    /// The access under way came by a walk that met what is no table, or no table as it was stored; by which step that is so.
    var brokenWalk: UInt32? { me.brokenWalk.attempt == me.attemptStart && me.brokenWalk.cause > 0 ? me.brokenWalk.cause : nil }

    func noteBrokenWalk(_ cause: UInt32) { me.brokenWalk = BrokenWalk(attempt: me.attemptStart, cause: cause) }
}

extension World {
    /// Since when the frame has been shared by those who share it; nil where nobody made it so, as with the zero page.
    func sharedSince(_ pfn: PFN) -> UInt32? {
        let mappers = Set(mappers(of: pfn).map(\.process))
        return causes.sharings.last {
            $0.pfn == pfn && $0.step >= frames[pfn].changedAt || $0.pfn.rawValue == 0 && mappers.contains($0.process) && mappers.contains($0.other)
        }?.step
    }

    /// The last store over, or the clearing of, a leaf that a TLB still holds; nil where all have been flushed.
    func unflushedStep(_ vm: VMNumber, _ ipa: IPA) -> UInt32? { vms[vm].unflushed.first { $0.gfn == ipa.gfn }?.changedAt }
}
