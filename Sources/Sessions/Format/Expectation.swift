import Stage2Sim

/// Something that an author expects of a step: judged by `kvmtui check`, and by the tests for every session shipped.
public struct Expectation: Sendable {
    /// What is expected, each with the value that it should have.
    public enum What: Sendable {
        /// A fault of this kind at this level was taken in this step.
        case fault(FaultStatus.Kind?, level: UInt8?)
        /// How many faults this step took.
        case faults(Int)
        /// Pages in the vCPU's memory cache.
        case memoryCache(Int)
        /// The access's or the process's value.
        case value(UInt64)
        /// A fault with this syndrome.
        case hsr(UInt32)
        /// A fault with this HPFAR.
        case hpfar(UInt32)
        /// A fault at this IPA.
        case ipa(UInt64)
        /// A leaf by its low 12 bits and more, or nil: none.
        case leaf(UInt64, vm: VMNumber?, LeafState)
        /// What the host's entry for an IPA is like.
        case hostEntry(UInt64, vm: VMNumber?, [HostWord])
        /// What the frame behind the host's entry is like.
        case page(UInt64, vm: VMNumber?, [PageWord])
        /// Pages written to swap meanwhile.
        case swapWrites(Int)
        /// Pages read from swap meanwhile.
        case swapReads(Int)
        /// Frames that this step took from the page allocator.
        case newFrames(Int)
        /// What `kvm_run` had for user space.
        case mmio(UInt64, length: UInt8, isWrite: Bool, data: UInt64?)
        /// TLB flushes meanwhile.
        case flushes(Int)
        /// Faults that gave up meanwhile.
        case retries(Int)
        /// How the action ended.
        case outcome(Outcome)
        /// The error that KVM_RUN ended with.
        case error(Errno)
        /// Words of a message that the kernel logged meanwhile.
        case message(String)
        /// A rule that was broken meanwhile; nil: none was.
        case broken(Rule?)
        /// mmu_notifier_seq.
        case sequence(Int)
        /// mmu_notifier_count.
        case count(Int)
        /// Stale bytes were met in this way, there, and by whose omission; nil: however, wherever, whoever's.
        case stale(StaleBytes.Access, CacheLevel?, StaleBytes.Omission?)
        /// Lines that the kernel's maintenance by address went over in this step.
        case lineOperations(Int)
        /// Valid lines in the L1 instruction cache of the actor's CPU.
        case instructionLines(Int)
        /// The actor waits for somebody.
        case waiting
        /// Tables below level 1 in use.
        case tables(Int)
        /// Userfaults raised in this step.
        case userfaults(Int)
        /// One of them for the page behind this IPA.
        case userfault(UInt64, vm: VMNumber?)
        /// The dirty log has the page, or has it not.
        case logged(UInt64, vm: VMNumber?, Bool)
        /// A register of the guest, by name.
        case register(String, UInt64)
    }

    /// What a leaf should be.
    public enum LeafState: Sendable, Equatable {
        /// None; any; by what it grants; the descriptor itself.
        case none, present, readOnly, readWrite, exactly(UInt64)
    }

    /// What a host entry should be, in one word.
    public enum HostWord: String, Sendable, CaseIterable {
        /// As `HostEntry` has it; `ro`, `rw`: what the process may do.
        case none, swapped, poisoned, ro, rw, clean, dirty
    }
    /// What a page should be.
    public enum PageWord: Sendable, Equatable {
        /// Flags of the frame behind the entry, and its counts.
        case dirty, clean, swapCache, noSwapCache, ksm, zero, references(Int), mappings(Int)
    }

    /// What is expected.
    public let what: What
    /// As written.
    public let text: String
    /// Where it stands in its file.
    public let place: SourcePlace

