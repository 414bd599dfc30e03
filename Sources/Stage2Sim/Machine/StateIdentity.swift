/// What decides how a machine goes on, and nothing of how it came there: two machines with equal identities make, step by step, the
/// same moves with the same results.
///
/// Left out is history: step numbers, statistics, who wrote or filled what and when, the values that finished accesses left in
/// registers and results, broken checks found so far, what was fetched ahead, variables of routines that are not under way; and the
/// guess at "no progress", since whoever compares states finds cycles by that. Of what is only ever compared (a noted sequence, a
/// generation, an epoch) the comparison counts.
///
/// Names are normalised: table pages, frames and swap slots are called by the order in which they are met on a fixed way through the
/// state, so that the order of allocation makes no difference. In a machine with caches they keep their addresses, for there an
/// address decides which set a line falls into; so they do where freed pages are handed out again.
///
///     let a = first.identity, b = second.identity
///     // a == b: whatever an actor does next, it does in both
public struct StateIdentity: Hashable, Sendable {
    private let words: [UInt64]
    private let digest: UInt64

    init(_ words: [UInt64]) {
        self.words = words
        digest = words.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1 ^ $1 >> 29) &* 0x9e37_79b9_7f4a_7c15 &+ $0 >> 31 }
    }

    /// Whether two states are the same, by all their words.
    public static func == (a: Self, b: Self) -> Bool { a.digest == b.digest && a.words == b.words }
    /// By the digest, which was made with the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
    /// Bytes that the identity takes.
    public var size: Int { words.count * 8 }
}

extension Machine {
    /// The identity of the state as it is now. It costs a walk through all tables and entries that are in use.
    public var identity: StateIdentity { identity(observing: false) }

    /// - Parameters:
    ///   - observing: what finished actions came to counts as well: values that were read, outcomes, errors.
    ///   - base: a state that this one came from: identities are then those of states that came from it.
    func identity(observing: Bool, base: World? = nil, mappings: BaseMappings? = nil) -> StateIdentity {
        var writer = StateWriter(world, base: base, mappings: mappings)
        writer.writeWorld(world)
        writer.names.tellsBlanksApart = true
        for actor in actors { writer.write(actor.essence(&writer.names, world, observing: observing)) }
        return StateIdentity(writer.words)
    }
}
