import Sessions
import Stage2Sim

/// One thing that is not the same in two machines.
struct Difference: Equatable {
    var group: String
    var name: String
    /// Empty on both sides: a remark.
    var left = ""
    var right = ""

    /// Table pages and frames are compared one by one up to that many; beyond, only those of the address at hand.
    private static let fewPages = 96
    private static let fewFrames = 1 << 16
    /// Differences of a kind that are listed.
    static let mostOfAKind = 40

    /// What differs, from the nearest to the path to the farthest from it.
    static func between(_ left: Machine, _ right: Machine, ipa: IPA) -> [Difference] {
        var list = Collector(left: left, right: right)
        list.checks()
        list.actors()
        list.virtualMachines()
        list.tables(ipa)
        list.tlbs()
        list.caches()
        list.frames(ipa)
        return list.found
    }

    struct Collector {
        let left: Machine
        let right: Machine
        var found: [Difference] = []

        mutating func compare(_ group: String, _ name: String, _ a: String, _ b: String) {
            if a != b { found.append(Difference(group: group, name: name, left: a.isEmpty ? "none" : a, right: b.isEmpty ? "none" : b)) }
        }

        mutating func checks() {
            let a = left.world.violations, b = right.world.violations
            for violation in a.prefix(8) where !b.contains(violation) {
                compare("checks broken", violation.rule.name, "step \(violation.step), IPA \(hex(violation.ipa.rawValue))", "holds")
            }
            for violation in b.prefix(8) where !a.contains(violation) {
                compare("checks broken", violation.rule.name, "holds", "step \(violation.step), IPA \(hex(violation.ipa.rawValue))")
            }
            let x = left.world.statistics, y = right.world.statistics
            compare("counts", "guest faults", "\(x.faults)", "\(y.faults)")
            compare("counts", "TLB flushes", "\(x.tlbFlushes + x.tlbFlushesByIPA)", "\(y.tlbFlushes + y.tlbFlushesByIPA)")
            compare("counts", "retries", "\(x.retries)", "\(y.retries)")
        }

        mutating func actors() {
            for index in left.actors.indices where right.actors.indices.contains(index) {
                let a = left.actors[index], b = right.actors[index], group = left.name(of: index)
                compare(
                    group, "next step", a.isIdle ? "nothing to do" : a.next.words(in: left).title,
                    b.isIdle ? "nothing to do" : b.next.words(in: right).title)
                compare(group, "outcome", outcome(a), outcome(b))
                guard a.kind == .vcpu else { continue }
                compare(group, left.world.syndromeName, hex(UInt64(a.hsr.rawValue), digits: 8), hex(UInt64(b.hsr.rawValue), digits: 8))
                compare(
                    group, left.world.faultPageName, a.hpfarKnown ? hex(UInt64(a.hpfar.rawValue), digits: 8) : "UNKNOWN",
                    b.hpfarKnown ? hex(UInt64(b.hpfar.rawValue), digits: 8) : "UNKNOWN")
                compare(group, left.world.revision == .v61 ? "FAR_EL2" : "HDFAR or HIFAR", hex(UInt64(a.hxfar), digits: 8), hex(UInt64(b.hxfar), digits: 8))
                compare(group, "VTTBR", hex(a.vttbr.rawValue, digits: 16), hex(b.vttbr.rawValue, digits: 16))
                compare(group, "PC", hex(UInt64(a.registers.pc), digits: 8), hex(UInt64(b.registers.pc), digits: 8))
                for register in 0..<15 {
                    compare(group, "r\(register)", hex(UInt64(a.registers[register]), digits: 8), hex(UInt64(b.registers[register]), digits: 8))
                }
                compare(group, "notifier seq sampled", "\(a.sampledSequence)", "\(b.sampledSequence)")
                compare(group, "memory cache", pages(a.memoryCache), pages(b.memoryCache))
            }
        }

        private func outcome(_ actor: Actor) -> String {
            "\(actor.outcome)" + (actor.error != 0 ? " (\(Errno(rawValue: -actor.error)?.name ?? "\(actor.error)"))" : "")
        }

        private func pages(_ cache: MemoryCache) -> String {
            let last = cache.count > 0 ? ", next \(hex(cache[cache.count - 1].rawValue))" : ""
            return "\(cache.count) of 40\(last)"
        }

        mutating func virtualMachines() {
            for index in left.world.vms.indices.clamped(to: right.world.vms.indices) {
                let a = left.world.vms[index], b = right.world.vms[index], group = "vm\(index)"
                compare(group, "mmu_notifier_seq", "\(a.notifierSequence)", "\(b.notifierSequence)")
                compare(group, "mmu_notifier_count", "\(a.notifierCount)", "\(b.notifierCount)")
                compare(group, "mmu_lock", a.lockHolder.map { left.name(of: $0) } ?? "free", b.lockHolder.map { right.name(of: $0) } ?? "free")
                compare(group, "VMID", "\(a.vmid)", "\(b.vmid)")
                compare(group, "memory slots", "\(a.slots.count)", "\(b.slots.count)")
            }
            compare("vms", "virtual machines", "\(left.world.vms.count)", "\(right.world.vms.count)")
        }

        // MARK: Tables

