import Foundation
import Testing

/// What was typed outlives the program, whatever ends it.
@Suite(.serialized, .enabled(if: Explorer.canBeTried))
struct RecoveryTests {
    /// A folder for the state of one test.
    private final class State {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-state-\(UUID().uuidString)").path
        var environment: [String: String] { ["XDG_STATE_HOME": folder] }
        var files: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/kvmtui")) ?? []).filter { $0.hasSuffix(".work") }.map { "\(folder)/kvmtui/\($0)" }
        }
        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func typeBranch(_ session: TmuxSession) throws {
        try session.waitForExplorer()
        try session.type("20g")
        try session.wait(for: "step 20 of")
        try session.type(":without retry-check")
        try session.press("Enter")
        try session.wait(for: "branch 2/2")
    }

    @Test(arguments: ["KILL", "TERM", "HUP", "SEGV"]) func `killed, it offers again what was typed`(_ signal: String) throws {
        let state = State()
        let first = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        try typeBranch(first)
        #expect(state.files.count == 1)
        try first.signal(signal)
        #expect(try first.waitForEnd() > 128)
        #expect(state.files.count == 1)
        let second = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        try second.wait(for: ":recover does it again")
        try second.type(":recover")
        try second.press("Enter")
        try second.wait(for: "branch 2/2")
        // It is this one's now, and asked for on leaving.
        #expect(state.files.count == 1)
        try second.press("q")
        try second.wait(for: "branch 2 is not saved")
        try second.press("y")
        #expect(try second.waitForEnd() == 0)
        #expect(state.files.isEmpty)
    }

    @Test func `a session open elsewhere is not taken for a dead one`() throws {
        let state = State()
        let first = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        try typeBranch(first)
        let second = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        #expect(try !second.waitForExplorer().contains(":recover"))
        try second.press("q")
        #expect(try second.waitForEnd() == 0)
        #expect(state.files.count == 1)
    }

    @Test func `control-C leaves, and says where it is`() throws {
        let state = State()
        let visit = try TmuxSession.shell(width: 120, height: 36, environment: state.environment)
        try visit.enter("\(Explorer.commandLine); echo \"status=$?\"")
        try typeBranch(visit)
        try visit.press("C-c")
        let screen = try visit.wait(for: "status=0")
        #expect(screen.contains("unsaved branches are kept"))
        #expect(state.files.count == 1)
    }

    @Test func `nothing typed leaves nothing, and a place that cannot be written is no matter`() throws {
        let state = State()
        let quiet = try TmuxSession(Explorer.command, environment: state.environment)
        try quiet.waitForExplorer()
        try quiet.press("s", "s", "q")
        #expect(try quiet.waitForEnd() == 0)
        #expect(state.files.isEmpty)
        let blocked = try TmuxSession(
            Explorer.command, width: 120, height: 36, environment: ["XDG_STATE_HOME": "/dev/null/x", "HOME": "/dev/null", "TMPDIR": "/dev/null"])
        try typeBranch(blocked)
        // It says so at once, and does not say on leaving that anything is kept.
        try blocked.wait(for: "is not kept outside of the program")
        try blocked.press("C-c")
        #expect(try blocked.waitForEnd() == 0)
        #expect(try blocked.screen().contains("the unsaved branches are lost"))
    }

    @Test func `lines of the prompt outlive the program, and leaving says where one was`() throws {
        let state = State()
        let first = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        try first.waitForExplorer()
        try first.type(":goto 21")
        try first.press("Enter")
        try first.wait(for: "step 21 of")
        try first.press("q")
        #expect(try first.waitForEnd() == 0)
        #expect(try first.screen().contains("left at step 21 of"))
        let second = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        try second.waitForExplorer()
        try second.type(":")
        try second.press("C-p", "Enter")
        try second.wait(for: "step 21 of")
        try second.press("q")
        #expect(try second.waitForEnd() == 0)
    }

    @Test func `a damaged journal does no harm`() throws {
        let state = State()
        let first = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
        try typeBranch(first)
        try first.signal("KILL")
        _ = try first.waitForEnd()
        let path = try #require(state.files.first)
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        for text in [
            whole + "1 99999999999999999999999 x\n", whole + "3 4 with", whole + "1 18446744073709551615 \u{1b}[31mx\n", "", "rubbish\n",
            whole.replacingOccurrences(of: "1 20 ", with: "7 20 "),
        ] {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            let session = try TmuxSession(Explorer.command, width: 120, height: 36, environment: state.environment)
            try session.waitForExplorer()
            try session.type(":recover")
            try session.press("Enter")
            try session.wait(until: "an answer") { $0.contains("recovered") || $0.contains("damaged") || $0.contains("no unsaved work") }
            try session.press("C-c")
            #expect(try session.waitForEnd() == 0)
            for other in state.files where other != path { try FileManager.default.removeItem(atPath: other) }
        }
    }
}
