import Sessions
import Stage2Sim

/// What a page shows of the machine at a place, in sections: what Screens has panes for.
struct PageState {
    let session: Session
    let machine: Machine
    /// Whose step or stop it is; nil at the start.
    let actor: ActorNumber?
    let effects: [Effect]
    /// What the place is about.
    let ipa: IPA

    /// Rows that a table shows at most: a page is read, not queried.
    static let mostRows = 48

    init(_ timeline: Timeline) {
        session = timeline.session
        machine = timeline.now.machine
        actor = timeline.actor
        effects = timeline.effects
        ipa = Focus.ipa(session, machine, actor)
    }

    var world: World { machine.world }

    /// Whose registers and cache are shown: the actor, or the first vCPU.
    var vcpu: Actor {
        if let actor, machine.actors[actor].kind == .vcpu { return machine.actors[actor] }
        return machine.actors[0]
    }
    var vm: VirtualMachine { world.vms[vcpu.vm] }
    var ofVM: String { world.vms.count > 1 ? " of vm\(vm.id)" : "" }

    var sections: [PageSection] {
        var all = [status, tables, entry, syndrome, tlb]
        if let caches { all.append(caches) }
        return all + [memoryCache, host, actors]
    }

    func node(_ texts: inout PageTexts) -> PageNode { .list(sections.map { $0.node(&texts) }) }

    // MARK: Who has what

    private var status: PageSection {
        var section = PageSection(id: "status", title: "Now")
        var rows: [(String, PageSection.Cell)] = []
        let several = world.vms.count > 1
        for vm in world.vms {
            let name = several ? "vm\(vm.id) " : ""
            rows.append((name + "mmu_lock", .init(vm.lockHolder.map { "held by \(machine.name(of: $0))" } ?? "free", vm.lockHolder == nil ? .dim : .none)))
            rows.append((name + "mmu_notifier_seq", .init("\(vm.notifierSequence)")))
            rows.append((name + "mmu_notifier_count", .init("\(vm.notifierCount)")))
        }
        rows.append(("Faults", .init("\(world.statistics.faults)")))
        rows.append(("Retries", .init("\(world.statistics.retries)")))
        rows.append(("TLB flushes", .init("\(world.statistics.tlbFlushes)")))
        rows.append(("Broken checks", .init("\(world.statistics.violations)", world.statistics.violations > 0 ? .wrong : .none)))
        rows.append(("Kernel", .init("\(KernelInForce(machine))")))
        rows.append(("CPU", .init("\(world.cpuModel.name), I-cache \(world.instructionCacheName)")))
        section.blocks.append(.list("", rows))
        return section
    }

    private var actors: PageSection {
        var section = PageSection(id: "actors", title: "Who stands where")
        // Host threads that never did anything say nothing.
        let rows: [[PageSection.Cell]] = machine.standings.compactMap { standing in
            let actor = machine.actors[standing.actor]
            guard actor.kind == .vcpu || standing.next != nil || actor.outcome != .none else { return nil }
            let next = standing.next.map { "before: \($0.text(world.setting).title)" } ?? "idle"
            let wait = standing.waitsFor.map { wait in
                "waits for \(wait.words)"
                    + (standing.holders.isEmpty ? "" : ", held by \(standing.holders.map { machine.name(of: $0) }.joined(separator: ", "))")
            }
            return [.init(standing.name), .init(next), .init(wait ?? "", wait == nil ? .none : .wrong)]
        }
        section.table("Actors", ["Actor", "Next", "Waits"], key: 1, rows)
        return section
    }

    // MARK: The syndrome

