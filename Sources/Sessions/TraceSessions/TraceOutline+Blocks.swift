extension TraceOutline {
    /// Where the host had blocks of 2 MiB, looked for from the end of the trace.
    ///
    /// - A permission or access-flag fault at level 2 names a block, which the last translation fault there has made.
    /// - Permission faults at level 3 of pages that no fault had mapped name one too: it was split meanwhile, eagerly, when dirty logging
    ///   was switched on.
    /// - A notifier for 2 MiB at once is for a block that is split or goes as a whole, where the host is seen to have blocks.
    /// - khugepaged's notifier is for pages that become a block: what faults next there maps it.
    ///
    /// - Parameter memories: by VM.
    mutating func findBlocks(_ trace: Trace, _ memories: [TraceMemory]) {
        let gathers = trace.threads.map { $0.comm.hasPrefix("khugepaged") }
        let namesBlocks =
            gathers.contains(true) || trace.events.contains { $0.guestFault.map { $0.hsr & 0x3f == 0x0e || $0.hsr & 0x3f == 0x0a } ?? false }
        let hasSplits = trace.counts.lostNotices == 0 && trace.counts.overwritten == 0 && trace.counts.damaged == 0 && hasUnmappedPermissions(trace)
        guard namesBlocks || hasSplits, granule.size == 4096 else { return }
        var isBlock: [UInt64: Bool] = [:]
        // The next fault that found no level-3 table.
        var next: [UInt64: Int] = [:]
        // Pages that lost a right at level 3 and had no fault of their own between here and there.
        var split: [UInt64: Set<UInt64>] = [:]
        for i in trace.events.indices.reversed() {
            let event = trace.events[i]
            if case .unmapRange(let start, let end) = event.payload, end &- start == 1 << 21, start & 0x1f_ffff == 0 {
                let gathered = Int(event.thread) < gathers.count && gathers[Int(event.thread)]
                for region in regions(at: start, memories, vm(of: event)) {
                    if gathered, let fault = next[region] {
                        flags[fault].insert([.makesBlock, .collapsed])
                        flags[fault].remove(.mayMakeBlock)
                    }
                    isBlock[region] = !gathered
                    split[region] = nil
                }
            }
            guard let fault = event.guestFault, let v = vm(of: event) else { continue }
            let level = fault.hsr & 3, region = Self.key(fault.ipa >> 21, v)
            switch fault.hsr & 0x3c {
            case 0x04 where level == 3:
                // A level-3 table stood.
                isBlock[region] = false
                split[region]?.remove(fault.ipa)
                next[region] = nil
            case 0x04:
                let mayHave = flags[i].isDisjoint(with: [.denied, .emulated]) && memories[Int(v)].mayHaveBlock(at: fault.ipa & ~0x1f_ffff)
                split[region]?.remove(fault.ipa)
                if isBlock[region] == true || (hasSplits && split[region]?.isEmpty == false) {
                    flags[i].insert(.makesBlock)
                } else if namesBlocks, isBlock[region] == nil, mayHave {
                    flags[i].insert(.mayMakeBlock)
                }
                next[region] = mayHave && isBlock[region] != false ? i : nil
                isBlock[region] = nil
                split[region] = nil
            case 0x08, 0x0c:
                // At level 1 it is a block of 1 GiB, of which these 2 MiB are a part.
                isBlock[region] = level == 2
                next[region] = nil
                if level == 3, hasSplits, split[region, default: []].count < 8 { split[region, default: []].insert(fault.ipa) }
            default: break
            }
        }
    }

    /// The stretches of 2 MiB that a host address is, of the VM or of all.
    private func regions(at hva: UInt64, _ memories: [TraceMemory], _ vm: UInt8?) -> [UInt64] {
        var found: [UInt64] = []
        for (v, memory) in memories.enumerated() where vm == nil || vm == UInt8(v) {
            for slot in memory.slots {
                guard let base = slot.hostHVA, hva >= base, hva - base < slot.size else { continue }
                found.append(Self.key((slot.ipa + (hva - base)) >> 21, UInt8(v)))
            }
        }
        return found
    }

    private static func key(_ number: UInt64, _ vm: UInt8) -> UInt64 { number | UInt64(vm) << 56 }

    /// Whether a page lost a right at level 3 that no fault before had mapped. Pages are remembered by a bit each that a few share: one may
    /// be overlooked for that, and none is invented.
    private func hasUnmappedPermissions(_ trace: Trace) -> Bool {
        var seen = [UInt64](repeating: 0, count: 1 << 14)
        for event in trace.events {
            guard event.kind == .guestFault, let fault = event.guestFault, let v = vm(of: event) else { continue }
            let hash = (Self.key(fault.ipa >> 12, v) &* 0x9e37_79b9_7f4a_7c15) >> 44
            let word = Int(hash >> 6), bit = UInt64(1) << (hash & 63)
            switch fault.hsr & 0x3f {
            case 0x04...0x07: seen[word] |= bit
            case 0x0f where !vms[Int(v)].isAttached && seen[word] & bit == 0: return true
            default: break
            }
        }
        return false
    }
}
