import Stage2Sim
import Testing

@testable import Sessions

@Suite("Syndromes and logs decoded")
struct LogDecodingTests {
    private static func decode(_ lines: [String], architecture: TableArchitecture? = nil) -> LogDecoding {
        var log = LogDecoding(architecture: architecture)
        for line in lines { log.add(line) }
        return log
    }

    @Test("each ESR, HPFAR and PAR of KVM's messages and of a HYP panic")
    func kvm() throws {
        let log = Self.decode(String(decoding: try ImageFiles.text("case-kvm-dmesg.txt"), as: UTF8.self).split(separator: "\n").map(String.init))
        let found = log.findings.flatMap { finding in finding.decodings.map { "\(finding.line) \($0.name) \(hex($0.value))" } }
        #expect(found == ["1 ESR_EL2 0x92000410", "5 ESR_EL2 0x86000006", "6 HPFAR_EL2 0x680", "6 PAR_EL1 0x1d000c7edbadc0de"])
        for text in [
            "FAR says nothing", "synchronous external abort", "instruction abort in EL2", "translation fault, level 2", "IPA 0x000000068000",
            "cannot emulate it",
        ] {
            #expect(log.text.contains(text), "\(text)")
        }
    }

    @Test("Xen's walk, level by level, and its HSR")
    func xen() throws {
        let log = Self.decode(String(decoding: try ImageFiles.text("case-xen-p2m-walk.txt"), as: UTF8.self).split(separator: "\n").map(String.init))
        #expect(log.findings.flatMap(\.decodings).map(\.kind) == [.hsr, .pte, .pte])
        #expect(log.findings.flatMap(\.decodings).map(\.level) == [nil, 1, 2])
        for text in ["data abort from the guest", "table at 0x0002bb5df000", "invalid: faults", "found at level 2"] {
            #expect(log.text.contains(text), "\(text)")
        }
    }

    @Test(
        "names and numbers as logs write them",
        arguments: [
            ("...with ESR 0x24/0x93c68007", "ESR_EL2 0x93c68007"), ("(XEN)   ESR_EL2: 92000006", "ESR_EL2 0x92000006"),
            ("kvm_guest_fault: ipa 0x80000000, hsr 0x93830007, hxfar 0x1, pc 0x2", "HSR 0x93830007"),
            ("VTTBR_EL2: 00010002379eb000", "VTTBR_EL2 0x10002379eb000"),
            ("HPFAR=0x00f90100", "HPFAR 0xf90100"), ("VTCR_EL2 = 0x80043594", "VTCR_EL2 0x80043594"),
            ("Unknown exception class: esr: 0x000000005e000000", "ESR_EL2 0x5e000000"),
            ("Unhandled fault: alignment fault (0x92000021) at 0x0000000000400001", "ESR_EL2 0x92000021"),
            ("SError Interrupt on CPU0, code 0x00000000bf000002 -- SError", "ESR_EL2 0xbf000002"),
            ("Internal error: synchronous external abort: 0000000096000010 [#1] SMP", "ESR_EL2 0x96000010"),
        ])
    func forms(_ line: String, _ found: String) {
        #expect(Self.decode([line]).findings.flatMap(\.decodings).map { "\($0.name) \(hex($0.value))" } == [found])
    }

    @Test(
        "an access that KVM does not emulate is named, with its direction",
        arguments: [
            (
                ["kvm [99]: Unsupported guest access at: ffff80001000 { Op0( 3), Op1( 3), CRn(14), CRm( 0), Op2( 1), func_read },"],
                "a read of CNTPCT_EL0 (S3_3_C14_C0_1)"
            ),
            (["kvm [99]: Unsupported guest sys_reg access at: 1 { Op0( 3), Op1( 7), CRn(15), CRm(15), Op2( 7), func_write },"], "a write to S3_7_C15_C15_7"),
            (
                ["kvm: Unsupported guest CP15 access at: c0008000", " { CRn( 9), CRm(12), Op1( 0), Op2( 0), func_read },"],
                "a read of PMCR (CP15 opc1 0, CRn c9, CRm c12, opc2 0)"
            ),
            (["kvm: Unsupported guest CP14 access at: c0008000", " { CRn( 0), CRm( 1), Op1( 0), Op2( 0), func_read },"], "a read of DBGDSCRint (CP14 opc1 0"),
        ])
    func trapped(_ lines: [String], _ says: String) {
        let remarks = Self.decode(lines).findings.flatMap(\.remarks)
        #expect(remarks.count == 1 && remarks.first?.hasPrefix(says) == true, "\(remarks)")
    }