    private var syndrome: PageSection {
        let name = machine.actors.count { $0.kind == .vcpu } > 1 ? " of \(machine.name(of: vcpu.id))" : ""
        var section = PageSection(id: "syndrome", title: "Syndrome" + name)
        guard vcpu.hsr.rawValue != 0 else {
            section.say("No trap yet: the registers are filled when the guest faults.", .dim)
            return section
        }
        let raw = UInt64(vcpu.hsr.rawValue)
        let known = vcpu.hpfarKnown || vcpu.next.rawValue > MicroStep.storeHPFAR.rawValue || vcpu.isIdle && vcpu.hpfar.rawValue != 0
        var rows: [(String, PageSection.Cell)] = [
            ("HSR", .init(hex(raw, digits: 8))),
            (
                "HPFAR",
                known
                    ? .init("\(hex(UInt64(vcpu.hpfar.rawValue), digits: 8)), IPA \(hex(vcpu.hpfar.ipa.rawValue))")
                    : .init("UNKNOWN after a permission fault", .stale)
            ),
            (vcpu.hsr.isInstructionAbort ? "HIFAR" : "HDFAR", .init("\(hex(UInt64(vcpu.hxfar), digits: 8)), the faulting VA")),
        ]
        if vcpu.par != 0 { rows.append(("PAR", .init("\(hex(vcpu.par, digits: 10)), \(vcpu.par & 1 == 1 ? "F: failed" : "from ATS1CPR")"))) }
        section.blocks.append(.list("", rows))
        section.blocks.append(fields(vcpu.hsr.fields, raw, "HSR, field by field"))
        return section
    }

    /// A register or descriptor, a row a field.
    func fields(_ fields: [Field], _ word: UInt64, _ caption: String) -> PageSection.Block {
        .table(
            caption, ["Bits", "Field", "Value", "Meaning"], key: 2,
            fields.map { field in
                let bits = field.bits.high == field.bits.low ? "\(field.bits.high)" : "\(field.bits.high):\(field.bits.low)"
                let meaning = field.meaning(in: word)
                return [.init(bits), .init(field.name), .init(field.digits(in: word)), meaning.isEmpty ? .init(field.about, .dim) : .init(meaning)]
            })
    }

    // MARK: TLB and memory cache

    private var tlb: PageSection {
        var section = PageSection(id: "tlb", title: "TLB")
        let focus = ipa.page
        for (number, cpu) in world.cpus.enumerated() {
            let all = cpu.tlb.entries.filter(\.isValid).sorted {
                ($0.ipa == focus ? UInt32.max : $0.filledAt) > ($1.ipa == focus ? UInt32.max : $1.filledAt)
            }
            // What stood there before keeps its place.
            let entries = all.prefix(Self.mostRows).sorted { ($0.vmid, $0.ipa.rawValue) < ($1.vmid, $1.ipa.rawValue) }
            let rows: [[PageSection.Cell]] = entries.map { entry in
                let owner = world.vms.first { $0.vmid == entry.vmid && !$0.destroyed }
                let stale = owner.flatMap { world.leaf(of: $0.id, entry.ipa) }?.rawValue != entry.leaf
                return [
                    .init("\(entry.vmid)"), .init(hex(entry.ipa.rawValue, digits: 10)), .init(hex(entry.descriptor.address.rawValue, digits: 10)),
                    .init(entry.descriptor.rights, stale ? .stale : .none),
                ]
            }
            let name = world.cpus.count > 1 ? "CPU \(number): " : ""
            if rows.isEmpty {
                section.say("\(name)no entry of \(cpu.tlb.entries.count) is in use.", .dim)
            } else {
                section.table("\(name)entries in use, of \(cpu.tlb.entries.count)", ["VMID", "IPA", "PA", "Rights"], key: 2, rows, whole: all.count)
            }
        }
        return section
    }

    private var memoryCache: PageSection {
        var section = PageSection(id: "memory-cache", title: "Memory cache")
        let cache = vcpu.memoryCache
        section.blocks.append(.meter(cache.count, of: MemoryCache.capacity, "\(cache.count) of \(MemoryCache.capacity) pages, \(machine.name(of: vcpu.id))"))
        let vcpus = machine.actors.filter { $0.kind == .vcpu }
        section.table(
            "Pages for tables, by vCPU", ["vCPU", "Pages", "Next to go"], key: 1,
            vcpus.prefix(Self.mostRows).map { vcpu in
                let cache = vcpu.memoryCache
                return [
                    .init(machine.name(of: vcpu.id)), .init("\(cache.count)"),
                    cache.count == 0 ? .init("empty: topped up at the next fault", .dim) : .init(hex(cache[cache.count - 1].rawValue)),
                ]
            }, whole: vcpus.count)
        return section
    }
}
