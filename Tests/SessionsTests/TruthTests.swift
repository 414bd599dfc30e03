import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// Small sessions that once came out wrong, each with what is right (`Truth/`).
struct TruthTests {
    /// A session, and what its run must say.
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        /// Rules that break, in their order.
        var broken: [String] = []
        /// Parts of lines that the run has.
        var says: [String] = []
        /// Parts that no line has.
        var neverSays: [String] = []
        var description: String { name }
    }

    static let cases: [Case] = [
        // Notifiers walk slots that are marked INVALID, and change_pte makes leaves in them.
        Case(name: "invalid-slot", says: ["0x00a00017ff → 0x0000000000"]),
        Case(name: "change-pte-invalid-slot", broken: ["access-after-loss"]),
        // Two accesses of a word each, and nothing lost or invented.
        Case(name: "cross2", says: ["0x55667788 read at 0xa0000004", "0x11223344 read at 0xa0000008"], neverSays: ["0xaaaaaaaa read"]),
        Case(name: "s1ptw-write", says: ["HSR 0x900000c5"], neverSays: ["HSR 0x90000085"]),
        Case(name: "v39b8", broken: ["stale-bytes", "access-after-loss"]),
        Case(name: "v4b8", broken: ["stale-bytes", "access-after-loss"]),
        Case(name: "v4iomap", says: ["refused", "IPA 0x90000000: 0xc000001c0b07d3"]),
        Case(name: "exec-dev", says: ["read/write, never executed (XN): permission fault, level 3"]),
        Case(name: "b12-perm", says: ["Unsupported fault status on io memory"]),
        Case(name: "fork-noanon", says: ["no more: the child is there"], neverSays: ["copy the page table"]),
        Case(name: "b7", says: ["the end is cut to 32 bits: nothing to map"]),
        Case(name: "zero-copy", broken: ["write-to-shared"], says: ["0x00000000 read"], neverSays: ["0x0000bbbb read"]),
        Case(name: "pfnmap-ro", says: ["0x00000001 written", "a device's"], neverSays: ["-EFAULT"]),
        Case(name: "vmmexit", says: ["-EIO"]),
        Case(name: "sea", says: ["KVM takes it as valid; UNKNOWN here"]),
        Case(name: "fbf", says: ["its entry is cleared; the flush is next"]),
        Case(name: "rule", says: ["PIPT, the whole I-cache"], neverSays: ["this page"]),
        Case(name: "b6"),
        // The unconditional put alone: the whole-range unmap takes a live leaf's reference.
        Case(name: "present", broken: ["live-table-freed"], neverSays: ["free_guest_pages"]),
        // The access flag is cleared by aging; untouched since, the page goes at the next look.
        Case(
            name: "aging",
            says: [
                "young: 0x00a00017ff → 0x00a00013ff", "a guest used it? young: it stays", "a guest used it? not young", "freed", "0x0000002a read at",
            ]),
        // ATS1CPR walks the guest's tables through stage 2: a table page that has gone meanwhile sends the guest back, silently.
        Case(name: "at-through-stage2", says: ["PAR.F: the translation failed", "HSR 0x900000c7", "0x00000001 written at"]),
        // What a search found.
        Case(name: "found-vmid"),
        Case(name: "found-slot-frame-freed-mapped"),
        Case(name: "found-b10", broken: ["freed-table-walked"]),
        Case(name: "ksm-uaf", neverSays: ["vcpu0  the access is done: 0x005ec7e7"]),
        // Limits.
        Case(name: "lock2"),
        Case(name: "forks", says: ["-EAGAIN"]),
        Case(name: "vmcreate", says: ["-ENOMEM"]),
    ]

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Truth")

    @Test(arguments: cases) func holds(_ one: Case) throws {
        let session = try SessionReader.read(path: Self.folder.appendingPathComponent("\(one.name).yaml").path)
        var lines: [String] = []
        _ = RunReport.run(session, as: .text) { lines.append($0) }
        var broken: [String] = []
        for line in lines {
            guard let range = line.range(of: "! BROKEN ") else { continue }
            broken.append(String(line[range.upperBound...].prefix { $0 != ":" }))
        }
        #expect(broken == one.broken)
        for text in one.says { #expect(lines.contains { $0.contains(text) }, "nothing says '\(text)'") }
        for text in one.neverSays { #expect(!lines.contains { $0.contains(text) }, "something says '\(text)'") }
    }

    @Test(
        "more than a machine can have is refused where the file asks for it",
        arguments: [("vms300", "299 more VMs"), ("slotdel-v4", "more than 32 memory slots")])
    func refused(_ name: String, _ found: String) {
        do {
            _ = try SessionReader.read(path: Self.folder.appendingPathComponent("\(name).yaml").path)
            Issue.record("\(name) was read")
        } catch {
            #expect("\(error)".contains(found))
            #expect("\(error)".contains(".yaml:"), "no line")
        }
    }
}
