import Stage2Sim

extension Narration {
    private var was: Actor { before.actors[actor] }
    private var now: Actor { after.actors[actor] }

    /// What a step of the host's side found or decided, where it changed nothing that tells by itself.
    var hostDecision: String? {
        switch step {
        case .hostFault: return hostFaultFound
        case .reclaimIsolate:
            return now.isIdle ? "nothing there to reclaim" : "frame \(hex(now.reclaimPFN.rawValue)), refs \(after.world.frames[now.reclaimPFN].references)"
        case .reclaimAge: return now.next == .reclaimPutBack ? "young: it stays" : "not young"
        case .reclaimAddToSwap:
            let slot = after.world.frames[now.reclaimPFN].slot
            return before.world.frames[was.reclaimPFN].flags.contains(.swapCache) ? "it has slot \(slot) already" : "slot \(slot), PageDirty"
        case .reclaimUnmapEntry: return "no entry maps it any more"
        case .reclaimWriteOut, .reclaimFree:
            return now.next == .reclaimPutBack ? "refs \(after.world.frames[now.reclaimPFN].references): somebody holds it" : nil
        case .reclaimPutBack: return "it stays, in the swap cache"
        case .copyRecheck: return now.next == .copyClearEntry ? "the same" : "changed: the copy is thrown away"
        case .ksmCompare: return now.isIdle ? "not to be merged" : "equal"
        case .ksmProtectClear: return "clean and read-only already"
        case .ksmProtectCheck: return "nobody"
        case .ksmReplaceEnd: return now.outcome == .refused ? "given up" : "done"
        case .slotAdd, .slotInvalidate: return now.outcome == .failed ? (now.error == -Errno.EINVAL.rawValue ? "-EINVAL" : "failed") : "done"
        case .vmCreate: return "vm\(after.world.vms.count - 1)"
        case .allocateLevel1: return now.outcome == .failed ? "there is one" : "done"
        case .touchMemory:
            if now.outcome == .signal { return "SIGSEGV or SIGBUS" }
            return now.next == .useMemory ? "the entry permits it" : "a page fault"
        case .forkArea: return now.isIdle ? "no more: the child is there" : "the next area"
        default: return nil
        }
    }

    private var hostFaultFound: String {
        let entry = after.world.processes[now.hostProcess].entry(now.hostPage)
        switch now.next {
        case .swapInPage: return entry.words
        case .mapZeroPage: return "untouched, and to be read"
        case .mapFreshPage: return "untouched, and to be written"
        case .reuseHostPage: return "read-only, and nobody shares it"
        case .copyHostPage: return "read-only, and shared: \(entry.words)"
        default: return entry.isPoisoned ? "poisoned" : entry.isPresent ? "it is there" : "no area, or no right"
        }
    }
}
