import Stage2Sim

/// The operations of a session made from a trace, made when somebody asks for one: a million faults are a million small items.
public final class TraceScript: Sendable {
    /// What was read.
    public let trace: Trace
    let items: [TraceItem]
    /// For each event that is a fault: the `kvm_mmio` that ended it, or -1.
    let links: [Int32]
    let changes: [TraceMemory.Change]
    /// What the vCPUs are called, by number.
    private let vcpuNames: [String]
    /// The size of the host's pages.
    let granule: UInt64

    init(trace: Trace, items: [TraceItem], outline: TraceOutline, changes: [TraceMemory.Change]) {
        (self.trace, self.items, links, self.changes) = (trace, items, outline.links, changes)
        vcpuNames = outline.vcpuNames
        granule = outline.granule.size
    }

    /// Operations.
    public var count: Int { items.count }

    private static let threadNames = HostThread.allCases.map { String(describing: $0) }

    private func actor(_ item: TraceItem) -> String { item.act == .fault ? vcpuNames[Int(item.actor)] : Self.threadNames[Int(item.actor)] }

    /// The operation without its words: what the simulation needs of it.
    func bareOperation(at index: Int) -> Operation { bareOperation(items[index]) }

    func bareOperation(_ item: TraceItem) -> Operation {
        Operation(actor: actor(item), command: command(item), text: "", place: SourcePlace(line: Int(trace.events[Int(item.event)].line), column: 1))
    }

    func operation(at index: Int) -> Operation {
        var operation = bareOperation(at: index)
        operation.text = ActionLanguage.text(of: operation.command) ?? ""
        operation.note = note(items[index])
        return operation
    }

    func command(_ item: TraceItem) -> Command {
        switch item.act {
        case .fault: return .access(access(item))
        case .beyond, .notFollowed: return .host(HostAction(.toldNothing), place: nil, other: nil)
        case .unmap: return told(.toldUnmap, item)
        case .unmapPage, .allow: return told(.toldUnmapPage, item)
        case .change, .own: return told(.toldChange, item)
        case .age: return told(.toldAge, item)
        case .deny: return told(.followDeny, item)
        case .denyWrites, .allowWrites:
            var action = HostAction(.followDeny)
            action.count = item.act == .denyWrites ? 1 : 2
            return .host(action, place: .ipa(item.ipa, vm: VMNumber(at: Int(item.vm))), other: nil)
        case .share: return told(.followShare, item)
        case .mapReadOnly, .mapWritable, .protect, .takeAway:
            var action = HostAction(item.act == .protect ? .followProtect : item.act == .takeAway ? .followUnmap : .followMap)
            action.vm = VMNumber(at: Int(item.vm))
            action.ipa = IPA(item.ipa)
            action.size = UInt64(item.pages) << 12
            action.count = item.act == .mapWritable ? 1 : 0
            return .host(action, place: nil, other: nil)
        case .slotAdd:
            guard let slot = changes[Int(item.ipa)].added else { return .host(HostAction(.toldNothing), place: nil, other: nil) }
            var action = HostAction(.slotAdd)
            action.vm = VMNumber(at: Int(item.vm))
            action.ipa = IPA(slot.ipa)
            action.size = slot.size
            action.hva = HVA(slot.hva)
            action.slot = UInt32(truncatingIfNeeded: 1000 + item.ipa)
            action.count = slot.readOnly ? 1 : 0
            action.value = 1
            return .host(action, place: nil, other: nil)
        case .slotDelete:
            var action = HostAction(.slotDelete)
            action.vm = VMNumber(at: Int(item.vm))
            action.ipa = IPA(changes[Int(item.ipa)].removed?.ipa ?? 0)
            return .host(action, place: nil, other: nil)
        }
    }

    private func told(_ kind: HostAction.Kind, _ item: TraceItem) -> Command {
        var action = HostAction(kind)
        action.size = UInt64(item.pages) << 12
        return .host(action, place: .ipa(item.ipa, vm: VMNumber(at: Int(item.vm))), other: nil)
    }

    /// The access that the HSR describes: kind from EC and WnR, size and register from the syndrome, where it is valid. Of an arm64
    /// syndrome the 32 bits that HSR has are kept; SRT loses its bit 4.
    private func access(_ item: TraceItem) -> Access {
        let event = trace.events[Int(item.event)]
        guard let fault = event.guestFault else { return Access(.read, IPA(0)) }
        let hsr = HSR(rawValue: UInt32(truncatingIfNeeded: fault.hsr))
        var access = Access(Self.kind(hsr), IPA(fault.ipa))
        access.rawHSR = hsr.rawValue
        access.faultsOnce = true
        access.pc = UInt32(truncatingIfNeeded: fault.pc)
        if hsr.isv {
            access.width = 1 << hsr.accessSize
            access.register = hsr.transferRegister
            access.signExtend = hsr.signExtend && access.kind == .read
        }
        if links[Int(item.event)] >= 0, case .mmio(let mmio) = trace.events[Int(links[Int(item.event)])].payload {
            if [1, 2, 4, 8].contains(mmio.length) { access.width = UInt8(mmio.length) }
            access.value = mmio.value
        }
        // On a stage-1 walk HxFAR is the address of the access, not of the table.
        if !hsr.isStage1Walk { access.ipa = IPA((fault.ipa | fault.hxfar & 0xfff) & ~(UInt64(access.width) - 1)) }
        access.va = VA(fault.hxfar & 0xffff_ffff)
        return access
    }

    static func kind(_ hsr: HSR) -> AccessKind {
        hsr.isStage1Walk ? .read : hsr.isInstructionAbort ? .execute : hsr.isWrite ? .write : .read
    }
}
