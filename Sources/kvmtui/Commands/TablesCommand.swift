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
            """,
        examples: [
            Example(#"printf 'map 0x80001000 0x80029 rw\ndump\n' | kvmtui tables -"#, "map a page, and show the tables")
        ])

    @Argument(help: "The script; - or nothing: standard input.", completion: .file())
    var script = "-"

    @Option(help: "Whose functions: \(Revision.allCases.map(\.rawValue).joined(separator: " or ")).")
    var kernel: Revision = .v39

    @Option(help: "Where the level-1 table lies, a multiple of 8 KiB; other pages follow upward.", transform: TablesCommand.base)
    var base = PA(0x8000_0000)

    @Flag(help: "Freed pages are used again, the last freed first.")
    var lifo = false

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
        read.run(base: base, reuse: lifo ? .lastFreedFirst : .never) { output.text($0) }
        try output.flush()
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
