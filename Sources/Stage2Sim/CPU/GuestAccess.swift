// The guest's access in hardware: stage 1, the TLB, the walk, the rights (DDI 0406C B3). By way of the caches: CachedAccess.swift.

extension Routine {
    static let idle = Routine("", .guest, "Nothing to do.") { _ in
        nil
    } _: {
        Row(
            .idle, in: "", title: "nothing to do", side: .guest,
            what: "This actor has nothing to do.",
            why: "It waits for the session's next action, or for yours.",
            source: "")
    }

    static let guestAccess = Routine(
        "guest", .cpu, "One load, store, fetch or cache operation of the guest: translated by both stages, or stopped by a fault.", tell: { $0.guestAccess }
    ) {
        Row(
            .issueAccess, in: "guest", title: "the guest's instruction", side: .guest, touches: .vmids,
            what: "The guest executes a load, a store or a fetch.",
            why: "The guest knows nothing of stage 2. Whatever happens below, it sees only how long this one instruction takes and what it returns.",
            source: "DDI 0406C B3.1")
        Row(
            .walkStage1, in: "stage-1 walk", title: "stage 1: the guest's own tables", side: .cpu,
            what: "The CPU reads the guest's stage-1 tables to turn the virtual address into an IPA.",
            why: "The guest's tables lie in guest memory: each read of one is itself an access that stage 2 translates, and that can fault there (S1PTW).",
            source: "DDI 0406C B3.6.8")
        Row(
            .tlbLookup, in: "TLB", title: "look in the TLB", side: .cpu,
            what: "The CPU looks for a remembered translation with this VMID and IPA.",
            why:
                "A hit saves the walk, and answers with what the tables said when it was filled, not with what they say now. That is why a changed leaf needs a flush.",
            source: "DDI 0406C B3.9")
        Row(
            .fetchLevel1, in: "stage-2 walk", title: "read the level-1 entry", side: .cpu,
            what: .arm64(
                "The walker reads the entry for IPA bits 39:30 from the table that VTTBR_EL2 names.",
                else: "The walker reads the entry for IPA bits 39:30 from the table that VTTBR names."),
            why: .arm64(
                "One of 1024 entries, 1 GiB each: with T0SZ = 24 and the start at level 1 the table is two pages long. An empty entry is a translation fault at level 1.",
                else: "One of 1024 entries, 1 GiB each: with T0SZ = -8 the level-1 table is two pages long. An empty entry is a translation fault at level 1."),
            source: .arm64("DDI 0487 D8.2", else: "DDI 0406C B3.6.6"))
        Row(
            .fetchLevel2, in: "stage-2 walk", title: "read the level-2 entry", side: .cpu,
            what: "The walker reads the entry for IPA bits 29:21 from the table that level 1 named.",
            why: .arm64(
                "One of 512 entries, 2 MiB each: a table, a block, or nothing, which is a translation fault at level 2.",
                else:
                    "One of 512 entries, 2 MiB each. KVM here makes no blocks, so a valid entry names a level-3 table; an empty one is a translation fault at level 2."
            ),
            source: .arm64("DDI 0487 D8.2", else: "DDI 0406C B3.6.6"))
        Row(
            .fetchLevel3, in: "stage-2 walk", title: "read the level-3 entry", side: .cpu,
            what: "The walker reads the leaf for IPA bits 20:12.",
            why: "One of 512 entries, 4 KiB each. A valid leaf gives the page and the rights; an empty one is a translation fault at level 3.",
            source: "DDI 0406C B3.6.6")
        Row(
            .fillTLB, in: "TLB", title: "remember the translation", side: .cpu,
            what: "The leaf goes into this CPU's TLB, tagged with VMID and IPA.",
            why:
                "From here on this CPU may use the leaf without reading it again, until somebody flushes it. Translation faults are not remembered: a fresh mapping needs no flush.",
            source: "DDI 0406C B3.9")
        Row(
            .checkRights, in: "permission check", title: "compare the rights", side: .cpu,
            what: .arm64(
                "The access is held against what the leaf permits: S2AP for data, XN for a fetch.",
                else: "The access is held against what the leaf permits: HAP for data, HAP and XN for a fetch."),
            why: .arm64(
                "S2AP 01 lets the guest read, 11 read and write; XN forbids to execute. What the leaf does not permit is a permission fault, even where the host could give the right at once.",
                else:
                    "HAP 01 lets the guest read, 11 read and write; XN forbids to execute. What the leaf does not permit is a permission fault, even where the host could give the right at once."
            ),
            source: .arm64("DDI 0487 D8.4", else: "DDI 0406C B3.7"))
        Row(
            .performAccess, in: "guest", title: "the access is done", side: .guest,
            what: "The load, store or fetch reaches the physical page.",
            why: "This is the only step in which the guest touches memory. No host code runs: what the leaf permits, happens unseen.",
            source: "DDI 0406C A3")
        Row(
            .keepTranslation, in: "guest", title: "PAR gets the result", side: .cpu,
            what: "The guest's own ATS1CPR is done: PAR holds the page that stage 1 leads to, or why it leads nowhere.",
            why: "Stage 1 only: the data's page is not touched. But the walk has read the guest's tables, through stage 2.",
            source: "DDI 0406C B3.12")
        Row(
            .readPAR, in: "guest", title: "the guest reads PAR", side: .guest, decides: [.savePAR],
            what: "The result of the last translation goes to a register.",
            why: .if(
                .savePAR, "The Hyp entry translates by the same register, and puts the guest's back.",
                else: "There is one PAR, and the Hyp entry uses it too: what it left there is what the guest reads."),
            source: "DDI 0406C B4.1.112")
        Row(
            .maintainCaches, in: "guest", title: "the guest's cache operation", side: .guest,
            what: "An operation on whole caches, a barrier, or the guest's switch for its caches.",
            why: "It takes no address, so nothing is translated and stage 2 has no say. HCR.FB makes the guest's ICIALLU reach every CPU.",
            source: "DDI 0406C B2.2.6, B4.2.1")
    }
}

