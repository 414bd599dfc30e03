import Foundation
import Testing

/// A terminal of a given size with one command in it, on a tmux server of its own.
///
/// Waiting is always for something to be seen, with a deadline; when it passes, the error shows the screen.
final class TmuxSession {
    struct Timeout: Error, CustomStringConvertible {
        let awaited: String
        let screen: String
        var description: String { "waited in vain for \(awaited); the screen is\n\(screen)" }
    }

    static let isAvailable: Bool = (try? Command.run(["tmux", "-V"]).status) == 0

    private let socket: String
    private var statusFile: String { socket + ".status" }
    /// Generous: the machine may be busy. A passing test never waits that long.
    var patience = Duration.seconds(60)

    /// Starts `command` (a program and its arguments) in a terminal.
    ///
    /// - Parameters:
    ///   - environment: for the command; `TERM`, a UTF-8 locale and no `NO_COLOR` unless it says otherwise.
    init(
        _ command: [String], width: Int = 80, height: Int = 24, environment: [String: String] = [:]
    ) throws {
        socket =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("kvmtui-tmux-\(UUID().uuidString.prefix(8))").path
        // What a test types and does not save is nobody's.
        var settings = ["TERM": "tmux-256color", "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": socket + ".state"]
        settings.merge(environment) { $1 }
        let words = ["env", "-u", "NO_COLOR", "-u", "TMUX"] + settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        // tmux knows when a terminal was closed, and sometimes never how the program ended: the shell around it stays and writes
        // that down. The file appears with its content in it.
        let line = (words + command).map(TmuxSession.quoted).joined(separator: " ") + "; echo $? > \(socket).new; mv \(socket).new \(statusFile)"
        let settingsFile = socket + ".conf"
        defer { try? FileManager.default.removeItem(atPath: settingsFile) }
        try """
        set -g status off
        set -g remain-on-exit on
        set -g remain-on-exit-format ""
        set -s escape-time 0
        """.write(toFile: settingsFile, atomically: false, encoding: .utf8)
        try tmux(["-u", "-f", settingsFile, "new-session", "-d", "-x", "\(width)", "-y", "\(height)", line])
    }

    /// A shell with the prompt `$ `, from which a program can be started, stopped and looked after.
    static func shell(width: Int = 80, height: Int = 24, environment: [String: String] = [:]) throws -> TmuxSession {
        var settings = environment
        settings["PS1"] = "$ "
        let session = try TmuxSession(
            ["bash", "--norc", "--noprofile", "-i"], width: width, height: height, environment: settings)
        try session.wait(for: "$")
        return session
    }

    deinit {
        _ = try? tmux(["kill-server"])
        try? FileManager.default.removeItem(atPath: socket)
        try? FileManager.default.removeItem(atPath: socket + ".state")
        try? FileManager.default.removeItem(atPath: statusFile)
    }

    @discardableResult
    private func tmux(_ arguments: [String]) throws -> String {
        let outcome = try Command.run(["tmux", "-S", socket] + arguments)
        guard outcome.status == 0 else { throw Command.Failure(description: "tmux \(arguments.joined(separator: " ")): \(outcome.errors)") }
        return outcome.output
    }

