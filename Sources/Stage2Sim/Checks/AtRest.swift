// The books: what must agree when everybody rests. Rows are opened where something changed, and balanced when the last
// actor comes to its end; nothing is ever scanned as a whole.

/// A row of the books that changed.
enum BookEntry: BitwiseCopyable, Equatable {
    case leaf(vm: VMNumber, gfn: UInt64)
    case table(PA)
    case frame(PFN)
}

/// The rows opened since the books were last balanced. A fault opens a handful: those stand inside, more in an array.
struct OpenBooks {
    private var first = InlineArray<8, BookEntry>(repeating: .table(PA(0)))
    private var rest: [BookEntry] = []
    /// The step at which each row was opened last: what changed there.
    private var firstSteps = InlineArray<8, UInt32>(repeating: 0)
    private var restSteps: [UInt32] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(index: Int) -> BookEntry { index < 8 ? first[index] : rest[index - 8] }

    /// The last step that changed what the row is about.
    func lastChange(_ row: BookEntry) -> UInt32 {
        (0..<count).reduce(0) { self[$1] == row ? max($0, $1 < 8 ? firstSteps[$1] : restSteps[$1 - 8]) : $0 }
    }

    /// Opens a row, unless it is the one opened last.
    @inline(__always) mutating func open(_ row: BookEntry, at step: UInt32) {
        guard count < 8 else { return openMore(row, step) }
        if count > 0, first[count - 1] == row {
            firstSteps[count - 1] = step
            return
        }
        first[count] = row
        firstSteps[count] = step
        count += 1
    }

    @inline(never) private mutating func openMore(_ row: BookEntry, _ step: UInt32) {
        rest.append(row)
        restSteps.append(step)
        count += 1
    }

    @inline(__always) mutating func close() {
        if count > 8 {
            rest.removeAll(keepingCapacity: true)
            restSteps.removeAll(keepingCapacity: true)
        }
        count = 0
    }
}

extension Stepper {
    @inline(__always) func openLeafBook(_ vm: VMNumber, _ ipa: IPA) { world.openBooks.open(.leaf(vm: vm, gfn: ipa.gfn.rawValue), at: world.stepNumber) }
    @inline(__always) func openTableBook(_ table: PA) { world.openBooks.open(.table(table), at: world.stepNumber) }

    func openHostBook(_ process: ProcessNumber, _ hva: HVA) {
        guard let vm = world.processes[process].vm, let ipa = world.ipa(of: hva, process: process) else { return }
        openLeafBook(vm, ipa)
    }

    func balanceBooks() {
        guard !world.openBooks.isEmpty, world.pendingInvalidations.isEmpty else { return }
        var i = 0
        while i < world.openBooks.count {
            switch world.openBooks[i] {
            case .leaf(let vm, let gfn): balanceLeaf(vm, GFN(gfn).ipa)
            case .table(let table): balanceTable(table)
            case .frame(let pfn): balanceFrame(pfn)
            }
            i += 1
        }
        world.openBooks.close()
    }

    private func balanceLeaf(_ vm: VMNumber, _ ipa: IPA) {
        // Beyond 40 bits there is no leaf to look at, whatever a slot says.
        guard !world.vms[vm].destroyed, ipa.rawValue < 1 << 40 else { return }
        let leaf = world.leaf(of: vm, ipa)
        var changed: UInt32 { world.openBooks.lastChange(.leaf(vm: vm, gfn: ipa.gfn.rawValue)) }
        // Without its VMM no vCPU runs: what the tables still say bites nobody.
        if let leaf, leaf.isValid, !world.processes[world.vms[vm].process].exited {
            let pfn = leaf.address.pfn
            if let slot = world.vms[vm].slotIndex(ipa, hint: me.slotIndex) {
                let hva = world.vms[vm].slots[slot].hva(of: ipa)
                let entry = world.processes[world.vms[vm].process].entry(hva.page)
                if !entry.isPresent || entry.pfn != pfn { report(.leafWithoutFrame, cause: changed, ipa: ipa, pa: pfn.pa) }
            } else if !world.isDeviceLeaf(leaf), !world.isMapped(pfn, by: world.vms[vm].process) {
                report(.leafWithoutFrame, cause: changed, ipa: ipa, pa: pfn.pa)
            }
        }
        // Nor does what a TLB still holds of it.
        guard !world.processes[world.vms[vm].process].exited else { return }
        let vmid = world.vms[vm].vmid
        for cpu in world.cpus.indices {
            guard let entry = world.cpus[cpu].tlb.lookup(vmid, ipa.page), entry.leaf != leaf?.rawValue ?? 0 else { continue }
            report(
                .tlbOutlivesLeaf, cause: world.unflushedStep(vm, ipa) ?? changed, ipa: ipa, pa: entry.descriptor.address, origin: entry.filledAt)
        }
    }

    /// Every reference is a mapping's or the swap cache's: at rest nobody holds a page for a moment.
    private func balanceFrame(_ pfn: PFN) {
        guard world.frames.contains(pfn) else { return }
        let frame = world.frames[pfn]
        guard frame.flags.isDisjoint(with: [.reserved, .poisoned, .free]) else { return }
        let expected = frame.mappings + (frame.flags.contains(.swapCache) ? 1 : 0)
        if frame.references > expected {
            report(
                .frameLeaked, cause: world.openBooks.lastChange(.frame(pfn)), ipa: IPA(0), pa: pfn.pa, expected: UInt64(expected),
                found: UInt64(frame.references))
        }
    }

    private func balanceTable(_ table: PA) {
        let page = world.kernelPages.page(table)
        let base: Int32
        switch page.use {
        case .level1Tail: base = 0
        case .level1, .level1TailCounted, .level2, .level3: base = 1
        case .free, .cached: return
        }
        let expected = base + Int32(world.kernelPages.entries(of: table))
        if page.references != expected {
            report(
                .tableCount, cause: world.openBooks.lastChange(.table(table)), ipa: IPA(0), pa: table, expected: UInt64(expected),
                found: UInt64(max(0, page.references)))
        }
    }
}
