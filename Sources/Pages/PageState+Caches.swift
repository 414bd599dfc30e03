import Sessions
import Stage2Sim

// Caches, where the machine simulates them: how full each is, the word at hand level by level, stale lines, what maintenance did.

extension PageState {
    /// nil: the machine simulates none.
    var caches: PageSection? {
        guard let caches = world.caches else { return nil }
        let configuration = caches.configuration
        var section = PageSection(id: "caches", title: "Caches")
        section.blocks.append(
            .list(
                "",
                [
                    (
                        "Instruction cache",
                        .init(
                            "\(configuration.instructionKind.name), \(sizeText(UInt64(configuration.instruction.size))), \(configuration.instruction.sets) sets, \(configuration.instruction.ways) ways"
                        )
                    ),
                    ("Maintained", .init(maintenance.isEmpty ? "nothing in this step" : maintenance, maintenance.isEmpty ? .dim : .none)),
                ]))
        section.table(
            "Lines in use", ["CPU", "L1I", "of these stale", "L1D", "of these dirty"], key: 1,
            caches.cpus.enumerated().map { number, core in
                var stale = 0, data = 0, dirty = 0
                core.instruction.forEachLine { _, _, line in if world.isStale(line) { stale += 1 } }
                core.data.forEachLine { _, _, line in
                    data += 1
                    if ["M", "O"].contains(line.state) { dirty += 1 }
                }
                return [
                    .init("\(number)"), .init("\(core.instruction.count)"), .init("\(stale)", stale > 0 ? .stale : .none), .init("\(data)"), .init("\(dirty)"),
                ]
            })
        word(into: &section)
        var stale: [[PageSection.Cell]] = [], count = 0
        for (cpu, core) in caches.cpus.enumerated() {
            core.instruction.forEachLine { set, way, line in
                guard world.isStale(line) else { return }
                count += 1
                guard stale.count < 16 else { return }
                stale.append([
                    .init("\(cpu)"), .init("\(set)"), .init("\(way)"), .init(name(line.filler)), .init(hex(line.pa.rawValue)),
                    .init(hex(line.va.rawValue), .stale),
                ])
            }
        }
        if count > 0 { section.table("Stale instruction lines", ["CPU", "Set", "Way", "Whose", "PA", "VA"], key: 3, stale, whole: count) }
        return section
    }

    /// Where the word at hand is, and whether that is what was stored last.
    private func word(into section: inout PageSection) {
        guard let pa = wordAtHand, let copies = world.copies(of: pa) else { return section.say("The page at hand has no frame now.", .dim) }
        let writer = copies.writer == .host ? "the host" : "the guest of \(name(copies.writer))"
        section.table(
            "The word at PA \(hex(pa.rawValue)), last stored by \(writer): \(hex(copies.right, digits: 8))", ["Where", "CPU", "Place", "Value", "State"],
            key: 3,
            copies.copies.prefix(24).map { copy in
                let right = copy.value == copies.right
                let isL1 = copy.level == .instruction || copy.level == .data
                // Below a dirty line old bytes are in order: they will be written over.
                let follows = copies.copies.contains {
                    $0.value == copies.right && ["M", "O", "dirty"].contains($0.state) && $0.level.rawValue < copy.level.rawValue
                        && copy.level.rawValue > CacheLevel.data.rawValue
                }
                let state = right ? "right" : follows ? "older, will be written over" : "not what was stored last"
                return [
                    .init(copy.level.name), .init(isL1 ? "\(copy.cpu)" : ""), .init(isL1 ? "set \(copy.set) way \(copy.way)" : ""),
                    .init(hex(copy.value, digits: 8)),
                    .init(copy.state.isEmpty ? state : "\(state), \(copy.state)", right ? .right : follows ? .dim : .stale),
                ]
            })
    }

    private var wordAtHand: PA? {
        for case .broken(let index) in effects where world.violations[Int(index)].stale != nil { return PA(world.violations[Int(index)].pa.rawValue & ~3) }
        let a = actor.map { machine.actors[$0] } ?? vcpu
        var found: PA?
        if a.kind == .vcpu {
            let ipa = actor == nil ? self.ipa : a.access.ipa
            if let leaf = world.leaf(of: a.vm, ipa), leaf.isValid {
                found = PA(leaf.address.rawValue | ipa.rawValue & 0xfff)
            } else {
                found = frame(world.vms[a.vm].slot(at: ipa)?.hva(of: ipa), world.vms[a.vm].process)
            }
        } else if a.hostAction.pa.rawValue != 0 {
            found = a.hostAction.pa
        } else {
            found = frame(a.hostAction.hva, a.hostAction.process)
        }
        return found.map { PA($0.rawValue & ~3) }
    }

    private func frame(_ hva: HVA?, _ process: ProcessNumber) -> PA? {
        guard let hva else { return nil }
        let entry = world.processes[process].entry(hva.page)
        return entry.isPresent ? PA(entry.pfn.pa.rawValue | hva.rawValue & 0xfff) : nil
    }

    private func name(_ requester: Requester) -> String { requester.vm.map { "vm\($0)" } ?? "host" }

    private var maintenance: String {
        var parts: [String] = []
        for effect in effects {
            switch effect {
            case .cacheOperation(let operation, _, let va, _, let bytes):
                parts.append(operation.name + (bytes == 0 ? "" : bytes >= 4096 ? " page \(hex(va.rawValue & ~0xfff))" : " \(hex(va.rawValue))"))
            case .cache(let event) where [.cleaned, .invalidated, .lost].contains(event.kind): parts.append(event.words)
            default: break
            }
        }
        return parts.prefix(6).joined(separator: ", ") + (parts.count > 6 ? " and \(parts.count - 6) more" : "")
    }
}
