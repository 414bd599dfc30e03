// unmap_stage2_range (arch/arm/kvm/mmu.c), and v4's stage2_clear_pte in its place: leaves go, and tables that they leave empty.

extension Routine {
    static let unmapRange = Routine(
        "unmap_stage2_range", .kvm, "Clears the leaves of a range, and frees each table that is left without entries.", tell: { $0.unmapRange }
    ) {
        Row(
            .unmapFind, in: .if(.unmapByRange, "unmap_stage2_range", else: "stage2_clear_pte"), title: "find the page's entries", touches: .lockedTables,
            decides: [.b5UnalignedUnmap, .unmapByRange],
            what: "The tables are followed to the leaf; a missing table is stepped over.",
            why: .by {
                $0.has(.b5UnalignedUnmap)
                    ? "The whole span of a missing table is added without aligning (B5): what begins in the next table may be skipped."
                    : $0.has(.unmapByRange)
                        ? "After a missing table it goes on where the next one begins."
                        : "It takes one page at a time; where a table is missing there is nothing for it to do."
            },
            source: .if(.unmapByRange, "unmap_stage2_range, v3.9", else: "stage2_clear_pte, v4"))
        Row(
            .clearLeaf, in: .if(.unmapByRange, "clear_pte_entry", else: "stage2_clear_pte"), title: "clear the leaf", decides: [.presentTest, .cleanOnUnmap],
            what: .if(
                .presentTest, "A leaf that is there becomes 0, and the level-3 page loses a reference.",
                else: "The entry becomes 0, whatever stood there, and the level-3 page loses a reference."),
            why: .if(
                .presentTest, "Only what was counted is taken off the count.",
                else: "There is no test for presence (B2): the unmap of an absent neighbour takes a live leaf's reference."),
            source: .if(.unmapByRange, "clear_pte_entry, v3.9", else: "stage2_clear_pte, v4"))
        Row(
            .freeLevel3, in: .if(.unmapByRange, "clear_pmd_entry", else: "stage2_clear_pte"), title: "free the empty level-3 table",
            decides: [.b10FreeBeforeFlush],
            what: .if(
                .b10FreeBeforeFlush, "The count is down to 1: the level-2 entry is cleared, the table freed, the level-2 page loses a reference.",
                else: "The count is down to 1: the level-2 entry is cleared; the flush comes next, and only then is the table freed."),
            why: .if(
                .b10FreeBeforeFlush, "Empty tables go at once, and before the TLB is flushed (B10): a walker may still be on its way through.",
                else: "A walker may still be on its way through the table: it is freed when the flush is done."),
            source: .if(.unmapByRange, "unmap_stage2_range, v3.9", else: "stage2_clear_pte, v4"))
        Row(
            .freeLevel2, in: .if(.unmapByRange, "clear_pud_entry", else: "stage2_clear_pte"), title: "free the empty level-2 table",
            decides: [.b10FreeBeforeFlush, .b6PgdTailCount],
            what: .if(
                .b10FreeBeforeFlush, "The same one level up: the level-1 entry is cleared and the level-2 table freed.",
                else: "The same one level up: the level-1 entry is cleared; after the flush the level-2 table is freed."),
            why: .if(
                .b6PgdTailCount, "The level-1 table's second page starts with a count of 0, so its last entry's going frees half of the level-1 table (B6).",
                else: "Nothing is mapped below this entry any more."),
            source: .if(.unmapByRange, "unmap_stage2_range, v3.9", else: "stage2_clear_pte, v4"))
        Row(
            .dropLevel3, in: .if(.unmapByRange, "clear_pmd_entry", else: "stage2_clear_pte"), title: "give the level-3 table back",
            when: .without(.b10FreeBeforeFlush), touches: [.lockedTables, .allocator],
            what: "The entry that led to it is cleared and flushed; now the table is freed, and the level-2 page loses a reference.",
            why: "A later fix of B10: the flush ends only when no walk under way can still read the table.",
            source: "the unmap of later kernels")
        Row(
            .dropLevel2, in: .if(.unmapByRange, "clear_pud_entry", else: "stage2_clear_pte"), title: "give the level-2 table back",
            when: .without(.b10FreeBeforeFlush), touches: [.lockedTables, .allocator],
            what: "The same one level up.",
            why: "A later fix of B10, as for the level-3 table.",
            source: "the unmap of later kernels")
        Row(
            .unmapBare, in: .if(.unmapByRange, "unmap_stage2_range", else: "stage2_clear_pte"), title: "unmap a range",
            what: .if(
                .unmapByRange, "A bare unmap of a range, without a flush behind it.", else: "The pages of a range are unmapped, each with a flush of its own."),
            why: .if(
                .unmapByRange, "What tearing a VM down does; the notifiers go page by page.",
                else: "This kernel has no function for a range: it goes page by page."),
            source: .if(.unmapByRange, "unmap_stage2_range, v3.9", else: "stage2_clear_pte, v4"))
        Row(
            .unmapDone, in: .if(.unmapByRange, "unmap_stage2_range", else: "stage2_clear_pte"), title: "the range is done",
            what: "The end of the range is reached.",
            why: .if(.unmapByRange, "The flush behind a range is the caller's.", else: "Each page was flushed as it went."),
            source: .if(.unmapByRange, "unmap_stage2_range, v3.9", else: "stage2_clear_pte, v4"))
    }
}

