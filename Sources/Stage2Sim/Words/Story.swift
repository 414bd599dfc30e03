/// A broken check in words: the rule, the step that broke it, who suffered.
public struct Story {
    /// The story, in a sentence or two.
    public let text: String

    /// - Parameters:
    ///   - machine: the machine in which it was found, then or later: names are taken from it.
    public init(_ violation: Violation, _ machine: Machine) {
        let who = machine.name(of: violation.actor)
        let place = "IPA \(hex(violation.ipa.rawValue)), frame \(hex(violation.pa.rawValue))"
        let what: String =
            switch violation.rule {
            case .accessAfterLoss:
                "\(who) \(violation.isWrite ? "wrote to" : "read from") \(place), which "
                    + (violation.origin > 0
                        ? "the host does not give this guest there; its walk went through what has been no table as it was stored since step \(violation.origin)"
                        : machine.world.frames.contains(violation.pa.pfn)
                            ? (violation.cause > 0
                                ? "has not been this guest's since step \(violation.cause)" : "the host does not give this guest there any more")
                            : "the host never gave this guest")
            case .writeToShared:
                "\(who) wrote \(hex(violation.found)) into \(place), which others read too"
                    + (violation.cause > 0 && violation.cause != violation.origin ? " since step \(violation.cause)" : "") + "; "
                    + (violation.origin > 0 ? "the leaf stored at step \(violation.origin) lets it, so " : "") + "no fault told the host, no copy was made"
            case .frameFreedMapped:
                "\(who) dropped the last reference to frame \(hex(violation.pa.rawValue)) while "
                    + (violation.origin == 0 ? "a leaf" : "a TLB entry, filled at step \(violation.origin),")
                    + " still leads to it from IPA \(hex(violation.ipa.rawValue))"
            case .writeLost:
                "reclaim dropped \(place) as clean: \(hex(violation.expected)), written at step \(violation.origin), is lost; swap holds \(hex(violation.found))"
                    + (violation.cause < violation.origin ? "; the leaf stored at step \(violation.cause) let it be written unseen" : "")
            case .liveTableFreed:
                violation.found > 0
                    ? "table \(hex(violation.pa.rawValue)) was freed with \(violation.found) live entr\(violation.found == 1 ? "y" : "ies") in it"
                    : "page \(hex(violation.pa.rawValue)) of the level-1 table was freed while the VM uses it"
            case .memoryCacheEmpty: "\(who) needed a table page for IPA \(hex(violation.ipa.rawValue)) under mmu_lock and the memory cache was empty: a BUG"
            case .noProgress: "\(who) took the same fault at IPA \(hex(violation.ipa.rawValue)) in the same state: it would go on like this for ever"
            case .staleBytes: Self.stale(violation, who)
            case .freedTableWalked:
                "\(who)'s walk for IPA \(hex(violation.ipa.rawValue)) read a descriptor at \(hex(violation.pa.rawValue)), in a page that "
                    + (machine.world.kernelPages.contains(violation.pa)
                        ? (machine.world.kernelPages.use(of: violation.pa) == .free ? "was freed" : "was freed and given to somebody else")
                        : "was never a table")
            case .deadlock: "\(who) holds mmu_lock and faults at IPA \(hex(violation.ipa.rawValue)): without CONFIG_PREEMPT_COUNT it waits for itself for ever"
            case .foreignTableChanged:
                "\(who) changed the entry at \(hex(violation.pa.rawValue)) for IPA \(hex(violation.ipa.rawValue)), in a page that is "
                    + Self.use(of: violation.pa, machine)
            case .registerLost:
                "\(who) read \(hex(violation.found)) from PAR, where its own translation had left \(hex(violation.expected)); it was written over at step \(violation.cause)"
            case .accessLost:
                "\(who) went on behind a \(violation.isWrite ? "write to" : "read from") \(hex(violation.ipa.rawValue)) that was never made; the VM was restored at step \(violation.cause)"
            case .writeNotLogged:
                "\(who) wrote \(hex(violation.found)) to \(place), which user space has copied, and the dirty log does not say so (its bits were last cleared at step \(violation.cause))"
            case .frameLeaked:
                "frame \(hex(violation.pa.rawValue)) counts \(violation.found) references, and \(violation.expected) of them are somebody's: it is never freed"
            case .freeFrameUsed where violation.expected == 1:
                "\(who) maintained the caches of frame \(hex(violation.pa.rawValue)), which has been free since step \(violation.cause)"
            case .freeFrameUsed: "\(who) took frame \(hex(violation.pa.rawValue)) for a page, and it has been free since step \(violation.cause)"
            case .twoTranslations:
                "\(who) \(violation.isWrite ? "wrote to" : "read from") \(place), while frame \(hex(violation.expected)) is mapped there too: "
                    + "step \(violation.cause) changed the leaf before the old one was cleared and flushed (no break-before-make)"
            case .leafWithoutFrame:
                machine.world.frames.contains(violation.pa.pfn)
                    ? "the leaf for \(place) outlived the host's page" : "the leaf for \(place) maps what the host never gave this guest"
            case .tlbOutlivesLeaf: "a TLB entry for \(place), filled at step \(violation.origin), outlived its leaf, which step \(violation.cause) changed"
            case .tableCount: "table \(hex(violation.pa.rawValue)) counts \(violation.found) references, not \(violation.expected)"
            case .tablesLeaked: "\(violation.found) table page\(violation.found == 1 ? "" : "s") left over, the first at \(hex(violation.pa.rawValue))"
            }
        // Stale bytes can be the guest's own omission, and say so; everything else is never the guest's.
        text = "step \(violation.step): " + what + (violation.rule == .staleBytes ? "" : "; the kernel's omission")
    }

    /// What a page of the kernel's is, as the end of a sentence.
    private static func use(of page: PA, _ machine: Machine) -> String {
        guard machine.world.kernelPages.contains(page) else { return "none of the kernel's" }
        switch machine.world.kernelPages.use(of: page) {
        case .free: return "free"
        case .cached: return "a memory cache's"
        default: return "a table of vm\(machine.world.kernelPages.page(page).vm)"
        }
    }

    private static func stale(_ violation: Violation, _ who: String) -> String {
        guard let stale = violation.stale else { return "\(who) met stale bytes at frame \(hex(violation.pa.rawValue))" }
        func places(_ levels: CacheLevels) -> String { levels.list.isEmpty ? "nowhere" : levels.list.map(\.name).joined(separator: ", ") }
        let verb =
            switch stale.access {
            case .executed: "executed"
            case .read: "read"
            case .walked: "walked"
            }
        let omission = stale.omission == .kernel ? "the kernel's omission" : "the guest's own omission: it stored them itself"
        return
            "\(who) \(verb) \(hex(violation.found, digits: 8)) from \(stale.source.name) at frame \(hex(violation.pa.rawValue)) instead of \(hex(violation.expected, digits: 8)): "
            + "right in \(places(stale.right)), stale in \(places(stale.wrong)); \(omission)"
    }
}
