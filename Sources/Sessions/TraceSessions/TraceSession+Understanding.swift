extension TraceSession {
    /// How much of a trace was understood: what those who judge one must know, and say.
    public struct Understanding: Sendable {
        /// Why no fault was understood; nil: some were.
        public private(set) var problem: InputError?
        /// A line each about what could not be read.
        public private(set) var warnings: [String] = []

        init(_ trace: Trace, file: String, trouble: String?) {
            let counts = trace.counts
            if let trouble { warnings.append("\(PrintableText.printable(file)): \(trouble)") }
            if counts.damaged > 0, let first = trace.damages.first {
                warnings.append(
                    "\(PrintableText.printable(file)): \(counts.damaged) line\(counts.damaged == 1 ? "" : "s") of KVM's events could not be read, the first: \(first)"
                )
            }
            guard !trace.events.contains(where: { $0.kind == .guestFault }) else { return }
            problem = Self.noFault(trace, file)
        }

        /// Nothing in it is an event that is followed: there is nothing to show either.
        static func unreadable(_ trace: Trace, _ source: ByteSource) -> InputError? {
            guard !trace.events.contains(where: { $0.kind != .lost }) else { return nil }
            if let trouble = source.trouble, trace.counts.events + trace.counts.damaged == 0 { return InputError(source.name, nil, trouble) }
            return noFault(trace, source.name)
        }

        private static func noFault(_ trace: Trace, _ file: String) -> InputError {
            let counts = trace.counts
            if let damage = trace.damages.first {
                return InputError(
                    file, SourcePlace(line: damage.line, column: damage.column),
                    "no fault of this trace was understood: \(counts.damaged) line\(counts.damaged == 1 ? "" : "s") of KVM's events could not be read, the first with \(damage.found)",
                    fits: "expected \(damage.expected)")
            }
            if trace.events.contains(where: { $0.kind == .entry || $0.kind == .exit || $0.kind == .userspaceExit }) {
                return InputError(
                    file, nil, "the trace has entries or exits of KVM's, and no kvm_guest_fault",
                    fits: "plain `perf script` hides what was recorded with a vCPU loaded: use `perf script --guest-code`; or record that event too (-e kvm)")
            }
            if counts.events > 0 {
                return InputError(file, nil, "the trace has events of KVM's, and no kvm_guest_fault", fits: "record that event too (trace-cmd record -e kvm)")
            }
            if counts.skipped > 0 {
                let names = trace.skipped.prefix(3).map(\.name).joined(separator: ", ")
                return InputError(
                    file, nil, "a trace of \(counts.skipped) other events (\(names)), and none of KVM's fault path",
                    fits: "record them too (trace-cmd record -e kvm)")
            }
            return InputError(file, nil, "a trace without any event", fits: "the buffer was empty, or nothing was recorded")
        }
    }
}
