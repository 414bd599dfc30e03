import Stage2Sim

/// A place as it was asked for: an address or page number, with or without saying of what kind.
public struct PlaceQuery: Hashable, Sendable {
    /// What a number is: guest-physical, a frame, an address of the VMM's, a virtual one.
    public enum Kind: String, CaseIterable, Sendable {
        /// Guest-physical; a frame's number; an address of the VMM's; the guest's virtual one.
        case ipa, pfn, hva, va
    }
    /// nil: whatever fits.
    public var kind: Kind?
    /// The number.
    public var value: UInt64

    /// - Parameter kind: nil: whatever it can be.
    public init(_ kind: Kind?, _ value: UInt64) { (self.kind, self.value) = (kind, value) }

    /// `ipa 0x80001000`, `pfn 0xa0001`, `hva 0x76001000`, `va 0xc0001000`, or a number alone; nil: it is none of these.
    public init?(_ text: String) {
        let words = text.split(separator: " ")
        guard let last = words.last, words.count <= 2, let value = parseNumber(last) else { return nil }
        if words.count == 2 {
            guard let kind = Kind(rawValue: words[0].lowercased()) else { return nil }
            self.init(kind, value)
        } else {
            self.init(nil, value)
        }
    }

    /// What would fit instead of an address that was written in decimal; nil: none was. The number of a frame is no address.
    public static func decimal(_ text: String) -> String? {
        let words = text.split(separator: " ")
        guard let last = words.last, words.count == 1 || words[0].lowercased() != Kind.pfn.rawValue else { return nil }
        return DecimalAddress(last)?.fits
    }
}

/// Every name of a place: in the guest, in the VMM, in the host, in the tables and the TLBs. What is looked for the other way round, from a
/// frame, is bounded.
public struct PlaceNames {
    /// One name.
    public struct Line: Hashable, Sendable {
        /// What kind of name it is.
        public var label: String
        /// The name.
        public var text: String
        /// A heading over what follows.
        public var isHeading = false
        /// Where it is in the tables of the VM that was asked about.
        public var place: IPA?
        /// Level of the entry meant.
        public var level = 3
        /// The entry is no longer what the tables say.
        public var isStale = false
    }

    /// All names, in an order that reads well.
    public private(set) var lines: [Line] = []
    private let world: World
    private let vm: VMNumber

    /// Host page-table entries and leaves that are listed, of each frame.
    private static let listed = 16

    /// - Parameter vm: whose guest addresses are meant.
    public init(_ query: PlaceQuery, in world: World, vm: VMNumber) {
        self.world = world
        self.vm = vm
        let kinds = query.kind.map { [$0] } ?? PlaceQuery.Kind.allCases
        for kind in kinds {
            let before = lines.count
            switch kind {
            case .ipa:
                if query.value < 1 << 40, query.kind != nil || isKnown(IPA(query.value)) {
                    guestPlace(IPA(query.value), as: "IPA \(hex(query.value, digits: 10))")
                }
            case .pfn: if query.value < 1 << 28, query.kind != nil || isKnown(PFN(query.value)) { frame(PFN(query.value)) }
            case .hva: if query.value < 1 << 32 { host(HVA(query.value), always: query.kind != nil) }
            case .va: if query.value < 1 << 32 { guestVirtual(VA(query.value), always: query.kind != nil) }
            }
            if query.kind == nil, lines.count > before, kind != kinds.last { lines.append(Line(label: "", text: "")) }
        }
        while lines.last.map({ $0.text.isEmpty && $0.label.isEmpty }) ?? false { lines.removeLast() }
    }

    private mutating func add(_ label: String, _ text: String, place: IPA? = nil, level: Int = 3, isStale: Bool = false) {
        lines.append(Line(label: label, text: text, place: place, level: level, isStale: isStale))
    }

    private mutating func head(_ text: String) { lines.append(Line(label: "", text: text, isHeading: true)) }

    // MARK: What fits

    private var machine: VirtualMachine { world.vms[vm] }
    private var tables: MachineTables? { MachineTables(world, vm: vm) }
    private func leaf(_ ipa: IPA) -> (level: Int, index: Int, descriptor: Stage2Descriptor, address: PA)? {
        guard let tables, let last = tables.tables(towards: ipa).last else { return nil }
        let index = tables.index(ipa, level: last.level), address = last.address(of: index)
        guard let word = tables.word(at: address) else { return nil }
        return (last.level, index, Stage2Descriptor(word), address)
    }

    private func isLeaf(_ found: (level: Int, index: Int, descriptor: Stage2Descriptor, address: PA)) -> Bool {
        found.descriptor.isLeaf(level: found.level)
    }

