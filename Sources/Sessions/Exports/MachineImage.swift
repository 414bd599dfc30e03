import Stage2Sim

// Exports: what goes out of a whole machine or image, in the formats that other tools read. A single translation or register is
// answered in Lookups.

/// The physical memory of a machine: table pages, and the frames of guests and host.
public struct MachineImage: Sendable {
    /// Pages with something in them, neighbours not merged.
    public private(set) var runs: [PhysicalRun] = []
    /// Pages in use that hold zeros, neighbours merged.
    public private(set) var zeros: [Range<UInt64>] = []

    private struct TablePage: Hashable {
        var address: PA
        var level: Int
    }

    /// Why there is nothing to export.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Table pages of every VM; whatever else their entries lead a walk to, were it a page freed long ago, because the hardware would
    /// read it; and every frame in use.
    public init(_ world: World) {
        var pages: [PA: [UInt64]] = [:]
        var waiting = world.vms.flatMap { world.tablePages(of: $0.id).map { TablePage(address: $0.address, level: $0.level) } }
        // The level-1 table's second page is read by the hardware even after the kernel has freed it (the count of that page starts at 0).
        for level1 in world.vms.compactMap(\.level1) {
            waiting.append(TablePage(address: level1, level: 1))
            waiting.append(TablePage(address: PA(level1.rawValue + pageSize), level: 1))
        }
        // A page may be read as a table of two levels, after one that was still in use was freed and handed out again.
        var seen = Set(waiting)
        while let table = waiting.popLast() {
            guard let words = pages[table.address] ?? world.pageWords(at: table.address) else { continue }
            pages[table.address] = words
            for word in words where word & 3 == 3 {
                let target = Stage2Descriptor(word).address
                if table.level < 3 {
                    let next = TablePage(address: target, level: table.level + 1)
                    if seen.insert(next).inserted { waiting.append(next) }
                } else if pages[target] == nil, world.frames.contains(target.pfn), world.frames[target.pfn].flags.contains(.free) {
                    // A leaf that outlived its frame: what the guest reaches through it is part of the picture.
                    pages[target] = world.pageWords(at: target)
                }
            }
        }
        for pfn in world.frames.inUse where pages[pfn.pa] == nil {
            pages[pfn.pa] = world.frames.words(of: pfn).isEmpty ? [] : world.pageWords(at: pfn.pa) ?? []
        }
        for (page, words) in pages.sorted(by: { $0.key < $1.key }) {
            let address = page.rawValue
            if words.contains(where: { $0 != 0 }) {
                runs.append(PhysicalRun(address: address, words: words))
            } else if let last = zeros.last, last.upperBound == address {
                zeros[zeros.count - 1] = last.lowerBound..<address + pageSize
            } else {
                zeros.append(address..<address + pageSize)
            }
        }
    }
}

extension Machine {
    /// The VM to export where none is named: the first that still has its tables.
    public var firstLivingVM: VMNumber? { world.vms.first { $0.level1 != nil }?.id }

    /// The registers that a walk of a VM's tables needs.
    public func imageNote(vm: VMNumber) throws(MachineImage.Problem) -> ImageNote {
        guard world.vms.indices.contains(vm) else {
            throw MachineImage.Problem(description: "found no VM \(vm), expected 0 to \(world.vms.count - 1)")
        }
        let machine = world.vms[vm]
        guard let level1 = machine.level1 else { throw MachineImage.Problem(description: "VM \(vm) was destroyed: it has no tables any more") }
        if world.revision == .v61 {
            return ImageNote(
                architecture: .armv8, vttbr: world.cpuModel.kvmVTTBR(table: level1, vmid: UInt16(machine.vmid)), vtcr: world.cpuModel.kvmVTCR,
                hcr: world.cpuModel.kvmGuestHCR, ctr: world.cpuModel.ctr.rawValue, revision: KernelInForce(self).text(), cpu: world.cpuModel.name)
        }
        return ImageNote(
            architecture: .armv7, vttbr: VTTBR(table: level1, vmid: machine.vmid).rawValue, vtcr: UInt64(world.vtcr.rawValue),
            hcr: UInt64(HCR.kvmGuest.rawValue), ctr: world.cpuModel.ctr.rawValue,
            revision: KernelInForce(self).text(), cpu: world.cpuModel.name)
    }

    /// An ELF core file of the memory: every table page and frame in use, with a note of `vm`'s registers.
    public func elfCore(vm: VMNumber) throws -> ELFCore {
        let image = MachineImage(world)
        return try ELFCore(machine: world.revision == .v61 ? .aarch64 : .arm, note: try imageNote(vm: vm), runs: image.runs, zeros: image.zeros)
    }

    /// A VM's tables, to be browsed like those of a file.
    public func tableImage(vm: VMNumber) throws -> TableImage {
        let note = try imageNote(vm: vm)
        let memory = MachineImage(world)
        let geometry = try Stage2Geometry(note.architecture == .armv7 ? .armv7 : .armv8, vttbr: note.vttbr, vtcr: note.vtcr, hcr: note.hcr)
        return TableImage(geometry: geometry, memory: PhysicalImage(memory.runs, zeros: memory.zeros), note: note, name: "VM \(vm)")
    }
}

extension TableImage {
    /// More memory than this, in bytes, is not written whole: only the tables are.
    static let wholeLimit = 512 << 20

    /// An ELF core file of the same memory, with the registers in its note.
    public func elfCore() throws -> ELFCore {
        let (filled, zeros) = memory.contents
        let machine: ELFMachine = geometry.architecture == .armv7 ? .arm : .aarch64
        // Of a whole host's memory the tables are what is wanted.
        guard filled.reduce(0, { $0 + $1.count }) <= Self.wholeLimit else {
            let runs = tables(limit: 1 << 16).compactMap { table in
                memory.bytes(at: table.address.rawValue, count: table.entryCount * 8).map { PhysicalRun(address: table.address.rawValue, bytes: $0) }
            }
            var seen: Set<UInt64> = []
            return try ELFCore(machine: machine, note: note ?? registerNote, runs: runs.filter { seen.insert($0.address).inserted })
        }
        let runs = filled.map { PhysicalRun(address: $0.lowerBound, bytes: memory.bytes(at: $0.lowerBound, count: $0.count) ?? []) }
        return try ELFCore(machine: machine, note: note ?? registerNote, runs: runs, zeros: zeros)
    }

    /// A note for a file that came without one.
    private var registerNote: ImageNote {
        ImageNote(
            architecture: geometry.architecture == .armv7 ? .armv7 : .armv8, vttbr: registers.vttbr, vtcr: registers.vtcr, hcr: registers.hcr, ctr: 0,
            revision: "", cpu: "")
    }
}