extension Stepper {
    /// Starts an unmap of `size` bytes at `ipa`; the caller is returned to at its end.
    @inline(__always) func callUnmap(_ vm: VMNumber, _ ipa: IPA, size: UInt64, then back: MicroStep) {
        me.tables.vm = vm
        me.unmap.at = ipa
        me.unmap.end = ipa + size
        call(.unmapFind, then: back)
    }

    /// On to the next page with something to do: a missing table is stepped over.
    func unmapFind() {
        guard let level1 = world.vms[me.tables.vm].level1 else { return returnToCaller() }
        while me.unmap.at < me.unmap.end {
            let ipa = me.unmap.at
            me.tables.level1Entry = level1Entry(level1, ipa)
            let level1Word = world.kernelPages.word(at: me.tables.level1Entry) ?? 0
            if level1Word == 0 { skip(level: 1); continue }
            me.tables.level2Entry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(level1Word).address, ipa: ipa, level: 2)
            let level2Word = world.kernelPages.word(at: me.tables.level2Entry) ?? 0
            if level2Word == 0 { skip(level: 2); continue }
            me.tables.leafEntry = Stage2Walk.descriptorAddress(table: Stage2Descriptor(level2Word).address, ipa: ipa, level: 3)
            me.tables.oldLeaf = world.kernelPages.word(at: me.tables.leafEntry) ?? 0
            let present = me.tables.oldLeaf & 3 != 0
            if present || !has(.presentTest) || world.kernelPages.page(me.tables.leafEntry.page).references == 1 {
                emit(.descriptorRead(me.tables.leafEntry, level: 3, value: me.tables.oldLeaf))
                return go(.clearLeaf)
            }
            me.unmap.at += pageSize
        }
        returnToCaller()
    }

    /// Past a missing table, or one just emptied: by its whole span, aligned or (B5) not.
    @inline(__always) private func skip(level: Int) {
        let span = Stage2Walk.span(level: level)
        me.unmap.at = (has(.b5UnalignedUnmap) ? me.unmap.at : IPA(me.unmap.at.rawValue & ~(span - 1))) + span
    }

    func clearLeaf() {
        let present = me.tables.oldLeaf & 3 != 0
        if Sink.checks { checkOwnTable(me.tables.leafEntry) }
        if present || !has(.presentTest) {
            let old = storeDescriptor(0, at: me.tables.leafEntry, level: 3)
            countLeafOf(old, by: -1)
            if present { world.statistics.leavesCleared += 1 }
            if present, has(.cleanOnUnmap) { cleanUnmapped(Stage2Descriptor(old).address) }
            if Sink.checks {
                openLeafBook(me.tables.vm, me.unmap.at)
                noteLeafStored(me.tables.vm, me.unmap.at, old: old, new: 0)
            }
            _ = putPage(around: me.tables.leafEntry)
            if Sink.checks { openTableBook(me.tables.leafEntry.page) }
        }
        let last = world.kernelPages.page(me.tables.leafEntry.page).references == 1
        if last { return go(.freeLevel3) }
        me.unmap.at += pageSize
        finishUnmapOfPage()
    }

    /// Later fix 363ef89f8e9b: the unmapped page leaves every data cache, wherever it may have come to by now.
    @inline(never) private func cleanUnmapped(_ page: PA) {
        if Sink.checks, world.frames.contains(page.pfn), world.frames[page.pfn].flags.contains(.free) {
            report(.freeFrameUsed, cause: world.frames[page.pfn].changedAt, ipa: me.unmap.at, pa: page, expected: 1)
        }
        if world.hasCaches { cleanUnmappedPage(page) }
    }

    /// The emptied table's entry is cleared. Then the table goes, at once (B10) or when no walker can be on its way to it.
    func freeTable(level: Int) {
        _ = storeDescriptor(0, at: level == 3 ? me.tables.level2Entry : me.tables.level1Entry, level: UInt8(level - 1))
        if has(.b10FreeBeforeFlush) { return dropTable(level: level) }
        call(.flushUnmapped, then: level == 3 ? .dropLevel3 : .dropLevel2)
    }

    /// The emptied table is freed, the table above loses a reference.
    func dropTable(level: Int) {
        let entry = level == 3 ? me.tables.level2Entry : me.tables.level1Entry
        freeTablePage(level == 3 ? me.tables.leafEntry.page : me.tables.level2Entry.page, level: UInt8(level))
        let count = putPage(around: entry)
        if Sink.checks { openTableBook(entry.page) }
        if level == 3 {
            if count == 1 { return go(.freeLevel2) }
            skip(level: 2)
        } else {
            skip(level: 1)
        }
        finishUnmapOfPage()
    }

    func freeTablePage(_ table: PA, level: UInt8) {
        if Sink.checks {
            checkFreedTable(table, level: level)
            world.causes.noteFreed(table, world.stepNumber)
        }
        if world.hasCaches { keepMemory(table) }
        world.kernelPages.free(table)
        emit(.tableFreed(table, level: level))
    }

    /// v4's stage2_clear_pte does one page and flushes by itself; v3.9 goes on with the range.
    @inline(__always) private func finishUnmapOfPage() {
        if has(.unmapByRange) { return go(.unmapFind) }
        if has(.tlbFlushOnUnmap) { return call(.flushUnmapped, then: .unmapFind) }
        go(.unmapFind)
    }

    /// `put_page` on the table page around `entry`: at zero it is freed, whoever still points to it. Returns the new count.
    @inline(__always) private func putPage(around entry: PA) -> Int32 {
        let count = changeCount(of: entry, by: -1)
        if count == 0 { dropTablePage(entry.page) }
        return count
    }

    /// A table page lost its last reference while tables were unmapped. It is the level-1 table's second page, whose count starts at
    /// 0 (16.B6); any other only where that page, freed and handed out again, has become two tables in one.
    @inline(never) private func dropTablePage(_ page: PA) {
        let level1 = world.vms[me.tables.vm].level1
        if let level1, page == level1 || page.rawValue == level1.rawValue + pageSize { say(.pgdPageDropped(page)) }
        if Sink.checks {
            report(.liveTableFreed, ipa: me.unmap.at, pa: page)
            world.causes.noteFreed(page, world.stepNumber)
        }
        world.kernelPages.free(page)
        emit(.tableFreed(page, level: 1))
    }

    /// A bare unmap of the action's range, as the session asks for it.
    func unmapBare() { call(.unmapFind, then: .unmapDone) }

    func unmapDone() { finish(.done) }
}

