import ArgumentParser
import Foundation
import Screens
import Sessions
import Stage2Sim

struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "attach", abstract: "Browse the stage-2 tables of a running QEMU machine, through its gdbstub.",
        discussion: """
            The machine is one that is a host itself: QEMU with -gdb tcp::PORT (or -s), an ARM CPU with EL2, KVM or another hypervisor in it. VTTBR, VTCR and HCR come from \
            the stub's registers, or from the options. Each reading stops the machine, reads its tables and lets it run on; nothing is ever written. A machine that \
            was stopped by QEMU's monitor runs on too: --stay-stopped leaves it as it is.

            In the explorer R reads again, and marks what has changed since. With --json, --ptdump or --elf the tables are written, as `kvmtui export` does.
            """,
        examples: [Example("kvmtui attach localhost:1234", "the tables of a machine that qemu-system-aarch64 -s runs, as they are now")])

    @Argument(help: ArgumentHelp("Where the stub listens: HOST:PORT, or :PORT for this machine.", valueName: "address"))
    var address: String
    @Option(help: ArgumentHelp("VTTBR or VTTBR_EL2, in place of the machine's.", valueName: "value"))
    var vttbr: String?
    @Option(help: ArgumentHelp("VTCR or VTCR_EL2, in place of the machine's.", valueName: "value"))
    var vtcr: String?
    @Option(help: ArgumentHelp("HCR or HCR_EL2, in place of the machine's.", valueName: "value"))
    var hcr: String?
    @Option(help: "Whose tables they are, where the stub does not say it right.")
    var arch: TableArchitecture?
    @Flag(help: "Leave the machine stopped.")
    var stayStopped = false
    @Flag(help: "Write the tables as JSON, and end.")
    var json = false
    @Flag(help: "Write the text of Linux's stage-2 page-table dump, and end.")
    var ptdump = false
    @Option(
        help: ArgumentHelp("Write an ELF core file of the tables, and end; - is standard output.", valueName: "file"), completion: .file(extensions: ["elf"]))
    var elf: String?
    @OptionGroup var screen: ScreenOptions
    @Option(help: ArgumentHelp("Without a terminal: a file of keys to play, or - for standard input.", valueName: "file"))
    var keys: String?
    @Option(help: ArgumentHelp("Without a terminal: write the last screen, as .txt, .ans or .svg.", valueName: "file"))
    var saveScreen: String?

    func validate() throws {
        let wanted = [json, ptdump, elf != nil].filter { $0 }.count
        guard wanted <= 1 else { throw ValidationError("Found \(wanted) formats, expected one of --json, --ptdump, --elf at most.") }
    }

    func run() throws {
        try CommandIO.reporting {
            let registers = TableRegisters(
                architecture: arch, vttbr: try vttbr.map { try BadValue.number($0, "--vttbr") }, vtcr: try vtcr.map { try BadValue.number($0, "--vtcr") },
                hcr: try hcr.map { try BadValue.number($0, "--hcr") })
            let machine = LiveMachine(address, registers: registers, staysStopped: stayStopped)
            let image = try machine.read()
            if json || ptdump || elf != nil {
                let export = try ExportCommand.parse([address] + (json ? ["--json"] : ptdump ? ["--ptdump"] : ["--elf", elf ?? "-"]))
                try export.write(image)
                return TableOptions.tell(image.notices, of: address)
            }
            let isHeadless = keys != nil || saveScreen != nil || screen.size != nil
            let looks = screen.resolved(onTerminal: !isHeadless)
            let desk = SessionDesk(looks.choice, BehaviourOptions.Choice(revision: nil, switchedOn: [], switchedOff: []), keepsWork: false)
            var explorer = ImageExplorer(image, surroundings: desk.surroundings)
            explorer.refresh = { Result { try machine.read() } }
            try show(explorer, looks.terminal, isHeadless: isHeadless)
        }
    }

    private func show(_ explorer: ImageExplorer, _ options: TerminalOptions, isHeadless: Bool) throws {
        do throws(TerminalError) {
            guard isHeadless else {
                return _ = try TerminalDriver.run(explorer, options: options, environment: ProcessInfo.processInfo.environment)
            }
            var explorer = explorer
            try HeadlessDriver.run(&explorer, size: screen.screenSize, keys: keys, saveTo: saveScreen, options: options)
        } catch {
            CommandIO.complain(error)
            throw ExitCode(error.exitStatus)
        }
    }
}
