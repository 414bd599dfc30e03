import ArgumentParser
import Foundation
import Screens
import Sessions

struct PlayCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "play", abstract: "Let a session go on by itself, at a reading pace, or record it.",
        discussion: """
            Space pauses, + and - change the speed, any other key works as in open. With --record no terminal is needed: \
            the session is written as an asciicast, with a marker at each fault, in the times of the pace.
            """,
        examples: [
            Example("kvmtui play swap-bug --speed 2", "watch it, twice as fast as one reads"),
            Example("kvmtui play retry --record retry.cast --size 120x36", "write a recording for asciinema"),
        ])

    @Argument(
        help: "A session file, the name of a shipped session, a trace of a host, or - for standard input.",
        completion: .custom { _, _, prefix in SessionFiles.completions(prefix) })
    var session: String

    @Option(help: ArgumentHelp("How fast: 2 is twice the reading pace, 0.5 half of it.", valueName: "multiple"))
    var speed: Double = 1

    @Option(help: ArgumentHelp("Write a recording (asciicast v2), or - for standard output; --size says how large, else 120x36.", valueName: "file"))
    var record: String?

    @Option(help: ArgumentHelp("With --record: no step stays longer than that.", valueName: "seconds"))
    var idleLimit: Double?

    @Option(help: "Begin at this step; as swap-bug@103 does.")
    var at: Int?

    @Flag(help: "For a class: two panes and the whole note, in high contrast (L).")
    var lecture = false

    @OptionGroup var trace: TraceOptions
    @OptionGroup var vm: TraceVMOption
    @OptionGroup var input: InputOptions
    @OptionGroup var screen: ScreenOptions
    @OptionGroup var behaviours: BehaviourOptions

    func validate() throws {
        guard speed.isFinite, speed >= 0.125, speed <= 64 else { throw ValidationError("--speed \(speed): from 0.125 to 64 fits") }
        if let idleLimit {
            guard record != nil else { throw ValidationError("--idle-limit is for --record") }
            guard idleLimit.isFinite, idleLimit >= 0.01, idleLimit <= 3600 else {
                throw ValidationError("--idle-limit \(idleLimit): from 0.01 to 3600 seconds fits")
            }
        }
        if let at, at < 0 { throw ValidationError("--at takes a step, from 0 on.") }
        if screen.size != nil, record == nil { throw ValidationError("--size is for --record; on a terminal the session has the terminal's size") }
    }

    /// Runs all of the session before it is recorded; ^C ends that with what there is.
    private static func settle(_ explorer: inout Explorer) {
        let bar = ProgressBar()
        Interrupt.watch()
        explorer.settle { progress in
            bar.show(progress, "running")
            return !Interrupt.wasSeen
        }
        bar.clear()
        Interrupt.ignore()
    }

    func run() throws {
        try CommandIO.reporting {
            let looks = screen.resolved(onTerminal: record == nil)
            let desk = SessionDesk(looks.choice, behaviours.choice, keepsWork: record == nil)
            let found = try FoundSession.linked(session, at: at)
            let opened = try SessionFiles.open(Input.open(found.source(), as: input.form), trace.choosing(vm))
            var explorer = desk.explorer(opened.session, firstRun: opened.run, found: found, hasList: false)
            if record == nil, SessionFiles.isStandardInput(session) { ControllingTerminal.becomeStandardInput() }
            if record != nil { Self.settle(&explorer) }
            explorer.lecture = lecture
            if let at = found.at { explorer.jump(to: at) }
            explorer.play(speed: speed)
            do throws(TerminalError) {
                if let record {
                    try Recording.write(
                        explorer, to: record, idleLimit: idleLimit.map { .milliseconds(Int($0 * 1000)) },
                        size: screen.size == nil ? ScreenSize(width: 120, height: 36) : screen.screenSize, options: looks.terminal)
                } else {
                    let left = try TerminalDriver.run(explorer, options: looks.terminal, environment: ProcessInfo.processInfo.environment)
                    if let place = left.place { CommandIO.complain("left at \(place)") }
                    if let kept = desk.close(left) { CommandIO.complain(kept) }
                }
            } catch {
                CommandIO.complain(error)
                throw ExitCode(error.exitStatus)
            }
        }
    }
}