    @Test(
        "lines that name nothing, and lines of anything, are passed over",
        arguments: [
            "", "ESR", "ESR=", "ESR 12", "ESRX=0x12345678", "par for the course", "\u{1b}[2J", "1ST[", "1ST[0x1",
            "Unhandled fault: alignment fault (0x001) at 0x00400001",
            "{ CRn( 9), CRm(12), func_read }", "{ Op1(", "CRn(9 ), CRm(12), Op1(0), Op2(x), func_read",
        ])
    func nothing(_ line: String) { #expect(Self.decode([line]).findings.isEmpty) }

    @Test("nothing that steers a terminal comes out of a line")
    func printable() {
        let text = Self.decode(["\u{1b}[2J ESR=0x92000410\u{9b}31m \u{202e}"]).text
        #expect(text.contains("DFSC") && text.unicodeScalars.allSatisfy { $0 == "\n" || PrintableText.isPrintable($0) })
    }

    @Test(
        "what was trapped is named, and in which direction",
        arguments: [
            (.esr, 0x6230_1023, nil, "read: MRS x1, SP_EL0"), (.esr, 0x6232_0100, nil, "MSR"), (.esr, 0x6230_f841, nil, "read: MRS x2, CNTFRQ_EL0"),
            (.hsr, 0x0e00_0000 | 1 << 10 | 1 << 5, nil, "write: MCR, SCTLR (p15, 0, c1, c0, 0)"),
            (.hsr, 0x0e00_0001 | 2 << 10, nil, "read: MRC, TTBR0 (p15, 0, c2, c0, 0)"),
            (.hsr, 0x1200_0000 | 6 << 16 | 2 << 1 | 1, nil, "read: MRRC, VTTBR (p15, 6, c2)"),
            (.esr, 0x0600_0001, nil, "WFE"), (.esr, 0x5a00_1234, nil, "0x1234"), (.esr, 0xbe00_0011, nil, "uncontainable"),
            (.esr, 0xd600_0062, nil, "debug exception"), (.esr, 0xf200_0004, nil, "0x4"),
        ] as [(RegisterKind, UInt64, TableArchitecture?, String)])
    func traps(_ kind: RegisterKind, _ value: UInt64, _ architecture: TableArchitecture?, _ says: String) {
        #expect(RegisterDecoding(kind, value, architecture: architecture).text.contains(says))
    }

    @Test(
        "fault status of 128-bit descriptors and of level -1",
        arguments: [(0x2b, "level -1"), (0x2a, "level -2"), (0x29, "level -1"), (0x2c, "level -2"), (0x12, "level -2"), (0x22, "level -2")])
    func status(_ code: UInt64, _ says: String) { #expect(RegisterDecoding(.esr, 0x9200_0000 | code).text.contains(says)) }

    @Test("bits of a syndrome stand in one field each, whatever the class", arguments: 0..<64 as Range<UInt64>)
    func fields(_ exceptionClass: UInt64) {
        var random = SplitMix64(state: exceptionClass)
        for kind in [RegisterKind.esr, .hsr] {
            for _ in 0..<50 {
                let value = exceptionClass << 26 | random.next() & 0x3ff_ffff | (kind == .esr ? random.next() & 0xff_ffff << 32 : 0)
                let decoding = RegisterDecoding(kind, value)
                var seen: UInt64 = 0
                for field in decoding.fields {
                    #expect(seen & field.bits.mask == 0, "\(kind) \(hex(value)) \(field.name)")
                    seen |= field.bits.mask
                    _ = field.meaning(in: value)
                }
            }
        }
    }
}
