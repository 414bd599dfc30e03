// What KVM does: the memory cache, the stage-2 functions, the fault path, the notifiers, MMIO, and what a revision is made of.

/// One thing that the kernel does, or does not do, in this path. A revision is nothing but a set of these, and each can be
/// switched alone: `without: [retry-check]`, `with: [aligned-unmap]`.
public enum Behaviour: UInt8, CaseIterable, Sendable {
    // What the path does to stay correct.
    /// What the path does to stay correct; `about` says what each one is.
    case retryCheck, retryUnderLock, seqBeforeGup, smpRmb, retrySmpRmb, rangeEndSmpWmb, invalidateSeqInLock, invalidateCount
    /// The same.
    case tlbFlushOnUnmap, tlbFlushOnSet, icacheMaintenance, topUp, setDirty, presentTest, unmapByRange
    // What the two revisions do differently.
    /// What the two revisions do differently; `about` says what each one is.
    case rawLeafStore, leafStoreBarrier, releaseDirty, srcu, userAllocCheck, iomapRefusesPresent, mmioDecoder
    // Defects that the revisions had (named after their number in the project's list) and later fixes.
    /// Defects that revisions had, by their numbers in DEFECTS.md; `about` says what each one is.
    case b3AlignmentCheckVacuous, b4VttbrMask, b5UnalignedUnmap, b6PgdTailCount, b7PhysMask32, b8CleanNextPage, b9DeviceMemAttr
    /// The same, from 10 up.
    case b10FreeBeforeFlush, b11Isv0IsWrite, b12SlotDeleteKeepsStage2, b13NoBreakBeforeMake, b14VIPTLeavesDCache, b15NoslotIsNoError
    // Later fixes and features, off in both.
    /// Later fixes and features; `about` says what each one is.
    case readOnlySlots, readOnlyWritesExit, pageAging, s1ptwIsWrite, gupOpportunisticWrite, changePteNeedsLeaf, changePteSkipsInvalid, changePteInWindow
    /// The same, of caches.
    case cleanOnMap, invalidateIOnExec, cacheOpUnderLock, cacheOpKernelMapping, flushOnCacheEnable, cleanOnUnmap, changePteCleans
    // What the incidents since are about: fixes, and defects that came later than both revisions; off in both.
    /// Fixes of incidents; `about` says what each one is.
    case savePAR, slotsWithin40Bits, unmapOnVCPUInit, skipCacheOpOutsideMemory, unmapOnRelease, releaseUnderLock, skipEqualLeaf, skipAfterMMIO
    /// The same.
    case s1ptwTranslationIsRead, hpfarOnlyIfValid
    /// A slot's dirty log, and two omissions of it; `about` says what each one is.
    case dirtyLog, logWithoutProtect, logWithoutFlush
    /// The lookup behind VM_PFNMAP as later kernels have it; `about` says what each one is.
    case pfnmapTakesReference, pfnmapNeedsCount
    /// Defects of later kernels; `about` says what each one is.
    case slotLimitExclusive, breakAnyLeaf, countOnReplace, giveUpKeepsPage, topUpNotOnPermission, vttbrBeforeVMID
    // What-ifs of the instruction cache: another kind's rule in place of the CPU's own.
    /// Another kind of instruction cache's rule; one of them at most is on.
    case icacheRuleNothing, icacheRulePage, icacheRuleAll

    /// The name in session files and on the command line.
    public var name: String { Self.table[Int(rawValue)].name }
    /// What happens when it is on.
    public var about: String { Self.table[Int(rawValue)].about }
    /// Why no session shows it, or a part of it: what the simulation leaves out, or what cannot happen; nil where there is nothing to say.
    public var unshown: String? { Self.table[Int(rawValue)].unshown }
    /// Another name, for its opposite: naming that one on switches this one off.
    public var opposite: String? { Self.table[Int(rawValue)].opposite }

    private struct Entry: Sendable {
        let name: String
        let about: String
        var opposite: String? = nil
        var unshown: String? = nil
    }

