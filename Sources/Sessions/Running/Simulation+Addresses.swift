import Stage2Sim

// What an operation names, in the machine as it is when the operation begins.

extension Simulation {
    func resolve(_ command: Command, _ operation: Operation) throws(InputError) -> Action {
        switch command {
        case .access(let access):
            if access.throughStage1, !machine.world.stage1.contains(where: { $0.contains(access.va) }) {
                throw InputError(
                    session.file, operation.place, "no stage-1 mapping covers va:\(hex(access.va.rawValue))", fits: "an address that the machine's stage1 maps")
            }
            return .access(access)
        case .host(var action, let place, let other):
            if let place { (action.process, action.hva) = try find(place, operation) }
            if let other { (action.otherProcess, action.other) = try find(other, operation) }
            if case .ipa(_, let vm)? = place { action.vm = vm }
            if !machine.world.vms.indices.contains(action.vm) { throw InputError(session.file, operation.place, "there is no vm\(action.vm)") }
            return .host(action)
        case .proceed, .switches: preconditionFailure("handled before")
        }
    }

    private func find(_ place: MemoryPlace, _ operation: Operation) throws(InputError) -> (ProcessNumber, HVA) {
        switch place {
        case .ipa(let ipa, let vm):
            guard machine.world.vms.indices.contains(vm) else { throw InputError(session.file, operation.place, "there is no vm\(vm)") }
            guard let slot = machine.world.vms[vm].slot(at: IPA(ipa)) else {
                throw InputError(session.file, operation.place, "no memory slot of vm\(vm) holds \(hex(ipa))", fits: "an IPA in a slot, or hva:ADDRESS")
            }
            return (machine.world.vms[vm].process, slot.hva(of: IPA(ipa)))
        case .hva(let hva, let name):
            // A forked child is found by the last of its kind.
            guard let process = machine.world.processes.last(where: { $0.name == name || (name == "child" && $0.name.hasPrefix("child ")) }) else {
                throw InputError(
                    session.file, operation.place, "there is no process \(name)", fits: machine.world.processes.map(\.name).joined(separator: ", "))
            }
            return (process.id, HVA(hva))
        }
    }
}