    private func isKnown(_ ipa: IPA) -> Bool { machine.slot(at: ipa) != nil || leaf(ipa).map(isLeaf) ?? false }
    private func isKnown(_ pfn: PFN) -> Bool { world.frames.contains(pfn) || world.kernelPages.contains(pfn.pa) }

    // MARK: A guest's place

    private mutating func guestPlace(_ ipa: IPA, as title: String) {
        head(title)
        add("ipa", "\(hex(ipa.rawValue, digits: 10))  gfn \(hex(ipa.gfn.rawValue))", place: ipa)
        virtualNames(ipa)
        var frame: PFN?
        if let slot = machine.slot(at: ipa) {
            let hva = slot.hva(of: ipa), process = world.processes[machine.process], entry = process.entry(hva)
            add("slot", "\(slot.id): \(sizeText(slot.size)) from \(hex(slot.ipa.rawValue))" + (slot.readOnly ? ", read-only" : ""))
            add("hva", "\(hex(hva.rawValue)) of \(process.name)")
            add("pte", entry.words)
            if entry.isPresent { frame = entry.pfn }
        } else {
            add("slot", "none: a device's address, or nothing")
        }
        if let found = leaf(ipa), isLeaf(found) {
            let pa = Stage2Walk.output(found.descriptor, ipa, level: found.level)
            add(
                "leaf", "level \(found.level) [\(found.index)] at \(hex(found.address.rawValue)): PA \(hex(pa.rawValue)), \(found.descriptor.rights)",
                place: ipa, level: found.level, isStale: frame.map { $0 != pa.pfn } ?? false)
            if frame != pa.pfn {
                if let frame { add("", "the host has pfn \(hex(frame.rawValue)) there, and the leaf another", isStale: true) }
                frame = pa.pfn
            }
        } else if let found = leaf(ipa) {
            add("leaf", "none: the way ends at level \(found.level) [\(found.index)]", place: ipa, level: found.level)
        }
        translations(of: ipa)
        if let frame { holders(of: frame, besides: ipa) }
    }

    /// The guest's own addresses for an IPA.
    private mutating func virtualNames(_ ipa: IPA) {
        guard !world.stage1.isEmpty else { return add("va", "stage 1 is a window in this session: addresses are IPAs") }
        var count = 0
        for map in world.stage1 where map.valid && ipa.rawValue &- map.ipa.rawValue < map.size {
            add("va", hex(map.va.rawValue + (ipa.rawValue - map.ipa.rawValue), digits: 8))
            count += 1
            if count == Self.listed { return }
        }
        if count == 0 { add("va", "none that stage 1 maps") }
    }

    /// TLB entries for an IPA.
    private mutating func translations(of ipa: IPA) {
        var none = true
        for (number, cpu) in world.cpus.enumerated() {
            guard let entry = cpu.tlb.lookup(machine.vmid, ipa.page) else { continue }
            none = false
            let isStale = world.leaf(of: vm, ipa.page)?.rawValue != entry.leaf
            add(
                "tlb",
                "CPU \(number): PA \(hex(entry.descriptor.address.rawValue)) \(entry.descriptor.shortRights), filled at step \(entry.filledAt)"
                    + (isStale ? ", stale" : ""), isStale: isStale)
        }
        if none { add("tlb", "no entry") }
    }

    // MARK: A frame

    private mutating func frame(_ pfn: PFN) {
        head("PFN \(hex(pfn.rawValue)), PA \(hex(pfn.pa.rawValue))")
        if world.kernelPages.contains(pfn.pa) { return tablePage(pfn) }
        guard world.frames.contains(pfn) else {
            add("", "no RAM of this machine; a device, or nothing")
            return holders(of: pfn, besides: nil)
        }
        let frame = world.frames[pfn]
        add(
            "frame",
            frame.flags.contains(.free)
                ? "free" : "\(frame.references) reference\(frame.references == 1 ? "" : "s"), \(frame.mappings) mapping\(frame.mappings == 1 ? "" : "s")")
        holders(of: pfn, besides: nil)
    }

    private mutating func tablePage(_ pfn: PFN) {
        let use = world.kernelPages.use(of: pfn.pa)
        let words =
            switch use {
            case .free: "a kernel page, free"
            case .cached: "a page waiting in a memory cache"
            case .level1: "the first page of a level-1 table"
            case .level1Tail, .level1TailCounted: "the second page of a level-1 table"
            case .level2: "a level-2 table"
            case .level3: "a level-3 table"
            }
        add("page", "\(words), \(world.kernelPages.references(of: pfn.pa)) references, \(world.kernelPages.entries(of: pfn.pa)) entries in use")
    }

