import ArgumentParser
import Sessions
import Stage2Sim

/// `kvmtui tables`: the kernel's table functions driven directly.
struct TablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "tables",
        abstract: "Drive the kernel's stage-2 table functions with a script.",
        discussion: """
            One command a line, # comments. Numbers are decimal, or hexadecimal after 0x.

              map IPA PFN ro|rw     top-up, then stage2_set_pte, as user_mem_abort ends
              unmap IPA SIZE        the notifier's way: page by page, each with its flush
              rawunmap IPA SIZE     one bare unmap_stage2_range, no flush (v3.9)
              setspte IPA PFN       the change_pte notifier (v3.9)
              ioremap IPA PA SIZE   kvm_phys_addr_ioremap
              topup MIN MAX         fill the vCPU's memory cache
              freecache             give the cache's pages back
              fail N                the page allocator fails after N more pages; -1: never
              destroy               tear the tables down
              dump                  print the state

            With --kernel v6.1, KVM/arm64's (hyp/pgtable.c), with blocks.

              map IPA SIZE PA PROT  top-up, then kvm_pgtable_stage2_map; PROT: the letters
                                    r, w, x, d (device)
              setspte IPA PA        the change_pte notifier: a read-only page, and no table
              unmap IPA SIZE        kvm_pgtable_stage2_unmap
              relax IPA PROT        kvm_pgtable_stage2_relax_perms
              wrprotect IPA SIZE    take the right to write
              flush IPA SIZE        clean what is mapped to memory
              mkold IPA             the access flag off; prints the descriptor as it was
              mkyoung IPA           the same, on
              young IPA             1 if the access flag is set
              leaf IPA              level and descriptor at which the walk ends
              topup MIN             fill the vCPU's memory cache
            """,
        examples: [
            Example(#"printf 'map 0x80001000 0x80029 rw\ndump\n' | kvmtui tables -"#, "map a page, and show the tables"),
            Example(
                #"printf 'map 0x80000000 0x200000 0 rw\ndump' | kvmtui tables --kernel v6.1 -"#,
                "map a block of 2 MiB with today's kernel"),
        ])

    @Argument(help: "The script; - or nothing: standard input.", completion: .file())
    var script = "-"

    @Option(help: "Whose functions: \(Revision.allCases.map(\.rawValue).joined(separator: ", ")).")
    var kernel: Revision = .v39

    @Flag(help: "The CPUs have FEAT_S2FWB: normal memory has MemAttr 6 (v6.1).")
    var fwb = false

    @Option(help: "Where the level-1 table lies, a multiple of 8 KiB; other pages follow upward.", transform: TablesCommand.base)
    var base = PA(0x8000_0000)

    @Flag(help: "Freed pages are used again, the last freed first.")
    var lifo = false

    @Option(help: "Write the tables as the script leaves them, as an ELF core file that kvmtui and readelf open.", completion: .file())
    var elf: String?

    func validate() throws {
        guard !fwb || kernel == .v61 else { throw ValidationError("--fwb is for --kernel v6.1: ARMv7 has no FEAT_S2FWB") }
    }

    func run() throws {
        let read = try CommandIO.reporting {
            do {
                let source = try ByteSource(path: script)
                return try TableScript(try source.readAll(limit: TableScript.greatestSize), revision: kernel, file: source.name)
            } catch let error as ByteSourceError {
                throw InputError(error.name, error)
            }
        }
        var output = StandardOutput()
        let machine = read.run(base: base, fwb: fwb, reuse: lifo ? .lastFreedFirst : .never) { output.text($0) }
        try output.flush()
        guard let elf else { return }
        guard machine.firstLivingVM != nil else { throw CommandIO.report(BadValue("--elf", elf, "a script that leaves tables: this one tore them down")) }
        try ELFOutput.write(try machine.elfCore(vm: 0), to: elf)
    }

    private static func base(_ text: String) throws -> PA {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        guard let value = digits, value < 0xf0_0000_0000, value % 0x2000 == 0 else {
            throw ValidationError("the base is a physical address below 0xf000000000 and a multiple of 0x2000, such as 0x80000000")
        }
        return PA(value)
    }
}

extension Revision: ExpressibleByArgument {}
