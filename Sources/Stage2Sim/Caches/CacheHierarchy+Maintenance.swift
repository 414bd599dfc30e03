// Maintenance: what each operation does to lines, no more than the architecture promises.

extension CacheHierarchy {
    /// Performs one operation. By address: on the one line around `pa`, whose virtual address is `va`. ICIMVAU compares what
    /// the cache compares: with a virtually indexed cache it reaches only the set that `va` selects, with virtual tags
    /// only lines of this address, ASID and VMID.
    public mutating func perform(
        _ operation: CacheOperation, _ va: VA = VA(0), _ pa: PA = PA(0), context: CacheContext, scope: MaintenanceScope = .innerShareable,
        _ truth: some TrueMemory
    ) {
        let reached = scope == .oneCPU ? context.cpu..<context.cpu + 1 : cpus.indices
        switch operation {
        case .none, .bpiallis, .dsb, .isb, .cachesOff, .cachesOn: break
        case .dccmvau: cleanLine(pa, reached, truth)
        case .dccmvac:
            cleanLine(pa, reached, truth)
            cleanUnified(pa, .cleaned)
        case .dcimvac: invalidateLine(pa, reached)
        case .dccimvac:
            cleanLine(pa, reached, truth)
            cleanUnified(pa, .cleaned)
            invalidateLine(pa, reached)
        case .icimvau:
            for cpu in reached { invalidateInstruction(va, pa, cpu, context) }
        case .iciallu: dropInstructionLines(context.cpu, .invalidated) { _ in true }
        case .icialluis:
            for cpu in cpus.indices { dropInstructionLines(cpu, .invalidated) { _ in true } }
        }
    }

    /// Performs an operation by address on every line of a page, as a loop over the smallest line does.
    public mutating func perform(
        _ operation: CacheOperation, page va: VA, _ pa: PA, context: CacheContext, scope: MaintenanceScope = .innerShareable, _ truth: some TrueMemory
    ) {
        let step = operation == .icimvau ? configuration.instruction.lineBytes : configuration.data.lineBytes
        for offset in stride(from: UInt64(0), to: pageSize, by: step) {
            perform(operation, VA(va.rawValue & ~0xfff + offset), PA(pa.page.rawValue + offset), context: context, scope: scope, truth)
        }
    }

    private mutating func cleanLine(_ pa: PA, _ reached: Range<Int>, _ truth: some TrueMemory) {
        for cpu in reached {
            guard let i = cpus[cpu].data.index(of: pa), cpus[cpu].data.lines[i].isDirty else { continue }
            let line = cpus[cpu].data.lines.mutable(i)
            line.pointee.isDirty = false
            writeUnified(line.pointee.pa, line.pointee.bytes, length: configuration.data.lineBytes, by: line.pointee.filler, truth)
            note(.cleaned, cpu, i, line.pointee.pa)
        }
    }

    /// Every data line of the granule to memory.
    mutating func cleanGranuleToPoC(_ pa: PA, _ truth: some TrueMemory) {
        for start in stride(from: 0, to: granuleBytes, by: configuration.data.lineBytes) {
            cleanLine(PA(pa.rawValue & ~63 + UInt64(start)), cpus.indices, truth)
        }
        cleanUnified(pa, .cleaned)
    }

    private mutating func invalidateLine(_ pa: PA, _ reached: Range<Int>) {
        for cpu in reached {
            guard let i = cpus[cpu].data.index(of: pa) else { continue }
            note(cpus[cpu].data.lines[i].isDirty ? .lost : .invalidated, cpu, i, cpus[cpu].data.lines[i].pa)
            dropLine(i, cpu: cpu)
        }
        dropUnified(pa, unifiedLine(pa).isDirty ? .lost : .invalidated)
    }

    private mutating func invalidateInstruction(_ va: VA, _ pa: PA, _ cpu: Int, _ context: CacheContext) {
        let set = cpus[cpu].instruction.set(va: va, pa: pa)
        // A physically tagged cache may hold a line twice in a set only by mistake; none is left.
        while let way = cpus[cpu].instruction.way(in: set, va: va, pa: pa, asid: context.asid, vmid: context.vmid) {
            note(.invalidated, cpu, set: set, way: way, cpus[cpu].instruction.line(set: set, way: way))
            cpus[cpu].instruction.lines.mutable(set * configuration.instruction.ways + way).pointee = InstructionLine()
            cpus[cpu].instruction.count -= 1
        }
    }
}
