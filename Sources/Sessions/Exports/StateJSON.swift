import Stage2Sim

/// All state of a machine as JSON. The keys are the field's own terms; `StateJSON.schema` says what each holds. Addresses, descriptors
/// and registers are hexadecimal text, counts are numbers.
public struct StateJSON {
    let machine: Machine
    var world: World { machine.world }

    public init(_ machine: Machine) { self.machine = machine }

    public var text: String {
        var json = JSONText(indent: 1)
        write(to: &json)
        return json.text + "\n"
    }

    public func write(to json: inout JSONText) {
        json.object { json in
            json.entry("schema", "kvmtui-state-1")
            json.entry("step", Int(world.stepNumber))
            json.entry("cpu") { writeCPUModel(to: &$0) }
            json.entry("kernel") { writeKernel(to: &$0) }
            json.entry("statistics") { writeStatistics(to: &$0) }
            json.entry("vms") { $0.array { json in world.vms.forEach { write($0, to: &json) } } }
            json.entry("cpus") { $0.array { json in world.cpus.indices.forEach { writeCPU($0, to: &json) } } }
            json.entry("actors") { $0.array { json in machine.actors.indices.forEach { writeActor($0, to: &json) } } }
            json.entry("stage1") { $0.array { json in world.stage1.forEach { write($0, to: &json) } } }
            json.entry("processes") { $0.array { json in world.processes.indices.forEach { writeProcess($0, to: &json) } } }
            json.entry("frames") { $0.array { json in world.frames.inUse.forEach { writeFrame($0, to: &json) } } }
            json.entry("swap") { $0.array { json in world.swapSlots.forEach { write($0, to: &json) } } }
            json.entry("violations") { $0.array { json in world.violations.forEach { write($0, to: &json) } } }
        }
    }

    // MARK: The machine

    private func writeCPUModel(to json: inout JSONText) {
        json.object { json in
            json.entry("name", world.cpuModel.name)
            json.entry("ctr", hex: UInt64(world.cpuModel.ctr.rawValue), digits: 8)
            json.entry("instruction_cache", world.cpuModel.instructionCacheKind)
            json.entry("multiprocessor", world.multiprocessor)
        }
    }

    private func writeKernel(to json: inout JSONText) {
        json.object { json in
            json.entry("revision", machine.configuration.revision.rawValue)
            json.entry("behaviours") { $0.array { json in world.behaviours.list.forEach { json.value($0.name) } } }
            json.entry("pages_allocated", world.kernelPages.allocated)
            json.entry("pages_freed", world.kernelPages.freed)
            json.entry("vmid_generation", Int(world.vmidGeneration))
        }
    }

    private func writeStatistics(to json: inout JSONText) {
        let statistics = world.statistics
        json.object { json in
            json.entry("faults", statistics.faults)
            json.entry("tlb_flushes", statistics.tlbFlushes)
            json.entry("leaves_set", statistics.leavesSet)
            json.entry("leaves_cleared", statistics.leavesCleared)
            json.entry("retries", statistics.retries)
            json.entry("messages", statistics.messages)
            json.entry("violations", statistics.violations)
        }
    }

    private func writeCPU(_ number: Int, to json: inout JSONText) {
        let tlb = world.cpus[number].tlb
        json.object { json in
            json.entry("cpu", number)
            json.entry("tlb_sets", tlb.sets)
            json.entry("tlb_ways", tlb.ways)
            json.entry("tlb") {
                $0.array { json in
                    for entry in tlb.entries where entry.isValid {
                        json.object { json in
                            json.entry("vmid", Int(entry.vmid))
                            json.entry("ipa", hex: entry.ipa.rawValue)
                            json.entry("leaf", hex: entry.leaf, digits: 16)
                            json.entry("level", Int(entry.level))
                            json.entry("descriptor_address", hex: entry.descriptorAddress.rawValue)
                            json.entry("filled_at", Int(entry.filledAt))
                        }
                    }
                }
            }
        }
    }

    private func writeActor(_ number: Int, to json: inout JSONText) {
        let actor = machine.actors[number]
        json.object { json in
            json.entry("name", machine.name(of: number))
            json.entry("kind", actor.kind == .vcpu ? "vcpu" : "host")
            json.entry("next", String(describing: actor.next))
            json.entry("outcome", String(describing: actor.outcome))
            json.entry("error", Int(actor.error))
            guard actor.kind == .vcpu else { return }
            json.entry("vm", Int(actor.vm))
            json.entry("cpu", Int(actor.cpu))
            json.entry("memory_cache") {
                $0.array { json in (0..<actor.memoryCache.count).forEach { json.value(hex: actor.memoryCache[$0].rawValue) } }
            }
            json.entry("vttbr", hex: actor.vttbr.rawValue, digits: 16)
            json.entry("hsr", hex: UInt64(actor.hsr.rawValue), digits: 8)
            json.entry("hpfar", hex: UInt64(actor.hpfar.rawValue), digits: 8)
            json.entry("hxfar", hex: UInt64(actor.hxfar), digits: 8)
            json.entry("pc", hex: UInt64(actor.registers.pc), digits: 8)
            json.entry("cpsr", hex: UInt64(actor.registers.cpsr), digits: 8)
            json.entry("registers") { $0.array { json in (0..<15).forEach { json.value(hex: UInt64(actor.registers[$0]), digits: 8) } } }
        }
    }

    private func write(_ mapping: Stage1Mapping, to json: inout JSONText) {
        json.object { json in
            json.entry("va", hex: mapping.va.rawValue)
            json.entry("ipa", hex: mapping.ipa.rawValue)
            json.entry("size", hex: mapping.size)
            json.entry("valid", mapping.valid)
            json.entry("tables") { $0.array { json in mapping.tables.forEach { json.value(hex: $0.rawValue) } } }
        }
    }

    private func write(_ violation: Violation, to json: inout JSONText) {
        json.object { json in
            json.entry("rule", violation.rule.name)
            json.entry("step", Int(violation.step))
            json.entry("cause", Int(violation.cause))
            json.entry("actor", machine.name(of: Int(violation.actor)))
            json.entry("vm", Int(violation.vm))
            json.entry("ipa", hex: violation.ipa.rawValue)
            json.entry("pa", hex: violation.pa.rawValue)
            json.entry("expected", hex: violation.expected)
            json.entry("found", hex: violation.found)
            json.entry("write", violation.isWrite)
        }
    }
}
