import Stage2Sim

// What expectations about the host's side compare, and what is told where they do not hold.

extension HostEntry {
    func fits(_ word: Expectation.HostWord) -> Bool {
        switch word {
        case .none: isNone
        case .swapped: isSwapped
        case .poisoned: isPoisoned
        case .ro: isPresent && !isWritable
        case .rw: isPresent && isWritable
        case .clean: isPresent && !isDirty
        case .dirty: isPresent && isDirty
        }
    }
}

extension Frame {
    func fits(_ word: Expectation.PageWord, isZeroPage: Bool) -> Bool {
        switch word {
        case .dirty: flags.contains(.dirty)
        case .clean: !flags.contains(.dirty)
        case .swapCache: flags.contains(.swapCache)
        case .noSwapCache: !flags.contains(.swapCache)
        case .ksm: flags.contains(.ksm)
        case .zero: isZeroPage
        case .references(let count): Int(references) == count
        case .mappings(let count): Int(mappings) == count
        }
    }

    /// "dirty, swap cache, refs 2, mappings 1".
    var words: String {
        var words = [flags.contains(.dirty) ? "dirty" : "clean"]
        if flags.contains(.swapCache) { words.append("swap cache") }
        if flags.contains(.ksm) { words.append("KSM") }
        if flags.contains(.reserved) { words.append("reserved") }
        return (words + ["refs \(references)", "mappings \(mappings)"]).joined(separator: ", ")
    }
}

extension Machine {
    /// Why an actor has not come to its end when nobody can go on any more.
    public func unfinished(_ actor: ActorNumber) -> String {
        let next = actors[actor].next
        let holders = world.vms.compactMap { vm in vm.lockHolder.map { "mmu_lock of vm\(vm.id) is held by \(name(of: $0))" } }
        return "\(name(of: actor)) never finishes: it waits before \(next.name)" + (holders.isEmpty ? "" : "; " + holders.joined(separator: ", "))
    }
}