        mutating func tables(_ ipa: IPA) {
            for vm in left.world.vms.indices.clamped(to: right.world.vms.indices) {
                // How many tables there are is known from how many pages the kernel took, without looking for them.
                guard max(left.world.kernelPages.allocated, right.world.kernelPages.allocated) <= Difference.fewPages * 4 else {
                    walk(vm, ipa)
                    continue
                }
                let a = left.world.tablePages(of: vm), b = right.world.tablePages(of: vm)
                guard max(a.count, b.count) <= Difference.fewPages else {
                    walk(vm, ipa)
                    continue
                }
                var levels: [UInt64: Int] = [:]
                for page in a + b { levels[page.address.rawValue] = page.level }
                let inLeft = Set(a.map(\.address.rawValue)), inRight = Set(b.map(\.address.rawValue))
                var count = 0
                for page in levels.keys.sorted() {
                    guard let level = levels[page] else { continue }
                    for i in 0..<UInt64(512) {
                        let at = PA(page &+ i << 3)
                        let x = inLeft.contains(page) ? left.world.kernelPages.word(at: at) ?? 0 : 0,
                            y = inRight.contains(page) ? right.world.kernelPages.word(at: at) ?? 0 : 0
                        guard x != y else { continue }
                        count += 1
                        if count <= Difference.mostOfAKind { descriptor(level, at, x, y) }
                    }
                }
                more(count, "descriptors")
            }
        }

        private mutating func descriptor(_ level: Int, _ at: PA, _ x: UInt64, _ y: UInt64) {
            func words(_ value: UInt64) -> String {
                let descriptor = Stage2Descriptor(value)
                switch descriptor.kind(level: level) {
                case .invalid, .reserved: return value == 0 ? "empty" : hex(value)
                case .table: return "table \(hex(descriptor.address.rawValue))"
                case .page, .block: return "\(hex(value)) \(descriptor.shortRights)"
                }
            }
            compare("stage-2 descriptors", "level \(level) at \(hex(at.rawValue))", words(x), words(y))
        }

        /// The tables that a walk for the address passes.
        private mutating func walk(_ vm: VMNumber, _ ipa: IPA) {
            func way(_ machine: Machine) -> [TableView.Level] {
                MachineTables(machine.world, vm: vm).map { TableView($0, glyphs: .unicode, browsing: TableBrowsing(), followed: ipa).levels } ?? []
            }
            for (x, y) in zip(way(left), way(right)) {
                if let at = x.address, x.address == y.address {
                    descriptor(x.level, at, x.descriptor?.rawValue ?? 0, y.descriptor?.rawValue ?? 0)
                } else {
                    compare(
                        "stage-2 descriptors", "level \(x.level) entry on the way", x.address.map { hex($0.rawValue) } ?? "",
                        y.address.map { hex($0.rawValue) } ?? "")
                }
            }
            found.append(Difference(group: "", name: "of vm\(vm)'s many tables, only the walk for IPA \(hex(ipa.rawValue)) is compared"))
        }

        mutating func tlbs() {
            for cpu in left.world.cpus.indices.clamped(to: right.world.cpus.indices) {
                func entries(_ machine: Machine) -> [UInt64: UInt64] {
                    var byPage: [UInt64: UInt64] = [:]
                    for entry in machine.world.cpus[cpu].tlb.entries where entry.isValid {
                        byPage[UInt64(entry.vmid) << 48 | entry.ipa.rawValue >> 12] = entry.leaf
                    }
                    return byPage
                }
                let a = entries(left), b = entries(right)
                let keys = Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
                for key in keys.prefix(Difference.mostOfAKind) {
                    compare(
                        "TLB of CPU \(cpu)", "VMID \(key >> 48) IPA \(hex((key & 0xffff_ffff_ffff) << 12))", a[key].map { hex($0) } ?? "",
                        b[key].map { hex($0) } ?? "")
                }
                more(keys.count, "TLB entries")
            }
        }

        // MARK: The host

        mutating func frames(_ ipa: IPA) {
            guard !left.world.hasMoreFrames(than: Difference.fewFrames), !right.world.hasMoreFrames(than: Difference.fewFrames) else {
                for vm in left.world.vms.indices.clamped(to: right.world.vms.indices) { hostEntry(vm, ipa) }
                found.append(Difference(group: "", name: "of the host's many frames, only that of IPA \(hex(ipa.rawValue)) is compared"))
                return
            }
            let pages = left.world.differingFrames(from: right.world, limit: Difference.fewFrames)
            for pfn in pages.prefix(Difference.mostOfAKind) { compare("frames", "pfn \(hex(pfn.rawValue))", words(left, pfn), words(right, pfn)) }
            more(pages.count, "frames")
            for process in left.world.processes.indices.clamped(to: right.world.processes.indices) {
                let pages = left.world.differingHostEntries(of: process, from: right.world)
                let name = left.world.processes[process].name
                for hva in pages.prefix(Difference.mostOfAKind) {
                    compare(
                        "host page tables", "\(name) \(hex(hva.rawValue))", left.world.processes[process].entry(hva).words,
                        right.world.processes[process].entry(hva).words)
                }
                more(pages.count, "entries of \(name)")
            }
        }

        mutating func more(_ count: Int, _ what: String) {
            if count > Difference.mostOfAKind { found.append(Difference(group: "", name: "… \(count - Difference.mostOfAKind) more \(what)")) }
        }

        private func words(_ machine: Machine, _ pfn: PFN) -> String {
            guard machine.world.frames.contains(pfn) else { return "" }
            let frame = machine.world.frames[pfn]
            var text = "refs \(frame.references)" + (frame.words.isEmpty ? "" : ", \(frame.words)")
            for (offset, word) in machine.world.frames.words(of: pfn).prefix(2) { text += ", [\(hex(offset))] \(hex(word))" }
            return text
        }

        private mutating func hostEntry(_ vm: VMNumber, _ ipa: IPA) {
            guard let slot = left.world.vms[vm].slot(at: ipa) else { return }
            let process = left.world.vms[vm].process, hva = slot.hva(of: ipa).page
            compare("host page tables", hex(hva.rawValue), left.world.processes[process].entry(hva).words, right.world.processes[process].entry(hva).words)
        }
    }
}
