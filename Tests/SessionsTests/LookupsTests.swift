import Stage2Sim
import Testing

@testable import Sessions

@Suite("Registers taken apart")
struct LookupsDecodingTests {
    private func meanings(_ kind: RegisterKind, _ value: UInt64, _ architecture: TableArchitecture? = nil, level: Int = 3, fwb: Bool = false) -> [String:
        String]
    {
        let decoding = RegisterDecoding(kind, value, architecture: architecture, level: level, forcesWriteBack: fwb)
        return Dictionary(uniqueKeysWithValues: decoding.fields.map { ($0.name, $0.meaning(in: value)) })
    }

    @Test(
        "syndromes of the fault path",
        arguments: [
            (0x9383_0047, ["EC": "data abort from the guest", "SAS": "word", "SRT": "r3", "WnR": "write", "FSC": "translation fault, level 3"]),
            (0x9383_004f, ["FSC": "permission fault, level 3"]),
            (0x9383_0005, ["WnR": "read", "FSC": "translation fault, level 1"]),
            (0x8000_0007, ["EC": "prefetch abort from the guest", "FSC": "translation fault, level 3"]),
            (0x9000_0047, ["ISV": "no syndrome: SAS, SSE, SRT say nothing", "SRT": "not valid", "WnR": "write"]),
        ] as [(UInt64, [String: String])])
    func hsr(_ value: UInt64, _ wanted: [String: String]) {
        let found = meanings(.hsr, value)
        for (name, meaning) in wanted { #expect(found[name] == meaning) }
    }

    @Test("HPFAR")
    func hpfar() {
        #expect(meanings(.hpfar, 0x0080_1230)["FIPA"] == "IPA 0x0080123000")
        #expect(meanings(.hpfar, 0xffff_fff0)["FIPA"] == "IPA 0xfffffff000")
    }

    @Test("VTCR and VTTBR")
    func control() {
        #expect(meanings(.vtcr, 0x3558)["T0SZ"] == "-8: 40-bit IPA" && meanings(.vtcr, 0x3558)["SL0"] == "start at level 1")
        #expect(meanings(.vtcr, 0x0f58)["SH0"] == "not shared")
        #expect(meanings(.vtcr, 0x802d_3558, .armv8)["VS"] == "16 bits" && meanings(.vtcr, 0x802d_3558, .armv8)["T0SZ"] == "40-bit IPA")
        #expect(meanings(.vttbr, 0x0001_0000_8000_0000)["VMID"] == "VMID 1" && meanings(.vttbr, 0x0001_0000_8000_0000)["BADDR"] == "table at 0x0080000000")
        #expect(meanings(.hcr, 0x78_263b)["VM"] == "on" && meanings(.hcr, 0x78_263b)["BSU"] == "inner shareable")
        #expect(meanings(.hcr, 0x403c_807c_263f, .armv8)["FWB"] == "on")
        #expect(meanings(.ctr, 0x8444_c004)["L1Ip"] == "PIPT" && meanings(.ctr, 0x8444_c004)["CWG"] == "64 bytes")
        #expect(meanings(.ctr, 0x8004_c004)["CWG"] == "not said")
    }

    @Test("descriptors")
    func descriptors() {
        let leaf = meanings(.pte, 0x1_2345_67ff)
        #expect(leaf["HAP"] == "read and write" && leaf["address"] == "page 0x0123456000" && leaf["MemAttr"] == "normal, write-back")
        #expect(meanings(.pte, 0x1_2346_77f)["HAP"] == "read-only")
        #expect(meanings(.pte, 0xc0_0000_0000_07d3)["MemAttr"] == "UNPREDICTABLE")
        #expect(meanings(.pte, 0x4801_1003, level: 2)["address"] == "table at 0x0048011000")
        #expect(meanings(.pte, 0x1_2345_67fd, level: 2)["address"] == "block 0x0123400000")
        #expect(meanings(.pte, 0x1_2345_67fd, level: 1)["address"] == "block 0x0100000000")
        #expect(meanings(.pte, 0x4801_1001)["type"] == "reserved: faults")
        let v8 = meanings(.pte, 0x40_0000_41e9_47db, .armv8, fwb: true)
        #expect(v8["MemAttr"] == "normal, write-back, whatever stage 1 says" && v8["XN"] == "no fetch" && v8["S2AP"] == "read and write")
        #expect(meanings(.pte, 0x7fd, .armv8, level: 0)["type"] == "reserved: faults")
        #expect(meanings(.pte, 0x10_0000_4000_07fd, .armv8, level: 2)["Contiguous"] != "")
    }

    @Test("ESR")
    func esr() {
        let found = meanings(.esr, 0x93c6_8005)
        #expect(found["SAS"] == "doubleword" && found["SRT"] == "x6" && found["SF"] == "64 bits" && found["DFSC"] == "translation fault, level 1")
        // SET and FnV are about external aborts that are not on a walk.
        #expect(found["SET"] == "" && found["FnV"] == "")
        #expect(meanings(.esr, 0x9200_1c10)["SET"] == "restartable" && meanings(.esr, 0x9200_1c10)["FnV"] == "FAR says nothing")
    }

    @Test("text in columns")
    func text() {
        #expect(
            RegisterDecoding(.hpfar, 0x0080_1230).text == """
                HPFAR 0x00801230 (armv7)
                  31:4  FIPA  0x0080123  faulting IPA, bits 39:12  IPA 0x0080123000
                """)
    }