    private static let table: [Entry] = [
        Entry(name: "retry-check", about: "under mmu_lock, give up if an invalidation ran or runs (mmu_notifier_retry)"),
        Entry(name: "retry-under-lock", about: "the retry check and stage2_set_pte share one mmu_lock section"),
        Entry(name: "seq-before-gup", about: "mmu_notifier_seq is read before the page is looked up, not after"),
        Entry(name: "smp-rmb", about: "the load of mmu_notifier_seq stays before the page lookup"),
        Entry(name: "retry-smp-rmb", about: "mmu_notifier_retry reads the count before the sequence"),
        Entry(name: "range-end-smp-wmb", about: "invalidate_range_end shows the new sequence before the count falls"),
        Entry(name: "invalidate-seq-in-lock", about: "invalidate_page raises the sequence inside mmu_lock"),
        Entry(name: "invalidate-count", about: "invalidate_range_start raises the count until range_end"),
        Entry(name: "tlb-flush-on-unmap", about: "the unmap handler flushes the VMID's TLB entries for every page"),
        Entry(name: "tlb-flush-on-set", about: "stage2_set_pte flushes when it replaced a present leaf"),
        Entry(name: "icache-maintenance", about: "coherent_icache_guest_page on every fault"),
        Entry(name: "top-up", about: "the memory cache is filled before mmu_lock is taken"),
        Entry(name: "set-dirty", about: "kvm_set_pfn_dirty when the leaf becomes writable"),
        Entry(name: "present-test", about: "unmap drops the table's reference only where a leaf was present", opposite: "b2-unconditional-put"),
        Entry(
            name: "unmap-by-range",
            about: "one function unmaps ranges, and tears a VM down too; notifiers flush behind it. Off: page by page, each with a flush of its own",
            unshown: "by itself it changes which steps are made, not what they come to: every reclaim or munmap shows the one form or the other"),
        Entry(name: "raw-leaf-store", about: "the leaf is stored as it is, not through set_pte_ext", opposite: "b1-set-pte-ext"),
        Entry(
            name: "leaf-store-dsb", about: "a dsb follows the store and clean of a leaf",
            unshown:
                "a store is seen by every walker at once here, as no store buffer is simulated; without the dsb a walker might see it a little later, fault once more, and find it then"
        ),
        Entry(name: "release-dirty", about: "the page is released with kvm_release_pfn_dirty"),
        Entry(name: "srcu", about: "memslots are read under srcu_read_lock"),
        Entry(name: "user-alloc-check", about: "a slot that user space did not allocate is refused"),
        Entry(name: "iomap-refuses-present", about: "ioremap does not overwrite a present leaf"),
        Entry(name: "mmio-decoder", about: "MMIO without syndrome is decoded in software"),
        Entry(
            name: "b3-alignment-check-vacuous", about: "the level-1 table's alignment assertion tests bit 0 only",
            unshown: "the assertion has nothing to find: two pages allocated at once are aligned to their size, so neither form of it ever fires"),
        Entry(name: "b4-vttbr-mask", about: "VTTBR's address is masked with bits 38:12 instead of 39:13"),
        Entry(name: "b5-unaligned-unmap", about: "unmap steps over a hole without aligning to the next table", opposite: "aligned-unmap"),
        Entry(name: "b6-pgd-tail-count", about: "the level-1 table's second page starts with a count of 0, not 1"),
        Entry(name: "b7-phys-mask-32", about: "ioremap cuts its end address to 32 bits"),
        Entry(
            name: "b8-clean-next-page",
            about: "a new table is not cleaned: of a level-3 table clean_pte_table cleans the page after it, a level-2 table is left alone"),
        Entry(name: "b9-device-memattr", about: "device leaves carry the stage-1 attribute index as MemAttr"),
        Entry(
            name: "b10-free-before-flush", about: "empty tables are freed before the TLB flush", opposite: "flush-before-free",
            unshown:
                "of the dsb that is missing before the TLBI nothing shows: every store is complete at its step here, as no store buffer is simulated, so a flush never overtakes one"
        ),
        Entry(name: "b11-isv0-is-write", about: "a data abort without syndrome counts as a write whatever WnR says"),
        Entry(name: "b12-slot-delete-keeps-stage2", about: "deleting a memory slot leaves its stage-2 leaves", opposite: "unmap-on-slot-delete"),
        Entry(name: "b13-no-break-before-make", about: "a leaf is replaced without clearing and flushing it first", opposite: "break-before-make"),
        Entry(name: "b14-vipt-leaves-dcache", about: "the VIPT branch invalidates the instruction cache and leaves the data cache alone"),
        Entry(name: "b15-noslot-is-no-error", about: "is_error_pfn does not catch the no-slot PFN"),
        Entry(name: "read-only-slots", about: "memory slots can be read-only (32-bit ARM offers none)"),
        Entry(
            name: "read-only-writes-exit",
            about: "a write to a read-only slot leaves to user space as MMIO, and fails with -ENOSYS without a syndrome (98047888bb9f); off: -EFAULT"),
        Entry(
            name: "page-aging",
            about:
                "the host's aging clears the leaf's access flag, and the guest's next access sets it again by a fault (35307b9a5f7e); off: guest accesses are not seen"
        ),
        Entry(name: "s1ptw-is-write", about: "a fault on a stage-1 walk counts as a write"),
        Entry(name: "gup-opportunistic-write", about: "a read fault maps writable where the host page already is"),
        Entry(name: "change-pte-needs-leaf", about: "change_pte replaces a leaf that is there, and makes none where none is"),
        Entry(
            name: "change-pte-skips-invalid",
            about: "change_pte makes no leaf in a slot that is marked INVALID (2230f9e1171a); v3.9 does, and the guest reads memory where there is no slot"),
        Entry(
            name: "change-pte-in-window",
            about: "a copy or a merge of the host's opens an invalidation's window around change_pte. Off: change_pte alone tells KVM"),
        Entry(
            name: "clean-on-map",
            about: "the data cache is cleaned to the point of unification when a page is mapped; to memory while the guest's caches are off"),
        Entry(name: "invalidate-i-on-exec", about: "pages are mapped XN first; the instruction cache is invalidated on the execute fault"),
        Entry(name: "cache-op-under-lock", about: "the cache operation by user address runs inside mmu_lock"),
        Entry(name: "cache-op-kernel-mapping", about: "the cache operation uses the kernel's own mapping of the page"),
        Entry(name: "flush-on-cache-enable", about: "every mapped page is cleaned when the guest turns its caches on"),
        Entry(name: "clean-on-unmap", about: "a page is cleaned and invalidated when it is unmapped"),
        Entry(
            name: "change-pte-cleans", about: "the page that change_pte brings is cleaned to memory first, for guests whose caches are off (694556d54f35)"),
        Entry(name: "save-par", about: "the guest's PAR is saved around the Hyp entry's own address translation (6a077e4ab9cb)"),
        Entry(name: "slots-within-40-bits", about: "a memory slot that ends beyond 40 bits of IPA is refused with -EFAULT (c3058d5da222)"),
        Entry(name: "unmap-on-vcpu-init", about: "all memory of the VM is unmapped when a vCPU is initialised again (957db105c997)"),
        Entry(
            name: "skip-cache-op-outside-memory", about: "cache maintenance by address where there is no slot is skipped, not taken for MMIO (57c841f131ef)"),
        Entry(name: "unmap-on-release", about: "stage 2 is unmapped and freed when the VMM's address space goes (293f293637b5); off: only with the VM"),
        Entry(name: "release-under-lock", about: "the unmap of unmap-on-release holds mmu_lock against other notifiers (8b3405e345b5)"),
        Entry(name: "skip-equal-leaf", about: "stage2_set_pte leaves a leaf alone that is already as wanted: no store, no flush (a fix of 2018)"),
        Entry(name: "skip-after-mmio", about: "the PC moves past an MMIO instruction when user space has answered, not before (0d640732dbeb)"),
        Entry(
            name: "s1ptw-translation-is-read",
            about: "of the faults on stage-1 walks, which s1ptw-is-write counts as writes, translation faults are reads (406504c7b040)"),
        Entry(name: "hpfar-only-if-valid", about: "HPFAR is read only after faults that leave an IPA in it (fb8a3eba9c81)"),
        Entry(name: "dirty-log", about: "memory slots can log writes: write-protected, and logged by the write fault (32-bit ARM got it later)"),
        Entry(
            name: "log-without-protect", about: "reading a dirty log clears its bits, and leaves the leaves writable",
            unshown: "who suffers is the copy that user space made, as with log-without-flush, which dirty-log shows; here no flush mends it"),
        Entry(name: "log-without-flush", about: "reading a dirty log write-protects, and flushes no TLB"),
        Entry(
            name: "pfnmap-takes-reference",
            about: "the lookup behind VM_PFNMAP takes pages of memory too, and a reference on them (since 2016); off: such a page is a BUG"),
        Entry(name: "pfnmap-needs-count", about: "the lookup of pfnmap-takes-reference refuses a page that counts 0 (f8be156be163)"),
        Entry(name: "slot-limit-exclusive", about: "the limit of slots-within-40-bits refuses a slot that ends exactly there, too (until 262b003d059c)"),
        Entry(
            name: "break-any-leaf",
            about: "break before make breaks any leaf that stands, whatever the new one is; off: only one with another address. Needs break-before-make"),
        Entry(name: "count-on-replace", about: "a leaf that replaces another takes a reference on its table once more (until 5c646b7e1d8b)"),
        Entry(name: "give-up-keeps-page", about: "a fault that gives up keeps the reference on its page (the like of 5f9466b50c1b and e07fc9e2da91)"),
        Entry(name: "top-up-not-on-permission", about: "a permission fault does not top the memory cache up (the like of 157dbc4a321f)"),
        Entry(name: "vttbr-before-vmid", about: "VTTBR is made with the VMID from before a new one is given (until fa808ed4e199)"),
        Entry(
            name: "icache-rule-nothing", about: "treat the instruction cache as VIVT tagged by ASID and VMID: no maintenance",
            unshown:
                "where another kind of cache is given this rule, it comes to what icache-maintenance switched off does: icache-pipt and icache-vipt show that"),
        Entry(name: "icache-rule-page", about: "treat the instruction cache as PIPT: maintenance of one page"),
        Entry(name: "icache-rule-all", about: "treat the instruction cache as VIPT: invalidate everything"),
    ]

