/// What table pages, frames and swap slots are called in a state, so that the order of allocation makes no difference: by the order in
/// which they are met on a fixed way through the world.
///
/// A named value keeps its type: an address, a frame number, a descriptor or a host entry whose place is taken by a name, marked by
/// bits that no real one has. So an actor's variables can be written with names, and read again in another world of the same form.
struct StateNames {
    /// Addresses stay what they are: where one decides which set of a cache a line falls into, or which page is handed out next.
    let keepsAddresses: Bool
    /// By number of page or frame, its name and 1; 0: none yet.
    private var pageNames: [UInt32]
    private var frameNames: [UInt32]
    /// By name.
    private(set) var pages: [PA] = []
    private(set) var frames: [PFN] = []
    private(set) var slots: [Int] = []
    /// Swap slots that nobody has, the one that is taken next first: an actor may still mean one.
    private(set) var unusedSlots: [Int] = []
    /// Freed frames, the one that is handed out next first: their names are places in this row.
    private(set) var freed: [PFN] = []

    /// Frames of the base's, by number, that are not as they were there, or are not mapped as they were.
    private(set) var disturbed: [Int] = []
    /// Frames of the base that are as they were keep its numbers; 0: there is no base.
    private var baseCount = 0

    /// - Parameter base: a state that this one came from, by which what has not changed since need not be told again.
    init(_ world: borrowing World, base: World? = nil, mappings: BaseMappings? = nil) {
        baseMappings = mappings
        keepsAddresses = world.hasCaches || world.kernelPages.reuse == .lastFreedFirst
        pageNames = Array(repeating: 0, count: world.kernelPages.count)
        frameNames = Array(repeating: 0, count: world.frames.count)
        freed = world.frames.waiting
        for slot in world.swap.indices.dropFirst() where !world.swap[slot].inUse { unusedSlots.append(slot) }
        if let base, !keepsAddresses { findDisturbed(world, base) }
    }

    /// The host's entries that have to be told, process by process: those that differ from the base's, and those of disturbed frames.
    private(set) var entries: [[(number: UInt64, entry: HostEntry)]] = []

    private mutating func findDisturbed(_ world: borrowing World, _ base: World) {
        baseCount = base.frames.count
        var found = Set(world.frames.changed(since: base.frames))
        func disturb(_ entry: HostEntry) {
            guard entry.isPresent, base.frames.contains(entry.pfn) else { return }
            found.insert(Int(truncatingIfNeeded: entry.pfn.rawValue - Frames.first.rawValue))
        }
        for process in world.processes.indices {
            var told: [(number: UInt64, entry: HostEntry)] = []
            if base.processes.indices.contains(process) {
                world.processes[process].entries.forEachOtherPage(than: base.processes[process].entries) { first, mine, theirs in
                    for i in 0..<64 where mine[i] != theirs[i] {
                        told.append((UInt64(first + i), mine[i]))
                        disturb(mine[i])
                        disturb(theirs[i])
                    }
                }
            } else {
                told = world.processes[process].entries.present
                for (_, entry) in told { disturb(entry) }
            }
            entries.append(told)
        }
        // Entries that are as they were, of frames that are not.
        for process in base.processes.indices {
            for number in found {
                for place in baseMappings?.places(process, number) ?? [] {
                    let entry = world.processes[process].entries[Int(place)]
                    if entry == base.processes[process].entries[Int(place)], entry.isPresent { entries[process.index].append((place, entry)) }
                }
            }
            entries[process.index].sort { $0.number < $1.number }
        }
        disturbed = found.sorted()
        isDisturbed = Array(repeating: false, count: max(world.frames.count, baseCount))
        for number in disturbed { isDisturbed[number] = true }
    }
    private var isDisturbed: [Bool] = []
    private var baseMappings: BaseMappings?

    /// A frame of the base, as it was there.
    private func isFixed(_ number: Int) -> Bool { number < baseCount && !isDisturbed[number] }
    func isFixed(_ pfn: PFN) -> Bool { isFixed(Int(truncatingIfNeeded: pfn.rawValue - Frames.first.rawValue)) }
    static let fixedMark: UInt64 = 1 << 25

    /// A freed page or frame, called by another number than those in use.
    static let freedMark: UInt64 = 1 << 24
    /// A freed page that holds nothing: one is as good as another.
    static let blank: UInt64 = freedMark - 1

    // MARK: Naming

    mutating func name(page: PA, _ world: borrowing World) -> UInt64 {
        let number = world.kernelPages.number(of: page)
        if keepsAddresses { return UInt64(number) }
        if pageNames[number] > 0 { return UInt64(pageNames[number] - 1) }
        if world.kernelPages.use(of: page) == .free {
            guard world.kernelPages.entries(of: page) == 0 else { return Self.freedMark | UInt64(number) }
            guard tellsBlanksApart else { return Self.blank }
            pageNames[number] = UInt32(Self.blank) - UInt32(blanks)
            blanks += 1
            return UInt64(pageNames[number] - 1)
        }
        pages.append(page.page)
        pageNames[number] = UInt32(pages.count)
        return UInt64(pages.count - 1)
    }

    mutating func name(frame pfn: PFN, _ world: borrowing World) -> UInt64 {
        let number = Int(truncatingIfNeeded: pfn.rawValue - Frames.first.rawValue)
        if keepsAddresses { return UInt64(number) }
        if isFixed(number) { return Self.fixedMark | UInt64(number) }
        if frameNames[number] > 0 { return UInt64(frameNames[number] - 1) }
        if world.frames[pfn].flags.contains(.free) { return Self.freedMark | UInt64(freed.firstIndex(of: pfn) ?? 0xffff) }
        frames.append(pfn)
        frameNames[number] = UInt32(frames.count)
        return UInt64(frames.count - 1)
    }

