import Stage2Sim

extension TableScript {
    /// Runs the script on fresh tables and hands over what it prints, in pieces that end with a line.
    ///
    /// - Parameters:
    ///   - base: where the level-1 table lies, a multiple of 8 KiB.
    ///   - fwb: the CPUs have FEAT_S2FWB (v6.1).
    /// - Returns: the machine as the script left it.
    @discardableResult
    public func run(base: PA = PA(0x8000_0000), fwb: Bool = false, reuse: KernelPages.Reuse = .never, print: (String) -> Void) -> Machine {
        // One of the two is asked.
        var tables = TableFunctions(revision == .v61 ? .v39 : revision, base: base, reuse: reuse)
        var pgtable = PgtableFunctions(fwb: fwb, base: base, reuse: reuse)
        var text = ""
        for command in commands {
            if case .pgtable(let command) = command {
                text += command.run(&pgtable)
            } else {
                let result = command.run(&tables)
                for message in tables.takeMessages() { text += message.text + "\n" }
                text += result
            }
            if text.utf8.count > 1 << 16 {
                print(text)
                text = ""
            }
        }
        if !text.isEmpty { print(text) }
        return revision == .v61 ? pgtable.snapshot : tables.snapshot
    }

    /// All that it prints.
    public func output(base: PA = PA(0x8000_0000), fwb: Bool = false, reuse: KernelPages.Reuse = .never) -> String {
        var all = ""
        run(base: base, fwb: fwb, reuse: reuse) { all += $0 }
        return all
    }
}

extension TableCommand {
    /// Runs the command; the lines that it prints, empty for most.
    func run(_ tables: inout TableFunctions) -> String {
        switch self {
        case .map(let ipa, let pfn, let writable):
            guard let error = tables.map(ipa, pfn, writable: writable) else { return "" }
            return "map \(hex(ipa.rawValue)) -> \(-error.rawValue)\n"
        case .unmap(let ipa, let size): tables.unmap(ipa, size: size)
        case .rawUnmap(let ipa, let size): tables.unmapRange(ipa, size: size)
        case .setSpte(let ipa, let pfn): tables.change(ipa, to: pfn)
        case .ioremap(let ipa, let pa, let size):
            let error = tables.ioremap(ipa, to: pa, size: size)
            return "ioremap \(hex(ipa.rawValue)) -> \(-(error?.rawValue ?? 0))\n"
        case .topUp(let minimum, let maximum):
            let error = tables.topUp(minimum: minimum, maximum: maximum)
            return "topup \(minimum) \(maximum) -> \(-(error?.rawValue ?? 0)) nobjs=\(tables.memoryCacheCount)\n"
        case .freeCache: tables.freeCache()
        case .fail(let count): tables.failAllocations(after: count)
        case .destroy: tables.destroy()
        case .dump: return tables.dump
        case .pgtable: break
        }
        return ""
    }
}
