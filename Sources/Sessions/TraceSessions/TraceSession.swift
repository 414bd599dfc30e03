import Stage2Sim

/// Makes sessions of traces.
public enum TraceSession {
    /// What the trace does not say of itself.
    public struct Options: Sendable {
        /// Memory slots, and in words where they were given.
        public var memory: (slots: [TraceMemory.Slot], how: String)?
        /// The machine to simulate, without its memory and vCPUs; nil: Linux v3.9 on a Cortex-A15.
        public var machine: MachineConfiguration?
        /// The size of the host's pages in bytes; nil: as its notifiers show, or 4 KiB.
        public var granule: UInt64?
        /// Of several VMs the one of this process: a number of a process or thread, or a name. nil: all of them.
        public var vm: String?
        /// How many stretches of 2 MiB faults may touch, each of which may need a level-3 table. Those are 128 GiB of guest memory, and a
        /// quarter of a gigabyte of tables; a timeline keeps some of them three times.
        var regionLimit = 1 << 16
        /// Everything as the trace says, or as can be inferred.
        public init() {}
    }

    /// What a newer kernel than v3.9 does, of what the simulation can: for traces in the formats of later kernels.
    static let newerBehaviours: [(Behaviour, on: Bool)] = [
        (.readOnlySlots, true), (.readOnlyWritesExit, true), (.s1ptwIsWrite, true), (.gupOpportunisticWrite, true), (.b5UnalignedUnmap, false),
        (.b6PgdTailCount, false),
        (.b11Isv0IsWrite, false), (.b12SlotDeleteKeepsStage2, false),
    ]

    /// A trace as a session, with the run that was made to make it.
    public struct Opened {
        /// The session.
        public let session: Session
        /// Its run.
        public let run: FirstRun
        public let understanding: Understanding
    }

    /// Reads a trace and makes a session of it.
    ///
    /// - Throws: `ByteSourceError`, or what `progress` throws; `InputError` where lines are damaged and none is as it should be. Nothing
    ///   else in a trace is an error.
    public static func read(from source: ByteSource, options: Options = Options(), progress: (ReadingProgress) throws -> Void = { _ in }) throws -> Opened {
        let trace = try Trace.read(from: source, progress: progress)
        if let problem = Understanding.unreadable(trace, source) { throw problem }
        if let vm = options.vm, let problem = missing(vm, in: trace) { throw problem }
        let total = trace.events.count, bytes = trace.counts.bytes
        return try open(trace, name: source.name, options: options, trouble: source.trouble) {
            try progress(ReadingProgress(bytesRead: bytes, bytesTotal: bytes, events: total, followed: $0))
        }
    }

    /// No VM is the one that was asked for.
    private static func missing(_ vm: String, in trace: Trace) -> InputError? {
        let outline = TraceOutline(trace, vm: vm)
        guard outline.vms.isEmpty, !outline.groups.leftOut.isEmpty else { return nil }
        let known = outline.groups.leftOut.prefix(8).map { group in
            let threads = group.threads.prefix(3).map { name(trace.threads[$0]) }.joined(separator: " ")
            return "\(TraceGroups.name(group, in: trace)) (\(threads))"
        }
        return InputError("--vm", nil, "'\(vm)' is no process that ran a guest in this trace", fits: known.joined(separator: ", "))
    }

    /// A session of a trace; nothing in a trace is an error here.
    public static func make(_ trace: Trace, name: String, options: Options = Options()) -> Session {
        open(trace, name: name, options: options) { _ in }.session
    }