extension Stepper {
    func issueAccess() {
        me.attemptStart = world.stepNumber
        // Another VM used up the VMIDs: this CPU was forced out of the guest meanwhile.
        if world.vms[me.vm].vmidGeneration != world.vmidGeneration || world.vms[me.vm].level1 == nil { return go(.enterGuest) }
        me.readingStage1 = false
        me.word = 0
        me.ipa = me.access.ipa
        if me.access.rawHSR != 0 {
            me.faultStatus = HSR(rawValue: me.access.rawHSR).faultStatus
            if me.access.pc != 0 { me.registers.pc = me.access.pc }
            return go(.takeException)
        }
        if me.access.form.rawValue >= Access.Form.cacheMaintenance.rawValue, beginsAside() { return }
        if me.access.throughStage1 {
            me.stage1Left = -1
            return go(.walkStage1)
        }
        go(.tlbLookup)
    }

    /// What is no load, store or fetch: operations on whole caches, translations by hand and their result.
    @inline(never) private func beginsAside() -> Bool {
        switch me.access.form {
        case .cacheMaintenance where !me.access.operation.isByAddress && me.access.operation != .none: go(.maintainCaches)
        case .translation where !me.access.throughStage1: go(.keepTranslation)
        case .readPAR: go(.readPAR)
        default: return false
        }
        return true
    }

    /// ATS1CPR: the IPA's page, or F where the guest's own tables have no entry.
    func keepTranslation() {
        let mapping = me.access.throughStage1 ? world.stage1.first { $0.contains(me.access.va) } : nil
        let ipa = mapping.map { $0.ipa(of: me.access.va) } ?? me.access.ipa
        me.par = mapping.map(\.valid) ?? true ? ipa.rawValue & ~0xfff : 1
        me.guestPAR = me.par
        me.holdsPAR = true
        me.value = me.par
        emit(.parSet(me.par))
        me.registers.pc &+= 4
        finish(.done)
    }

    func readPAR() {
        me.value = has(.savePAR) ? me.guestPAR : me.par
        me.registers.general[Int(me.access.register & 15)] = UInt32(truncatingIfNeeded: me.value)
        if Sink.checks, me.holdsPAR, me.value != me.guestPAR { report(.registerLost, cause: me.parLostAt, ipa: IPA(0), expected: me.guestPAR, found: me.value) }
        me.holdsPAR = false
        emit(.guestRegisters)
        me.registers.pc &+= 4
        finish(.done)
    }

