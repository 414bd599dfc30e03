import Stage2Sim

/// The memory slots of a traced VM: as given, as its VMM wrote them into the trace, or as its faults suggest.
public struct TraceMemory: Sendable {
    /// A memory slot of the host that was traced.
    public struct Slot: Sendable, Hashable {
        /// The guest's address of its first byte.
        public var ipa: UInt64
        /// Bytes.
        public var size: UInt64
        /// In the traced VMM, 64 bits; nil where nobody knows: then no notifier line can be told to be about it.
        public var hostHVA: UInt64?
        /// The guest may not write.
        public var readOnly = false
        /// In the simulated VMM.
        var hva: UInt64 = 0

        /// - Parameters:
        ///   - size: bytes, a multiple of 4 KiB.
        ///   - hostHVA: the VMM's address on that host; nil: not known.
        public init(ipa: UInt64, size: UInt64, hostHVA: UInt64? = nil, readOnly: Bool = false) {
            (self.ipa, self.size, self.hostHVA, self.readOnly) = (ipa, size, hostHVA, readOnly)
        }

        func contains(_ ipa: UInt64) -> Bool { ipa &- self.ipa < size }
        func overlaps(_ other: Slot) -> Bool { ipa < other.ipa + other.size && other.ipa < ipa + size }
        /// The same memory at the same place.
        func isSame(_ other: Slot) -> Bool { ipa == other.ipa && size == other.size && hostHVA == other.hostHVA }
    }

    /// Where it is known from.
    public enum Origin: Sendable, Hashable {
        /// By whoever opened the trace; the text says how.
        case given(String)
        /// The VMM's own lines in the trace.
        case written
        /// From the addresses of the faults.
        case inferred
    }

    /// A slot that comes, goes or moves while the trace runs: after the line.
    struct Change: Sendable {
        var line: Int
        var removed: Slot?
        var added: Slot?
    }

    /// By IPA.
    public internal(set) var slots: [Slot]
    /// Where they are known from.
    public var origin: Origin
    /// In the order of the file.
    private(set) var changes: [Change] = []
    /// What was left out or taken to be so, for the session's `about`.
    private(set) var remarks: [String] = []

    /// More slots are not taken: v3.9 has 32 for user space, and each notifier line is held against all of them.
    static let limit = 512

    // MARK: From what

    init(given: [Slot], _ how: String) {
        slots = []
        origin = .given(how)
        for slot in given { take(slot) }
    }

    /// From the VMM's own lines. nil where there is none.
    ///
    /// - Parameter isOurs: whether the thread that wrote a line belongs to the VM.
    init?(written trace: Trace, firstFault line: Int, isOurs: (UInt16) -> Bool) {
        guard trace.slots.contains(where: { isOurs($0.thread) }) else { return nil }
        slots = []
        origin = .written
        var byNumber: [Int: Slot] = [:]
        for mark in trace.slots where isOurs(mark.thread) {
            let slot = Slot(ipa: mark.ipa, size: mark.size, hostHVA: mark.hva, readOnly: mark.flags & 2 != 0)
            let old = byNumber[mark.slot]
            // Flags changed: no line of KVM's, and nothing that the simulation's slots have.
            if let old, mark.size > 0, old.isSame(slot) { continue }
            byNumber[mark.slot] = mark.size > 0 ? slot : nil
            if mark.line < line {
                if let old { slots.removeAll { $0.isSame(old) } }
                if mark.size > 0 { take(slot) }
            } else {
                changes.append(Change(line: mark.line, removed: old, added: mark.size > 0 && Self.problem(slot) == nil ? slot : nil))
            }
        }
    }

    /// From the faults: stretches of 2 MiB in which a fault was served as memory, those less than 1 GiB apart taken together
    /// where no device's page was found between them.
    init(inferred trace: Trace, _ outline: TraceOutline, vm: UInt8) {
        slots = []
        origin = .inferred
        // true: the host also emulated accesses there.
        var memory: [UInt64: Bool] = [:]
        var devices: Set<UInt64> = []
        for (i, event) in trace.events.enumerated() {
            guard let fault = event.guestFault, fault.ipa < 1 << 40, outline.vm(of: event) == vm else { continue }
            let block = fault.ipa >> 21, emulated = outline.flags[i].contains(.emulated)
            if emulated { devices.insert(block) }
            if !emulated { memory[block] = memory[block] ?? false }
        }
        for block in devices where memory[block] != nil { memory[block] = true }
        devices = devices.filter { memory[$0] == nil }
        let holes = devices.sorted()
        var current: (first: UInt64, last: UInt64, readOnly: Bool)?
        func flush(_ all: inout TraceMemory) {
            guard let c = current else { return }
            all.take(Slot(ipa: c.first << 21, size: (c.last - c.first + 1) << 21, readOnly: c.readOnly))
        }
        for block in memory.keys.sorted() {
            let readOnly = memory[block] == true
            if let c = current, c.readOnly == readOnly, block - c.last < 512, !Self.contains(holes, between: c.last, and: block) {
                current = (c.first, block, readOnly)
            } else {
                flush(&self)
                current = (block, block, readOnly)
            }
        }
        flush(&self)
    }

