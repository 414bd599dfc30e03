import Stage2Sim

/// Where two timelines go apart.
public enum Parting: Sendable, Equatable {
    /// At this step, for the first time: another actor, another step, or the same with another effect.
    case at(Int)
    /// They are the same to the end.
    case never
    /// Not up to this step; nobody looked further.
    case notWithin(Int)
}

extension Timeline {
    /// The first step at which this timeline and `other` differ, looked for after `shared` steps, which are known to be the same.
    ///
    /// - Parameter limit: steps to look at.
    public func parting(from other: Timeline, after shared: Int, limit: Int = 20_000) -> Parting {
        let start = min(shared, count, other.count)
        var left = state(at: start), right = other.state(at: start)
        var leftEffects = EffectBuffer(), rightEffects = EffectBuffer()
        for made in start..<(start + limit) {
            guard let a = left.prepare() else { return right.prepare() == nil ? .never : .at(made + 1) }
            guard let b = right.prepare(), a == b, left.machine.actors[a].next == right.machine.actors[b].next else { return .at(made + 1) }
            leftEffects.removeAll()
            rightEffects.removeAll()
            left.step(effects: &leftEffects)
            right.step(effects: &rightEffects)
            guard leftEffects.count == rightEffects.count, (0..<leftEffects.count).allSatisfy({ leftEffects[$0] == rightEffects[$0] }) else {
                return .at(made + 1)
            }
        }
        return .notWithin(start + limit)
    }
}
