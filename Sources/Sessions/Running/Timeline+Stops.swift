import Stage2Sim

// Operations that make no step are places of their own: between the step before them and the one after.

/// A place on a timeline. Printed and read as "78", or "78+1" for the first stop after step 78.
public struct TimelinePlace: Sendable, Hashable, Comparable, CustomStringConvertible, LosslessStringConvertible {
    /// Steps made.
    public var step: Int
    /// Of the operations that follow this step and make none themselves, how many have begun; 0: the place of the step itself.
    public var stop: Int

    /// Both as the properties have them.
    public init(step: Int, stop: Int = 0) {
        self.step = step
        self.stop = stop
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "+", omittingEmptySubsequences: false)
        guard parts.count <= 2, let step = Int(parts[0]), let stop = parts.count == 2 ? Int(parts[1]) : 0, step >= 0, stop >= 0 else { return nil }
        self.init(step: step, stop: stop)
    }

    public static func < (a: Self, b: Self) -> Bool { (a.step, a.stop) < (b.step, b.stop) }
    public var description: String { stop == 0 ? "\(step)" : "\(step)+\(stop)" }
}

/// An operation that made no step, and why it made none.
public struct Stop: Sendable {
    /// Why nothing was done there.
    public enum Reason: Sendable {
        /// It switched behaviours, which takes no time.
        case switched([(Behaviour, on: Bool)])
        /// Its actor waits before this step.
        case waits(before: MicroStep)
        /// Its actor has nothing begun that could go on.
        case nothingBegun
        /// Its actor stands already where it was to go.
        case isThere(before: MicroStep)
        /// It could not be done.
        case refused(InputError)
    }

    /// Where it stands.
    public let place: TimelinePlace
    /// Its number in the script, from 0, and what it is, moved as its round moves it.
    public let number: Int
    /// The operation that made no step.
    public let operation: Operation
    /// Why it made none.
    public let reason: Reason
    /// Whoever holds a lock of a VM's then, in words: "mmu_lock of vm0 is held by kswapd".
    public let held: String

    init(_ place: TimelinePlace, number: Int, before: Simulation, after: Simulation, session: Session) {
        self.place = place
        self.number = number
        operation = session.script.movedOperation(at: number)
        let actor = after.machine.actor(named: operation.actor).map { after.machine.actors[$0] }
        held = after.machine.world.vms.compactMap { vm in
            vm.lockHolder.map { "mmu_lock of vm\(vm.id) is held by \(after.machine.name(of: $0))" }
        }.joined(separator: ", ")
        reason =
            if case .switches(let list) = operation.command {
                .switched(list)
            } else if after.problems.count > before.problems.count, let last = after.problems.last {
                .refused(last)
            } else if let actor, !actor.isIdle {
                after.waiting ? .waits(before: actor.next) : .isThere(before: actor.next)
            } else {
                .nothingBegun
            }
    }

    /// "kswapd: continue", "without smp-rmb".
    public var title: String { (operation.actor.isEmpty ? "" : operation.actor + ": ") + operation.text }
}

extension Timeline {
    /// See `TimelinePlace`.
    public typealias Place = TimelinePlace

    /// The last place of all.
    public var lastPlace: Place { Place(step: count, stop: stops(after: count).count) }

    /// The numbers of the operations that begin after step `step` and make no step. The n-th of them is stop n, from 1.
    public func stops(after step: Int) -> Range<Int> {
        func first(from step: Int) -> Int {
            var low = 0, high = operationStarts.count
            while low < high {
                let middle = (low + high) / 2
                if Int(operationStarts[middle]) < step { low = middle + 1 } else { high = middle }
            }
            return low
        }
        let low = first(from: step), high = first(from: step + 1)
        guard high > low else { return low..<low }
        // All but the last begin where their successor does.
        return low..<(high == operationStarts.count && scriptEnd == step ? high : high - 1)
    }

    /// The steps made when the operation had come to its end.
    private func end(ofOperation number: Int) -> Int { number + 1 < operationStarts.count ? Int(operationStarts[number + 1]) : scriptEnd }

    /// How many stops there are after these steps.
    public func stopCount(after steps: ClosedRange<Int>) -> Int {
        let low = stops(after: steps.lowerBound).lowerBound, last = stops(after: steps.upperBound)
        guard last.upperBound > low else { return 0 }
        return (low..<last.upperBound).reduce(0) { $0 + (Int(operationStarts[$1]) == end(ofOperation: $1) ? 1 : 0) }
    }

    /// Where an operation begins to be seen: its first step, or its stop.
    public func place(ofOperation number: Int) -> Place {
        guard operationStarts.indices.contains(number) else { return lastPlace }
        let start = Int(operationStarts[number]), stops = stops(after: start)
        return stops.contains(number) ? Place(step: start, stop: number - stops.lowerBound + 1) : Place(step: start + 1)
    }

    /// The operation that a place belongs to: the one that makes the step, or whose stop it is. Nil: before the first step, and where
    /// the script is over and actors finish what they had begun.
    public func operationNumber(at place: Place) -> Int? {
        guard place.stop == 0 else { return stops(after: place.step).lowerBound + place.stop - 1 }
        return place.step == 0 || place.step > scriptEnd ? nil : operationNumber(at: place.step)
    }

    /// The place one on from `place`, or one back; itself, where there is none.
    public func place(after place: Place) -> Place {
        if place.stop < stops(after: place.step).count { return Place(step: place.step, stop: place.stop + 1) }
        return place.step < count ? Place(step: place.step + 1) : place
    }

    /// The place one back from `place`; itself at the start.
    public func place(before place: Place) -> Place {
        if place.stop > 0 { return Place(step: place.step, stop: place.stop - 1) }
        return place.step > 0 ? Place(step: place.step - 1, stop: stops(after: place.step - 1).count) : place
    }

    /// The stops after these steps, in order, but no more than `limit` around the stop `near` of each.
    public func stopPlaces(after steps: ClosedRange<Int>, near: Int = 0, limit: Int = 12) -> [Place] {
        let first = operationStarts.isEmpty ? steps.upperBound + 1 : steps.lowerBound
        guard first <= steps.upperBound else { return [] }
        var places: [Place] = []
        for step in first...steps.upperBound {
            let count = stops(after: step).count
            guard count > 0 else { continue }
            let from = max(1, min(near - limit / 2, count - limit + 1))
            places += (from...min(count, from + limit - 1)).map { Place(step: step, stop: $0) }
        }
        return places
    }

    /// What the stop at `place` is. The state on the screen stays.
    public func stop(at place: Place) -> Stop? {
        guard place.stop > 0, place.stop <= stops(after: place.step).count else { return nil }
        var copy = self
        copy.seek(place)
        return copy.stopHere
    }

    /// The stop on the screen; nil: a step is.
    public var stopHere: Stop? {
        guard place.stop > 0 else { return nil }
        return Stop(place, number: stops(after: position).lowerBound + place.stop - 1, before: before, after: now, session: session)
    }
}