    /// The next table of the stage-1 walk; after the last, the IPA of the access itself.
    func walkStage1() {
        let va = me.accessVA
        guard let mapping = world.stage1.first(where: { $0.contains(va) }) else { return finish(.refused) }
        if me.stage1Left < 0 { me.stage1Left = mapping.tables.count }
        if me.stage1Left > 0 {
            let index = mapping.tables.count - me.stage1Left
            me.stage1Left -= 1
            me.readingStage1 = true
            me.writesStage1 = mapping.setsAccessFlag && me.stage1Left == 0
            me.ipa = mapping.tables[index]
            return go(.tlbLookup)
        }
        if me.writesStage1, let mapped = world.stage1.firstIndex(where: { $0.contains(va) }) {
            world.stage1[mapped].setsAccessFlag = false
            me.writesStage1 = false
        }
        if me.access.form == .translation { return go(.keepTranslation) }
        guard mapping.valid else {
            // The guest's own fault: it never comes to KVM.
            me.registers.dfar = UInt32(truncatingIfNeeded: va.rawValue)
            return finish(.abortInjected)
        }
        me.readingStage1 = false
        me.ipa = mapping.ipa(of: va)
        if me.word == 0 { me.access.ipa = me.ipa }
        go(.tlbLookup)
    }

    /// A flush overtook the translation under way, or this CPU was forced out of the guest because another VM used up the VMIDs:
    /// whatever was read so far counts for nothing, and the translation begins again.
    @inline(__always) private func isOvertaken() -> Bool {
        if world.vms[me.vm].translationEpoch == me.translationEpoch { return false }
        decide(.overtakenByFlush)
        go(world.vms[me.vm].vmidGeneration == world.vmidGeneration ? .tlbLookup : .enterGuest)
        return true
    }

    func tlbLookup() {
        // Another VM used up the VMIDs: this one's number may be that of another by now.
        if world.vms[me.vm].vmidGeneration != world.vmidGeneration {
            decide(.overtakenByFlush)
            return go(.enterGuest)
        }
        me.translationEpoch = world.vms[me.vm].translationEpoch
        if let entry = world.cpus[me.cpu].tlb.lookup(me.vttbr.vmid, me.ipa) {
            me.descriptor = entry.descriptor
            me.level = entry.level
            emit(.tlbHit(cpu: me.cpu, ipa: me.ipa))
            if world.tlbConflict == .aborts, let other = world.output(of: me.vm, me.ipa, beside: entry.descriptor.address) {
                return raiseTLBConflict(entry, other)
            }
            return go(.checkRights)
        }
        emit(.tlbMiss(cpu: me.cpu, ipa: me.ipa))
        me.table = me.vttbr.table
        if !me.ipa.isNear(me.faultIPA), me.ipa != world.foreseen { prefetcher.fetchEntries(me.ipa, from: me.vttbr.table) }
        go(.fetchLevel1)
    }

    /// One descriptor fetch of the walk.
    @inline(__always) func fetch(level: Int) {
        if isOvertaken() { return }
        let address = Stage2Walk.descriptorAddress(table: me.table, ipa: me.ipa, level: level)
        guard var word = world.word(at: address) else {
            me.faultStatus = FaultStatus(.externalOnWalk, level: UInt8(level))
            return go(.takeException)
        }
        if world.hasCaches { word = walkThroughCaches(address) }
        let descriptor = Stage2Descriptor(word)
        me.descriptor = descriptor
        me.level = UInt8(level)
        emit(.descriptorRead(address, level: UInt8(level), value: word))
        if Sink.checks { checkWalkedTable(address, level: level) }
        if isArm64 { return followDescriptor64(address, word, level: level) }
        switch Stage2Walk.next(descriptor, level: level) {
        case .table(let table):
            me.table = table
            go(level == 1 ? .fetchLevel2 : .fetchLevel3)
        case .leaf:
            me.table = address
            go(.fillTLB)
        case .fault(let status):
            me.faultStatus = status
            go(.takeException)
        }
    }

    func fillTLB() {
        if isOvertaken() { return }
        let evicted = world.cpus[me.cpu].tlb.fill(
            me.vttbr.vmid, me.ipa, leaf: me.descriptor.rawValue, at: me.table, level: me.level, step: world.stepNumber)
        emit(.tlbFilled(cpu: me.cpu, ipa: me.ipa, leaf: me.descriptor.rawValue))
        if let evicted { emit(.tlbEvicted(cpu: me.cpu, ipa: evicted.ipa)) }
        progress()
        world.passingProgress &+= 1
        go(.checkRights)
    }