    /// - Throws: an `ActionLanguage.Mistake` whose column counts in `text`.
    static func parse(_ text: String, at place: SourcePlace) throws(ActionLanguage.Mistake) -> Expectation {
        let words = text.split(whereSeparator: \.isWhitespace)
        func fail(_ found: String) -> ActionLanguage.Mistake { ActionLanguage.Mistake(column: 1, found: found, fits: fits(near: words.first ?? "")) }
        func number(_ i: Int, max: UInt64 = .max) throws(ActionLanguage.Mistake) -> UInt64 {
            guard i < words.count, let n = parseNumber(words[i]) else { throw fail("'\(text)'") }
            guard n <= max else { throw beyond(words[i], in: text, "0 to \(max > 0xffff ? hex(max) : String(max))") }
            return n
        }
        func count(_ max: UInt64 = greatestCount) throws(ActionLanguage.Mistake) -> Int { Int(try number(1, max: max)) }
        guard let first = words.first else { throw fail("an empty expectation") }
        let what: What
        switch (first, words.count) {
        case ("fault", _): what = try fault(words, fail)
        case ("no", 2) where words[1] == "fault": what = .faults(0)
        case ("no", 2) where words[1] == "broken": what = .broken(nil)
        case ("faults", 2): what = .faults(try count())
        case ("memcache", 2): what = .memoryCache(try count(UInt64(MemoryCache.capacity)))
        case ("value", 2): what = .value(try number(1))
        case ("hsr", 2): what = .hsr(UInt32(try number(1, max: 0xffff_ffff)))
        case ("hpfar", 2): what = .hpfar(UInt32(try number(1, max: 0xffff_ffff)))
        case ("ipa", 2):
            try refuseDecimal(words[1], in: text)
            what = .ipa(try number(1, max: ActionLanguage.maxIPA))
        case ("flushes", 2): what = .flushes(try count())
        case ("retries", 2): what = .retries(try count())
        case ("seq", 2): what = .sequence(try count())
        case ("count", 2): what = .count(try count())
        case ("tables", 2): what = .tables(try count())
        case ("pc", 2), ("lr", 2), ("ifar", 2), ("dfar", 2), ("ifsr", 2), ("dfsr", 2), ("cpsr", 2), ("spsr", 2):
            what = .register(String(first), try number(1, max: 0xffff_ffff))
        case ("leaf", 3):
            guard let (ipa, vm) = try guestAddress(words[1], in: text) else { throw fail("'\(words[1])'") }
            switch words[2] {
            case "none": what = .leaf(ipa, vm: vm, .none)
            case "present": what = .leaf(ipa, vm: vm, .present)
            case "ro": what = .leaf(ipa, vm: vm, .readOnly)
            case "rw": what = .leaf(ipa, vm: vm, .readWrite)
            default: what = .leaf(ipa, vm: vm, .exactly(try number(2)))
            }
        case ("host", 3...):
            guard let (ipa, vm) = try guestAddress(words[1], in: text) else { throw fail("'\(words[1])'") }
            what = .hostEntry(
                ipa, vm: vm,
                try words.dropFirst(2).map { word throws(ActionLanguage.Mistake) in
                    guard let known = HostWord(rawValue: String(word)) else { throw fail("'\(word)'") }
                    return known
                })
        case ("page", 3...):
            guard let (ipa, vm) = try guestAddress(words[1], in: text) else { throw fail("'\(words[1])'") }
            what = .page(ipa, vm: vm, try pageWords(words, in: text, fail))
        case ("swap-writes", 2): what = .swapWrites(try count())
        case ("swap-reads", 2): what = .swapReads(try count())
        case ("new-frames", 2): what = .newFrames(try count())
        case ("mmio", 4...5) where words[3] == "read" || words[3] == "write":
            try refuseDecimal(words[1], in: text)
            what = .mmio(
                try number(1, max: ActionLanguage.maxIPA), length: UInt8(try number(2, max: 8)), isWrite: words[3] == "write",
                data: words.count == 5 ? try number(4) : nil)
        case ("userfaults", 2): what = .userfaults(try count())
        case ("userfault", 2):
            guard let (ipa, vm) = try guestAddress(words[1], in: text) else { throw fail("'\(words[1])'") }
            what = .userfault(ipa, vm: vm)
        case ("logged", 2), ("unlogged", 2):
            guard let (ipa, vm) = try guestAddress(words[1], in: text) else { throw fail("'\(words[1])'") }
            what = .logged(ipa, vm: vm, first == "logged")
        case ("done", 1): what = .outcome(.done)
        case ("exit", 2) where words[1] == "mmio": what = .outcome(.emulated)
        case ("abort", 1): what = .outcome(.abortInjected)
        case ("stuck", 1): what = .outcome(.stuck)
        case ("bug", 1): what = .outcome(.bug)
        case ("refused", 1): what = .outcome(.refused)
        case ("signal", 1): what = .outcome(.signal)
        case ("waiting", 1): what = .waiting
        case ("stale", 2...4): what = try stale(words, fail)
        case ("line-ops", 2): what = .lineOperations(try count())
        case ("icache-lines", 2): what = .instructionLines(try count())
        case ("error", 2):
            guard let error = [Errno.ENOMEM, .EFAULT, .EBUSY, .EEXIST, .EINVAL, .ENOSYS].first(where: { $0.name == words[1] }) else {
                throw ActionLanguage.Mistake(column: 7, found: "'\(words[1])'", fits: "-ENOMEM, -EFAULT, -EBUSY, -EEXIST, -EINVAL or -ENOSYS")
            }
            what = .error(error)
        case ("message", 2...): what = .message(words.dropFirst().joined(separator: " "))
        case ("broken", 2):
            guard let rule = Rule.named(String(words[1])) else {
                throw ActionLanguage.Mistake(
                    column: 8, found: "'\(words[1])'",
                    fits: NearNames.fits(words[1], among: Rule.allCases.map(\.name), otherwise: "the name of a check; kvmtui format lists them"))
            }
            what = .broken(rule)
        default: throw fail("'\(text)'")
        }
        return Expectation(what: what, text: text, place: place)
    }

