/// What a search for steps looks for: kinds of step, pages that a guest touches, descriptors that are written.
public struct StepWatch: Sendable, Equatable {
    /// A bit for each kind of step.
    private var kinds = InlineArray<4, UInt64>(repeating: 0)
    /// Pages whose accesses by a guest are wanted.
    public var pages: Set<UInt64> = []
    /// Addresses of descriptors whose writing is wanted.
    public var descriptors: Set<UInt64> = []
    /// Steps by their names.
    public private(set) var steps: Set<MicroStep> = []

    /// Nothing is watched.
    public init() {}

    public static func == (a: StepWatch, b: StepWatch) -> Bool { a.steps == b.steps && a.pages == b.pages && a.descriptors == b.descriptors }

    /// Also stops after this kind of step.
    public mutating func insert(_ step: MicroStep) {
        steps.insert(step)
        kinds[Int(step.rawValue >> 6)] |= 1 << UInt64(step.rawValue & 63)
    }

    /// Nothing is watched.
    public var isEmpty: Bool { steps.isEmpty && pages.isEmpty && descriptors.isEmpty }

    /// Whether a step is one of the kinds, or touches one of the pages: `ipa` is what its actor accesses.
    @inline(__always) func wants(_ next: MicroStep, accessing ipa: @autoclosure () -> IPA) -> Bool {
        if kinds[Int(next.rawValue >> 6)] >> UInt64(next.rawValue & 63) & 1 == 1 { return true }
        return next == .issueAccess && !pages.isEmpty && pages.contains(ipa().page.rawValue)
    }
}

/// Notes whether one of the descriptors was written, and delivers nothing else.
private struct DescriptorSink: EffectSink {
    static var checks: Bool { true }
    let wanted: Set<UInt64>
    var found = false
    @inline(__always) mutating func emit(_ effect: Effect, at step: UInt32) {
        if case .descriptorWritten(let pa, _, let old, let new) = effect, old != new, wanted.contains(pa.rawValue) { found = true }
    }
}

extension Machine {
    /// Runs an actor to the end of its action, or for `limit` steps, and collects the numbers of the steps that `watch` wants.
    ///
    /// - Parameter first: stop after the first one.
    /// Returns the steps made, and how the last one went.
    public mutating func run(_ actor: ActorNumber, limit: Int, watching watch: StepWatch, stoppingAtFirst first: Bool, hits: inout [UInt32]) -> (
        steps: Int, last: StepResult
    ) {
        if watch.descriptors.isEmpty {
            var sink = CheckedSink()
            return run(actor, limit: limit, watch, first, &hits, sink: &sink) { _ in false }
        }
        var sink = DescriptorSink(wanted: watch.descriptors)
        return run(actor, limit: limit, watch, first, &hits, sink: &sink) { sink in
            let found = sink.found
            sink.found = false
            return found
        }
    }

    @inline(__always) private mutating func run<Sink: EffectSink>(
        _ actor: ActorNumber, limit: Int, _ watch: StepWatch, _ first: Bool, _ hits: inout [UInt32], sink: inout Sink, _ taken: (inout Sink) -> Bool
    ) -> (Int, StepResult) {
        withStepper(actor, &sink) { stepper in
            var steps = 0
            while steps < limit {
                let wanted = watch.wants(stepper.me.next, accessing: stepper.me.access.ipa)
                let result = stepper.step()
                if result != .stepped { return (steps, result) }
                steps += 1
                guard stepper.withSink(taken) || wanted else { continue }
                hits.append(stepper.world.stepNumber)
                if first { return (steps, .stepped) }
            }
            return (steps, .stepped)
        }
    }
}