    func checkRights() {
        if isOvertaken() { return }
        let wanted = !me.readingStage1 ? me.access.kind : me.writesStage1 ? .write : .read
        // Maintenance by address needs no right, though its faults report WnR = 1.
        if Stage2Walk.permits(me.descriptor, wanted) || !me.readingStage1 && me.access.form == .cacheMaintenance {
            decide(.permitted)
            return go(me.readingStage1 ? .walkStage1 : .performAccess)
        }
        decide(.denied)
        me.faultStatus = FaultStatus(.permission, level: me.level)
        go(.takeException)
    }

    func performAccess() {
        if isOvertaken() { return }
        let pa = Stage2Walk.output(me.descriptor, me.ipa, level: Int(me.level))
        if Sink.checks { checkGuestAccess(pa) }
        if world.hasCaches { accessThroughCaches(pa) } else { accessMemory(pa, width: me.accessWidth) }
        if me.access.isTwoWords, me.word == 0 { return beginSecondWord() }
        if me.access.kind == .execute { me.registers.pc = UInt32(truncatingIfNeeded: me.access.va.rawValue) }
        me.registers.pc &+= me.access.thumb ? 2 : 4
        finish(.done)
    }

    /// Without caches: every access finds the bytes last stored.
    @inline(__always) private func accessMemory(_ pa: PA, width: UInt8) {
        switch me.access.kind {
        case .write where me.access.form == .cacheMaintenance: break
        case .write:
            let value = me.accessValue
            let old = world.frames.store(value, at: pa, width: Int(width), step: world.stepNumber)
            emit(.stored(pa, old: old, new: value, width: width))
        case .read:
            let value = world.load(pa, width: Int(width))
            keepLoaded(value, width: width)
            emit(.loaded(pa, value: me.access.isTwoWords ? value : me.value, width: width))
        case .execute:
            me.value = world.load(pa, width: Int(width))
            emit(.fetched(pa, value: me.value))
        }
    }

    /// The second word has a translation of its own; the instruction is one, so a fault of either word makes both again.
    @inline(never) private func beginSecondWord() {
        me.word = 1
        me.ipa = me.accessIPA
        guard me.access.throughStage1 else { return go(.tlbLookup) }
        me.stage1Left = -1
        go(.walkStage1)
    }

    /// What a load brought goes to the register, and is the access's value: of two words, put together.
    @inline(__always) func keepLoaded(_ value: UInt64, width: UInt8) {
        if isArm64 { return keepLoaded64(value, width: width) }
        if me.access.isTwoWords {
            me.value = me.word == 0 ? value : me.value & 0xffff_ffff | value << 32
        } else {
            me.value = me.access.signExtend ? signExtended(value, width: width) : value
        }
        me.registers.general[Int(me.access.register & 15)] = UInt32(truncatingIfNeeded: me.value)
    }

    func signExtended(_ value: UInt64, width: UInt8) -> UInt64 {
        guard width < 4 else { return value }
        let bits = UInt64(width) * 8
        return value >> (bits - 1) & 1 == 1 ? (value | ~0 << bits) & 0xffff_ffff : value
    }
}

extension World {
    /// A word as the table walker finds it: in a kernel page, in a frame, or nowhere.
    @inline(__always) public func word(at pa: PA) -> UInt64? {
        if let word = kernelPages.word(at: pa) { return word }
        return frames.contains(pa.pfn) ? frames.load(pa, width: 8) : nil
    }

    /// `width` bytes at `pa`; zeros where there is no RAM.
    @inline(__always) func load(_ pa: PA, width: Int) -> UInt64 {
        if frames.contains(pa.pfn) { return frames.load(pa, width: width) }
        guard let word = kernelPages.word(at: PA(pa.rawValue & ~7)) else { return 0 }
        return width == 8 ? word : word >> (pa.rawValue & 7 * 8) & (1 << (UInt64(width) * 8) - 1)
    }
}

// MARK: Results in words

