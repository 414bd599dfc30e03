/// A host thread that left lines in the trace. Lines carry no vCPU number: a vCPU is known by its thread.
public struct TraceThread: Sendable, Hashable {
    /// nil for a line without one, and for the entry that stands for all threads beyond the table.
    public var tid: Int32?
    /// The process, where the trace has it.
    public var tgid: Int32?
    /// Printable; the first name seen that is not one of perf's stand-ins (`:383`, `[guest/383]`).
    public var comm: String
    /// Lines of this thread that became events.
    public var events = 0
}

/// Threads by tid, or by name where there is none, found without hashing when the line before had the same.
struct ThreadTable {
    /// Threads beyond this share one entry, so that `TraceEvent.thread` stays 16 bits.
    static let limit = 65_534

    private(set) var threads: [TraceThread] = []
    private var indices: [Int32: UInt16] = [:]
    private var namedIndices: [String: UInt16] = [:]
    private var lastTID: Int32?
    private var lastIndex: UInt16 = 0
    /// Per thread: its name is a stand-in, and a later line may have the real one.
    private var isProvisional: [Bool] = []

    /// The index of the thread, entered if it is new. Where the line has no number for it, its name tells it from others; where it has
    /// no name either, the CPU that it ran on does.
    ///
    /// - Parameter tid: `LineHead.noTID` where the line has none.
    mutating func index(tid: Int32, tgid: Int32, comm: UnsafeBufferPointer<UInt8>, cpu: UInt16 = TraceEvent.noCPU) -> UInt16 {
        if tid == LineHead.noTID { return index(named: comm, cpu: cpu) }
        if tid == lastTID {
            let at = Int(lastIndex)
            if isProvisional[at] { rename(at, comm) }
            if threads[at].tgid == nil, tgid != LineHead.noTID { threads[at].tgid = tgid }
            return lastIndex
        }
        let index = indices[tid] ?? enter(tid: tid, tgid: tgid, comm: comm)
        lastTID = tid
        lastIndex = index
        if isProvisional[Int(index)] { rename(Int(index), comm) }
        return index
    }

    private mutating func index(named comm: UnsafeBufferPointer<UInt8>, cpu: UInt16) -> UInt16 {
        let name = comm.isEmpty ? (cpu == TraceEvent.noCPU ? "" : "(CPU \(cpu))") : PrintableText.of(comm, limit: 64)
        lastTID = nil
        if let index = namedIndices[name] { return index }
        let index = name.utf8.withContiguousStorageIfAvailable { enter(tid: LineHead.noTID, tgid: LineHead.noTID, comm: $0) } ?? UInt16(Self.limit)
        namedIndices[name] = index
        return index
    }

    /// What ran on the CPU so far, and had no name, was this thread.
    mutating func name(onCPU cpu: UInt16, tid: Int32, comm: UnsafeBufferPointer<UInt8>) {
        guard let index = namedIndices.removeValue(forKey: "(CPU \(cpu))"), Int(index) < Self.limit, indices[tid] == nil else { return }
        threads[Int(index)].tid = tid
        threads[Int(index)].comm = PrintableText.of(comm, limit: 64)
        indices[tid] = index
    }

    mutating func countEvent(_ index: UInt16) {
        threads[Int(index)].events += 1
    }

    private mutating func enter(tid: Int32, tgid: Int32, comm: UnsafeBufferPointer<UInt8>) -> UInt16 {
        if threads.count < Self.limit {
            let index = UInt16(threads.count)
            threads.append(
                TraceThread(
                    tid: tid == LineHead.noTID ? nil : tid, tgid: tgid == LineHead.noTID ? Self.process(in: comm) : tgid,
                    comm: PrintableText.of(comm, limit: 64)))
            isProvisional.append(Self.isStandIn(comm))
            if tid != LineHead.noTID { indices[tid] = index }
            return index
        }
        if threads.count == Self.limit {
            threads.append(TraceThread(tid: nil, tgid: nil, comm: "(other threads)"))
            isProvisional.append(false)
        }
        return UInt16(Self.limit)
    }

    /// perf's `[guest/383]` holds the process's number.
    private static func process(in comm: UnsafeBufferPointer<UInt8>) -> Int32? {
        var cursor = LineCursor(comm)
        guard cursor.isAt("[guest/") else { return nil }
        cursor.at = 7
        return (try? cursor.takeDecimal()).flatMap { Int32(exactly: $0) }
    }

    private mutating func rename(_ at: Int, _ comm: UnsafeBufferPointer<UInt8>) {
        guard !comm.isEmpty, !Self.isStandIn(comm) else { return }
        threads[at].comm = PrintableText.of(comm, limit: 64)
        isProvisional[at] = false
    }

    /// perf writes `:TID` where it does not know a thread, and `[guest/PID]` for what ran in a guest.
    private static func isStandIn(_ comm: UnsafeBufferPointer<UInt8>) -> Bool {
        comm.isEmpty || comm[0] == UInt8(ascii: ":") || comm[0] == UInt8(ascii: "[")
            || comm.elementsEqual("<...>".utf8)
    }
}