// MARK: Results in words

extension Narration {
    var unmapRange: Told? {
        if let message {
            return Told(
                message, what: "The count of the level-1 table's second page has come down to 0: the allocator takes it back.",
                why: "It started at 0 instead of 1 (B6). VTTBR still points to it.")
        }
        switch step {
        case .unmapFind: return foundToUnmap
        case .clearLeaf: return leafCleared
        case .freeLevel3, .freeLevel2, .dropLevel3, .dropLevel2: return tableFreed
        case .unmapBare: return Told("\(hex(was.unmap.at)) to \(hex(was.unmap.end))")
        case .unmapDone:
            guard now.hostAction.kind == .followUnmap else { return Told("done") }
            return Told("done", what: "The leaf has gone, and its TLB entries.", why: "The state is what the trace shows.")
        default: return nil
        }
    }

    private var foundToUnmap: Told {
        guard now.next == .clearLeaf else {
            return Told("nothing more there", what: "The rest of the range has no leaf, or no table.", why: "There is nothing to take away.")
        }
        if now.tables.oldLeaf & 3 == 0 { return Told("IPA \(hex(now.unmap.at)): no leaf", what: "The tables are there, and the entry is empty.") }
        return Told("IPA \(hex(now.unmap.at)): a leaf", what: "The tables are followed to the leaf.")
    }

    private var leafCleared: Told {
        if let write = descriptorWritten, write.old != 0 { return Told("\(hex(write.old, digits: 10)) → \(hex(write.new, digits: 10))") }
        for case .tableReferences(let pa, let count) in effects {
            return Told(
                "nothing was there; \(hex(pa.rawValue)): count \(count)", what: "The entry was empty, and the level-3 page loses a reference all the same.",
                why: "That reference belonged to another entry of this table (B2).")
        }
        return Told(
            "nothing was there", what: "The entry was empty: nothing is cleared, nothing is counted.",
            why: "The table is empty without it, and is looked at next.")
    }

    private var tableFreed: Told {
        for case .tableFreed(let pa, let level) in effects {
            let on = now.next == .unmapFind && now.unmap.at < now.unmap.end ? ", on at \(hex(now.unmap.at))" : ""
            return Told(
                "level-\(level) table \(hex(pa.rawValue)) freed\(on)",
                why: step == .freeLevel2 && was.unmap.at.rawValue < 512 << 30
                    ? "Nothing is mapped below the level-1 entry any more."
                        + (has(.b10FreeBeforeFlush) ? " It goes before the TLB is flushed, as the level-3 table did (B10)." : "") : nil)
        }
        return Told(
            "its entry is cleared; the flush is next",
            why: step == .freeLevel2 && was.unmap.at.rawValue < 512 << 30 ? "Nothing is mapped below the level-1 entry any more." : nil)
    }
}
