/// Makes micro-steps: the one place from which the state changes. It works on the world and on one actor in place, and
/// delivers effects to a sink that it is specialised for.
///
/// The three pointers are made by `Machine`'s run loops from stored properties that do not overlap, and live no longer
/// than the loop.
struct Stepper<Sink: EffectSink> {
    let worldPointer: UnsafeMutablePointer<World>
    private let actorPointer: UnsafeMutablePointer<Actor>
    private let sinkPointer: UnsafeMutablePointer<Sink>

    @inline(__always) init(_ world: UnsafeMutablePointer<World>, _ actor: UnsafeMutablePointer<Actor>, _ sink: UnsafeMutablePointer<Sink>) {
        worldPointer = world
        actorPointer = actor
        sinkPointer = sink
    }

    // Addressors, not coroutines: reading one field through those copied the whole actor, a kilobyte, each time.
    var world: World {
        @inline(__always) unsafeAddress { UnsafePointer(worldPointer) }
        @inline(__always) nonmutating unsafeMutableAddress { worldPointer }
    }

    var me: Actor {
        @inline(__always) unsafeAddress { UnsafePointer(actorPointer) }
        @inline(__always) nonmutating unsafeMutableAddress { actorPointer }
    }

    /// The vCPU's, or the notifier's, virtual machine.
    @inline(__always) func withVM<R>(_ id: VMNumber, _ body: (inout VirtualMachine) -> R) -> R { body(&worldPointer.pointee.vms[id]) }

    @inline(__always) func withSink<R>(_ body: (inout Sink) -> R) -> R { body(&sinkPointer.pointee) }
    @inline(__always) func emit(_ effect: @autoclosure () -> Effect) { sinkPointer.pointee.emit(effect(), at: worldPointer.pointee.stepNumber) }
    @inline(__always) func decide(_ decision: Decision) { emit(.decided(decision)) }
    @inline(__always) func has(_ behaviour: Behaviour) -> Bool { worldPointer.pointee.behaviours.has(behaviour) }
    @inline(__always) func go(_ step: MicroStep) { actorPointer.pointee.next = step }
    /// The row after this one in the routine's order, as the behaviours make it.
    @inline(__always) var following: MicroStep { worldPointer.pointee.order.pointee[after: actorPointer.pointee.next] }
    /// On to the next row.
    @inline(__always) func proceed() { go(following) }
    @inline(__always) func call(_ routine: MicroStep, then back: MicroStep) { actorPointer.pointee.call(routine, then: back) }
    @inline(__always) func returnToCaller() { actorPointer.pointee.returnToCaller() }
    /// Something changed that could let a fault end differently.
    @inline(__always) func progress() { worldPointer.pointee.progress &+= 1 }

    /// Whether the actor's next step needs something that another one holds.
    var isBlocked: Bool { @inline(__always) get { Waiting(world: worldPointer, actor: actorPointer).isBlocked } }

    /// No step was made after all.
    @inline(__always) func unmade(_ result: Machine.StepResult) -> Machine.StepResult {
        world.stepNumber &-= 1
        return result
    }

    func say(_ message: KernelMessage) {
        world.statistics.messages += 1
        emit(.message(message))
    }

    /// The action has come to its end.
    func finish(_ outcome: Outcome, error: Errno? = nil) {
        me.outcome = outcome
        me.error = error.map { -$0.rawValue } ?? 0
        me.stack = 0
        go(.idle)
        emit(.actionEnded(actor: me.id))
        world.busyActors -= 1
        if world.leavingVMs != 0, me.kind == .vcpu { world.vms[me.vm].busyVCPUs -= 1 }
        if Sink.checks, world.busyActors == 0 { balanceBooks() }
    }
}
