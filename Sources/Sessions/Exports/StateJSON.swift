import Stage2Sim

/// All state of a machine as JSON. The keys are the field's own terms; `StateJSON.schema` says what each holds. Addresses, descriptors
/// and registers are hexadecimal text, counts are numbers.
public struct StateJSON {
    let machine: Machine
    var world: World { machine.world }

    /// The state of a machine as it is now.
    public init(_ machine: Machine) { self.machine = machine }

    /// One JSON object, indented.
    public var text: String {
        var json = JSONText(indent: 1)
        write(to: &json)
        return json.text + "\n"
    }

    /// Writes the object as the next value.
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
            json.entry("caches") { writeCaches(to: &$0) }
            json.entry("invalidations") { $0.array { json in world.invalidations.forEach { write($0, to: &json) } } }
            json.entry("gathered_pages") { $0.array { json in world.pagesGathered.forEach { writeGathered($0.page, by: $0.actor, to: &json) } } }
            json.entry("violations") { $0.array { json in world.violations.forEach { write($0, to: &json) } } }
        }
    }

    // MARK: The machine

    private func writeCPUModel(to json: inout JSONText) {
        json.object { json in
            json.entry("name", world.cpuModel.name)
            json.entry("ctr", hex: UInt64(world.ctr.rawValue), digits: 8)
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
            json.entry("zero_page", hex: world.zeroPageAddress.rawValue)
        }
    }

    private func writeStatistics(to json: inout JSONText) {
        let statistics = world.statistics
        json.object { json in
            json.entry("faults", statistics.faults)
            json.entry("tlb_flushes", statistics.tlbFlushes + statistics.tlbFlushesByIPA)
            json.entry("leaves_set", statistics.leavesSet)
            json.entry("leaves_cleared", statistics.leavesCleared)
            json.entry("retries", statistics.retries)
            json.entry("messages", statistics.messages)
            json.entry("violations", statistics.violations)
        }
    }

    private func writeCPU(_ number: CPUNumber, to json: inout JSONText) {
        let tlb = world.cpus[number].tlb
        json.object { json in
            json.entry("cpu", number.index)
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
                            json.entry("stale", isStale(entry))
                        }
                    }
                }
            }
        }
    }

    /// Whether the tables of the VM that the entry belongs to say something else by now.
    private func isStale(_ entry: TLBEntry) -> Bool {
        let vm = world.vms.first { $0.vmid == entry.vmid && !$0.destroyed }
        return vm.flatMap { world.leaf(of: $0.id, entry.ipa) }?.rawValue != entry.leaf
    }

    private func writeActor(_ number: ActorNumber, to json: inout JSONText) {
        let actor = machine.actors[number]
        json.object { json in
            json.entry("name", machine.name(of: number))
            json.entry("kind", actor.kind == .vcpu ? "vcpu" : "host")
            json.entry("next", String(describing: actor.next))
            json.entry("outcome", String(describing: actor.outcome))
            json.entry("error", Int(actor.error))
            json.entry("action") { json in action(of: actor).map { json.value($0) } ?? json.null() }
            guard actor.kind == .vcpu else { return }
            json.entry("vm", actor.vm.index)
            json.entry("cpu", actor.cpu.index)
            json.entry("memory_cache") {
                $0.array { json in (0..<actor.memoryCache.count).forEach { json.value(hex: actor.memoryCache[$0].rawValue) } }
            }
            json.entry("vttbr", hex: actor.vttbr.rawValue, digits: 16)
            json.entry("hsr", hex: UInt64(actor.hsr.rawValue), digits: 8)
            json.entry("hpfar", hex: UInt64(actor.hpfar.rawValue), digits: 8)
            json.entry("hpfar_known", actor.hpfarKnown)
            json.entry("hxfar", hex: UInt64(actor.hxfar), digits: 8)
            json.entry("par", hex: actor.par, digits: 16)
            json.entry("in_guest", actor.inGuest)
            json.entry("spinning", actor.isSpinning)
            json.entry("ipa", hex: actor.ipa.rawValue, digits: 10)
            json.entry("fault_ipa", hex: actor.faultIPA.rawValue, digits: 10)
            json.entry("value", hex: actor.value)
            json.entry("user_mem_abort") { json in
                json.object { json in
                    json.entry("write_fault", actor.writeFault)
                    json.entry("writable", actor.writable)
                    json.entry("mmu_seq", Int(actor.sampledSequence))
                    json.entry("pa", hex: actor.pfn.pa.rawValue)
                    json.entry("new_leaf", hex: actor.newLeaf.rawValue, digits: 16)
                }
            }
            json.entry("mmio") { json in
                json.object { json in
                    json.entry("address", hex: actor.mmio.address.rawValue, digits: 10)
                    json.entry("length", Int(actor.mmio.length))
                    json.entry("write", actor.mmio.isWrite)
                    json.entry("data", hex: actor.mmio.data)
                }
            }
            for (name, value) in [
                ("sctlr", actor.registers.sctlr), ("vbar", actor.registers.vbar), ("dfar", actor.registers.dfar), ("ifar", actor.registers.ifar),
                ("dfsr", actor.registers.dfsr), ("ifsr", actor.registers.ifsr), ("spsr_abt", actor.registers.spsrAbort), ("lr_abt", actor.registers.lrAbort),
            ] { json.entry(name, hex: UInt64(value), digits: 8) }
            json.entry("pc", hex: UInt64(actor.registers.pc), digits: 8)
            json.entry("cpsr", hex: UInt64(actor.registers.cpsr), digits: 8)
            json.entry("registers") { $0.array { json in (0..<15).forEach { json.value(hex: UInt64(actor.registers[$0]), digits: 8) } } }
        }
    }

    /// What an actor is doing, in the action language; nil for one that does nothing.
    private func action(of actor: Actor) -> String? {
        guard !actor.isIdle else { return nil }
        if actor.kind == .vcpu { return ActionLanguage.text(of: .access(actor.access)) }
        func place(_ hva: HVA, _ process: ProcessNumber) -> MemoryPlace? {
            world.processes.indices.contains(process) ? .hva(hva.rawValue, process: world.processes[process].name) : nil
        }
        let action = actor.hostAction
        return ActionLanguage.text(of: .host(action, place: place(action.hva, action.process), other: place(action.other, action.otherProcess)))
    }

    private func writeGathered(_ page: PA, by actor: ActorNumber, to json: inout JSONText) {
        json.object { json in
            json.entry("actor", machine.name(of: actor))
            json.entry("pa", hex: page.rawValue)
        }
    }

    private func write(_ invalidation: World.Invalidation, to json: inout JSONText) {
        json.object { json in
            json.entry("actor", machine.name(of: invalidation.actor))
            json.entry("process", invalidation.process.index)
            json.entry("start", hex: invalidation.start.rawValue)
            json.entry("end", hex: invalidation.end.rawValue)
            json.entry("since", Int(invalidation.since))
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
            json.entry("actor", machine.name(of: violation.actor))
            json.entry("vm", violation.vm.index)
            json.entry("ipa", hex: violation.ipa.rawValue)
            json.entry("pa", hex: violation.pa.rawValue)
            json.entry("expected", hex: violation.expected)
            json.entry("found", hex: violation.found)
            json.entry("write", violation.isWrite)
            json.entry("stale") { json in
                guard let stale = violation.stale else { return json.null() }
                write(stale, to: &json)
            }
        }
    }
}