extension Narration {
    var guestAccess: Told? {
        if decided(.overtakenByFlush) {
            return Told(
                "a flush came between: translate again", what: "A TLB flush ended this translation: what it had read so far counts for nothing.",
                why: "A flush is complete only when no access still uses what it removed. The access begins its translation again.")
        }
        switch step {
        case .issueAccess:
            guard now.next == .enterGuest else { return Told(Self.describe(now.access), what: issued) }
            if vm?.level1 == nil {
                return Told(
                    "forced out: the VM is gone", what: "Before its instruction, this vCPU leaves the guest: the VM has no tables any more.",
                    why: "The VM was destroyed meanwhile. Nothing can be run in it.")
            }
            return Told(
                "forced out: the VMID is used up", what: "Before its instruction, this vCPU leaves the guest: its VMID belongs to an old generation.",
                why:
                    "Another VM used up the VMIDs. KVM takes every vCPU out of its guest then, so that none goes on under a number that may be another VM's by now."
            )
        case .keepTranslation:
            return now.par & 1 == 1
                ? Told(
                    "PAR \(hex(now.par)): no mapping", what: "The guest's tables map no page there: PAR.F is set.",
                    why: "A translation by hand takes no abort of the guest's own.") : Told("PAR \(hex(now.par))")
        case .readPAR: return Told("r\(now.access.register) = \(hex(now.value))")
        case .walkStage1:
            if now.outcome == .refused {
                return Told(
                    "\(hex(now.access.va.rawValue)): the session says nothing of it",
                    what: "The guest's stage 1, as the session gives it, has nothing for this address.",
                    why: "Only addresses that the session's stage1 names can be accessed through it.")
            }
            if now.outcome == .abortInjected {
                return Told(
                    "stage 1 does not map it: the guest's own fault", what: "The guest's tables map no page there: the guest takes an abort of its own.",
                    why: "Stage 1 belongs to the guest. KVM never hears of this fault.")
            }
            guard now.readingStage1 else { return Told("\(hex(now.access.va.rawValue)) is IPA \(hex(now.ipa.rawValue))") }
            return Told("table at IPA \(hex(now.ipa.rawValue))")
        case .tlbLookup:
            guard effects.contains(where: { if case .tlbHit = $0 { true } else { false } }) else {
                return Told(
                    "miss: walk",
                    why:
                        "No translation is remembered for this page, so the walker reads the tables, level by level."
                )
            }
            if now.next == .takeException {
                return Told(
                    "hit, and another in the tables: TLB conflict",
                    what: "The TLB has a translation for this address, and the tables have one to another frame.",
                    why:
                        "Software has changed an output address without clearing and flushing the old entry first. This machine's CPU notices, and takes a TLB conflict abort; others would use one of the two."
                )
            }
            return Told(
                "hit: \(now.descriptor.rightsInWords)",
                why:
                    "The walk is saved. The answer is what the tables said when the entry was filled, not what they say now: that is why a changed leaf needs a flush."
            )
        case .fetchLevel1, .fetchLevel2, .fetchLevel3: return fetched
        case .fillTLB:
            return Told("VMID \(now.vttbr.vmid), \(hex(now.ipa.page.rawValue)) → \(hex(now.descriptor.address.rawValue)) \(now.descriptor.shortRights)")
        case .checkRights: return rightsChecked
        case .performAccess:
            guard now.access.form == .cacheMaintenance else { return Told(performed + foundIn) }
            return Told(
                maintained ?? "done", what: "The cache operation goes over the page's lines.", why: "Stage 2 had to translate its address, like any access's.")
        case .maintainCaches: return Told(maintained ?? "done")
        default: return nil
        }
    }

    /// What is about to be executed, in a sentence.
    private var issued: String {
        if was.access.rawHSR != 0 { return "The session gives the syndrome by hand: the guest is stopped as if its instruction had met this fault." }
        if now.access.form == .cacheMaintenance {
            return now.access.operation == .cachesOn || now.access.operation == .cachesOff
                ? "The guest switches its caches on or off in SCTLR." : "The guest executes a cache operation or a barrier."
        }
        if now.access.form == .translation || now.access.form == .readPAR { return "The guest translates an address by hand, or reads what came of it." }
        return switch now.access.kind {
        case .read: "The guest executes a load."
        case .write: "The guest executes a store."
        case .execute: "The guest fetches an instruction."
        }
    }

