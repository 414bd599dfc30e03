import Stage2Sim

/// A step that wrote a descriptor.
public struct DescriptorWrite: Sendable, Equatable {
    /// The place after it.
    public let step: Int
    /// Who wrote.
    public let actor: ActorNumber
    /// At which step of its routine.
    public let microStep: MicroStep
    /// The descriptor before and after the step.
    public let old: UInt64, new: UInt64
    /// Which use of the page it was (`KernelPages.reuses`).
    let reuses: UInt32
}

/// Who wrote a descriptor last.
public enum DescriptorWriter: Sendable, Equatable {
    /// A step wrote it.
    case step(DescriptorWrite)
    /// Nobody, since the table's page was handed out.
    case nobody
    /// Finding out takes more steps than were allowed.
    case unknown
}

// Who wrote an entry, found without a record of every write. Writes over something are noted in the index; a write into an empty entry
// can happen once only between two of these (or since the page was handed out), so that the states kept on the way show, by halves,
// between which of them it was, and one stretch is made again.

extension Timeline {
    /// The last step up to `position` that wrote the descriptor at `address`.
    ///
    /// - Parameters:
    ///   - position: the place on the screen, or before it.
    ///   - limit: no more steps than these are made again. The far keyframes of a session of a million faults are about 1.4 million
    ///     steps apart.
    public mutating func writer(of address: PA, upTo position: Int, limit: Int = .max) -> DescriptorWriter {
        if let known = knownWrites[address], position == self.position, isCurrent(known, address) { return .step(known) }
        var state = now
        if position != self.position {
            guard let there = stateAt(position, limit: limit) else { return .unknown }
            state = there
        }
        let found = writer(of: address, in: state, limit: limit)
        if case .step(let write) = found, position == self.position { knownWrites[address] = write }
        return found
    }

    private func word(_ address: PA, _ state: Simulation) -> UInt64 { state.machine.world.kernelPages.word(at: address) ?? 0 }
    private func reuses(_ address: PA, _ state: Simulation) -> UInt32 { state.machine.world.kernelPages.reuses(of: address) }

    /// Whether a write found earlier is still the last one at the place on the screen.
    private func isCurrent(_ write: DescriptorWrite, _ address: PA) -> Bool {
        guard write.step <= position, reuses(address, now) == write.reuses, word(address, now) == write.new else { return false }
        return lastOverwrite(of: address, upTo: position).map { $0 <= write.step } ?? true
    }

    /// The last noted write over something at `address`.
    private func lastOverwrite(of address: PA, upTo position: Int) -> Int? {
        index.overwrites.last(of: address, upTo: UInt32(clamping: position)).map(Int.init)
    }

    private func writer(of address: PA, in state: Simulation, limit: Int) -> DescriptorWriter {
        let isEmpty = word(address, state) == 0, use = reuses(address, state)
        var from = 0
        if let step = lastOverwrite(of: address, upTo: state.position) {
            guard let write = write(at: step, address, limit: limit) else { return .unknown }
            // Of the same use of the page, and nothing was filled in since: this is it.
            if write.reuses == use, isEmpty || write.new != 0 { return .step(write) }
            from = step
        }
        guard !isEmpty else { return .nobody }
        return filled(address, use: use, after: from, upTo: state, limit: limit)
    }

    /// The step that filled an entry which is empty at `from` and filled at `last`, once.
    private func filled(_ address: PA, use: UInt32, after from: Int, upTo last: Simulation, limit: Int) -> DescriptorWriter {
        func isFilled(_ state: Simulation) -> Bool { reuses(address, state) == use && word(address, state) != 0 }
        var low = far[0], high = last
        for state in far + near + [before, now] where state.position < last.position {
            if state.position > from, isFilled(state) {
                if state.position < high.position { high = state }
            } else if state.position > low.position {
                low = state
            }
        }
        guard high.position - low.position <= limit else { return .unknown }
        // In stretches, then step by step.
        while low.position < high.position {
            var next = low
            next.run(limit: min(1024, high.position - low.position))
            guard next.position > low.position else { return .unknown }
            if next.position > from, isFilled(next) { break }
            low = next
        }
        while low.position < high.position {
            guard let write = made(&low, address) else { return .unknown }
            if write.step > from, write.reuses == use, write.new != 0 { return .step(write) }
        }
        return .unknown
    }

    /// The write that the step leading to `position` made.
    private func write(at position: Int, _ address: PA, limit: Int) -> DescriptorWrite? {
        guard var state = stateAt(position - 1, limit: limit) else { return nil }
        return made(&state, address)
    }

    /// Makes a step and tells what it did to the descriptor.
    private func made(_ state: inout Simulation, _ address: PA) -> DescriptorWrite? {
        guard let actor = state.prepare() else { return nil }
        let step = state.machine.actors[actor].next, old = word(address, state)
        state.run(limit: 1)
        return DescriptorWrite(step: state.position, actor: actor, microStep: step, old: old, new: word(address, state), reuses: reuses(address, state))
    }

    /// The state after `position` steps, from the nearest one kept; nil: that is too far.
    private func stateAt(_ position: Int, limit: Int) -> Simulation? {
        var state = far[0]
        for kept in far + near + [before, now] where kept.position <= position && kept.position > state.position { state = kept }
        guard position - state.position <= limit else { return nil }
        state.run(limit: position - state.position)
        return state
    }
}
