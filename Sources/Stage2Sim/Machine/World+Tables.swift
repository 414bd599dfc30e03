extension World {
    /// Every leaf of a VM, in address order.
    public func leaves(of vm: VMNumber) -> [(ipa: IPA, descriptor: Stage2Descriptor)] {
        var found: [(IPA, Stage2Descriptor)] = []
        forEachLeaf(of: vm) { ipa, leaf in found.append((ipa, leaf)) }
        return found
    }

    /// Visits every leaf of a VM, in address order.
    public func forEachLeaf(of vm: VMNumber, _ body: (IPA, Stage2Descriptor) -> Void) {
        guard let level1 = vms[vm].level1 else { return }
        forEachEntry(level1, count: 1024) { i, first in
            forEachEntry(first.address, count: 512) { j, second in
                forEachEntry(second.address, count: 512) { k, leaf in
                    body(IPA(UInt64(i) << 30 | UInt64(j) << 21 | UInt64(k) << 12), leaf)
                }
            }
        }
    }

    /// Visits the non-empty entries of a table, in order.
    public func forEachEntry(_ table: PA, count: Int, _ body: (Int, Stage2Descriptor) -> Void) {
        for i in 0..<count {
            let word = kernelPages.word(at: PA(table.rawValue + UInt64(i) << 3)) ?? 0
            if word != 0 { body(i, Stage2Descriptor(word)) }
        }
    }
}