    /// Who has a frame: processes, guests of every VM, TLB entries; `known` is told already.
    private mutating func holders(of pfn: PFN, besides known: IPA?) {
        let entries = world.hostEntries(holding: pfn, limit: Self.listed + 1).filter { entry in
            known == nil || world.processes[entry.process].vm != vm || world.ipa(of: entry.hva, process: entry.process) != known?.page
        }
        add("pfn", "\(hex(pfn.rawValue))  PA \(hex(pfn.pa.rawValue))")
        var told: Set<UInt64> = known.map { [UInt64(vm.rawValue) << 48 | $0.page.rawValue] } ?? []
        for (process, hva, entry) in entries.prefix(Self.listed) {
            var text = "\(world.processes[process].name) at hva \(hex(hva.rawValue)): \(entry.isWritable ? "RW" : "RO")"
            var place: IPA?
            if let owner = world.processes[process].vm, let ipa = world.ipa(of: hva, process: process) {
                text += ", vm\(owner) IPA \(hex(ipa.rawValue, digits: 10))"
                if owner == vm { place = ipa }
            }
            add("held", text, place: place)
        }
        if entries.count > Self.listed { add("", "and more processes' entries") }
        if entries.isEmpty { add("held", known == nil ? "by no process" : "by nobody else") }
        var isComplete = true
        for other in world.vms {
            guard let tables = MachineTables(world, vm: other.id) else { continue }
            let search = LeafSearch(tables, for: pfn.pa)
            isComplete = isComplete && search.isComplete
            for hit in search.hits.prefix(Self.listed) where told.insert(UInt64(other.id.rawValue) << 48 | hit.ipa.rawValue).inserted {
                add(
                    "leaf", "vm\(other.id) IPA \(hex(hit.ipa.rawValue, digits: 10)), level \(hit.level): \(hit.descriptor.rights)",
                    place: other.id == vm ? hit.ipa : nil, level: hit.level)
            }
        }
        if !isComplete { add("", "the tables are large: not every leaf was looked at") }
        for (number, cpu) in world.cpus.enumerated() {
            for entry in cpu.tlb.entries where entry.isValid && entry.descriptor.address.pfn == pfn && !(entry.vmid == machine.vmid && entry.ipa == known?.page)
            {
                add(
                    "tlb", "CPU \(number): VMID \(entry.vmid) IPA \(hex(entry.ipa.rawValue, digits: 10)) \(entry.descriptor.shortRights)",
                    place: entry.vmid == machine.vmid ? entry.ipa : nil)
            }
        }
    }

    // MARK: The VMM's and the guest's addresses

    private mutating func host(_ hva: HVA, always: Bool) {
        var found = false
        for process in world.processes {
            let entry = process.entry(hva)
            guard process.area(hva) != nil || !entry.isNone else { continue }
            found = true
            head("HVA \(hex(hva.rawValue)) of \(process.name)")
            add("pte", entry.words)
            let owner = process.vm
            let ipas =
                owner.map { owner in
                    world.vms[owner].slots.filter { hva.rawValue &- $0.hva.rawValue < $0.size }.map {
                        IPA($0.ipa.rawValue + (hva.rawValue - $0.hva.rawValue))
                    }
                } ?? []
            if owner == vm, let ipa = ipas.first {
                // The rest is what the guest's place has.
                for more in ipas.dropFirst() { add("ipa", "\(hex(more.rawValue, digits: 10)) too", place: more) }
                guestPlace(ipa, as: "which is IPA \(hex(ipa.rawValue, digits: 10))")
            } else {
                if let owner { for ipa in ipas { add("ipa", "\(hex(ipa.rawValue, digits: 10)) of vm\(owner)") } }
                if ipas.isEmpty { add("ipa", "in no memory slot") }
                if entry.isPresent { holders(of: entry.pfn, besides: nil) }
            }
        }
        if !found, always {
            head("HVA \(hex(hva.rawValue))")
            add("", "no process has an area there")
        }
    }

    private mutating func guestVirtual(_ va: VA, always: Bool) {
        if let map = world.stage1.first(where: { $0.valid && $0.contains(va) }) {
            let ipa = IPA(map.ipa.rawValue + (va.rawValue - map.va.rawValue))
            return guestPlace(ipa, as: "VA \(hex(va.rawValue, digits: 8)), which is IPA \(hex(ipa.rawValue, digits: 10))")
        }
        guard always else { return }
        if world.stage1.isEmpty {
            guestPlace(IPA(va.rawValue), as: "VA \(hex(va.rawValue, digits: 8)): stage 1 is a window here, so it is the IPA")
        } else {
            head("VA \(hex(va.rawValue, digits: 8))")
            add("", "stage 1 does not map it")
        }
    }
}
