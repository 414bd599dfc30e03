// Looking into stage-2 tables without touching anything: the one walk that every reader of the state uses.

extension World {
    /// Where a look-up for an IPA ends: the first entry on its way that names no table, or the one at the level asked for.
    struct Found {
        let address: PA
        let word: UInt64
        /// 1 to 3.
        let level: Int
    }

    /// Goes down from a level-1 table, at most to `level`.
    @inline(__always) func lookUp(_ ipa: IPA, from level1: PA, to last: Int = 3) -> Found {
        // Level by level and not in a loop: with the level a constant, so are the shifts.
        let first = entry(of: ipa, in: level1, level: 1)
        guard last > 1, first.word != 0 else { return first }
        let second = entry(of: ipa, in: Stage2Descriptor(first.word).address, level: 2)
        guard last > 2, second.word != 0 else { return second }
        return entry(of: ipa, in: Stage2Descriptor(second.word).address, level: 3)
    }

    @inline(__always) private func entry(of ipa: IPA, in table: PA, level: Int) -> Found {
        let address = Stage2Walk.descriptorAddress(table: table, ipa: ipa, level: level)
        return Found(address: address, word: kernelPages.word(at: address) ?? 0, level: level)
    }

    /// The leaf that the tables hold for `ipa` now, 0 where nothing is mapped; nil where a table is missing.
    @inline(__always) public func leaf(of vm: VMNumber, _ ipa: IPA) -> Stage2Descriptor? {
        guard let level1 = vms[vm].level1 else { return nil }
        let found = lookUp(ipa, from: level1)
        return found.level == 3 ? Stage2Descriptor(found.word) : nil
    }

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
