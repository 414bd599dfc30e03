import Stage2Sim

// Virtual machines with their tables, and what stands under them.

extension StateJSON {
    func write(_ vm: VirtualMachine, to json: inout JSONText) {
        json.object { json in
            json.entry("vm", vm.id.index)
            json.entry("process", vm.process.index)
            json.entry("vmid", Int(vm.vmid))
            json.entry("vmid_generation", Int(vm.vmidGeneration))
            json.entry("vttbr") { json in
                if let level1 = vm.level1 { json.value(hex: VTTBR(table: level1, vmid: vm.vmid).rawValue, digits: 16) } else { json.null() }
            }
            json.entry("vtcr", hex: UInt64(world.vtcr.rawValue), digits: 8)
            json.entry("mmu_lock") { json in
                if let holder = vm.lockHolder { json.value(machine.name(of: holder)) } else { json.null() }
            }
            json.entry("mmu_notifier_seq", Int(vm.notifierSequence))
            json.entry("mmu_notifier_count", Int(vm.notifierCount))
            json.entry("srcu_readers", Int(vm.srcuReaders))
            json.entry("destroyed", vm.destroyed)
            json.entry("slots") { $0.array { json in vm.slots.forEach { write($0, to: &json) } } }
            json.entry("tables") { $0.array { json in world.tablePages(of: vm.id).forEach { writeTable($0.address, level: $0.level, to: &json) } } }
            json.entry("leaves") { json in
                json.array { json in
                    guard let image = try? machine.tableImage(vm: vm.id) else { return }
                    for leaf in image.leaves() { write(leaf, to: &json) }
                }
            }
        }
    }

    private func write(_ slot: Memslot, to json: inout JSONText) {
        json.object { json in
            json.entry("id", Int(slot.id))
            json.entry("ipa", hex: slot.ipa.rawValue)
            json.entry("size", hex: slot.size)
            json.entry("hva", hex: slot.hva.rawValue)
            json.entry("read_only", slot.readOnly)
            json.entry("invalid", slot.invalid)
        }
    }

    private func writeTable(_ table: PA, level: Int, to json: inout JSONText) {
        json.object { json in
            json.entry("pa", hex: table.rawValue)
            json.entry("level", level)
            json.entry("page_count", world.kernelPages.references(of: table))
            json.entry("live_entries", world.kernelPages.entries(of: table))
            json.entry("entries") {
                $0.array { json in
                    for (index, word) in (world.pageWords(at: table) ?? []).enumerated() where word != 0 {
                        json.object { json in
                            json.entry("index", index)
                            json.entry("descriptor", hex: word, digits: 16)
                        }
                    }
                }
            }
        }
    }

    private func write(_ leaf: Stage2Translation.Leaf, to json: inout JSONText) { Self.write(leaf, .armv7, to: &json) }

    /// A leaf; also those of images.
    static func write(_ leaf: Stage2Translation.Leaf, _ rules: Stage2Rules, sh: UInt8? = nil, to json: inout JSONText) {
        let word = leaf.descriptor.rawValue
        json.object { json in
            json.entry("ipa", hex: leaf.ipa.rawValue)
            json.entry("pa", hex: leaf.pa.rawValue)
            json.entry("size", hex: leaf.size)
            json.entry("level", leaf.level)
            json.entry("descriptor", hex: word, digits: 16)
            json.entry("s2ap", ["none", "ro", "wo", "rw"][Int(Stage2Descriptor.hapBits.of(word))])
            json.entry("xn", Int(leaf.descriptor.executeNever(rules)))
            json.entry("af", Int(Stage2Descriptor.afBits.of(word)))
            json.entry("sh", Int(sh ?? UInt8(Stage2Descriptor.shBits.of(word))))
            json.entry("memattr", Int(Stage2Descriptor.memAttrBits.of(word)))
            json.entry("software", Int(Stage2Descriptor.softwareBits.of(word)))
        }
    }

    func writeProcess(_ number: ProcessNumber, to json: inout JSONText) {
        let process = world.processes[number]
        json.object { json in
            json.entry("process", number.index)
            json.entry("name", process.name)
            json.entry("vm") { json in process.vm.map { json.value($0.index) } ?? json.null() }
            json.entry("exited", process.exited)
            let locks = world.locks(ofProcess: number)
            json.entry("page_table_lock") { json in locks.pageTable.map { json.value(machine.name(of: $0)) } ?? json.null() }
            json.entry("mmap_sem_writer") { json in locks.mmapWriter.map { json.value(machine.name(of: $0)) } ?? json.null() }
            json.entry("mmap_sem_readers", locks.mmapReaders)
            json.entry("areas") { $0.array { json in process.areas.forEach { write($0, to: &json) } } }
            json.entry("entries") { $0.array { json in world.hostEntries(of: number).forEach { write($0.hva, $0.entry, to: &json) } } }
        }
    }

    private func write(_ area: MemoryArea, to json: inout JSONText) {
        json.object { json in
            json.entry("start", hex: area.start.rawValue)
            json.entry("end", hex: area.end.rawValue)
            json.entry("writable", area.writable)
            json.entry("device") { json in
                if case .device(let pa) = area.backing { json.value(hex: pa.rawValue) } else { json.null() }
            }
        }
    }

    private func write(_ hva: HVA, _ entry: HostEntry, to json: inout JSONText) {
        json.object { json in
            json.entry("hva", hex: hva.rawValue)
            if entry.isSwapped {
                json.entry("state", "swapped")
                json.entry("swap_slot", Int(entry.slot))
            } else if entry.isPoisoned {
                json.entry("state", "poisoned")
            } else {
                json.entry("state", "present")
                json.entry("pa", hex: entry.pfn.pa.rawValue)
                json.entry("writable", entry.isWritable)
                json.entry("dirty", entry.isDirty)
                json.entry("young", entry.isYoung)
                json.entry("special", entry.isSpecial)
            }
        }
    }

    func writeFrame(_ pfn: PFN, to json: inout JSONText) {
        let frame = world.frames[pfn]
        json.object { json in
            json.entry("pa", hex: pfn.pa.rawValue)
            json.entry("page_count", Int(frame.references))
            json.entry("map_count", Int(frame.mappings))
            json.entry("stage2_leaves", Int(frame.leaves))
            json.entry("flags") { $0.array { json in frame.flags.names.forEach { json.value($0) } } }
            json.entry("swap_slot") { json in frame.flags.contains(.swapCache) ? json.value(Int(frame.slot)) : json.null() }
            json.entry("words") { write(world.frames.words(of: pfn), to: &$0) }
        }
    }

    func write(_ slot: SwapSlotState, to json: inout JSONText) {
        json.object { json in
            json.entry("slot", slot.number)
            json.entry("users", slot.users)
            json.entry("swap_cache") { json in slot.cached.map { json.value(hex: $0.pa.rawValue) } ?? json.null() }
            json.entry("words") { write(slot.words, to: &$0) }
        }
    }

    /// Non-zero words by their offset: `{"0x8":"0x2a"}`.
    private func write(_ words: [(offset: UInt64, word: UInt64)], to json: inout JSONText) {
        json.object { json in
            for (offset, word) in words { json.entry("0x" + String(offset, radix: 16), hex: word) }
        }
    }
}
