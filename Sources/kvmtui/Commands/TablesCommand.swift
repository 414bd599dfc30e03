import ArgumentParser
import Sessions
import Stage2Sim

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `kvmtui tables`: the kernel's table functions driven directly.
struct TablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
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
            """)

    @Argument(help: "The script; - or nothing: standard input.", completion: .file())
    var script = "-"

    @Option(help: "Whose functions: \(Revision.allCases.map(\.rawValue).joined(separator: " or ")).")
    var kernel: Revision = .v39

    @Option(help: "Where the level-1 table lies, a multiple of 8 KiB; other pages follow upward.", transform: TablesCommand.base)
    var base = PA(0x8000_0000)

    @Flag(help: "Freed pages are used again, the last freed first.")
    var lifo = false

    func run() throws {
        let read: TableScript
        var name = script
        do {
            let source = try ByteSource(path: script)
            name = source.name
            read = try TableScript(try source.readAll(limit: TableScript.greatestSize), revision: kernel)
        } catch let error as ByteSourceError {
            throw Self.bad(error.description)
        } catch let error as TableScriptError {
            throw Self.bad("\(PrintableName.of(name)): \(error)")
        }
        try read.run(base: base, reuse: lifo ? .lastFreedFirst : .never, print: Self.write)
    }

    private static func base(_ text: String) throws -> PA {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        guard let value = digits, value < 0xf0_0000_0000, value % 0x2000 == 0 else {
            throw ValidationError("The base is a physical address below 0xf000000000 and a multiple of 0x2000, such as 0x80000000.")
        }
        return PA(value)
    }

    /// The input is bad: said once, exit status 2.
    private static func bad(_ message: String) -> ExitCode {
        fputs("kvmtui tables: \(message)\n", stderr)
        return ExitCode(2)
    }

    private static func write(_ text: String) throws {
        var text = text
        let complete = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, stdout) == $0.count }
        guard complete, fflush(stdout) == 0 else { throw ExitCode(74) }
    }
}

extension Revision: ExpressibleByArgument {}

/// A file's name, fit for a terminal.
private enum PrintableName {
    static func of(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }))
    }
}
