import Stage2Sim

/// An IPA by hand, through tables given as words. The machine has two slots 512 GiB apart, so that a level-1 index cut to nine bits finds an entry too,
/// and pages whose indexes are each other's, so that levels taken in the wrong order find something as well.
enum TranslateProblem {
    static func make(_ seed: UInt64, _ random: inout QuizRandom) -> Problem? {
        let low: UInt64 = UInt64(1 + random.number(below: 511)) << 30, high = low + 1 << 39
        // Indexes of level 2 and 3 that are not the same, within a slot of 8 MiB.
        let second = UInt64(random.number(below: 4)), third = UInt64(32 + random.number(below: 480))
        let page = second << 21 | third << 12, offset = UInt64(random.number(below: 1024)) << 2
        let neighbour = second << 21 | ((third + 1) % 512) << 12
        let inHigh = random.isTrue(), other = inHigh ? low : high, base = inHigh ? high : low
        let writes = random.isTrue(), readOnly = random.isTrue(oneIn: 3), missing = random.isTrue(oneIn: 4)
        let target = base | page
        var actions: [String] = []
        actions.append("write \(hex(other | page)) 1")
        if !missing { actions.append("\(readOnly ? "read \(hex(target))" : "write \(hex(target)) 2")") }
        actions.append(random.isTrue() ? "write \(hex(base | neighbour)) 3" : "read \(hex(base | neighbour))")
        actions = random.shuffled(actions)
        let session = """
            kvmtui: 1
            title: A problem, seed \(seed)
            machine:
              memory:
                - { ipa: \(hex(low)), size: 8M, hva: 0x40000000, populated: true }
                - { ipa: \(hex(high)), size: 8M, hva: 0x50000000, populated: true }
            steps:
            \(actions.map { "  - vcpu0: \($0)" }.joined(separator: "\n"))
              - vcpu0: \(writes ? "write \(hex(target | offset)) 9" : "read \(hex(target | offset))")

            """
        guard var simulation = QuizRun(session, stoppingBeforeLast: true)?.simulation else { return nil }
        guard let source = MachineTables(simulation.machine.world, vm: 0) else { return nil }
        let ipa = IPA(target | offset)
        let access = Access(writes ? .write : .read, ipa)
        func found(_ translation: Stage2Translation) -> String {
            switch translation.end {
            case .translated(let pa): return "PA \(hex(pa.rawValue, digits: 10))"
            case .fault(let fault): return "\(fault.status.kind?.name ?? "other fault"), level \(fault.status.level)"
            }
        }
        let translation = source.translate(ipa, access)
        let answer = found(translation)
        var given: [String] = []
        func give(_ table: Stage2Table) {
            source.forEachWord(of: table) { index, word in
                if let word, word != 0 {
                    given.append("\(hex(table.address(of: index).rawValue, digits: 10)): \(hex(word, digits: 16))")
                }
            }
        }
        let tables = source.tables()
        guard tables.count <= 12 else { return nil }
        for table in tables.sorted(by: { $0.address.rawValue < $1.address.rawValue }) { give(table) }

        // What somebody comes to who takes something wrongly.
        var wrong: [(String, String)] = []
        let cut = found(source.translate(IPA(ipa.rawValue & (1 << 39 - 1)), access))
        wrong.append((cut, "the level-1 index was cut to nine bits: the level-1 table has 1024 entries, IPA[39:30]"))
        let leaf = translation.steps.last?.descriptor.map { Stage2Descriptor($0.rawValue) }
        if let leaf, translation.steps.count == 3 {
            let frame = leaf.address.rawValue
            wrong.append(("PA \(hex(frame, digits: 10))", "the offset IPA[11:0] was forgotten"))
            wrong.append(("PA \(hex(frame | leaf.rawValue & 0xfff, digits: 10))", "the low bits of the descriptor are attributes, and no part of the address"))
            wrong.append(("PA \(hex(frame | offset, digits: 10))", "the leaf does not permit the access: HAP, bits 7:6, says so"))
        }
        wrong.append(("permission fault, level 3", "HAP, bits 7:6, permits it: 01 is read-only, 11 read and write"))
        wrong.append(("translation fault, level 3", "an entry that is there was taken for an empty one"))
        wrong.append(("translation fault, level 2", "the level-2 table has the entry: IPA[29:21] counts entries of eight bytes"))
        wrong.append(("translation fault, level 1", "the level-1 table has the entry: IPA[39:30] counts entries of eight bytes"))
        let swapped = IPA(base | (third % 32) << 21 | second << 12 | offset)
        wrong.append((found(source.translate(swapped, access)), "the indexes of level 2 and level 3 were taken for each other"))
        let steps = translation.steps.map {
            "level \($0.level): entry \($0.index) at \(hex($0.descriptorAddress.rawValue, digits: 10)) is \($0.descriptor.map { hex($0.rawValue) } ?? "not there")"
        }
        simulation.run(limit: .max)
        return Problem(
            .translate, seed: seed,
            text: [
                "Stage 2 of ARMv7: an IPA of 40 bits, three levels, granule 4 KiB. VTTBR is \(hex(simulation.machine.actors[0].vttbr.rawValue, digits: 16)). Memory holds these words; all others in the tables are 0."
            ], given: given,
            question:
                "The guest \(writes ? "writes a word to" : "reads a word from") IPA \(hex(ipa.rawValue, digits: 10)), and the TLB is empty. What comes of it?",
            answer: answer, wrong: wrong, why: steps.joined(separator: "; ") + ". " + answer + ".", session: session, random: &random)
    }
}
