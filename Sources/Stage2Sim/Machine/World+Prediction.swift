// What the tables would do with an access, looked up without making a step: what a trace's faults are compared with.

extension World {
    /// What a walk of the VM's tables comes to; nil: the access is permitted. The TLB is not asked.
    public func faultStatus(of vm: VMNumber, _ ipa: IPA, _ access: AccessKind) -> FaultStatus? {
        guard let level1 = vms[vm].level1 else { return FaultStatus(.translation, level: 1) }
        let found = lookUp(ipa, from: level1)
        return switch Stage2Walk.next(Stage2Descriptor(found.word), level: found.level) {
        case .table: nil
        case .leaf(let leaf): Stage2Walk.permits(leaf, access) ? nil : FaultStatus(.permission, level: UInt8(found.level))
        case .fault(let status): status
        }
    }

    /// The stretches of guest memory, page aligned, in which leaves stand, inside `range`. Stretches with no more than
    /// `gap` pages between them are one.
    public func mappedRuns(of vm: VMNumber, in range: Range<UInt64>, gap: UInt64 = 8) -> [Range<UInt64>] {
        guard let level1 = vms[vm].level1, !range.isEmpty else { return [] }
        var runs: [Range<UInt64>] = []
        var at = range.lowerBound & ~(pageSize - 1)
        let end = min(range.upperBound, 1 << 40)
        while at < end {
            let found = lookUp(IPA(at), from: level1, to: 2)
            guard found.word != 0 else {
                at = Self.after(at, level: found.level)
                continue
            }
            let table = Stage2Descriptor(found.word).address
            let stop = min(end, Self.after(at, level: 2))
            while at < stop {
                if kernelPages.word(at: Stage2Walk.descriptorAddress(table: table, ipa: IPA(at), level: 3)) ?? 0 != 0 {
                    if let last = runs.last, at - last.upperBound <= gap * pageSize {
                        runs[runs.count - 1] = last.lowerBound..<at + pageSize
                    } else {
                        runs.append(at..<at + pageSize)
                    }
                }
                at += pageSize
            }
        }
        return runs
    }

    private static func after(_ ipa: UInt64, level: Int) -> UInt64 { (ipa & ~(Stage2Walk.span(level: level) - 1)) + Stage2Walk.span(level: level) }

    /// Whether a write by the process would be served with a copy, notifiers and all (`do_wp_page`).
    public func copiesOnWrite(_ process: ProcessNumber, _ hva: HVA) -> Bool {
        let entry = processes[process].entry(hva.page)
        return entry.isPresent && !entry.isWritable && !canReuse(entry)
    }

    /// Whether KVM would take the abort for a write, by the behaviours that are on.
    @inline(__always) public func isWriteFault(_ hsr: HSR) -> Bool {
        if hsr.isInstructionAbort { return behaviours.has(.s1ptwIsWrite) && hsr.isStage1Walk && isWalkersWrite(hsr) }
        if behaviours.has(.s1ptwIsWrite), hsr.isStage1Walk { return isWalkersWrite(hsr) }
        return behaviours.has(.b11Isv0IsWrite) ? !(hsr.isv && !hsr.isWrite) : hsr.isWrite
    }

    /// A walk that is stopped by a missing page was reading; by a missing right, it was to write, for every page may be read.
    private func isWalkersWrite(_ hsr: HSR) -> Bool { !behaviours.has(.s1ptwTranslationIsRead) || hsr.faultStatus.kind == .permission }
}