    /// Whether a host can map the 2 MiB at an IPA by one entry: they lie in one slot, and where its HVA is known that has the same offset
    /// in 2 MiB.
    func mayHaveBlock(at ipa: UInt64) -> Bool {
        slots.contains { slot in
            ipa >= slot.ipa && ipa - slot.ipa < slot.size && slot.size - (ipa - slot.ipa) >= 1 << 21
                && (slot.hostHVA.map { ($0 &- slot.ipa) & 0x1f_ffff == 0 } ?? true)
        }
    }

    private static func contains(_ sorted: [UInt64], between low: UInt64, and high: UInt64) -> Bool {
        var from = 0, to = sorted.count
        while from < to {
            let middle = (from + to) / 2
            if sorted[middle] <= low { from = middle + 1 } else { to = middle }
        }
        return from < sorted.count && sorted[from] < high
    }

    /// Why a slot cannot be one of the simulation's; nil: it can.
    static func problem(_ slot: Slot) -> String? {
        if slot.size == 0 || slot.size & 0xfff != 0 || slot.ipa & 0xfff != 0 || (slot.hostHVA ?? 0) & 0xfff != 0 { return "is not made of whole pages" }
        if slot.ipa >= 1 << 40 || slot.size > 1 << 40 - slot.ipa { return "ends beyond the 40 bits of IPA that the simulation has" }
        if let hva = slot.hostHVA, hva.addingReportingOverflow(slot.size).overflow { return "ends beyond the address space" }
        return nil
    }

    private mutating func take(_ slot: Slot) {
        let name = "the slot at \(hex(slot.ipa))"
        if let problem = Self.problem(slot) { return remarks.append("\(name) \(problem): left out") }
        if slots.contains(where: { $0.overlaps(slot) }) { return remarks.append("\(name) overlaps another: left out") }
        guard slots.count < Self.limit else {
            if slots.count == Self.limit, remarks.last?.hasPrefix("more than") != true {
                remarks.append("more than \(Self.limit) slots: the others are left out")
            }
            return
        }
        slots.append(slot)
    }

    // MARK: What the trace adds

    /// Slots that the trace shows to be read-only; and for slots without an HVA, the one that copies on write give away: the
    /// notifier's line in the exit of a write fault names the page that the fault's IPA is. One that stands in the exit of a write for
    /// another reason (reclaim, KSM) must not be taken for it: copies are confirmed by change_pte of the same page, or by the same page's
    /// faulting again, and all of a slot's must agree.
    mutating func learn(from trace: Trace, _ outline: TraceOutline, vm: UInt8) {
        var offsets: [Int: [UInt64: Int]] = [:]
        for (i, event) in trace.events.enumerated() {
            if case .unmapRange(let start, let end) = event.payload, outline.links[i] >= 0, end &- start == outline.granule.size {
                guard outline.vm(of: event) == vm, outline.flags[Int(outline.links[i])].contains(.copies) else { continue }
                guard let fault = trace.events[Int(outline.links[i])].guestFault, let s = slots.firstIndex(where: { $0.contains(fault.ipa) }),
                    slots[s].hostHVA == nil, Self.isConfirmed(i, start, fault, trace, outline)
                else { continue }
                offsets[s, default: [:]][start &- (fault.ipa & ~(outline.granule.size - 1)) &+ slots[s].ipa, default: 0] += 1
            } else if outline.flags[i].contains(.emulated), outline.vm(of: event) == vm, case .guestFault(let fault) = event.payload {
                guard isWrite(i, fault, trace, outline), let s = slots.firstIndex(where: { $0.contains(fault.ipa) }), !slots[s].readOnly else { continue }
                slots[s].readOnly = true
                remarks.append("the slot at \(hex(slots[s].ipa)) is taken for read-only: line \(event.line) has a write to it that was emulated")
            }
        }
        for (s, counts) in offsets.sorted(by: { $0.key < $1.key }) {
            guard let best = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
                Self.problem(Slot(ipa: slots[s].ipa, size: slots[s].size, hostHVA: best.key)) == nil
            else { continue }
            // An inferred slot may be several, each at an address of its own.
            let others = counts.values.reduce(0, +) - best.value
            guard others == 0 || (origin != .inferred && best.value > 3 * others) else {
                remarks.append("the copies on write in the slot at \(hex(slots[s].ipa)) name different HVAs: it is left without one")
                continue
            }
            let start = best.key, end = best.key + slots[s].size
            guard !slots.contains(where: { other in other.hostHVA.map { $0 < end && start < $0 + other.size } ?? false }) || origin != .inferred else {
                remarks.append("the HVA that copies on write give the slot at \(hex(slots[s].ipa)) is another slot's: it is left without one")
                continue
            }
            slots[s].hostHVA = best.key
            remarks.append("the slot at \(hex(slots[s].ipa)) has HVA \(hex(best.key)) by \(best.value) cop\(best.value == 1 ? "y" : "ies") on write")
        }
    }

