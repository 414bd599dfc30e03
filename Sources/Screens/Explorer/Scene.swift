import Sessions
import Stage2Sim

/// What the panes show: one place of a timeline, with what its step changed.
public struct Scene {
    public let session: Session
    public let position: Int
    public let count: Int
    /// The state before and after the step on the screen.
    public let before: Machine
    public let now: Machine
    public let effects: [Effect]
    /// Who made the step; nil at the start. At a stop: the operation's actor, else the last step's.
    public let actor: ActorNumber?
    /// nil at the start, and where the place is an operation without a step.
    public let step: MicroStep?
    public let place: TimelinePlace
    /// The operations without a step among the records.
    public let stops: [Stop]
    /// The script is over, and actors finish what they have begun.
    public let isFinishing: Bool
    /// The steps that belong together around the place, made and to come.
    public let records: [StepRecord]
    /// Of the session: the fault on the screen or the last one, from 0, how many there are, whose it is, its first and last step.
    public let fault: Int?
    public let faultCount: Int
    public let faultActor: ActorNumber?
    public let faultSteps: ClosedRange<Int>?
    /// Of a fault on the screen: the steps that its actor makes; nil: too many to tell.
    public let ownSteps: [Int]?
    public let operation: Sessions.Operation?
    /// What its author says of it was said of another course than this one.
    public let isOfAnotherCourse: Bool
    /// What the step was, and what it came to, in words; nil at the start and at a stop.
    public let words: StepText?
    public let result: String
    let changes: Changes
    /// The reader predicts: steps to come are not shown, and the note when its operation is over.
    var coversUpcoming = false
    var coversNote = false

    /// Whose registers and cache are shown: the actor, or the first vCPU.
    public var vcpu: Actor {
        if let actor, now.actors[actor].kind == .vcpu { return now.actors[actor] }
        return now.actors[0]
    }
    public var vm: VirtualMachine { now.world.vms[vcpu.vm] }

    /// The IPA that the step is about.
    public var ipa: IPA { Focus.ipa(session, now, actor) }

    /// The operation without a step that is the place.
    public var stop: Stop? { place.stop == 0 ? nil : stops.first { $0.place == place } }

    /// The author's note on the operation, marked where it is not of this course.
    var note: (text: String, role: Role)? {
        guard let note = operation?.note, !note.isEmpty else { return nil }
        if coversNote { return ("is shown when this operation is over", .dim) }
        return Self.note(note, isOfAnotherCourse: isOfAnotherCourse)
    }

    static func note(_ text: String, isOfAnotherCourse: Bool) -> (text: String, role: Role) {
        isOfAnotherCourse ? ("Said of another course, may not hold here: " + text, .dim) : (text, .note)
    }

    /// The places in the path, in order.
    var pathPlaces: [TimelinePlace] { (records.map { TimelinePlace(step: $0.position) } + stops.map(\.place)).sorted() }

    /// The pane that shows what the step touched; with nothing touched, the one that says most of the machine.
    var touchedPane: PaneID {
        let hasCaches = now.world.caches != nil
        if !changes.descriptors.isEmpty { return .entry }
        if changes.hsr || changes.hpfar || changes.hxfar || changes.par { return .syndrome }
        if hasCaches, changes.hasMaintenance || changes.broken.contains(where: { now.world.violations[$0].stale != nil }) { return .cache }
        if !changes.readDescriptors.isEmpty { return .entry }
        if changes.tlbFlushed != nil || !changes.tlbTouched.isEmpty { return .tlb }
        if changes.cacheFilled != nil || changes.cachePopped { return .memoryCache }
        if !changes.hostEntries.isEmpty || !changes.frames.isEmpty { return .host }
        return hasCaches ? .cache : .entry
    }

    /// Who acts; nil where nobody does.
    public var acting: ActorNumber? { stop.map(\.operation.actor.isEmpty) ?? false ? nil : actor }

    /// The fault on the screen holds the place.
    public var inFault: Bool { faultSteps?.contains(position) ?? false }
    /// More than one vCPU, or VM: what is one's own is named.
    var hasVCPUs: Bool { now.actors.count { $0.kind == .vcpu } > 1 }
    /// Of the vCPU that is shown, with blanks before it; empty where there is one only.
    var vcpuName: String { hasVCPUs ? "  " + now.name(of: vcpu.id) : "" }
    var hasVMs: Bool { now.world.vms.count > 1 }
}

/// What a step changed, looked up by panes to mark it.
struct Changes {
    var descriptors: [UInt64: (old: UInt64, new: UInt64)] = [:]
    var readDescriptors: Set<UInt64> = []
    /// The descriptor that was read last.
    var lastRead: (address: PA, level: Int, value: UInt64)?
    var hsr = false, hpfar = false, hxfar = false, par = false, vttbr = false
    var tlbTouched: Set<UInt64> = []
    var tlbFlushed: UInt32?
    var cacheFilled: (from: UInt8, to: UInt8)?
    var cachePopped = false
    var frames: Set<UInt64> = []
    var hostEntries: Set<UInt64> = []
    var lock = false, sequence = false, count = false
    var broken: [Int] = []
    var synced: HVA?
    /// A cache was cleaned or invalidated.
    var hasMaintenance = false

    init(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .descriptorWritten(let pa, _, let old, let new): descriptors[pa.rawValue] = (old, new)
            case .descriptorRead(let pa, let level, let value):
                readDescriptors.insert(pa.rawValue)
                lastRead = (pa, Int(level), value)
            case .hsrSet: hsr = true
            case .hpfarSet: hpfar = true
            case .faultAddressSet: hxfar = true
            case .parSet: par = true
            case .vttbrSet: vttbr = true
            case .tlbFilled(_, let ipa, _), .tlbHit(_, let ipa): tlbTouched.insert(ipa.page.rawValue)
            case .tlbFlushed(_, let entries), .tlbFlushedByIPA(_, _, _, let entries): tlbFlushed = entries
            case .memoryCacheFilled(let from, let to): cacheFilled = (from, to)
            case .memoryCachePopped: cachePopped = true
            case .frameAllocated(let pfn), .frameFreed(let pfn), .frameReferences(let pfn, _), .frameFlags(let pfn, _): frames.insert(pfn.rawValue)
            case .hostEntryChanged(_, let hva, _, _): hostEntries.insert(hva.rawValue)
            case .lockTaken, .lockReleased: lock = true
            case .notifierSequence: sequence = true
            case .notifierCount: count = true
            case .broken(let index): broken.append(Int(index))
            case .instructionCacheSynced(let hva, _): synced = hva
            case .cacheOperation: hasMaintenance = true
            default: break
            }
        }
    }
}