    /// - Parameter progress: told now and then how many events have been followed.
    public static func open(_ trace: Trace, name: String, options: Options = Options(), trouble: String? = nil, progress: (Int) throws -> Void) rethrows
        -> Opened
    {
        var outline = TraceOutline(trace, granule: options.granule, vm: options.vm)
        // A trace without faults has a VM all the same, in which nothing happens.
        let vmCount = max(1, outline.vms.count)
        let firstFault = trace.events.first { $0.kind == .guestFault }.map { Int($0.line) } ?? .max
        let memories = (0..<vmCount).map { v in
            let vm = UInt8(v)
            var memory =
                options.memory.map { TraceMemory(given: $0.slots, $0.how) }
                ?? TraceMemory(
                    written: trace, firstFault: firstFault,
                    isOurs: { vmCount == 1 || (Int($0) < outline.vmOfThread.count && outline.vmOfThread[Int($0)] == vm) })
                ?? TraceMemory(inferred: trace, outline, vm: vm)
            memory.learn(from: trace, outline, vm: vm)
            memory.layOut()
            return memory
        }
        outline.findBlocks(trace, memories)
        let isNewer = isFromNewerHost(trace)
        var machine = options.machine ?? MachineConfiguration()
        if isNewer, options.machine == nil { for (behaviour, on) in newerBehaviours { machine.behaviours.set(behaviour, on) } }
        if memories.contains(where: { $0.slots.contains(where: \.readOnly) }) { machine.behaviours.set(.readOnlySlots, true) }
        var cpus = 0
        machine.vms = memories.enumerated().map { v, memory in
            let vcpus = v < outline.vms.count ? max(1, outline.vms[v].vcpus) : 1
            defer { cpus += vcpus }
            return MachineConfiguration.VM(
                vcpus: (cpus..<cpus + vcpus).map { CPUNumber(at: $0) },
                memory: memory.slots.map {
                    var slot = MachineConfiguration.Memory(ipa: IPA($0.ipa), size: $0.size, hva: HVA($0.hva))
                    slot.readOnly = $0.readOnly
                    return slot
                })
        }
        let file = name.split(separator: "/").last.map(String.init) ?? name
        var session = Session(title: "", about: "", question: "", machine: machine, script: Script([]), file: file)
        var builder = TraceBuilder(trace, outline, memories, for: session, regionLimit: options.regionLimit)
        session.script = Script(try builder.build(progress: progress))
        session.title = PrintableText.printable("\(file): \(count(builder.counts.faults, "fault")) of a real host")
        session.about = PrintableText.printable(
            about(trace, outline, memories, builder.counts, isNewer: isNewer && options.machine == nil, regionLimit: options.regionLimit))
        var run = builder.run
        run.finish(session)
        return Opened(session: session, run: run, understanding: Understanding(trace, file: name, trouble: trouble))
    }