    /// The behaviour that `name` switches, and whether naming it on switches it on.
    public static func named(_ name: String) -> (Behaviour, on: Bool)? {
        for behaviour in allCases {
            if behaviour.name == name { return (behaviour, true) }
            if behaviour.opposite == name { return (behaviour, false) }
        }
        return nil
    }

    /// Behaviours that choose one thing among several: no two of a choice are on together.
    public static let choices: [[Behaviour]] = [[.icacheRuleNothing, .icacheRulePage, .icacheRuleAll]]

    /// Every name that `named` takes.
    public static var names: [String] { allCases.flatMap { [$0.name] + ($0.opposite.map { [$0] } ?? []) } }
}

/// A set of behaviours.
public struct Behaviours: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt128
    @inline(__always) public init(rawValue: UInt128) { self.rawValue = rawValue }
    /// Those in the list.
    public init(_ behaviours: [Behaviour]) { self = behaviours.reduce(into: []) { $0.insert(Behaviours($1)) } }
    /// One alone.
    @inline(__always) public init(_ behaviour: Behaviour) { rawValue = 1 << UInt128(behaviour.rawValue) }
    /// Whether it is on.
    @inline(__always) public func has(_ behaviour: Behaviour) -> Bool { rawValue >> UInt128(behaviour.rawValue) & 1 != 0 }

    /// Switches a behaviour. Of those that choose one thing among several, switching one on switches the others off.
    public mutating func set(_ behaviour: Behaviour, _ on: Bool) {
        if on, let choice = Behaviour.choices.first(where: { $0.contains(behaviour) }) { subtract(Behaviours(choice)) }
        self = on ? union(Behaviours(behaviour)) : subtracting(Behaviours(behaviour))
    }
    /// Those that are on, in the order of `Behaviour`'s cases.
    public var list: [Behaviour] { Behaviour.allCases.filter(has) }
}