    /// Whether the notifier's line is the copy of the page that faulted, and no other page's that went at the same time.
    private static func isConfirmed(_ i: Int, _ start: UInt64, _ fault: TraceEvent.GuestFault, _ trace: Trace, _ outline: TraceOutline) -> Bool {
        let owner = Int(outline.links[i])
        var others = 0, changed = false
        for j in owner + 1..<min(trace.events.count, owner + 512) where Int(outline.links[j]) == owner {
            switch trace.events[j].payload {
            case .unmapRange where j != i: others += 1
            case .setSPTE(let hva) where hva == start: changed = true
            default: break
            }
        }
        if changed { return true }
        guard others == 0, !outline.hasChangePTE else { return false }
        // Without change_pte the page has no leaf after the copy: the same vCPU faults on it again before anything else.
        let thread = trace.events[owner].thread, page = fault.ipa & ~(outline.granule.size - 1)
        let next = trace.events[min(i + 1, trace.events.count)..<min(trace.events.count, i + 512)].first { $0.kind == .guestFault && $0.thread == thread }
        return next?.guestFault.map { $0.ipa & ~(outline.granule.size - 1) == page } ?? false
    }

    /// By what user space was told, or by the syndrome where no line has that.
    private func isWrite(_ i: Int, _ fault: TraceEvent.GuestFault, _ trace: Trace, _ outline: TraceOutline) -> Bool {
        if outline.links[i] >= 0, case .mmio(let mmio) = trace.events[Int(outline.links[i])].payload { return mmio.direction == .write }
        return TraceOutline.mayCopy(fault) && fault.hsr >> 7 & 1 == 0
    }

    // MARK: The simulated VMM's addresses

    /// How much of them there is: four times what IPAs reach.
    private static let addressSpace: UInt64 = 1 << 42

    /// Gives every slot an address in the simulated VMM. Addresses of a 32-bit host stay as they are. An arm64 host's do not fit: each
    /// stretch of its address space that slots cover is moved as a whole, so that slots that share memory still do. Slots for which no
    /// room is left are left out.
    mutating func layOut() {
        let all = slots + changes.compactMap(\.added)
        var next: UInt64 = 0x1000_0000
        let fits = all.allSatisfy { slot in slot.hostHVA.map { $0 >= next && $0 + slot.size <= Process.userEnd.rawValue } ?? false }
        var stretches: [(start: UInt64, end: UInt64, hva: UInt64)] = []
        for slot in all.sorted(by: { ($0.hostHVA ?? 0) < ($1.hostHVA ?? 0) }) {
            guard let start = slot.hostHVA else { continue }
            let end = start + slot.size
            if let last = stretches.last, start <= last.end {
                stretches[stretches.count - 1].end = max(last.end, end)
            } else {
                stretches.append((start, end, 0))
            }
        }
        for i in stretches.indices {
            stretches[i].hva = fits ? stretches[i].start : next
            next = (next + (stretches[i].end - stretches[i].start) + 0x3f_ffff) & ~0x1f_ffff
        }
        func place(_ slot: inout Slot) -> Bool {
            if let hva = slot.hostHVA, let stretch = stretches.last(where: { $0.start <= hva }) {
                slot.hva = stretch.hva + (hva - stretch.start)
            } else {
                slot.hva = next
                next = (next + slot.size + 0x3f_ffff) & ~0x1f_ffff
            }
            if slot.hva + slot.size <= Self.addressSpace { return true }
            remarks.append("the slot at \(hex(slot.ipa)) finds no room in the simulated VMM: left out")
            return false
        }
        slots = slots.compactMap { slot in
            var slot = slot
            return place(&slot) ? slot : nil
        }
        for i in changes.indices {
            if var added = changes[i].added { changes[i].added = place(&added) ? added : nil }
        }
    }
}