    /// Nothing is counted beyond that.
    static let greatestCount: UInt64 = 0xffff_ffff

    /// A number that is none of those that the thing expected can have.
    private static func beyond(_ word: Substring, in text: String, _ range: String) -> ActionLanguage.Mistake {
        ActionLanguage.Mistake(column: text.distance(from: text.startIndex, to: word.startIndex) + 1, found: String(word), fits: range)
    }

    /// An IPA, of the actor's own VM, or as vm1:IPA of another.
    private static func guestAddress(_ word: Substring, in text: String) throws(ActionLanguage.Mistake) -> (ipa: UInt64, vm: VMNumber?)? {
        let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        try refuseDecimal(parts.last!, in: text)
        guard let ipa = parseNumber(parts.last!) else { return nil }
        guard ipa <= ActionLanguage.maxIPA else { throw beyond(word, in: text, "an IPA up to \(hex(ActionLanguage.maxIPA))") }
        if parts.count == 1 { return (ipa, nil) }
        guard let vm = VMNumber(named: parts[0]) else { return nil }
        return (ipa, vm)
    }

    private static func refuseDecimal(_ word: Substring, in text: String) throws(ActionLanguage.Mistake) {
        guard let meant = DecimalAddress(word) else { return }
        throw ActionLanguage.Mistake(column: text.distance(from: text.startIndex, to: word.startIndex) + 1, found: meant.found, fits: meant.fits)
    }

    private static func stale(_ words: [Substring], _ fail: (String) -> ActionLanguage.Mistake) throws(ActionLanguage.Mistake) -> What {
        let accesses: [Substring: StaleBytes.Access] = ["executed": .executed, "read": .read, "walked": .walked]
        guard let access = accesses[words[1]] else { throw fail("'\(words[1])'") }
        var level: CacheLevel?, omission: StaleBytes.Omission?
        for word in words.dropFirst(2) {
            switch word {
            case "kernel": omission = .kernel
            case "guest": omission = .guest
            default:
                guard let found = CacheLevel.allCases.first(where: { $0.name.lowercased() == word }) else { throw fail("'\(word)'") }
                level = found
            }
        }
        return .stale(access, level, omission)
    }

    private static func pageWords(_ words: [Substring], in text: String, _ fail: (String) -> ActionLanguage.Mistake) throws(ActionLanguage.Mistake)
        -> [PageWord]
    {
        var found: [PageWord] = []
        var i = 2
        while i < words.count {
            switch words[i] {
            case "dirty": found.append(.dirty)
            case "clean": found.append(.clean)
            case "swap-cache": found.append(.swapCache)
            case "no-swap-cache": found.append(.noSwapCache)
            case "ksm": found.append(.ksm)
            case "zero": found.append(.zero)
            case "refs", "mappings":
                i += 1
                guard i < words.count, let number = parseNumber(words[i]) else { throw fail("no number after '\(words[i - 1])'") }
                guard number <= greatestCount else { throw beyond(words[i], in: text, "0 to \(hex(greatestCount))") }
                let n = Int(number)
                found.append(words[i - 1] == "refs" ? .references(n) : .mappings(n))
            default: throw fail("'\(words[i])'")
            }
            i += 1
        }
        return found
    }

    private static func fault(_ words: [Substring], _ fail: (String) -> ActionLanguage.Mistake) throws(ActionLanguage.Mistake) -> What {
        var kind: FaultStatus.Kind?
        var level: UInt8?
        var i = 1
        while i < words.count {
            switch words[i] {
            case "translation": kind = .translation
            case "permission": kind = .permission
            case "access-flag": kind = .accessFlag
            case "level":
                i += 1
                guard i < words.count, let n = UInt8(words[i]), (1...3).contains(n) else { throw fail("no level from 1 to 3") }
                level = n
            default: throw fail("'\(words[i])'")
            }
            i += 1
        }
        return .fault(kind, level: level)
    }
}
