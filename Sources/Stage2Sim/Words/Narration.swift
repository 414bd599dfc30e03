/// What a step came to, in words, told from the states around it and its effects. Text, screen and pages read the same sentences.
public struct Narration {
    let before: Machine
    let after: Machine
    let actor: ActorNumber
    /// The step that was made.
    public let step: MicroStep
    let effects: [Effect]

    /// - Parameters:
    ///   - before: the machine before the step; after: the same machine behind it.
    ///   - actor: whose step it was; step: the one that it made.
    ///   - effects: what the step delivered.
    public init(before: Machine, after: Machine, actor: ActorNumber, step: MicroStep, effects: [Effect]) {
        self.before = before
        self.after = after
        self.actor = actor
        self.step = step
        self.effects = effects
    }

    var was: Actor { before.actors[actor] }
    var now: Actor { after.actors[actor] }
    var vm: VirtualMachine? { after.world.vms.indices.contains(now.vm) ? after.world.vms[now.vm] : nil }
    func decided(_ decision: Decision) -> Bool { effects.contains(.decided(decision)) }
    func has(_ behaviour: Behaviour) -> Bool { before.world.behaviours.has(behaviour) }

    private var told: Told? { step.routine.tell(self) }

    /// A few words: what came of it. A broken check is told before everything else.
    public var result: String {
        guard let broken else { return plain(told) }
        return "BROKEN " + broken.rule.name + ": " + plain(told)
    }

    /// The first check that the step broke, or that showed at it.
    public var broken: Violation? {
        for case .broken(let index) in effects { return after.world.violations[Int(index)] }
        return nil
    }

    /// What the step was, now that it is made: title, *what* and *why* fit what came of it.
    public var text: StepText {
        let told = told
        var text = step.text(before.world.setting)
        if let title = told?.title { text.title = title }
        if let what = told?.what { text.what = what }
        if let why = told?.why { text.why = why }
        if let function = told?.function { text.function = function }
        return text
    }

    private func plain(_ told: Told?) -> String { told?.result ?? hostChanges ?? step.text(before.world.setting).what }
}

// MARK: What the results are put together from

extension Narration {
    /// What the kernel printed at this step.
    var message: String? {
        for case .message(let message) in effects { return message.text }
        return nil
    }

    /// The message, or the error that the path ends with.
    var failed: String { message ?? Errno(rawValue: -(now.error != 0 ? now.error : now.abortResult))?.name ?? "failed" }

    /// The entry that was read, by its index in the table, and what stood there.
    var entryRead: (index: UInt64, value: UInt64)? {
        for case .descriptorRead(let pa, let level, let value) in effects { return (pa.rawValue >> 3 & (level == 1 ? 1023 : 511), value) }
        return nil
    }

    var descriptorWritten: (old: UInt64, new: UInt64)? {
        for case .descriptorWritten(_, _, let old, let new) in effects { return (old, new) }
        return nil
    }

    /// "0x00a000177f → 0x00a00017ff".
    var stored: String {
        guard let (old, new) = descriptorWritten else { return "nothing was there" }
        return old == 0 ? hex(new, digits: 10) : "\(hex(old, digits: 10)) → \(hex(new, digits: 10))"
    }

    /// What became of host entries, frames and swap slots; nil where nothing did.
    var hostChanges: String? {
        var parts: [String] = []
        for effect in effects {
            switch effect {
            case .hostEntryChanged(_, let hva, let old, let new):
                parts.append("\(hex(hva.rawValue)): \(HostEntry(rawValue: old).words) → \(HostEntry(rawValue: new).words)")
            case .frameAllocated(let pfn): parts.append("frame \(hex(pfn.rawValue)) allocated")
            case .frameFreed(let pfn): parts.append("frame \(hex(pfn.rawValue)) freed")
            case .slotWritten(let slot): parts.append("written to swap slot \(slot)")
            case .slotRead(let slot): parts.append("read from swap slot \(slot)")
            case .loaded(_, let value, _): parts.append("\(hex(value, digits: 8)) read")
            case .stored(_, _, let new, _): parts.append("\(hex(new, digits: 8)) written")
            default: break
            }
            if parts.count == 3 { break }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

/// "64 MiB": the largest of GiB, MiB and KiB that gives a whole number, KiB rounded down.
public func sizeText(_ bytes: UInt64) -> String {
    if bytes >= 1 << 30, bytes % (1 << 30) == 0 { return "\(bytes >> 30) GiB" }
    if bytes >= 1 << 20, bytes % (1 << 20) == 0 { return "\(bytes >> 20) MiB" }
    return "\(bytes >> 10) KiB"
}

extension HostEntry {
    /// "0xa0001 RW dirty", "swap slot 3", "none".
    public var words: String {
        if isNone { return "none" }
        if isPoisoned { return "poisoned" }
        if isSwapped { return "swap slot \(slot)" }
        return "pfn \(hex(pfn.rawValue)) " + (isWritable ? "RW" : "RO") + (isDirty ? " dirty" : "") + (isYoung ? "" : " old") + (isSpecial ? " special" : "")
    }
}

extension Frame {
    /// The flags and mappings in words: "dirty, swap cache slot 3".
    public var words: String {
        var words: [String] = []
        if flags.contains(.reserved) { words.append("the zero page, reserved") }
        if flags.contains(.free) { words.append("free") }
        if flags.contains(.dirty) { words.append("dirty") }
        if flags.contains(.swapCache) { words.append("swap cache, slot \(slot)") }
        if flags.contains(.ksm) { words.append("KSM") }
        if flags.contains(.poisoned) { words.append("poisoned") }
        if mappings > 1 { words.append("\(mappings) mappings") }
        return words.joined(separator: ", ")
    }
}
