import Sessions
import Testing

@testable import Screens

/// The line at `:`: editing, history, pastes, files.
@Suite struct PromptTests {
    private final class Notes: @unchecked Sendable {
        var remembered: [String] = []
        var files: [String: String] = [:]
        var existing: Set<String> = []
    }

    private func explorer(_ notes: Notes = Notes(), history: [String] = [], _ width: Int = 80, _ height: Int = 24) throws -> Explorer {
        var surroundings = Explorer.Surroundings { text, path, replacing in
            if notes.existing.contains(path), !replacing { return .exists }
            notes.files[path] = text
            notes.existing.insert(path)
            return nil
        }
        surroundings.history = history
        surroundings.remember = { notes.remembered.append($0) }
        surroundings.files = { prefix in ["sessions/", "save-me.yaml", "other.yaml"].filter { $0.hasPrefix(prefix) } }
        var explorer = Explorer(try ExplorerTests.session("first-touch"), surroundings: surroundings)
        _ = ExplorerTests.screen(&explorer, width, height)
        return explorer
    }

    private func line(_ explorer: inout Explorer) -> String {
        ExplorerTests.screen(&explorer, explorer.size.width, explorer.size.height).text(row: explorer.size.height - 2)
    }

    @Test func `lines of earlier runs come back, and those of this one are remembered`() throws {
        let notes = Notes()
        var explorer = try explorer(notes, history: ["goto 3", "goto 50"])
        try ExplorerTests.press(&explorer, "\":mine\" C-p")
        #expect(explorer.prompt?.string == "goto 50")
        try ExplorerTests.press(&explorer, "C-p C-p")
        #expect(explorer.prompt?.string == "goto 3")
        // What was being typed has waited.
        try ExplorerTests.press(&explorer, "C-n C-n C-n")
        #expect(explorer.prompt?.string == "mine")
        try ExplorerTests.press(&explorer, "C-u \"goto 7\" Enter : Up")
        #expect(explorer.prompt?.string == "goto 7" && notes.remembered == ["goto 7"] && explorer.timeline.position == 7)
    }

    @Test func `control-R looks back for what was typed, again and again`() throws {
        var explorer = try explorer(history: ["break lockMMU", "goto 12", "break writeLeaf", "names"])
        try ExplorerTests.press(&explorer, "\":brea\" C-r")
        #expect(explorer.prompt?.string == "break writeLeaf" && line(&explorer).contains("^R 'brea'"))
        try ExplorerTests.press(&explorer, "C-r C-r")
        #expect(explorer.prompt?.string == "break lockMMU")
        try ExplorerTests.press(&explorer, "End C-k Home Right C-k")
        #expect(explorer.prompt?.string == "b")
    }

    @Test func `control-C closes the prompt first`() throws {
        var explorer = try explorer()
        for size in [(80, 24), (40, 10)] {
            try ExplorerTests.press(&explorer, "<size 80x24> \":goto 3\" <size \(size.0)x\(size.1)>")
            #expect(explorer.handle(.key(.character("q"))) != .quit)
            #expect(explorer.handle(.key(.control("c"))) != .quit && explorer.prompt == nil)
        }
        #expect(explorer.handle(.key(.control("l"))) == .repaint && explorer.handle(.key(.control("z"))) == .suspend)
        #expect(explorer.handle(.key(.character("q"))) == .quit)
        #expect(explorer.handle(.key(.control("c"))) == .quit)
    }

    @Test func `a long line scrolls, by columns`() throws {
        var explorer = try explorer(Notes(), 60, 17)
        for text in [String(repeating: "x", count: 200), String(repeating: "字", count: 100)] {
            try ExplorerTests.press(&explorer, "Esc :")
            _ = explorer.handle(.paste(text))
            for key in ["", "Home", "End", "Left*30", "Right*7"] {
                try ExplorerTests.press(&explorer, key)
                let grid = ExplorerTests.screen(&explorer, 60, 17)
                let cursor = try #require(grid.cursor)
                let prompt = try #require(explorer.prompt)
                #expect(cursor.y == 15 && cursor.x < 60)
                // What stands before the cursor on the screen is what stands before it in the line.
                let before = prompt.cursor == 0 ? ":" : String(prompt.text[prompt.cursor - 1])
                let column = cursor.x - CharacterWidth.of(before)
                #expect(grid[column, 15].scalar == before.unicodeScalars.first, "\(key)")
            }
        }
        try ExplorerTests.press(&explorer, "C-u \"字字x\"")
        #expect(ExplorerTests.screen(&explorer, 60, 17).cursor?.x == 6)
    }

