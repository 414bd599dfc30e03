import Stage2Sim

/// Which kernel runs: a revision, and what is other than in that revision.
///
///     v3.9
///     v3.9 − retry-check
///     v3.9 + clean-on-map − b14-vipt-leaves-dcache
public struct KernelInForce: Equatable, Sendable, CustomStringConvertible {
    /// The kernel.
    public let revision: Revision
    /// What is switched on, and off, beside the revision's own.
    public let added: [Behaviour], removed: [Behaviour]

    /// A kernel with what it does now.
    public init(_ revision: Revision, _ behaviours: Behaviours) {
        self.revision = revision
        added = behaviours.subtracting(revision.behaviours).list
        removed = revision.behaviours.subtracting(behaviours).list
    }

    /// The kernel of a machine as it starts.
    public init(_ configuration: MachineConfiguration) { self.init(configuration.revision, configuration.behaviours) }
    /// At this moment: with what was switched on the way.
    public init(_ machine: Machine) { self.init(machine.configuration.revision, machine.world.behaviours) }

    /// Nothing is other than in the revision.
    public var isPure: Bool { added.isEmpty && removed.isEmpty }

    public var description: String { text() }

    /// - Parameters:
    ///   - minus: how what is switched off is marked.
    ///   - width: characters that there is room for; where all names take more, what is left out is counted.
    public func text(minus: String = "−", width: Int = .max) -> String {
        let changes = removed.map { "\(minus) \($0.name)" } + added.map { "+ \($0.name)" }
        let all = ([revision.rawValue] + changes).joined(separator: " ")
        guard all.count > width else { return all }
        for kept in (1..<max(1, changes.count)).reversed() {
            let text = ([revision.rawValue] + changes.prefix(kept)).joined(separator: " ") + " and \(changes.count - kept) more"
            if text.count <= width { return text }
        }
        return "\(revision.rawValue), \(changes.count) switched"
    }
}