/// A revision of the kernel: a name and the behaviours that it had.
public enum Revision: String, CaseIterable, Sendable {
    /// Linux v3.9, the fault path as merged.
    case v39 = "v3.9"
    /// The development tree shortly before the fourth posting of the patch, November 2012.
    case v4
    /// KVM/arm64 of Linux 6.1 (6.1.192), a family of its own: its routines stand in Kernel/Arm64.
    case v61 = "v6.1"

    /// Whether the kernel's routines ask for a behaviour at all: those of v6.1 know a few of them only.
    public func decides(_ behaviour: Behaviour) -> Bool {
        self != .v61 || [.retryCheck, .topUp, .tlbFlushOnUnmap, .tlbFlushOnSet, .setDirty, .invalidateCount].contains(behaviour)
    }

    /// Those of KVM/arm on 32 bits.
    public static let ofARMv7: [Revision] = [.v39, .v4]

    /// What the revision does.
    public var behaviours: Behaviours {
        if self == .v61 {
            return Behaviours([
                .retryCheck, .retryUnderLock, .seqBeforeGup, .smpRmb, .retrySmpRmb, .rangeEndSmpWmb, .invalidateSeqInLock, .invalidateCount,
                .tlbFlushOnUnmap, .tlbFlushOnSet, .topUp, .setDirty, .presentTest, .unmapByRange, .rawLeafStore, .leafStoreBarrier, .srcu,
                .readOnlySlots, .changePteSkipsInvalid, .changePteInWindow, .savePAR,
            ])
        }
        let common: [Behaviour] = [
            .retryCheck, .retryUnderLock, .seqBeforeGup, .smpRmb, .retrySmpRmb, .rangeEndSmpWmb, .invalidateSeqInLock, .invalidateCount,
            .tlbFlushOnUnmap, .tlbFlushOnSet, .icacheMaintenance, .topUp, .setDirty, .iomapRefusesPresent, .changePteInWindow,
            .b6PgdTailCount, .b7PhysMask32, .b8CleanNextPage, .b9DeviceMemAttr, .b10FreeBeforeFlush, .b11Isv0IsWrite, .b12SlotDeleteKeepsStage2,
            .b13NoBreakBeforeMake,
            .b14VIPTLeavesDCache, .b15NoslotIsNoError,
        ]
        let own: [Behaviour] =
            switch self {
            case .v39:
                [
                    .presentTest, .unmapByRange, .rawLeafStore, .leafStoreBarrier, .srcu,
                    .b3AlignmentCheckVacuous, .b4VttbrMask, .b5UnalignedUnmap,
                ]
            case .v4: [.releaseDirty, .userAllocCheck, .mmioDecoder]
            case .v61: []
            }
        return (common + own).reduce(into: []) { $0.insert(Behaviours($1)) }
    }