    @Test func `a hundred thousand characters are a line as long as lines go`() throws {
        var explorer = try explorer()
        try ExplorerTests.press(&explorer, ":")
        for _ in 0..<100_000 { _ = explorer.handle(.key(.character("x"))) }
        #expect(explorer.prompt?.string.count == Prompt.longest)
        #expect(line(&explorer).contains("xxx"))
    }

    @Test func `lines that are pasted are asked about, and run one after another`() throws {
        var explorer = try explorer()
        try ExplorerTests.press(&explorer, ":")
        _ = explorer.handle(.paste("goto 5\nwithout retry-check\n\nvcpu0: read\t0x80000000\ngoto nowhere\ngoto 1\n"))
        #expect(explorer.prompt == nil && line(&explorer).contains("5 lines were pasted: y runs them"))
        #expect(explorer.timeline.position == 0)
        try ExplorerTests.press(&explorer, "y")
        #expect(explorer.branches.count == 3)
        #expect(line(&explorer).contains("1 more lines are not run"), "\(line(&explorer))")
        try ExplorerTests.press(&explorer, ":")
        _ = explorer.handle(.paste("goto 1\ngoto 2\n"))
        try ExplorerTests.press(&explorer, "n")
        #expect(line(&explorer).contains("forgotten") && explorer.branches.count == 3)
        // One line is a line, whatever ends it.
        try ExplorerTests.press(&explorer, "g :")
        _ = explorer.handle(.paste("goto\t9\r\n"))
        #expect(explorer.prompt?.string == "goto 9")
        try ExplorerTests.press(&explorer, "Esc /")
        _ = explorer.handle(.paste("a\nb"))
        #expect(line(&explorer).contains("one line is searched for"))
    }

    @Test func `files are completed, and the mouse is given back and taken`() throws {
        var explorer = try explorer()
        try ExplorerTests.press(&explorer, "\":save s\" Tab")
        #expect(explorer.prompt?.string == "save sessions/")
        try ExplorerTests.press(&explorer, "Tab")
        #expect(explorer.prompt?.string == "save save-me.yaml")
        #expect(explorer.run("mouse off") == .mouse(false) && explorer.run("mouse on") == .mouse(true))
        #expect(explorer.run("mouse sideways") == .redraw && explorer.message?.isError == true)
    }

    @Test func `nothing is written over unasked`() throws {
        let notes = Notes()
        var explorer = try explorer(notes)
        notes.existing = ["x.yaml", "x.svg"]
        for (command, file) in [("save", "x.yaml"), ("screenshot", "x.svg"), ("diagram", "x.svg")] {
            try ExplorerTests.press(&explorer, "20g")
            _ = explorer.run("\(command) \(file)")
            #expect(explorer.message?.text == "\(file) exists: :\(command)! \(file) replaces it" && explorer.message?.isError == true)
            _ = explorer.run("\(command)! \(file)")
            #expect(explorer.message?.text == "written: \(file)")
            _ = explorer.run("\(command) -")
            #expect(explorer.message?.isError == true)
        }
    }

    @Test func `what cannot be kept is said at once`() throws {
        var explorer = try explorer()
        explorer.surroundings.journal = { _ in "/nowhere: No space left on device" }
        try ExplorerTests.press(&explorer, "20g \":without retry-check\" Enter")
        // It is longer than the line, and goes on above it.
        let rows = ExplorerTests.screen(&explorer, explorer.size.width, explorer.size.height).rows
        #expect(rows[(explorer.size.height - 3)...].joined().contains("branch 2 is not kept outside of the program: /nowhere"))
    }
}
