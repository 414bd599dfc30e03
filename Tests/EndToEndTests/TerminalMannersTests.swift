import Foundation
import Testing

/// The terminal is left as it was found, whatever happens to the program.
@Suite(.serialized, .enabled(if: Explorer.canBeTried))
struct TerminalMannersTests {
    /// A shell from which the explorer was started, and what the terminal was like before.
    private struct Visit {
        let session: TmuxSession
        let modes: String
        let settings: String

        init(environment: [String: String] = [:], arguments: String = "") throws {
            session = try TmuxSession.shell(environment: environment)
            try session.enter("echo before the visit")
            try session.wait(until: "the echo") { $0.contains("\nbefore the visit\n") }
            modes = try session.modes()
            settings = try session.lineSettings()
            try session.enter("\(Explorer.commandLine) \(arguments); echo \"status=$?\"")
            try session.waitForExplorer()
            #expect(try session.state("alternate_on") == "1")
        }

        /// Waits for the shell's word on the exit status and compares.
        func expectAsBefore(status: Int, _ location: SourceLocation = #_sourceLocation) throws {
            let screen = try session.wait(until: "the exit status") { $0.contains("\nstatus=") }
            #expect(screen.contains("\nstatus=\(status)\n"), "\(screen)", sourceLocation: location)
            #expect(screen.contains("\nbefore the visit\n"), "\(screen)", sourceLocation: location)
            #expect(try session.modes() == modes, sourceLocation: location)
            try session.wait(until: "the shell's own settings") { _ in try session.lineSettings() == settings }
        }
    }

    @Test func `q leaves`() throws {
        let visit = try Visit()
        try visit.session.press("q")
        try visit.expectAsBefore(status: 0)
    }

    @Test func `control-C leaves`() throws {
        let visit = try Visit()
        try visit.session.press("C-c")
        try visit.expectAsBefore(status: 0)
    }

    @Test func `an interrupt from another process is a control-C`() throws {
        let visit = try Visit()
        try visit.session.signal("INT")
        try visit.expectAsBefore(status: 0)
    }

    @Test(arguments: [
        ("TERM", 143), ("HUP", 129), ("QUIT", 131), ("USR1", 138), ("ILL", 132), ("TRAP", 133), ("ABRT", 134),
        ("BUS", 135), ("FPE", 136), ("SEGV", 139), ("IO", 157), ("PWR", 158), ("PROF", 155), ("VTALRM", 154), ("STKFLT", 144), ("RTMIN", 162),
    ])
    func `a deadly signal kills, and gives the terminal back first`(name: String, status: Int) throws {
        let visit = try Visit()
        try visit.session.signal(name)
        try visit.expectAsBefore(status: status)
    }

    @Test func `control-Z gives the terminal back, and fg takes it again`() throws {
        let visit = try Visit()
        try visit.session.press("C-z")
        try visit.session.wait(for: "Stopped")
        #expect(try visit.session.modes() == visit.modes)
        #expect(try visit.session.screen().contains("before the visit"))

        try visit.session.enter("fg")
        try visit.session.waitForExplorer()
        #expect(try visit.session.state("alternate_on") == "1")
        try visit.session.press("q")
        try visit.session.wait(until: "the shell") { _ in try visit.session.state("alternate_on") == "0" }
        #expect(try visit.session.modes() == visit.modes)
    }

    @Test func `a window that changed while we were stopped is noticed`() throws {
        let visit = try Visit()
        try visit.session.press("C-z")
        try visit.session.wait(for: "Stopped")
        try visit.session.resize(width: 100, height: 30)
        try visit.session.enter("fg")
        try visit.session.waitForExplorer()
        try expectFilled(visit.session, width: 100)
    }

    @Test func `a stop that could not be seen coming is made good when continued`() throws {
        let visit = try Visit()
        try visit.session.signal("STOP")
        try visit.session.wait(for: "Stopped")
        try visit.session.enter("fg")
        try visit.session.waitForExplorer()
        try visit.session.press("q")
        try visit.session.wait(until: "the shell") { _ in try visit.session.state("alternate_on") == "0" }
        #expect(try visit.session.modes() == visit.modes)
    }

