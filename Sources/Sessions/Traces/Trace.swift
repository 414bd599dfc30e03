// Traces: what a real host wrote while it ran guests, read into typed events. Reading only: what the
// events mean to the simulation, and which memslots they belong to, is decided elsewhere.

/// A host's trace: the events of the guest-fault path in the order of the file, and what else was in it.
///
/// The order is the file's, even where its times run backwards: ftrace, trace-cmd and perf have already
/// merged the CPUs, and a reader that sorts again would hide that a clock was wrong.
public struct Trace: Sendable {
    /// What the numbers in `TraceEvent.time` count.
    public enum TimeUnit: Sendable, Hashable {
        /// Seconds or microseconds in the file, kept as nanoseconds.
        case nanoseconds
        /// A trace clock without a unit (`counter`, `x86-tsc`): the file's own numbers.
        case ticks
    }

    /// A kind of event that the file has and kvmtui does not follow.
    public struct SkippedEvent: Sendable, Hashable {
        /// As printed, with its system where the file has it (`kvm:kvm_fpu`); at most 64 bytes of it.
        public var name: String
        /// How many.
        public var count: Int
    }

    /// In the order of the lines.
    public internal(set) var events: [TraceEvent] = []
    /// `TraceEvent.thread` is an index into this.
    public internal(set) var threads: [TraceThread] = []
    /// The memslots that the VMM itself wrote into the trace. Real hosts have none.
    public internal(set) var slots: [TraceSlot] = []
    /// Of lines and events.
    public internal(set) var counts = TraceCounts()
    /// The first few damaged lines; `counts.damaged` has how many there were.
    public internal(set) var damages: [TraceDamage] = []
    /// Most frequent first, then by name.
    public internal(set) var skipped: [SkippedEvent] = []
    /// What events' times count.
    public internal(set) var timeUnit = TimeUnit.nanoseconds
    /// The earliest and the latest time in the file, skipped lines included; nil when no line has one.
    public internal(set) var times: ClosedRange<UInt64>?

    /// The text of all marks, one after the other; events have the places.
    var markText: [UInt8] = []

    /// The JSON that the VMM wrote, as it stands in the file; nil for other events. It may hold any bytes
    /// a file can: whoever shows it makes it printable first.
    public func markText(of event: TraceEvent) -> String? {
        guard case .mark(let place) = event.payload else { return nil }
        let end = place.start.addingReportingOverflow(place.count)
        guard !end.overflow, end.partialValue <= markText.count else { return nil }
        return String(decoding: markText[place.start..<end.partialValue], as: UTF8.self)
    }
}

/// How many of what a trace holds. Every line is counted once among `events`, `skipped`, `other` and `damaged`.
public struct TraceCounts: Sendable, Hashable {
    /// Bytes that were read.
    public internal(set) var bytes: UInt64 = 0
    /// Lines, whatever is in them.
    public internal(set) var lines = 0
    /// Lines that became an event, notices of lost events included.
    public internal(set) var events = 0
    /// Lines with an event that kvmtui does not follow.
    public internal(set) var skipped = 0
    /// Blank lines, headers, comments, stack entries.
    public internal(set) var other = 0
    /// Lines of events that are not as they should be.
    public internal(set) var damaged = 0
    /// Marks that call themselves a slot and do not describe one; they count as events all the same.
    public internal(set) var damagedSlots = 0
    /// Marks of slots after so many others that they were not read.
    public internal(set) var slotsLeftOut = 0
    /// Notices that events were lost, whether or not they say how many.
    public internal(set) var lostNotices = 0
    /// The sum over the notices that say how many; it stops at the largest number there is.
    public internal(set) var lostEvents: UInt64 = 0
    /// Notices that do not say how many.
    public internal(set) var lostWithoutCount = 0
    /// Events that the ring buffer had dropped before the first line: ftrace's header tells entries written
    /// and entries still there.
    public internal(set) var overwritten: UInt64 = 0
    /// Times earlier than the one before.
    public internal(set) var timesBackwards = 0
    /// The last line has no newline: the file was perhaps cut there.
    public internal(set) var endsWithoutNewline = false
}
