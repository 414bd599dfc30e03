import Stage2Sim

// Caches in the action language: maintenance by the guest, devices and lines on the host's side.

extension ActionLanguage {
    private static let guestCacheVerbs = ["dccmvau", "dccmvac", "dcimvac", "dccimvac", "icimvau", "iciallu", "icialluis", "bpiallis", "dsb", "isb", "caches"]
    private static let levels: [(word: String, level: CacheLevel)] = [("icache", .instruction), ("dcache", .data), ("l2", .unified)]
    /// A line: whatever word of it is named.
    private static let lineSize: UInt64 = 4

    // MARK: The guest

    /// The operation that `verb` names, with its address; nil where it names none.
    mutating func guestCacheCommand(_ verb: Word) throws(Mistake) -> Access? {
        if verb.text == "caches" {
            let word = try take("on or off")
            guard word.text == "on" || word.text == "off" else { throw Mistake(column: word.column, found: "'\(word.text)'", fits: "on or off") }
            return Access(word.text == "on" ? .cachesOn : .cachesOff)
        }
        guard Self.guestCacheVerbs.contains(String(verb.text)), let operation = CacheOperation.named(String(verb.text)) else { return nil }
        guard operation.isByAddress else { return Access(operation) }
        var access = try access(.write, .cacheMaintenance, takesValue: false)
        access.operation = operation
        if takeIf("asid") { access.asid = UInt8(try number("the ASID", max: 255)) }
        return access
    }

    static func maintenanceText(_ access: Access, _ place: String) -> String {
        switch access.operation {
        case .none: "cache-op " + place
        case .cachesOn: "caches on"
        case .cachesOff: "caches off"
        default: verb(of: access.operation) + (access.operation.isByAddress ? " " + place : "") + asidText(access.asid)
        }
    }

    static func asidText(_ asid: UInt8) -> String { asid == 0 ? "" : " asid \(asid)" }

    private static func verb(of operation: CacheOperation) -> String { String(describing: operation) }

    // MARK: The host

    /// The command that `verb` begins; nil where it is not about devices or cache lines.
    mutating func hostCacheCommand(_ verb: Word, vm: VMNumber) throws(Mistake) -> Command? {
        var action: HostAction
        var place: MemoryPlace?
        switch verb.text {
        case "dma-read", "dma-write":
            action = HostAction(verb.text == "dma-read" ? .deviceRead : .deviceWrite)
            place = try physicalOrPlace(&action, vm: vm)
            if action.kind == .deviceWrite { action.value = try number("the value to write", max: 0xffff_ffff) }
            if takeIf("incoherent") { action.coherent = false } else { _ = takeIf("coherent") }
            return .host(action, place: place, other: nil)
        case "evict", "prefetch":
            action = HostAction(verb.text == "evict" ? .evictLines : .prefetchLines)
            place = try physicalOrPlace(&action, vm: vm)
            try lineSize(&action, place)
            let word = try take("icache, dcache or l2")
            guard let level = Self.levels.first(where: { $0.word == word.text })?.level else {
                throw Mistake(column: word.column, found: "'\(word.text)'", fits: "icache, dcache or l2")
            }
            action.level = level
        case "maintain":
            action = HostAction(.maintainCaches)
            let known = CacheOperation.allCases.filter { $0 != .none && $0 != .cachesOn && $0 != .cachesOff }
            let fits = known.map(Self.verb).joined(separator: ", ")
            let word = try take("an operation: \(fits)")
            guard let operation = known.first(where: { Self.verb(of: $0) == word.text }) else {
                throw Mistake(column: word.column, found: "'\(word.text)'", fits: fits)
            }
            action.operation = operation
            if operation.isByAddress {
                place = try physicalOrPlace(&action, vm: vm)
                try lineSize(&action, place)
            }
        default: return nil
        }
        while let word = peek, ["cpu", "asid", "vmid", "va"].contains(word.text) {
            _ = takeIf(String(word.text))
            switch word.text {
            case "cpu": action.cpu = CPUNumber(at: Int(try number("a physical CPU", max: UInt64(CPUNumber.limit - 1))))
            case "asid": action.asid = UInt8(try number("the ASID", max: 255))
            case "vmid": action.vmid = UInt8(try number("the VMID", max: 255))
            default: action.va = VA(try address("the virtual address", max: 0xffff_ffff))
            }
        }
        return .host(action, place: place, other: nil)
    }

    /// `pa:ADDRESS` sets the action's physical address; anything else is a place to be looked up.
    private mutating func physicalOrPlace(_ action: inout HostAction, vm: VMNumber) throws(Mistake) -> MemoryPlace? {
        guard let word = peek, word.text.hasPrefix("pa:") else { return try place(vm: vm) }
        _ = takeIf(String(word.text))
        try refuseDecimal(word.text.dropFirst(3), at: word.column + 3)
        guard let pa = parseNumber(word.text.dropFirst(3)), pa > 0, pa <= Self.maxIPA else {
            throw Mistake(column: word.column, found: "'\(word.text)'", fits: "a physical address, such as pa:0xa0001040")
        }
        action.pa = PA(pa)
        return nil
    }

    /// Bytes, within the page; without a number, the line around the address.
    private mutating func lineSize(_ action: inout HostAction, _ place: MemoryPlace?) throws(Mistake) {
        action.size = Self.lineSize
        guard let word = peek, parseNumber(word.text) != nil else { return }
        let size = try number("a size in bytes", max: 4096)
        let address =
            switch place {
            case .ipa(let ipa, _): ipa
            case .hva(let hva, _): hva
            case nil: action.pa.rawValue
            }
        guard size > 0, address & 0xfff + size <= 4096 else {
            throw Mistake(
                column: word.column, found: "\(word.text), beyond the page",
                fits: "1 to \(4096 - address & 0xfff) bytes: pages that follow each other need not do so in memory")
        }
        action.size = size
    }

    static func hostCacheText(_ a: HostAction, _ given: String) -> String {
        let place = given.isEmpty ? "pa:\(hex(a.pa.rawValue))" : given
        let size = a.size == lineSize ? "" : " \(hex(a.size))"
        var words: String
        switch a.kind {
        case .deviceRead: return "dma-read \(place)" + (a.coherent ? "" : " incoherent")
        case .deviceWrite: return "dma-write \(place) \(hex(a.value))" + (a.coherent ? "" : " incoherent")
        case .maintainCaches: words = "maintain \(verb(of: a.operation))" + (a.operation.isByAddress ? " \(place)\(size)" : "")
        default:
            let level = levels.first { $0.level == a.level }?.word ?? ""
            words = (a.kind == .evictLines ? "evict " : "prefetch ") + "\(place)\(size) \(level)"
        }
        if a.cpu != 0 { words += " cpu \(a.cpu)" }
        words += asidText(a.asid)
        if a.vmid != 0 { words += " vmid \(a.vmid)" }
        if a.va.rawValue != 0 { words += " va \(hex(a.va.rawValue))" }
        return words
    }
}