    private var fetched: Told {
        let level = step == .fetchLevel1 ? 1 : step == .fetchLevel2 ? 2 : 3
        let index = Stage2Walk.index(now.ipa, level: level)
        if now.next == .takeException, now.faultStatus.kind == .externalOnWalk {
            return Told(
                "[\(index)] no memory there: external abort",
                why: "The table's address leads to no memory, so the read itself fails: an external abort on a walk.")
        }
        switch now.descriptor.kind(level: level) {
        case .table: return Told("[\(index)] → table \(hex(now.descriptor.address.rawValue))")
        case .page, .block: return Told("[\(index)] \(hex(now.descriptor.rawValue)), \(now.descriptor.rightsInWords)")
        case .invalid, .reserved:
            return Told(
                "[\(index)] \(now.descriptor.rawValue == 0 ? "empty" : hex(now.descriptor.rawValue)): translation fault, level \(level)",
                why:
                    "The entry is not valid: a translation fault at level \(level). Such a fault is not remembered by the TLB, so mapping the page later needs no flush."
            )
        }
    }

    private var rightsChecked: Told {
        let leaf = now.descriptor
        if decided(.permitted), !now.readingStage1, now.access.form == .cacheMaintenance {
            return Told(
                "\(leaf.rightsInWords): nothing is asked", what: "Maintenance by address is held against no right: that the page is mapped is enough.",
                why: "It changes no byte that the guest could see otherwise. A fault of translation or access flag it can take, and that reports WnR = 1.")
        }
        if decided(.permitted) { return Told("\(leaf.rightsInWords): permitted", why: "The leaf permits the access; nobody else is asked.") }
        let why =
            now.access.kind == .execute && !now.readingStage1 && leaf.neverExecute
            ? "XN is set: whatever \(after.world.isArm64 ? "S2AP" : "HAP") says, nothing may be executed from this page. A permission fault."
            : "\(after.world.isArm64 ? "S2AP" : "HAP") does not permit a \(now.readingStage1 && now.writesStage1 ? "write, and the walker is to set the access flag in the guest's table" : now.access.kind == .write && !now.readingStage1 ? "write" : "read"). It is a permission fault, even where the host could give the right at once."
        return Told("\(leaf.rightsInWords): permission fault, level \(now.level)", why: why)
    }

    private var performed: String {
        for effect in effects {
            switch effect {
            case .loaded(let pa, let value, let width): return "\(hex(value, digits: Int(width) * 2)) read at \(hex(pa.rawValue))"
            case .stored(let pa, _, let new, let width): return "\(hex(new, digits: Int(width) * 2)) written at \(hex(pa.rawValue))"
            case .fetched(let pa, let value): return "\(hex(value, digits: 8)) executed at \(hex(pa.rawValue))"
            default: continue
            }
        }
        return "done"
    }

    /// "write 0x2a to 0x80001000".
    public static func describe(_ access: Access) -> String {
        let place = access.throughStage1 ? "va:" + hex(access.va.rawValue) : hex(access.ipa.rawValue)
        let width = access.width == 1 ? " byte" : access.width == 2 ? " halfword" : access.isAArch64 && access.width == 4 ? " word" : ""
        let form =
            switch access.form {
            case .plain: ""
            case .multiple where access.isAArch64: access.kind == .read ? " by ldp" : " by stp"
            case .exclusive where access.isAArch64: access.kind == .read ? " by ldxr" : " by stxr"
            case .multiple: access.kind == .read ? " by ldm" : " by stm"
            case .double: access.kind == .read ? " by ldrd" : " by strd"
            case .exclusive: access.kind == .read ? " by ldrex" : " by strex"
            case .writeBack: " with write-back"
            case .cacheMaintenance, .translation, .readPAR, .vcpuInit: ""
            }
        switch access.form {
        case .translation: return "translate \(place) by ATS1CPR"
        case .readPAR: return "read PAR"
        case .vcpuInit: return "initialise the vCPU"
        default: break
        }
        if access.form == .cacheMaintenance {
            guard access.operation != .none else { return "cache operation on \(place)" }
            return access.operation.isByAddress ? "\(access.operation.name) of \(place)" : access.operation.name
        }
        switch access.kind {
        case .read: return "read\(width) \(place)\(form)"
        case .write: return "write\(width) \(hex(access.value)) to \(place)\(form)"
        case .execute: return "fetch \(place)"
        }
    }
}

extension Stage2Descriptor {
    /// "read/write", "read-only, never executed (XN)": what a leaf permits.
    public var rightsInWords: String { rights + (neverExecute ? ", never executed (XN)" : "") }
}