    @Test func `killed while it is stopped, it leaves the shell's screen alone`() throws {
        let visit = try Visit()
        try visit.session.press("C-z")
        try visit.session.wait(for: "Stopped")
        try visit.session.enter(
            "clear; echo the shell has it; kill %1; while kill -0 %1 2>/dev/null; do :; done; echo over")
        let screen = try visit.session.wait(until: "the end of the job") { $0.contains("\nover\n") }
        #expect(screen.contains("the shell has it\n"), "\(screen)")
        #expect(try visit.session.modes() == visit.modes)
    }

    @Test(arguments: [(120, 36), (200, 60), (60, 17), (100, 24), (80, 40)])
    func `a new size fills the window`(width: Int, height: Int) throws {
        let session = try TmuxSession(Explorer.command)
        try session.waitForExplorer()
        try session.resize(width: width, height: height)
        try expectFilled(session, width: width)
    }

    @Test func `down to 20 columns of 5 and back, then every size leaves the terminal as it was`() throws {
        let visit = try Visit()
        for (width, height) in [(60, 17), (20, 5), (120, 36), (20, 5), (80, 24)] {
            try visit.session.resize(width: width, height: height)
            if width >= 60 { try expectFilled(visit.session, width: width) } else { try visit.session.wait(for: "60x17") }
        }
        // Keys and the mouse still reach it.
        try visit.session.press("s")
        try visit.session.wait(for: "step 1 of")
        try visit.session.wheel(up: false, x: 10, y: 5)
        try visit.session.click(x: 60, y: 4)
        try visit.session.wait(for: "▸3 Entry")
        try visit.session.press("q")
        try visit.session.wait(until: "the shell") { _ in try visit.session.state("alternate_on") == "0" }
        #expect(try visit.session.modes() == visit.modes)
        try visit.session.wait(until: "the shell's own settings") { _ in try visit.session.lineSettings() == visit.settings }
    }

    @Test func `exported sizes say nothing against the window's own`() throws {
        let session = try TmuxSession(Explorer.command, environment: ["COLUMNS": "200", "LINES": "10"])
        try session.waitForExplorer()
        try expectFilled(session, width: 80)
        try session.resize(width: 100, height: 30)
        try expectFilled(session, width: 100)
    }

    @Test func `a window of 65535 columns is drawn as far as screens go`() throws {
        let visit = try TmuxSession.shell()
        try visit.enter("stty cols 65535 rows 24; \(Explorer.commandLine); echo \"status=$?\"")
        try visit.wait(until: "the program") { _ in try visit.state("alternate_on") == "1" }
        try visit.press("s", "q")
        try visit.wait(for: "status=0")
        // While it is on the screen, too.
        try visit.enter("stty cols 80; clear; \(Explorer.commandLine); echo \"status=$?.\"")
        try visit.waitForExplorer()
        for columns in [65535, 40000, 80] {
            #expect(try Command.run(["stty", "-F", try visit.state("pane_tty"), "cols", "\(columns)"]).status == 0)
        }
        try visit.press("s")
        try visit.wait(for: "step 1 of")
        try visit.press("q")
        try visit.wait(for: "status=0.")
    }

    // MARK: What comes in

    @Test func `a paste that never ends is one that has paused`() throws {
        let session = try TmuxSession(Explorer.command)
        try session.waitForExplorer()
        try session.type("\u{1b}[200~")
        // Nothing that is pasted is a command, and a window may change meanwhile.
        try session.resize(width: 100, height: 24)
        try expectFilled(session, width: 100)
        try session.wait(until: "keys to be keys again") { _ in
            // As a hand does it.
            usleep(200_000)
            try session.press("s")
            return try session.screen().contains(/step [1-9][0-9]* of/)
        }
        try session.press("q")
        #expect(try session.waitForEnd() == 0)
    }

