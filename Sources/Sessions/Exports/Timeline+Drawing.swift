import Stage2Sim

extension Timeline {
    /// The tables at the place on the screen as a drawing, with what the step wrote marked.
    /// - Parameters:
    ///   - vm: the actor's by default, else the first that has tables.
    ///   - focus: the IPA whose way is emphasised; the fault's by default.
    public func drawing(vm wanted: VMNumber? = nil, focus: IPA? = nil) throws(MachineImage.Problem) -> TableDrawing {
        let machine = now.machine
        let acting =
            actor.flatMap { machine.actors[$0].kind == .vcpu ? machine.actors[$0] : nil } ?? machine.actors.first { $0.kind == .vcpu && $0.ipa.rawValue != 0 }
        guard let vm = wanted ?? acting?.vm ?? machine.firstLivingVM, let tables = MachineTables(machine.world, vm: vm) else {
            throw MachineImage.Problem(
                description: "found no tables of \(wanted.map { "VM \($0)" } ?? "any VM") at step \(position), expected a VM that has not been destroyed")
        }
        let ipa = focus ?? (acting?.vm == vm ? acting?.ipa : nil)
        let written = effects.compactMap { effect in if case .descriptorWritten(let pa, _, _, _) = effect { pa } else { nil } }
        var place = "step \(position) of \(count)"
        if let actor, let step { place += ", \(machine.name(of: actor)): \(step.text(machine.world.setting).title)" }
        return TableDrawing(
            tables, focus: ipa ?? tables.firstMapped, written: written, title: DisplayText(session.title, limit: 120).text,
            subtitle: "\(place) (\(KernelInForce(machine)))")
    }
}

extension TableSource {
    /// The first IPA that is mapped; nil: none is.
    public var firstMapped: IPA? { extent.map { IPA($0.lowerBound) } }
}
