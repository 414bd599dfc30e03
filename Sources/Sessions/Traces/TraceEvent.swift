/// One line of a trace, packed into 48 bytes: a million lines are a million of these, so there is no
/// string in it and no pointer. `payload` gives the fields their names.
public struct TraceEvent: Sendable, Hashable, BitwiseCopyable {
    /// The host's tracepoint, or what else the file told.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
        /// A guest's fault, and what KVM's notifiers were told.
        case guestFault, unmapRange, unmapPage, setSPTE, age, testAge
        /// Devices and refused accesses.
        case mmio, mmioEmulate, mmioNISV, accessFault
        /// In and out of the guest, and out to user space.
        case entry, exit, userspaceExit
        /// JSON that the VMM wrote into the trace.
        case mark
        /// The file says that events are missing here.
        case lost
    }

    /// `cpu` where the line names none.
    public static let noCPU = UInt16.max

    /// `thread` of a notice of lost events.
    public static let noThread = UInt16.max

    /// In `Trace.timeUnit`. A notice of lost events has none of its own and takes that of the line before.
    public let time: UInt64
    let first: UInt64
    let second: UInt64
    let third: UInt64
    /// HSR or ESR bits 31:0, or another small number of the kind.
    let low: UInt32
    /// ESR bits 47:32 (ISS2 of arm64).
    let high: UInt16
    /// The physical CPU of the line.
    public let cpu: UInt16
    /// Index into `Trace.threads`.
    public let thread: UInt16
    /// Which event it is.
    public let kind: Kind
    let detail: UInt8
    /// Line in the file, from 1; it stays at the largest number there is.
    public let line: UInt32
}

extension TraceEvent {
    /// What a line says besides when and where; `TraceEvent` is built from this and the line's head.
    struct Fields {
        var kind: Kind
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var syndrome: UInt64 = 0
        var detail: UInt8 = 0
        /// Bytes of the line's last number: what shows that a line without newline was cut.
        var lastNumberWidth = 0
    }

    /// Syndromes have at most these bits: ESR_EL2.ISS2 ends at bit 55, and what is defined of it for data
    /// aborts lies below bit 48.
    static let syndromeMask: UInt64 = 0xffff_ffff_ffff

    init(_ fields: Fields, time: UInt64, cpu: UInt16, thread: UInt16, line: UInt32) {
        self.time = time
        first = fields.first
        second = fields.second
        third = fields.third
        low = UInt32(truncatingIfNeeded: fields.syndrome)
        high = UInt16(truncatingIfNeeded: fields.syndrome >> 32)
        self.cpu = cpu
        self.thread = thread
        kind = fields.kind
        detail = fields.detail
        self.line = line
    }

    var syndrome: UInt64 { UInt64(high) << 32 | UInt64(low) }

    /// The `detail` of a fault whose line has v3.9's words.
    static let v39Fault: UInt8 = 1
}