    @Test(arguments: [
        "\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\", "\u{1b}]11;rgb:0000/0000/0000\u{07}", "\u{1b}P1+r524742=38\u{1b}\\", "\u{1b}_Gi=31;OK\u{1b}\\",
        "\u{1b}[?62;22c",
    ])
    func `what a terminal replies is no key`(_ reply: String) throws {
        let session = try TmuxSession(Explorer.command, width: 120, height: 36)
        try session.waitForExplorer()
        try session.type(reply)
        try session.press("s")
        let screen = try session.wait(for: "step 1 of")
        #expect(screen.contains("enter the guest") && !screen.contains("unknown"))
        // Were it keys, one of them would have opened or moved something.
        try session.press("S")
        try session.wait(for: "step 0 of")
        #expect(try session.screen().contains("▸1 Fault path"))
    }

    @Test func `how long an Escape waits is the user's to say`() throws {
        let session = try TmuxSession(Explorer.command, environment: ["ESCDELAY": "20000"])
        try session.waitForExplorer()
        try session.press("s", "s", "s")
        try session.wait(for: "step 3 of")
        try session.type("\u{1b}")
        try session.type("[D")
        try session.wait(for: "step 2 of")
        #expect(try session.screen().contains("step 2 of"))
    }

    /// No signal from outside: the program's own code fails for want of memory, in the middle of what it does.
    @Test func `a failure in our own code gives the terminal back`() throws {
        let visit = try Visit()
        // A screen so large that each drawing takes memory of its own.
        try visit.session.resize(width: 400, height: 200)
        try expectFilled(visit.session, width: 400)
        let limit = try Command.run(["prlimit", "--pid", "\(try visit.session.foregroundProcess())", "--as=1:1"])
        #expect(limit.status == 0, "\(limit.errors)")
        try visit.session.press("s", "s", "s")
        let screen = try visit.session.wait(until: "the exit status") { $0.contains("status=1") }
        #expect(screen.firstMatch(of: /status=1(3[0-9])/) != nil, "\(screen)")
        #expect(screen.contains("before the visit"), "\(screen)")
        #expect(try visit.session.modes() == visit.modes)
        try visit.session.wait(until: "the shell's own settings") { _ in
            // The size is part of what stty prints, and this test has changed it.
            try visit.session.lineSettings().split(separator: ";").dropFirst(3).elementsEqual(visit.settings.split(separator: ";").dropFirst(3))
        }
    }

    /// The right-hand border of a pane stands in the last column.
    private func expectFilled(_ session: TmuxSession, width: Int) throws {
        try session.wait(until: "frames of \(width) columns") { screen in
            screen.split(separator: "\n").contains { $0.count == width && ($0.last == "┐" || $0.last == "+") }
        }
    }

    @Test(arguments: ["dumb", "no-such-terminal", ""])
    func `an unknown terminal is one clear error without escapes`(name: String) throws {
        let session = try TmuxSession.shell(width: 200)
        try session.enter("TERM=\(name) \(Explorer.commandLine) 2>&1 | cat -v; echo \"status=${PIPESTATUS[0]}\"")
        let piped = try session.wait(until: "the status") { $0.contains("\nstatus=") }
        #expect(piped.contains("status=74"))
        try session.enter("clear")
        try session.wait(forNo: "status=")
        try session.enter("TERM='\(name)' \(Explorer.commandLine); echo \"status=$?\"")
        let screen = try session.wait(until: "the status") { $0.contains("\nstatus=") }
        #expect(screen.contains("\nstatus=74\n"), "\(screen)")
        #expect(screen.contains("TERM=xterm-256color"), "\(screen)")
        #expect(!screen.contains("^["), "\(screen)")
        #expect(try session.state("alternate_on") == "0")
    }

    @Test(arguments: ["-", "/dev/stdin"]) func `with a trace from a pipe the keys come from the terminal`(name: String) throws {
        let session = try TmuxSession.shell()
        let trace = CommandsTests.root.appendingPathComponent("Tests/HostTraces/6.1-max/cow.trace").path
        let settings = try session.lineSettings()
        try session.enter("cat \(trace) | \(Product.path) open \(name); echo \"status=$?\"")
        try session.waitForExplorer()
        try session.press("s")
        try session.wait(until: "the first step") { $0.contains("step 1/") || $0.contains("step 1 of") }
        try session.press("q")
        let screen = try session.wait(until: "the exit status") { $0.contains("\nstatus=") }
        #expect(screen.contains("\nstatus=0\n"), "\(screen)")
        try session.wait(until: "the shell's own settings") { _ in try session.lineSettings() == settings }
    }

    @Test func `without a terminal it says so and names run`() throws {
        let outcome = try Product.run(Explorer.arguments)
        #expect(outcome.status == 74)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("standard input is not a terminal"))
        #expect(outcome.errors.contains("kvmtui run"))
        #expect(!outcome.errors.contains("\u{1b}"))
    }

    @Test(arguments: ["xterm", "xterm-256color", "screen", "linux", "vt100", "tmux-256color"])
    func `it shows on terminals with few colours or none`(term: String) throws {
        let session = try TmuxSession(Explorer.command, environment: ["TERM": term])
        try session.waitForExplorer()
        try session.press("q")
        #expect(try session.waitForEnd() == 0)
    }

    @Test func `a locale without Unicode gets ASCII`() throws {
        let session = try TmuxSession(Explorer.command, environment: ["LC_ALL": "C"])
        let screen = try session.waitForExplorer()
        let foreign = screen.unicodeScalars.filter { !$0.isASCII }
        #expect(foreign.isEmpty, "\(screen)")
    }

    @Test func `NO_COLOR leaves the colours away`() throws {
        let coloured = try TmuxSession(Explorer.command)
        try coloured.waitForExplorer()
        let colours = try coloured.colouredScreen()
        #expect(hasColours(colours))
        let plain = try TmuxSession(Explorer.command, environment: ["NO_COLOR": "1"])
        try plain.waitForExplorer()
        let none = try plain.colouredScreen()
        #expect(!hasColours(none))
    }

    @Test func `a light terminal has colours for light, however it says so`() throws {
        func screen(_ extra: [String] = [], _ environment: [String: String] = [:]) throws -> String {
            let session = try TmuxSession(Explorer.command + extra, environment: environment)
            try session.waitForExplorer()
            let screen = try session.wait(until: "the whole screen") { $0.contains("fault 0/2") && $0.contains("v3.9") }
            #expect(!screen.isEmpty)
            return try session.colouredScreen()
        }
        let light = try screen(["--theme", "light"]), dark = try screen(["--theme", "dark"])
        #expect(light != dark)
        #expect(try screen([], ["KVMTUI_THEME": "light"]) == light)
        #expect(try screen(["--theme", "dark"], ["KVMTUI_THEME": "light"]) == dark)
        #expect(try screen([], ["COLORFGBG": "0;15", "KVMTUI_THEME": ""]) == light)
        #expect(try screen([], ["COLORFGBG": "15;0"]) == dark)
        #expect(try Product.run(["open", "--theme", "loud"]).status == 64)
    }

    @Test func `a terminal that answers is believed, and keys typed meanwhile are keys`() throws {
        let session = try TmuxSession.shell(width: 100, height: 30, environment: ["COLORFGBG": "15;0"])
        // tmux answers for its window.
        try session.windowStyle("fg=black,bg=white")
        try session.enter("\(Explorer.commandLine) --theme auto")
        try session.type("sss")
        try session.waitForExplorer()
        try session.wait(for: "step 3 of")
        try session.press("q")
    }

    @Test func `a character that the C library does not know keeps its columns`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-wide-\(UUID().uuidString.prefix(8)).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Unassigned in the Unicode of older libraries, emoji in newer ones.
        try "kvmtui: 1\ntitle: \"Stage 2 \u{1fae8} shakes \u{1fa77}\"\nmachine: {memory: [{ipa: 0x80000000, size: 64M}]}\nsteps: [{vcpu0: read 0x80001000}]\n"
            .write(
                toFile: path, atomically: true, encoding: .utf8)
        let session = try TmuxSession([Product.path, "open", path], width: 100, height: 30)
        let screen = try session.waitForExplorer()
        let first = screen.split(separator: "\n").first.map(String.init) ?? ""
        // The row ends where it should.
        #expect(first.hasSuffix("step 0 of 41") || first.contains("step 0 of"), "\(first)")
        #expect(!first.hasSuffix("of") && first.contains("shakes"), "\(first)")
        try session.press("q")
    }

    private func hasColours(_ screen: String) -> Bool {
        screen.contains("\u{1b}[38;5;") || screen.contains("\u{1b}[48;5;")
            || screen.firstMatch(of: /\u{1b}\[[0-9;]*(3|4|9|10)[0-7]m/) != nil
    }
}