    /// Later kernels print faults and exits otherwise than v3.9, have events that it has not, and, on arm64, syndromes that no 32-bit
    /// one has: an 8-byte access, SF, or a PC or HVA beyond 32 bits.
    static func isFromNewerHost(_ trace: Trace) -> Bool {
        trace.events.prefix(100_000).contains { event in
            switch event.payload {
            case .guestFault(let fault):
                event.detail != TraceEvent.v39Fault || fault.hsr >> 32 != 0 || fault.pc >> 32 != 0 || fault.hxfar >> 32 != 0
                    || (fault.hsr >> 24 & 1 == 1 && (fault.hsr >> 22 & 3 == 3 || fault.hsr >> 15 & 1 == 1))
            case .unmapRange(let start, _): start >> 32 != 0
            case .age(let start, let end): start >> 32 != 0 || end != start
            case .unmapPage(let hva), .setSPTE(let hva), .testAge(let hva): hva >> 32 != 0
            case .entry(let pc): pc >> 32 != 0
            case .exit(_, let ec, _): ec != nil
            case .accessFault, .mmioNISV: true
            default: false
            }
        }
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

    private static func about(
        _ trace: Trace, _ outline: TraceOutline, _ memories: [TraceMemory], _ counts: TraceBuilder.Counts, isNewer: Bool, regionLimit: Int
    )
        -> String
    {
        var text = [
            "A host's trace of \(count(trace.counts.lines, "line")): \(count(trace.counts.events, "event")) followed, \(trace.counts.skipped) of other kinds skipped."
        ]
        let names = trace.skipped.prefix(3).map { "\($0.name) \($0.count)" }
        if !names.isEmpty { text.append("Most of those: \(names.joined(separator: ", ")).") }
        let c = trace.counts
        if c.damaged > 0 { text.append("\(count(c.damaged, "line")) damaged, the first: \(trace.damages.first?.description ?? "unknown").") }
        if c.damagedSlots > 0 { text.append("\(count(c.damagedSlots, "mark")) of slots cannot be read.") }
        if c.slotsLeftOut > 0 { text.append("\(count(c.slotsLeftOut, "mark")) of slots after the first \(TraceParser.slotLimit) are left out.") }
        if c.lostNotices > 0 {
            text.append("Events lost at \(count(c.lostNotices, "place")): \(c.lostEvents)\(c.lostWithoutCount > 0 ? " and an unknown number" : "").")
        }
        if c.overwritten > 0 { text.append("\(c.overwritten) events were overwritten before the first line.") }
        if c.timesBackwards > 0 { text.append("Time runs backwards at \(count(c.timesBackwards, "place")).") }
        if c.endsWithoutNewline { text.append("The last line has no end: the file was perhaps cut there.") }
        text += threads(trace, outline)
        for (v, memory) in memories.prefix(8).enumerated() {
            text.append((memories.count > 1 ? "vm\(v): " : "") + slots(memory))
            text += memory.remarks.prefix(8).map { $0.prefix(1).uppercased() + $0.dropFirst() + "." }
        }
        if outline.granule.size > 4096 {
            text.append(
                "The host's pages are of \(outline.granule.size >> 10) KiB: each is \(outline.granule.size >> 12) pages here, and tables stand for other stretches, so levels differ."
            )
        }
        text.append("\(count(counts.notifiers, "notifier line")) in the slots, \(counts.elsewhere) elsewhere in the VMM.")
        if counts.ambiguous > 0 { text.append("\(count(counts.ambiguous, "more")) of the host's own threads may be about any of the VMs: not followed.") }
        if isNewer {
            text.append(
                "The host is no 32-bit v3.9: the simulation is v3.9 with \(newerBehaviours.filter(\.on).map(\.0.name).joined(separator: ", ")) and without \(newerBehaviours.filter { !$0.on }.map(\.0.name).joined(separator: ", "))."
            )
        }
        if counts.differing > 0 { text.append("\(count(counts.differing, "fault")) would have gone otherwise by the simulated tables; each says why.") }
        if counts.followed > 0 {
            text.append("\(count(counts.followed, "operation")) only \(counts.followed == 1 ? "makes" : "make") the state follow the trace.")
        }
        if counts.refused > 0 { text.append("\(count(counts.refused, "fault")) v3.9 refuses and the host served.") }
        func told(_ lines: TraceBuilder.Counts.Lines, _ what: String, _ where: String) {
            if lines.count > 0 { text.append("\(count(lines.count, what)) \(`where`), the first in line \(lines.first): told, not simulated.") }
        }
        told(counts.beyond, "fault", "beyond 40 bits of IPA")
        told(counts.untouched, "fault", "outside the first \(regionLimit) stretches of 2 MiB that were touched")
        told(counts.notFollowed, "notifier line", "of memory that several slots share, after too many like it")
        text.append(
            "A block that the host maps by one fault is in no line: of its other pages nothing is known until one of them faults.\(counts.unknownBlocks > 0 ? " That may be so at \(count(counts.unknownBlocks, "fault")); each says so." : "")"
        )
        return text.joined(separator: " ")
    }

    /// Who ran guests: threads of several processes run several guests, which the simulation has as one.
    private static func threads(_ trace: Trace, _ outline: TraceOutline) -> [String] {
        guard !outline.vcpuThreads.isEmpty else { return ["No fault is among them."] }
        let listed = outline.vcpuThreads.prefix(8).enumerated().map { "\(outline.vcpuNames[$0.offset]) \(name(trace.threads[$0.element]))" }
        let more = outline.vcpuThreads.count - listed.count
        var text = [
            "\(count(outline.vcpuThreads.count, "thread")) ran guests, each as a vCPU: \(listed.joined(separator: ", "))\(more > 0 ? " and \(more) more" : "")."
        ]
        if outline.threadsWithoutVCPU > 0 {
            text.append(
                "\(count(outline.threadsWithoutVCPU, "more thread")) did so and \(outline.threadsWithoutVCPU == 1 ? "is" : "are") taken for the last vCPU.")
        }
        if outline.vms.count > 1 {
            let names = outline.vms.enumerated().prefix(4).map { "vm\($0) \($1.name)" }.joined(separator: ", ")
            text.append(
                "They belong to \(outline.vms.count) VMs (\(names)\(outline.vms.count > 4 ? ", …" : "")), told apart by \(outline.groups.how == .names ? "their threads' names" : "their processes"); --vm chooses one."
            )
        }
        if !outline.groups.leftOut.isEmpty {
            text.append(
                "\(count(outline.faultsLeftOut, "fault")) of \(count(outline.groups.leftOut.count, "other VM")) \(outline.faultsLeftOut == 1 ? "is" : "are") left out."
            )
        }
        return text
    }

    private static func name(_ thread: TraceThread) -> String { thread.comm + (thread.tid.map { "-\($0)" } ?? "") }

    private static func slots(_ memory: TraceMemory) -> String {
        let how =
            switch memory.origin {
            case .given(let how): "as \(how) says"
            case .written: "as the VMM's own lines say"
            case .inferred: "inferred from the faults, in whole 2 MiB"
            }
        let list = memory.slots.prefix(8).map { slot in
            "\(hex(slot.ipa)) + \(hex(slot.size))" + (slot.readOnly ? " read-only" : "")
                + (slot.hostHVA.map { $0 == slot.hva ? " at HVA \(hex($0))" : " at HVA \(hex($0)), here \(hex(slot.hva))" }
                    ?? " at an unknown HVA, here \(hex(slot.hva))")
        }
        return
            "Memory slots, \(how): \(list.isEmpty ? "none" : list.joined(separator: "; "))\(memory.slots.count > 8 ? "; \(memory.slots.count - 8) more" : "")."
    }
}
