/// What a guest met instead of the bytes last stored, as far as a report needs it; `CacheHierarchy.copies` has every copy.
public struct StaleBytes: BitwiseCopyable, Sendable, Equatable {
    /// How the stale bytes were met.
    public enum Access: UInt8, BitwiseCopyable, Sendable {
        /// By an instruction fetch, by a load, by a table walk.
        case executed, read, walked
    }
    /// Who should have maintained the caches.
    public enum Omission: UInt8, BitwiseCopyable, Sendable {
        /// Code or data that the host put there, or lines that the host left: the kernel owed the maintenance.
        case kernel
        /// The guest stored the bytes itself, and did not do what any program must after writing code.
        case guest
    }

    /// How they were met.
    public let access: Access
    /// Where the bytes that it got were.
    public let source: CacheLevel
    /// Where the right bytes were, and where wrong ones.
    public let right: CacheLevels
    /// Where wrong ones were.
    public let wrong: CacheLevels
    /// Who should have maintained the caches.
    public let omission: Omission
}

extension Stepper {
    /// Before the access is made: compares what it will find with what was last stored there.
    func checkStale(_ access: StaleBytes.Access, _ pa: PA, width: Int, found: FoundBytes, _ memory: WorldMemory) {
        var right = LineBytes.zero
        right[0] = memory.trueWord(at: pa)
        if right.value(at: pa.rawValue & 7, width: width) != found.value { reportStale(access, pa, width: width, found: found, memory) }
    }

    @inline(never) private func reportStale(_ access: StaleBytes.Access, _ pa: PA, width: Int, found: FoundBytes, _ memory: WorldMemory) {
        let copies = world.caches!.copies(of: pa, width: width, memory)
        let filler = world.caches!.filler(of: pa, at: found.level == .instruction ? .unified : found.level)
        let stale = StaleBytes(
            access: access, source: found.level, right: copies.rightLevels, wrong: copies.staleLevels,
            omission: omission(access, copies, source: found.level, filler: filler))
        // Tables are the kernel's: what is stale in one was not cleaned when it became a table.
        let table = access == .walked ? world.causes.table(pa.page) : nil
        let written = world.frames.contents(of: pa.pfn).writtenAt
        let cause = table ?? (written > 0 ? written : world.stepNumber)
        if access == .walked { noteBrokenWalk(cause) }
        report(.staleBytes, cause: cause, pa: pa, expected: copies.right, found: found.value, stale: stale)
    }

    /// Tables are the kernel's. A stale data or L2 line is the fault of whoever brought it there; anything else is the
    /// fault of whoever stored the bytes that are missing.
    private func omission(_ access: StaleBytes.Access, _ copies: WordCopies, source: CacheLevel, filler: Requester?) -> StaleBytes.Omission {
        guard access != .walked else { return .kernel }
        let me = Requester.guest(self.me.vm)
        let inMemory = copies.rightLevels.contains(CacheLevels(.memory))
        if source == .data || (source == .unified && inMemory), let filler { return filler == me ? .guest : .kernel }
        return copies.writer == me ? .guest : .kernel
    }
}