    mutating func name(slot: Int) -> UInt64 {
        if keepsAddresses { return UInt64(slot) }
        if let unused = unusedSlots.firstIndex(of: slot) { return Self.freedMark | UInt64(unused) }
        if let known = slots.firstIndex(of: slot) { return UInt64(known) }
        slots.append(slot)
        return UInt64(slots.count - 1)
    }

    /// It has a name.
    func knows(frame pfn: PFN) -> Bool { isFixed(pfn) || frameNames[Int(truncatingIfNeeded: pfn.rawValue - Frames.first.rawValue)] > 0 }
    func knows(page: PA, _ world: borrowing World) -> Bool { pageNames[world.kernelPages.number(of: page)] > 0 }

    // MARK: Values with names

    private static let pageTag: UInt64 = 1, frameTag: UInt64 = 2

    mutating func named(_ address: PA, _ world: borrowing World) -> PA {
        guard address.rawValue != 0 else { return address }
        if world.kernelPages.contains(address) {
            return PA(Self.pageTag << 60 | name(page: address, world) << 12 | address.rawValue & 0xfff)
        }
        return world.frames.contains(address.pfn) ? PA(Self.frameTag << 60 | name(frame: address.pfn, world) << 12 | address.rawValue & 0xfff) : address
    }

    mutating func named(_ pfn: PFN, _ world: borrowing World) -> PFN {
        world.frames.contains(pfn) ? PFN(1 << 48 | name(frame: pfn, world)) : pfn
    }

    mutating func named(descriptor: UInt64, _ world: borrowing World) -> UInt64 {
        guard descriptor != 0 else { return 0 }
        let address = Stage2Descriptor(descriptor).address
        let rest = descriptor & ~Stage2Descriptor.addressBits.mask
        if world.kernelPages.contains(address) { return rest | Self.pageTag << 48 | name(page: address, world) << 12 }
        return world.frames.contains(address.pfn) ? rest | Self.frameTag << 48 | name(frame: address.pfn, world) << 12 : descriptor
    }

    mutating func named(_ entry: HostEntry, _ world: borrowing World) -> HostEntry {
        if entry.isSwapped { return HostEntry(rawValue: entry.rawValue & 0xfff | name(slot: Int(entry.slot)) << 12) }
        guard entry.isPresent else { return entry }
        return HostEntry(rawValue: entry.rawValue & 0xfff | named(entry.pfn, world).rawValue << 12)
    }

    // MARK: And back

    private func page(_ name: UInt64) -> PA { name == Self.blank ? blankPage : pages[Int(name)] }
    private func frame(_ name: UInt64) -> PFN {
        if name & Self.fixedMark != 0 { return PFN(Frames.first.rawValue + name & ~Self.fixedMark) }
        return name & Self.freedMark != 0 ? freed[Int(name & ~Self.freedMark)] : frames[Int(name)]
    }

    private func slot(_ name: UInt64) -> Int {
        guard name & Self.freedMark != 0 else { return slots[Int(name)] }
        let place = Int(name & ~Self.freedMark)
        // Slots that were never there are taken after all others.
        return place < unusedSlots.count ? unusedSlots[place] : slots.count + 1 + place
    }

    /// Freed pages that hold nothing have names too: an actor may still store into one that it means.
    var tellsBlanksApart = false
    private var blanks = 0

    /// A freed page that holds nothing, for whoever still means one: set by who lays out states.
    var blankPage = PA(0)

    func meant(_ address: PA, _ world: borrowing World) -> PA {
        let name = (address.rawValue << 4) >> 16, offset = address.rawValue & 0xfff
        return switch address.rawValue >> 60 {
        case Self.pageTag: PA((name & Self.freedMark != 0 ? world.kernelPages.address(of: name & ~Self.freedMark) : page(name)).rawValue | offset)
        case Self.frameTag: PA(frame(name).pa.rawValue | offset)
        default: address
        }
    }

    func meant(_ pfn: PFN) -> PFN { pfn.rawValue >> 48 == 1 ? frame(pfn.rawValue & 0xffff_ffff) : pfn }

    func meant(descriptor: UInt64, _ world: borrowing World) -> UInt64 {
        let tag = descriptor >> 48 & 0xf
        guard tag != 0 else { return descriptor }
        let rest = descriptor & ~(0xf << 48 as UInt64) & ~Stage2Descriptor.addressBits.mask
        return rest | meant(PA(tag << 60 | descriptor & Stage2Descriptor.addressBits.mask), world).rawValue
    }

    func meant(_ entry: HostEntry) -> HostEntry {
        if entry.isSwapped { return HostEntry(rawValue: entry.rawValue & 0xfff | UInt64(slot(UInt64(entry.slot))) << 12) }
        guard entry.isPresent else { return entry }
        return HostEntry(rawValue: entry.rawValue & 0xfff | meant(entry.pfn).rawValue << 12)
    }
}

/// Where the frames of a base are mapped there.
final class BaseMappings {
    private var byFrame: [[Int: [UInt64]]] = []

    init(_ base: World) {
        for process in base.processes {
            var places: [Int: [UInt64]] = [:]
            for (number, entry) in process.entries.present where entry.isPresent && base.frames.contains(entry.pfn) {
                places[Int(truncatingIfNeeded: entry.pfn.rawValue - Frames.first.rawValue), default: []].append(number)
            }
            byFrame.append(places)
        }
    }

    func places(_ process: ProcessNumber, _ frame: Int) -> [UInt64] { byFrame[process.index][frame] ?? [] }
}
