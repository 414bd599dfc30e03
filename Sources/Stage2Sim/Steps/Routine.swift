/// A function of the kernel or a stage of the hardware: its rows in their order, and what they come to in words. Each stands in a
/// file of its own, outline first, then rows, bodies (methods of `Stepper`) and results.
public struct Routine: Sendable {
    /// The function's name, or the stage's.
    public let name: String
    /// What it is, in a sentence or two.
    public let outline: String
    /// Who acts in it.
    public let side: MicroStep.Side
    let places: [Place]
    /// What a step of it came to; nil where the row's own words say it all.
    let tell: @Sendable (Narration) -> Told?

    init(_ name: String, _ side: MicroStep.Side, _ outline: String, tell: @escaping @Sendable (Narration) -> Told?, @PlaceList _ places: () -> [Place]) {
        self.name = name
        self.outline = outline
        self.side = side
        self.tell = tell
        self.places = places()
    }

    /// Its rows, each once, in their order.
    public var rows: [Row] { places.compactMap { if case .row(let row) = $0 { row } else { nil } } }

    /// All of them, in reading order: the guest's access, the trap, KVM, the host, and what follows a trace.
    public static let all: [Routine] = [
        .idle, .guestAccess, .exceptionEntry, .enterGuest, .hypEntry, .guestAbort, .accessFault, .injectAbort, .ioMemAbort, .userMemAbort,
        .userMemAbortEarlyExit, .memoryCache,
        .memoryCacheUnlessPermission,
        .coherentICache,
        .faultUnderLock,
        .setPTE, .unmapRange, .tlbFlush, .ioremap, .invalidatePage, .invalidateRangeStart, .invalidateRangeEnd, .changePTE, .clearFlushYoung, .memoryRegions,
        .virtualMachines, .flushShadowAll, .initVCPU, .markPageDirty, .dirtyLog,
        .cacheMaintenance, .hostFault, .userfault, .writeProtectFault, .processAccess, .reclaim, .fork, .zap, .protect, .samePageMerging, .memoryFailure,
        .machineEvents,
        .toldByTrace, .followTrace,
        .guestAbort64, .accessFault64, .ioMemAbort64, .userMemAbort64, .rangeStart64, .rangeEnd64, .changePTE64,
        .pgtableWalk, .pgtablePut, .pgtableMap, .pgtableUnmap, .pgtableAttributes, .pgtableFlush, .pgtableDestroy,
    ]

    private static let byStep: [(routine: Routine, row: Row)] = {
        var found = [MicroStep: (Routine, Row)]()
        for routine in all { for row in routine.rows { found[row.step] = (routine, row) } }
        return MicroStep.allCases.map { step in
            guard let pair = found[step] else { preconditionFailure("no routine has a row for \(step)") }
            return pair
        }
    }()

    static func of(_ step: MicroStep) -> Routine { byStep[Int(step.rawValue)].routine }
    static func row(of step: MicroStep) -> Row { byStep[Int(step.rawValue)].row }
}

/// Lets a routine list rows and places below one another.
@resultBuilder enum PlaceList {
    static func buildExpression(_ row: Row) -> [Place] { [.row(row)] }
    static func buildExpression(_ place: Place) -> [Place] { [place] }
    static func buildBlock(_ parts: [Place]...) -> [Place] { parts.flatMap { $0 } }
}

extension MicroStep {
    /// The routine that it is a step of.
    public var routine: Routine { .of(self) }
    /// How its routine declares it.
    public var row: Row { Routine.row(of: self) }
    /// The behaviours that are decided at it.
    public var behaviours: [Behaviour] { row.behaviours }
}

extension Behaviour {
    /// The steps at which it is decided, in the order of the routines.
    public var steps: [MicroStep] { Routine.all.flatMap(\.rows).filter { $0.behaviours.contains(self) }.map(\.step) }
}