    @Test("every register of both architectures has fields that do not overlap", arguments: RegisterKind.allCases, TableArchitecture.allCases)
    func fields(_ kind: RegisterKind, _ architecture: TableArchitecture) {
        for value in [0, ~0, 0x9383_0047, 0x8000_0007, 0x4801_1003] as [UInt64] {
            for level in 1...3 {
                let fields = RegisterDecoding(kind, value, architecture: architecture, level: level).fields
                #expect(!fields.isEmpty)
                for (one, other) in zip(fields, fields.dropFirst()) where one.name != "address" && other.name != "nT" {
                    #expect(one.bits.low > other.bits.high || other.name == "nT" || one.name == "nT", "\(kind) \(one.name) \(other.name)")
                }
            }
        }
    }
}

@Suite("Probes")
struct LookupsProbeTests {
    @Test("lines")
    func lines() throws {
        #expect(try Probe.read("read 0x80000000") == Probe(.read, IPA(0x8000_0000)))
        #expect(try Probe.read("  writem\t0x1000 # comment\r") == Probe(.writem, IPA(4096)))
        #expect(try Probe.read("# nothing") == nil && Probe.read("") == nil)
    }

    @Test(
        "what is no probe",
        arguments: [
            ("peek 0x0", "found `peek`, expected one of read, write,"), ("read", "found `read`, expected an operation and an IPA"),
            ("read 0x1 0x2", "expected an operation and an IPA"), ("read -1", "found `-1`, expected an IPA such as 0x80000000"),
            ("read 0x\u{1b}", "found `0x\u{fffd}`"), ("read 0x10000000000000000", "expected an IPA"),
        ])
    func problems(_ line: String, _ says: String) {
        let problem = #expect(throws: Probe.Problem.self) { try Probe.read(line[...], line: 3) }
        #expect(problem?.description.hasPrefix("line 3: ") == true && problem?.description.contains(says) == true)
    }