    private static func quoted(_ word: String) -> String {
        "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    // MARK: Doing

    /// Presses keys by tmux's names: `s`, `Tab`, `C-z`, `Escape`, `F1`, `PageDown`.
    func press(_ keys: String...) throws {
        try tmux(["send-keys", "-t", ":"] + keys)
    }

    /// Types the characters of `text`.
    func type(_ text: String) throws {
        try tmux(["send-keys", "-t", ":", "-l", text])
    }

    /// Types a line and Enter.
    func enter(_ line: String) throws {
        try type(line)
        try press("Enter")
    }

    /// Pastes text as a terminal does, in brackets if the program asked for that.
    func paste(_ text: String) throws {
        try tmux(["set-buffer", text])
        try tmux(["paste-buffer", "-p", "-t", ":"])
    }

    /// A press of the left button at a cell from 0,0, as the SGR or the old report, whichever was asked for.
    func click(x: Int, y: Int) throws { try report(button: 0, x: x, y: y) }

    /// The wheel, one notch.
    func wheel(up: Bool, x: Int, y: Int) throws { try report(button: up ? 64 : 65, x: x, y: y) }

    private func report(button: Int, x: Int, y: Int) throws {
        if try state("mouse_sgr_flag") == "1" {
            try type("\u{1b}[<\(button);\(x + 1);\(y + 1)M")
        } else {
            try type("\u{1b}[M" + String(String.UnicodeScalarView([32 + button, x + 33, y + 33].map { Unicode.Scalar($0)! })))
        }
    }

    func resize(width: Int, height: Int) throws {
        try tmux(["resize-window", "-t", ":", "-x", "\(width)", "-y", "\(height)"])
    }

    /// The colours that the window says it has.
    func windowStyle(_ style: String) throws { try tmux(["set-option", "-g", "window-style", style]) }

    /// Sends a signal to the program in the foreground, by `name` as `kill` takes it.
    func signal(_ name: String) throws {
        let outcome = try Command.run(["kill", "-\(name)", "\(try foregroundProcess())"])
        guard outcome.status == 0 else { throw Command.Failure(description: outcome.errors) }
    }

    // MARK: Looking

    /// The screen's rows, without the blanks at their ends.
    func screen() throws -> String { try tmux(["capture-pane", "-p", "-t", ":"]) }

    /// The screen with SGR escapes for its colours and attributes.
    func colouredScreen() throws -> String { try tmux(["capture-pane", "-e", "-p", "-t", ":"]) }

    /// One of tmux's format variables: `alternate_on`, `cursor_flag`, `pane_dead_status` …
    func state(_ variable: String) throws -> String {
        try tmux(["display-message", "-p", "-t", ":", "#{\(variable)}"]).trimmingCharacters(in: .newlines)
    }

    /// What a program can have changed about the terminal itself: the second screen, the cursor, the keypad,
    /// the mouse, wrapping.
    func modes() throws -> String {
        try state(
            "alternate_on} #{cursor_flag} #{keypad_flag} #{keypad_cursor_flag} #{mouse_any_flag} "
                + "#{mouse_sgr_flag} #{mouse_standard_flag} #{wrap_flag} #{insert_flag} #{origin_flag")
    }

    /// The line discipline's settings, as `stty -a` reads them from outside of the program.
    func lineSettings() throws -> String {
        let outcome = try Command.run(["stty", "-a", "-F", try state("pane_tty")])
        return outcome.output
    }

    /// The process id of the program in the terminal's foreground: not of the shell that waits for it.
    func foregroundProcess() throws -> Int {
        let tty = try state("pane_tty").replacingOccurrences(of: "/dev/", with: ""), recorder = Int(try state("pane_pid"))
        let list = try Command.run(["ps", "-t", tty, "-o", "pid=,pgid=,tpgid="]).output
        for line in list.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            if numbers.count == 3, numbers[1] == numbers[2], numbers[0] != recorder { return numbers[0] }
        }
        throw Command.Failure(description: "no process in the foreground of \(tty)")
    }

    // MARK: Waiting

    /// Waits until the screen contains `text`, and returns the screen.
    @discardableResult
    func wait(for text: String) throws -> String {
        try wait(until: "\"\(text)\"") { $0.contains(text) }
    }

    /// Waits until the screen no longer contains `text`.
    @discardableResult
    func wait(forNo text: String) throws -> String {
        try wait(until: "no \"\(text)\"") { !$0.contains(text) }
    }

    /// Waits until the screen is as `condition` wants it.
    @discardableResult
    func wait(until awaited: String, _ condition: (String) throws -> Bool) throws -> String {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            let screen = try screen()
            if try condition(screen) { return screen }
            guard clock.now < deadline else { throw Timeout(awaited: awaited, screen: screen) }
            // Asking costs a process each time; this only keeps from asking without a pause.
            usleep(5000)
        }
    }

    /// Waits for the end of the session's command and returns its status (128 + number for a signal).
    func waitForEnd() throws -> Int {
        var status: Int?
        try wait(until: "the end of the program") { _ in
            status = (try? String(contentsOfFile: statusFile, encoding: .utf8)).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            return status != nil
        }
        return status ?? 0
    }
}
