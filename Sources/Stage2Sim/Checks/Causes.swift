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

/// A walk that met what is no table, or no table as it was stored: what it found may be in the CPU's TLB since.
struct WalkAstray: BitwiseCopyable {
    var cpu: CPUNumber
    var vm: VMNumber
    var gfn: GFN
    var step: UInt32
    var cause: UInt32
}

/// Steps by what they were made to, sparse; copies share. Made when there is something to note.
struct CauseNotes {
    private typealias Steps = PagedStore<UInt32, 6>

    /// The store of a leaf that says more than was built (set_pte_ext), or that leads to no page, by VM and guest page.
    private var leaves: Steps?
    /// The steps at which a kernel page last became a table, and stopped being one, by its number.
    private var tables: Steps?
    private var freed: Steps?
    var sharings: [Sharing] = []
    var walksAstray: [WalkAstray] = []

    private static func index(_ vm: VMNumber, _ gfn: GFN) -> Int { vm.index << 28 | Int(truncatingIfNeeded: gfn.rawValue & 0xfff_ffff) }
    private static func index(_ table: PA) -> Int { Int(truncatingIfNeeded: table.rawValue >> 12 & 0xfff_ffff) }

    private static func note(_ step: UInt32, at index: Int, in steps: inout Steps?) {
        if steps == nil {
            guard step != 0 else { return }
            steps = Steps(absent: 0)
        }
        if steps![index] != step { steps![index] = step }
    }

    private func find(_ index: Int, in steps: Steps?) -> UInt32? { steps.flatMap { $0[index] == 0 ? nil : $0[index] } }

    /// - Parameter step: 0: the leaf is as it should be.
    mutating func noteLeaf(_ vm: VMNumber, _ gfn: GFN, _ step: UInt32) { Self.note(step, at: Self.index(vm, gfn), in: &leaves) }
    func leaf(_ vm: VMNumber, _ gfn: GFN) -> UInt32? { find(Self.index(vm, gfn), in: leaves) }
    mutating func noteTable(_ page: PA, _ step: UInt32) { Self.note(step, at: Self.index(page), in: &tables) }
    func table(_ page: PA) -> UInt32? { find(Self.index(page), in: tables) }
    mutating func noteFreed(_ page: PA, _ step: UInt32) { Self.note(step, at: Self.index(page), in: &freed) }
    func freed(_ page: PA) -> UInt32? { find(Self.index(page), in: freed) }

    func detached() -> CauseNotes {
        var copy = self
        copy.leaves = leaves.map { $0.detached() }
        copy.tables = tables.map { $0.detached() }
        copy.freed = freed.map { $0.detached() }
        return copy
    }

    /// Bytes copied because a kept copy shares them.
    var copied: Int { (leaves?.copied ?? 0) + (tables?.copied ?? 0) + (freed?.copied ?? 0) }
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

    func noteBrokenWalk(_ cause: UInt32) {
        me.brokenWalk = BrokenWalk(attempt: me.attemptStart, cause: cause)
        guard world.causes.walksAstray.count < 256 else { return }
        world.causes.walksAstray.append(WalkAstray(cpu: me.cpu, vm: me.vm, gfn: me.ipa.gfn, step: world.stepNumber, cause: cause))
    }

    /// The same, where the TLB has kept what such a walk found.
    func brokenWalk(keptIn entry: TLBEntry?) -> UInt32? {
        guard let entry else { return nil }
        return world.causes.walksAstray.last { $0.cpu == me.cpu && $0.vm == me.vm && $0.gfn == me.ipa.gfn && $0.step <= entry.filledAt }?.cause
    }
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