    @Test(
        "syndromes of the operations on an ARMv7 machine with nothing mapped",
        arguments: [
            (.read, 0x9383_0005), (.write, 0x9382_0045), (.exec, 0x8000_0005), (.read8, 0x9303_0005), (.write8, 0x9302_0045), (.reads8, 0x9323_0005),
            (.read16, 0x9343_0005), (.write16, 0x9342_0045), (.reads16, 0x9363_0005), (.read64, 0x9000_0005), (.write64, 0x9000_0045),
            (.readm, 0x9000_0005), (.writem, 0x9000_0045), (.readwb, 0x9000_0005), (.readex, 0x9000_0005), (.tread, 0x9183_0005),
            (.twrite, 0x9182_0045), (.walk, 0x9000_0085), (.walkw, 0x9000_00c5), (.dccimvac, 0x9000_0145),
        ] as [(ProbeOperation, UInt64)])
    func syndromes(_ operation: ProbeOperation, _ hsr: UInt64) throws {
        var image = TableImage(geometry: try Stage2Geometry(.armv7, vttbr: 0x4800_0000, vtcr: 0x3558), memory: PhysicalImage([]))
        image.zeroMemory = [0x4000_0000..<0x1_0000_0000]
        guard case .fault(let fault) = image.translate(Probe(operation, IPA(0x8000_0000))).end else { return #expect(Bool(false)) }
        #expect(fault.syndrome == hsr)
    }

    @Test("maintenance by address asks for no right: walk, cache-op and the operation itself agree", arguments: ["dccimvac", "cache-op", "dcimvac", "dccmvau"])
    func maintenance(_ verb: String) throws {
        let session = try SessionReader.read(
            text: """
                kvmtui: 1
                machine: { memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000, populated: true } ] }
                steps:
                  - vcpu0: read 0x80001000
                  - vcpu0: \(verb) 0x80001000
                    expect: [done, no fault, leaf 0x80001000 ro]
                """, file: "test.yaml")
        #expect(Judge.judge(session).failures.map(\.description) == [])
        var simulation = Simulation(session)
        simulation.run(limit: .max)
        let machine = simulation.machine
        let vm = machine.world.vms[0]
        let geometry = try Stage2Geometry(.armv7, vttbr: vm.level1!.rawValue | UInt64(vm.vmid) << 48, vtcr: 0x3558)
        for operation in [ProbeOperation.dccimvac, .write] {
            let walk = Stage2Translation.walk(geometry, ipa: IPA(0x8000_1000), access: operation.access(IPA(0x8000_1000))) { machine.world.word(at: $0) }
            if case .translated = walk.end { #expect(operation == .dccimvac) } else { #expect(operation == .write) }
        }
    }
}

@Suite("Tables in an image")
struct LookupsTableImageTests {
    private func image(_ tables: [UInt64: [Int: UInt64]], vtcr: UInt64 = 0x3558) throws -> TableImage {
        let runs = tables.map { address, entries in
            var words = [UInt64](repeating: 0, count: 1024)
            for (index, word) in entries { words[index] = word }
            return PhysicalRun(address: address, words: Array(words.prefix(address == 0x4800_0000 ? 1024 : 512)))
        }
        return TableImage(geometry: try Stage2Geometry(.armv7, vttbr: 0x4800_0000, vtcr: vtcr), memory: PhysicalImage(runs))
    }

    @Test("leaves in order, blocks too, the second half of the level-1 table; runs merged")
    func leaves() throws {
        let image = try image([
            0x4800_0000: [2: 0x4900_0003, 3: 0x4000_0000 | 0x7fd, 4: 0x8000_0000 | 0x7fd, 513: 0x4900_0003],
            0x4900_0000: [0: 0x4900_1003, 5: 0x6000_0000 | 0x77d],
            0x4900_1000: [1: 0x5000_17ff, 2: 0x5000_27ff, 3: 0x5000_377f, 511: 0x5000_47ff, 7: 0x5000_0001],
        ])
        let leaves = Array(image.leaves())
        #expect(leaves.map(\.ipa.rawValue).prefix(4) == [0x8000_1000, 0x8000_2000, 0x8000_3000, 0x801f_f000])
        #expect(leaves.count == 12 && image.extentOfWalk.leaves == 12 && leaves.last?.ipa == IPA(0x80_40a0_0000))
        #expect(leaves.map(\.ipa) == leaves.map(\.ipa).sorted())
        let runs = Array(image.leafRuns())
        #expect(runs.first?.count == 2 && runs.first?.size == 0x2000)
        #expect(runs.contains { $0.first.ipa == IPA(0xc000_0000) && $0.size == 0x8000_0000 })
        #expect(runs.reduce(0) { $0 + $1.count } == 12)
    }

    @Test("leaves from a place on are the tail of all leaves")
    func from() throws {
        let image = try image([
            0x4800_0000: [0: 0x4900_0003, 3: 0x4000_0000 | 0x7fd, 1023: 0x4900_0003], 0x4900_0000: [3: 0x4900_1003, 9: 0x6000_0000 | 0x77d],
            0x4900_1000: [1: 0x5000_17ff, 511: 0x5000_47ff],
        ])
        let all = Array(image.leaves())
        var random = SplitMix64(state: 5)
        for _ in 0..<300 {
            let ipa = random.next() & 0xff_ffff_ffff
            #expect(Array(image.leaves(from: IPA(ipa))) == all.filter { $0.ipa.rawValue + $0.size > ipa })
        }
        for leaf in all { #expect(image.leaves(from: leaf.ipa).first { _ in true } == leaf) }
    }

    @Test("tables that point at themselves and at one another end")
    func circles() throws {
        let all = Dictionary(uniqueKeysWithValues: (0..<512).map { ($0, UInt64(0x4900_0003)) })
        let image = try image([0x4800_0000: Dictionary(uniqueKeysWithValues: (0..<1024).map { ($0, UInt64(0x4900_0003)) }), 0x4900_0000: all])
        // At level 3 the same page's words are leaves.
        #expect(image.extentOfWalk.leaves == 1024 * 512 * 512)
        #expect(image.tables().count == 3)
        #expect(image.leaves().prefix(1000).reduce(0) { count, _ in count + 1 } == 1000)
        #expect(image.leafRuns().first { _ in true }?.count == 1)
        #expect(TableGraph(image).text.utf8.count < 1 << 20)
    }

    @Test("an empty table that is reached a hundred million times is looked through once")
    func emptyAgainAndAgain() throws {
        let image = try image([
            0x4800_0000: Dictionary(uniqueKeysWithValues: (0..<1024).map { ($0, UInt64(0x4900_0003)) }),
            0x4900_0000: Dictionary(uniqueKeysWithValues: (0..<512).map { ($0, UInt64($0 < 511 ? 0x4900_1003 : 0x4900_2003)) }),
            0x4900_1000: [0: 0x400], 0x4900_2000: [9: 0x5000_17ff],
        ])
        let leaves = Array(image.leaves())
        #expect(leaves.count == 1024 && leaves.first?.ipa == IPA(511 << 21 | 9 << 12))
        #expect(image.extentOfWalk == TableImage.Extent(leaves: 1024, entries: 1024 + 1024 * 512 + 1024 * 512 * 512))
        #expect(Array(image.leaves(from: IPA(1022 << 30 | 511 << 21 | 9 << 12))).count == 2)
    }

    @Test("the dump shows a table that the walk cannot go to as nothing, and JSON says which are not there")
    func outside() throws {
        let image = try image([0x4800_0000: [2: 0x4900_0003, 4: 0x4900_5003], 0x4900_0000: [0: 0x5000_0000 | 0x7fd]])
        #expect(image.missingTables.map(\.address) == [PA(0x4900_5000)])
        #expect(PTDump(image).text.contains("0x0000000100000000-0x0000000140000000           1G 2\n"))
        var text = ""
        ImageJSON(image).write { text += $0 }
        #expect(try JSONValue(text)["tables"]?.array.map { $0["present"] } == [.bool(true), .bool(true), .bool(false)])
    }

    @Test("tables that are not in the file end a walk in an external abort")
    func missing() throws {
        let image = try image([0x4800_0000: [2: 0x4900_0003]])
        let report = TranslationReport(Probe(.read, IPA(0x8000_0000)), in: image)
        #expect(report.text.contains("external abort on a table walk, level 2: the image has no memory at 0x0049000000"))
        #expect(image.extentOfWalk.leaves == 0)
    }

    @Test("JSON of a translation")
    func json() throws {
        let image = try image([0x4800_0000: [2: 0x4900_0003], 0x4900_0000: [0: 0x4900_1003], 0x4900_1000: [1: 0x5000_177f]])
        var json = JSONText()
        TranslationReport(Probe(.write, IPA(0x8000_1008)), in: image).write(to: &json)
        #expect(json.text.contains(#""kind":"stage2""#) && json.text.contains(#""fault":"permission","level":3,"fsc":15,"hsr":"0x9382004f""#))
        #expect(json.text.contains(#""hpfar":"0x00800010","hpfar_known":false"#) && json.text.contains(#""descriptor":"0x000000005000177f","type":"page""#))
    }

    @Test("an image without registers says what would help")
    func registers() throws {
        let core = try ELFCore(machine: .arm, note: nil, runs: [PhysicalRun(address: 0x4800_0000, bytes: [UInt8](repeating: 0, count: 8192))])
        let elf = try ELFImage(core.bytes)
        let problem = #expect(throws: TableImage.Problem.self) { try TableImage(elf, registers: TableRegisters(), beside: nil, name: "x.elf") }
        #expect(problem?.description.contains("--vttbr") == true)
        let image = try TableImage(elf, registers: TableRegisters(vttbr: 0x4800_0000), beside: nil, name: "x.elf")
        #expect(image.geometry.ipaBits == 40)
    }
}
