import Sessions
import Stage2Sim

// The stage-2 tables: the way of the IPA at hand, the tables there are, the leaves.

extension PageState {
    var tables: PageSection {
        var section = PageSection(id: "tables", title: "Stage-2 tables")
        way(into: &section)
        // While a VM is torn down its tables stand still; and tables that leak stay when it is gone.
        for vm in world.vms {
            let name = world.vms.count > 1 ? " of vm\(vm.id)" : ""
            let pages = world.tablePages(of: vm.id)
            guard vm.level1 != nil || !pages.isEmpty else { continue }
            section.table(
                "Table pages\(name)", ["Page", "Level", "Entries in use", "Page count"], key: 1,
                pages.prefix(Self.mostRows).map { page in
                    [
                        .init(hex(page.address.rawValue, digits: 10)), .init("\(page.level)"), .init("\(world.kernelPages.entries(of: page.address))"),
                        .init("\(world.kernelPages.references(of: page.address))"),
                    ]
                }, whole: pages.count)
            var leaves: [[PageSection.Cell]] = [], count = 0
            world.forEachLeaf(of: vm.id) { ipa, leaf in
                count += 1
                guard leaves.count < Self.mostRows else { return }
                leaves.append([
                    .init(hex(ipa.rawValue, digits: 10)), .init(hex(leaf.address.rawValue, digits: 10)), .init(leaf.rights),
                    .init(hex(leaf.rawValue, digits: 16)),
                ])
            }
            if count > 0 {
                section.table("Leaves\(name)", ["IPA", "PA", "Rights", "Descriptor"], key: 1, leaves, whole: count)
            } else {
                section.say("No leaf\(name): nothing is mapped.", .dim)
            }
        }
        return section
    }

    private func way(into section: inout PageSection) {
        guard let source = MachineTables(world, vm: vm.id) else { return section.say("The VM at hand has no tables any more: it was destroyed.", .dim) }
        section.blocks.append(.list("", [("VTTBR" + ofVM, .init(hex(vcpu.vttbr.rawValue, digits: 16))), ("VMID", .init("\(vm.vmid)"))]))
        let geometry = source.geometry, ipa = self.ipa
        section.table(
            "The way of IPA \(hex(ipa.rawValue, digits: 10))\(ofVM)", ["Level", "Table", "Index", "Entry", "Meaning"], key: 1,
            source.tables(towards: ipa).map { table in
                let index = source.index(ipa, level: table.level)
                let word = source.word(at: table.address(of: index))
                return [
                    .init("\(table.level)"), .init(hex(table.address.rawValue, digits: 10)), .init("\(index)"),
                    .init(word.map { $0 == 0 ? "0" : hex($0, digits: 16) } ?? "no memory", word == 0 ? .dim : .none),
                    .init(word.map { Stage2Descriptor($0).summary(level: table.level, geometry) } ?? "", word == 0 ? .dim : .none),
                ]
            })
    }

    /// The descriptor that the step wrote or read last on the way, else the deepest.
    var entry: PageSection {
        var section = PageSection(id: "entry", title: "Entry")
        guard let source = MachineTables(world, vm: vm.id) else {
            section.say("No table.", .dim)
            return section
        }
        var written: Set<UInt64> = [], read: Set<UInt64> = []
        var last: (address: PA, level: Int, value: UInt64)?
        for effect in effects {
            switch effect {
            case .descriptorWritten(let pa, _, _, _): written.insert(pa.rawValue)
            case .descriptorRead(let pa, let level, let value):
                read.insert(pa.rawValue)
                last = (pa, Int(level), value)
            default: break
            }
        }
        let way = source.tables(towards: ipa)
        func isIn(_ set: Set<UInt64>) -> (Stage2Table) -> Bool { { table in set.contains(table.address(of: source.index(ipa, level: table.level)).rawValue) } }
        let geometry = source.geometry
        guard let table = way.last(where: isIn(written)) ?? way.last(where: isIn(read)) ?? way.last else { return section }
        let index = source.index(ipa, level: table.level), address = table.address(of: index)
        // A walk may read what is no table of the VM any more.
        if let last, !way.contains(where: { $0.address(of: source.index(ipa, level: $0.level)) == last.address }),
            !world.tablePages(of: vm.id).contains(where: { $0.address == last.address.page })
        {
            let descriptor = Stage2Descriptor(last.value)
            section.say("The walk read \(hex(last.value, digits: 16)) at \(hex(last.address.rawValue)), in a page that is no table of this VM.", .stale)
            section.blocks.append(fields(descriptor.fields(level: last.level, geometry), last.value, "Read, field by field"))
            return section
        }
        guard let word = source.word(at: address) else {
            section.say("There is no memory at \(hex(address.rawValue)).", .stale)
            return section
        }
        let descriptor = Stage2Descriptor(word)
        let span = geometry.span(level: table.level), first = ipa.rawValue & ~(span - 1)
        section.blocks.append(
            .list(
                "Level \(table.level), entry \(index) at \(hex(address.rawValue))",
                [
                    ("Descriptor", .init(hex(word, digits: 16))), ("Meaning", .init(descriptor.summary(level: table.level, geometry))),
                    ("For IPA", .init("\(hex(first, digits: 10)) to \(hex(first + (span - 1), digits: 10)), \(sizeText(span))")),
                ]))
        section.blocks.append(
            fields(descriptor.fields(level: table.level, geometry), word, "Level \(table.level) [\(index)] at \(hex(address.rawValue)), field by field"))
        return section
    }
}
