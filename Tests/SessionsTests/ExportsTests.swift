import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("A machine's memory as an ELF file")
struct ExportsELFTests {
    @Test("written and opened again: the same tables as the machine has", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func roundTrip(_ seed: UInt64) throws {
        let machine = RandomMachine.make(seed: seed, actions: 150)
        for vm in machine.world.vms {
            let elf = try ELFImage(machine.elfCore(vm: vm.id).bytes)
            let image = try TableImage(elf, registers: TableRegisters(), beside: nil, name: "")
            #expect(image.geometry.root == vm.level1 && image.geometry.vmid == UInt16(vm.vmid))
            var count = 0
            for leaf in image.leaves() {
                count += 1
                #expect(machine.world.leaf(of: vm.id, leaf.ipa) == leaf.descriptor)
            }
            #expect(Array(try machine.tableImage(vm: vm.id).leaves()) == Array(image.leaves()))
            #expect(count > 0)
            let pages = Set(machine.world.tablePages(of: vm.id).map(\.address))
            for table in image.tables() { #expect(pages.contains(table.address)) }
        }
    }

    @Test("frames keep their contents, untouched ones are zeros without bytes in the file")
    func contents() throws {
        let machine = RandomMachine.make(seed: 9, actions: 100)
        let bytes = try machine.elfCore(vm: 0).bytes
        let elf = try ELFImage(bytes)
        for pfn in machine.world.frames.inUse {
            #expect(elf.memory.word(at: pfn.pa.rawValue) != nil)
            for (offset, word) in machine.world.frames.words(of: pfn) { #expect(elf.memory.word(at: pfn.pa.rawValue + offset) == word) }
        }
        #expect(bytes.count < machine.world.frames.inUse.count * 4096)
        #expect(elf.machine == .arm && elf.note?.vtcr == UInt64(machine.world.vtcr.rawValue) && elf.note?.cpu == "cortex-a15")
    }

    @Test("what the simulated CPU translates, the exported image does too", arguments: [11, 12] as [UInt64])
    func translations(_ seed: UInt64) throws {
        let machine = RandomMachine.make(seed: seed, actions: 200)
        let image = try machine.tableImage(vm: 0)
        for entry in machine.world.cpus.flatMap(\.tlb.entries) where entry.isValid && entry.vmid == machine.world.vms[0].vmid {
            guard machine.world.leaf(of: 0, entry.ipa) == entry.descriptor else { continue }
            #expect(image.translate(Probe(.read, entry.ipa)).leaf?.descriptor == entry.descriptor)
        }
    }

    @Test("a machine without its VM")
    func destroyed() throws {
        var machine = Machine(MachineConfiguration())
        machine.start(.host(HostAction(.vmDestroy)), by: machine.thread(.admin))
        _ = machine.run(machine.thread(.admin))
        #expect(machine.firstLivingVM == nil)
        #expect(throws: MachineImage.Problem.self) { try machine.elfCore(vm: 0) }
        #expect(throws: MachineImage.Problem.self) { try machine.elfCore(vm: 9) }
    }

    /// Writes images for `.ci/judge`, which compares their translations with an emulated CPU's.
    @Test("images for the judge", .enabled(if: ProcessInfo.processInfo.environment["KVMTUI_JUDGE_IMAGES"] != nil))
    func judge() throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["KVMTUI_JUDGE_IMAGES"]!)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for seed in 1...UInt64(60) {
            let machine = RandomMachine.make(seed: 1000 + seed, actions: 20 + Int(seed) * 5)
            for vm in machine.world.vms {
                try Data(machine.elfCore(vm: vm.id).bytes).write(to: folder.appending(path: "machine\(seed).vm\(vm.id).elf"))
            }
        }
    }
}

@Suite("The tables as Linux dumps them")
struct ExportsPTDumpTests {
    @Test("runs merged by level and attributes, holes, blocks, XN in its four values")
    func lines() throws {
        func page(_ entries: [Int: UInt64], _ count: Int = 512) -> [UInt64] {
            (0..<count).map { entries[$0] ?? 0 }
        }
        let runs = [
            PhysicalRun(address: 0x4800_0000, words: page([2: 0x4900_0003], 1024)),
            PhysicalRun(address: 0x4900_0000, words: page([0: 0x4900_1003, 1: 0x6000_0000 | 0x7fd, 2: 0x6060_0000 | 0x7fd])),
            PhysicalRun(
                address: 0x4900_1000,
                words: page([
                    1: 0x5000_177f, 2: 0x5100_07ff, 3: 0x5200_07ff, 4: 0x5000_0000 | 2 << 53 | 0x7ff, 5: 0x5000_0000 | 1 << 53 | 0x3bf,
                    6: 0x5000_0000 | 3 << 53 | 0x73f,
                ])),
        ]
        let image = TableImage(geometry: try Stage2Geometry(.armv8, vttbr: 0x4800_0000, vtcr: 0x8005_3558), memory: PhysicalImage(runs))
        let lines = [
            "---[ Guest IPA ]---",
            "0x0000000000000000-0x0000000080000000           2G 1",
            "0x0000000080000000-0x0000000080001000           4K 3",
            "0x0000000080001000-0x0000000080002000           4K 3   R   px ux  AF    ",
            "0x0000000080002000-0x0000000080004000           8K 3   R W px ux  AF    ",
            "0x0000000080004000-0x0000000080005000           4K 3   R W PXNUXN AF    ",
            "0x0000000080005000-0x0000000080006000           4K 3     W PXNux        ",
            "0x0000000080006000-0x0000000080007000           4K 3       px UXN AF    ",
            "0x0000000080007000-0x0000000080200000        2020K 3",
            "0x0000000080200000-0x0000000080600000           4M 2   R W px ux  AF BLK",
            "0x0000000080600000-0x00000000c0000000        1018M 2",
        ]
        #expect(PTDump(image).text == lines.joined(separator: "\n") + "\n")
    }

    @Test("every leaf of a machine lies in a line with its rights")
    func machine() throws {
        let machine = RandomMachine.make(seed: 21, actions: 200)
        let image = try machine.tableImage(vm: 0)
        let lines = PTDump(image).text.split(separator: "\n").dropFirst()
        var ranges: [(Range<UInt64>, Substring)] = []
        for line in lines {
            let ends = line.prefix(37).split(separator: "-").compactMap { HexNumber.number($0) }
            ranges.append((ends[0]..<ends[1], line.dropFirst(53)))
        }
        for (one, other) in zip(ranges, ranges.dropFirst()) { #expect(one.0.upperBound == other.0.lowerBound) }
        for leaf in image.leaves() {
            let line = ranges.first { $0.0.contains(leaf.ipa.rawValue) }
            #expect(line?.1.contains("R") == leaf.descriptor.allowsRead && line?.1.contains("W") == leaf.descriptor.allowsWrite)
        }
    }
}

@Suite("The tables as a graph")
struct ExportsGraphTests {
    @Test("a node for each table, an edge to each")
    func graph() throws {
        let machine = RandomMachine.make(seed: 31, actions: 60)
        let image = try machine.tableImage(vm: 0)
        let text = TableGraph(image).text
        #expect(text.hasPrefix("digraph stage2 {\n") && text.hasSuffix("}\n"))
        for table in image.tables() { #expect(text.contains("t\(table.level)_\(String(table.address.rawValue, radix: 16)) [label=")) }
        for line in text.split(separator: "\n") { #expect(line.filter { $0 == "\"" }.count % 2 == 0) }
    }
}
