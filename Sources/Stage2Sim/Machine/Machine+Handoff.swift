import Synchronization

/// A machine on its way to another thread. It shares nothing with the one that it was made from, so whoever takes it may run it,
/// copy it and give it up while the first goes on.
///
///     let handoff = machine.handoff()
///     let thread = Task.detached {
///         guard var own = handoff.take() else { return }
///         _ = own.run(own.vcpu(0)!)
///     }
public final class MachineHandoff: Sendable {
    /// Reached by whoever takes it first, and by nobody after.
    private nonisolated(unsafe) var machine: Machine?
    private let isTaken = Atomic(false)

    fileprivate init(_ machine: Machine) { self.machine = machine }

    /// The machine, which from here on belongs to the thread that calls this; nil where somebody has taken it already.
    public func take() -> Machine? {
        guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else { return nil }
        defer { machine = nil }
        return machine
    }
}

extension Machine {
    /// A copy for another thread. A plain copy shares its pages with the machine that it was made from, counted without atomics: the
    /// two belong to one thread. This one is copied whole, in the time that takes.
    public func handoff() -> MachineHandoff {
        var copy = self
        copy.world.detach()
        return MachineHandoff(copy)
    }
}

extension World {
    fileprivate mutating func detach() {
        kernelPages = kernelPages.detached()
        frames = frames.detached()
        causes = causes.detached()
        for process in processes.indices { processes[process].entries = processes[process].entries.detached() }
        cacheBox = cacheBox.map { CacheBox($0.caches.detached()) }
    }
}
