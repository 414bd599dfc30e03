import Stage2Sim

/// What a trace that was recorded between two moments has to say of the differences.
public struct TraceEvidence: Sendable {
    /// A line that may have made a difference.
    public struct Line: Hashable, Sendable {
        /// Of the file, from 1.
        public var number: Int
        /// In words.
        public var text: String
    }

    private struct Mark: Sendable {
        var range: Range<UInt64>
        var line: Int
        var text: String
        /// A guest fault; else a notifier's line.
        var isFault: Bool
        var isAging = false
        var isWrite = false
        var isFetch = false
    }

    private let marks: [Mark]
    /// Notifier lines that could not be told to be about the guest: no slot's host address is known.
    public let unplaced: Int

    /// - Parameter slots: the guest's memory slots with their host addresses; without, those that the VMM wrote into the trace.
    public init(_ trace: Trace, slots: [TraceMemory.Slot]) {
        var known = slots
        if known.isEmpty {
            known = trace.slots.filter { $0.size > 0 }.map { TraceMemory.Slot(ipa: $0.ipa, size: $0.size, hostHVA: $0.hva) }
        }
        var marks: [Mark] = [], unplaced = 0
        func notifier(_ start: UInt64, _ end: UInt64, _ event: TraceEvent, _ name: String, isAging: Bool = false) {
            let end = max(end, start &+ 1) > start ? max(end, start &+ 1) : .max
            var isPlaced = false
            for slot in known {
                guard let hva = slot.hostHVA, !hva.addingReportingOverflow(slot.size).overflow, start < hva + slot.size, end > hva else { continue }
                isPlaced = true
                let low = max(start, hva) - hva, high = min(end, hva + slot.size) - hva
                guard !slot.ipa.addingReportingOverflow(high).overflow else { continue }
                // A page at least: where only an address is printed, the page around it is meant.
                let from = (slot.ipa + low) & ~0xfff
                marks.append(
                    Mark(range: from..<max(from + 0x1000, slot.ipa + high), line: Int(event.line), text: name, isFault: false, isAging: isAging))
            }
            if !isPlaced { unplaced += 1 }
        }
        for event in trace.events {
            switch event.payload {
            case .guestFault(let fault):
                guard !fault.ipa.addingReportingOverflow(0x1000).overflow else { continue }
                let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
                marks.append(
                    Mark(
                        range: fault.ipa..<fault.ipa + 0x1000, line: Int(event.line),
                        text:
                            "kvm_guest_fault ipa \(hex(fault.ipa)), \(hsr.faultStatus.walkMeaning)\(hsr.isInstructionAbort ? ", fetch" : hsr.isWrite ? ", write" : ", read")",
                        isFault: true, isWrite: !hsr.isInstructionAbort && hsr.isWrite, isFetch: hsr.isInstructionAbort))
            case .accessFault(let ipa):
                guard !ipa.addingReportingOverflow(0x1000).overflow else { continue }
                marks.append(Mark(range: ipa..<ipa + 0x1000, line: Int(event.line), text: "kvm_access_fault ipa \(hex(ipa))", isFault: true))
            case .unmapRange(let start, let end): notifier(start, end, event, "kvm_unmap_hva_range \(hex(start))-\(hex(end))")
            case .unmapPage(let hva): notifier(hva, hva, event, "kvm_unmap_hva \(hex(hva))")
            case .setSPTE(let hva): notifier(hva, hva, event, "kvm_set_spte_hva \(hex(hva))")
            case .age(let start, let end): notifier(start, end, event, "kvm_age_hva \(hex(start))", isAging: true)
            default: break
            }
        }
        self.marks = marks
        self.unplaced = unplaced
    }

    /// The last line that fits a difference; nil: the trace has nothing that would explain it.
    public func line(for difference: MapComparison.Difference) -> Line? {
        // A fault anywhere in a block maps all of it.
        let span = max(difference.new.map { Stage2Walk.span(level: $0.level) } ?? 0x1000, 0x1000)
        let wide = (difference.start & ~(span - 1))..<(difference.end &+ (span - 1) & ~(span - 1))
        func touches(_ mark: Mark, _ range: Range<UInt64>) -> Bool { mark.range.lowerBound < range.upperBound && mark.range.upperBound > range.lowerBound }
        let found = marks.last { mark in
            let near = touches(
                mark, mark.isFault && difference.start < difference.end && wide.lowerBound < wide.upperBound ? wide : difference.start..<difference.end)
            guard near else { return false }
            switch difference.kind {
            case .gone: return !mark.isFault && !mark.isAging
            case .new: return mark.isFault
            case .changed(let changes):
                if changes.contains(.aged) { return mark.isAging }
                if changes.contains(.writeTaken), !changes.contains(.moved) { return !mark.isFault && !mark.isAging }
                if changes.contains(.executeGranted) { return mark.isFetch }
                if changes.contains(.writeGranted) { return mark.isWrite }
                return mark.isFault
            }
        }
        return found.map { Line(number: $0.line, text: $0.text) } ?? blockTaken(by: difference)
    }

    /// The fault that mapped a page where a block had been, as under dirty logging: the block's other pages are gone with it, by no notifier.
    private func blockTaken(by difference: MapComparison.Difference) -> Line? {
        guard difference.kind == .gone, let old = difference.old, old.level < 3 else { return nil }
        let span = Stage2Walk.span(level: old.level), start = difference.start & ~(span - 1), end = (difference.end &- 1 | (span - 1)) &+ 1
        guard start < end else { return nil }
        let fault = marks.last { $0.isFault && $0.range.lowerBound < end && $0.range.upperBound > start }
        return fault.map { Line(number: $0.line, text: $0.text + ", which maps a page where the block was") }
    }
}