    /// What v3.9 made of the path under review, item by item; the behaviours that the item comes to, where it comes to any.
    public static let differences: [(about: String, behaviours: [Behaviour])] = [
        (
            "The leaf is written by a store of its own (kvm_set_pte), no longer through set_pte_ext: decisive for the swap bug. That v4 still went through set_pte_ext was read in a tree of that time; the posted patch does not show it.",
            [.rawLeafStore, .leafStoreBarrier]
        ),
        ("The page is released clean; the comment that called it weird is gone.", [.releaseDirty]),
        ("smp_rmb got a comment that names what it pairs with.", []),
        ("mmu_notifier_retry takes the VM, not the vCPU.", []),
        ("Whether the fault is a write is decided in a helper of its own.", []),
        ("Memslots are looked up and used under SRCU; one exit.", [.srcu]),
        ("The test for memory that user space did not allocate is gone.", [.userAllocCheck]),
        ("stage2_set_pte returns an error; ioremap does not overwrite.", [.iomapRefusesPresent]),
        ("Unmap tests for presence, takes a range, and tears the VM down too; the TLB flush moved to the notifier's handler.", [.presentTest, .unmapByRange]),
        ("The level-1 table covers 40 bits under a new name, with an alignment assertion that cannot fire.", [.b3AlignmentCheckVacuous]),
        ("MMIO has a file of its own; without a syndrome it ends in -ENOSYS, not in a software decoder.", [.mmioDecoder]),
        ("The instruction-cache comment speaks of the same page, not of the same virtual address. The code is the same.", []),
        ("Hyp identity mapping moved out; trace events and names.", []),
    ]
}
