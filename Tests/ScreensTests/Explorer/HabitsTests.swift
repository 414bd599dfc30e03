import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Keys that people have in their fingers.
@Suite struct HabitsTests {
    private func explorer(_ name: String = "retry") throws -> Explorer { Explorer(try ExplorerTests.session(name)) }

    /// The screen after keys, as text, and the explorer as it was left.
    @discardableResult
    private func press(_ keys: String, _ explorer: inout Explorer, _ width: Int = 80, _ height: Int = 24) throws -> [String] {
        Headless.run(&explorer, size: ScreenSize(width: width, height: height), events: try KeyScript(parsing: keys).events).rows
    }

    @Test(arguments: [
        ("10s", "s*10"), ("10s 3S", "s*7"), ("2 ]", "] ]"), ("42g", "s*42"), ("G 5S", "G S*5"), ("3 }", "} } }"), ("} } } 2 {", "}"), ("20s 3 o", "s*20 o o o"),
        ("2 f", "f f"),
    ]) func `a number repeats what follows`(_ counted: String, _ single: String) throws {
        var one = try explorer("write-after-read"), other = try explorer("write-after-read")
        try press(counted, &one)
        try press(single, &other)
        #expect(one.timeline.position == other.timeline.position && one.timeline.position > 0)
        #expect(one.focus == .path && one.digits.isEmpty)
    }

    @Test func `a number that nothing follows is forgotten, by Esc or by time`() throws {
        var one = try explorer()
        try press("5", &one)
        #expect(one.digits == "5" && one.wakeAfter != nil)
        try press("Esc 7 8 g", &one)
        #expect(one.timeline.position == 78)
        var other = try explorer()
        try press("5", &other)
        _ = other.handle(.tick)
        #expect(other.digits == "5")
        _ = other.handle(.tick)
        #expect(other.digits.isEmpty && other.wakeAfter == nil)
        try press("7 8 g", &other)
        #expect(other.timeline.position == 78)
    }

    @Test func `operations follow each other, there and back`() throws {
        var one = try explorer()
        var seen: [Int] = [], line: [String] = []
        while true {
            let before = one.timeline.position
            line = try press("}", &one)
            guard one.timeline.position != before else { break }
            seen.append(one.timeline.position)
        }
        #expect(seen.last == one.timeline.count && seen.dropLast().allSatisfy { step in one.timeline.operationStarts.contains { Int($0) + 1 == step } })
        #expect(line[22].contains("this was the last operation"))
        for step in seen.dropLast().reversed() {
            try press("{", &one)
            #expect(one.timeline.position == step)
        }
        try press("{", &one)
        #expect(one.timeline.position == 0)
    }

    @Test func `stepping over takes what is called, and what others do, as one`() throws {
        var one = try explorer()
        try press("26g", &one)
        let actor = try #require(one.timeline.actor)
        var overs = 0
        while one.timeline.position < one.timeline.count, overs < 400 {
            let depth = one.timeline.before.machine.actors[actor].depth, before = one.timeline.position
            try press("o", &one)
            overs += 1
            guard one.timeline.position < one.timeline.count else { break }
            #expect(one.timeline.position > before && one.timeline.actor == actor)
            #expect(one.timeline.before.machine.actors[actor].depth <= depth)
        }
        #expect(overs < one.timeline.count - 26)
        // Back along the same way.
        var back = try explorer()
        try press("26g o", &back)
        let there = back.timeline.position
        try press("o O", &back)
        #expect(back.timeline.position == there)
    }

    @Test func `places visited are walked back and forth, and the last one comes at two quotes`() throws {
        var one = try explorer()
        try press("42g 100g 150g C-o", &one)
        #expect(one.timeline.position == 100)
        try press("C-o", &one)
        #expect(one.timeline.position == 42)
        try press("Tab", &one)
        #expect(one.timeline.position == 100 && one.focus == .path)
        try press("s Tab", &one)
        #expect(one.focus == .tables)
        var other = try explorer()
        try press("42g 100g ' '", &other)
        #expect(other.timeline.position == 42)
        try press("' '", &other)
        #expect(other.timeline.position == 100)
        let nowhere = try press("C-o C-o C-o C-o", &other)
        #expect(nowhere[22].contains("no place was visited before"))
    }

    @Test func `marks come back, also to another branch`() throws {
        var one = try explorer()
        try press("42g M a \":without retry-check\" Enter 20g ' a", &one)
        #expect(one.timeline.position == 42 && one.branch == 0)
        #expect(try press("' x", &one)[22].contains("mark x is not set; M and a letter sets one") || press("' x", &one)[22].contains("set are a"))
        #expect(try press("M Enter", &one)[22].contains("no mark"))
    }

    @Test func `unknown keys and the ends say so`() throws {
        var one = try explorer()
        #expect(try press("Z", &one)[22].contains("Z does nothing here; ? lists the keys"))
        #expect(try press("S", &one)[22].contains("the start: nothing comes before"))
        #expect(try press("G s", &one)[22].contains("is the last one"))
    }

    @Test func `the session is searched for steps, functions, values and notes, as it is typed`() throws {
        var one = try explorer()
        try press("/ \"swap slot\"", &one)
        let previewed = one.timeline.position
        #expect(previewed > 0 && one.timeline.step?.text().title == "give it a swap slot")
        try press("Esc", &one)
        #expect(one.timeline.position == 0)
        try press("/ \"swap slot\" Enter", &one)
        #expect(one.timeline.position == previewed)
        try press("n", &one)
        #expect(one.timeline.position > previewed)
        try press("N", &one)
        #expect(one.timeline.position == previewed)
        #expect(try press("/ \"give up\" Enter", &one)[22].contains("in a note"))
        #expect(try press("/ \"no such words\" Enter", &one)[22].contains("is nowhere in the session"))
        try press("g \":find kvm_handle_guest_abort\" Enter", &one)
        #expect(one.timeline.step?.text().function == "kvm_handle_guest_abort")
    }

    @Test func `help begins with the pane at hand, typing filters, Enter does it`() throws {
        var one = try explorer()
        #expect(try press("?", &one)[2].contains("Here: pane 1, Fault path"))
        #expect(try press("Esc 2 Esc ?", &one).joined().contains("Here: pane 2, Stage-2 tables"))
        let filtered = try press("\"breakpoint\"", &one).joined(separator: "\n")
        #expect(filtered.contains("/breakpoint") && !filtered.contains("one step on"))
        try press("C-u Esc Esc ? \"one step on\" Enter", &one)
        #expect(one.timeline.position == 1 && one.overlay == nil)
        try press("? \":goto\" Enter", &one)
        #expect(one.prompt?.string == "goto ")
    }

    @Test func `lists go by j k Enter`() throws {
        var one = try explorer()
        try press("26g \":without retry-check\" Enter \":branch\" Enter", &one)
        #expect(one.branch == 1)
        try press("k Enter", &one)
        #expect(one.branch == 0 && one.overlay == nil)
        try press("b \":breaks\" Enter", &one)
        #expect(one.breakpoints.list.count == 1)
        try press("Enter", &one)
        #expect(one.breakpoints.list.isEmpty)
    }

    @Test func `commands are known by other programs' names and by their beginnings`() throws {
        var one = try explorer()
        let written = Written()
        one.surroundings.write = { text, path, _ in
            written.note(path, text)
            return nil
        }
        try press("\":w x.yaml\" Enter", &one)
        #expect(written.paths == ["x.yaml"])
        try press("\":got 42\" Enter", &one)
        #expect(one.timeline.position == 42)
        #expect(try press("\":h\" Enter", &one).joined().contains("─ Help ─"))
        #expect(
            try press("Esc \":b\" Enter", &one)[22].contains("'b' may be break, breaks, branch or behaviours") || one.message?.text.contains("may be") == true)
        #expect(try press("\":gotoo 3\" Enter", &one)[22].contains("did you mean goto?"))
        _ = try press("", &one)
        for character in ":q" { _ = one.handle(.key(.character(character))) }
        #expect(one.handle(.key(.enter)) == .quit)
    }

    @Test func `a hint is clicked as its key is pressed`() throws {
        var one = try explorer()
        let row = try press("", &one)[22]
        let at = { (word: String) in row.distance(from: row.startIndex, to: row.range(of: word)!.lowerBound) }
        try press("<click \(at("step")),22>", &one)
        #expect(one.timeline.position == 1)
        try press("<click \(at("S back")),22>", &one)
        #expect(one.timeline.position == 0)
        try press("<click \(at("help")),22>", &one)
        #expect(one.overlay == .list)
    }

    @Test func `what is at hand is copied`() throws {
        var one = try explorer()
        let copied = Written()
        one.surroundings.copy = {
            copied.note("copy", $0)
            return nil
        }
        one.surroundings.command = "kvmtui open retry"
        try press("42g y \"command\" Enter", &one)
        #expect(copied.texts == ["kvmtui open retry --at 42"])
        #expect(one.message?.text == "copied: command")
        try press("y Enter", &one)
        #expect(copied.texts.last?.hasPrefix("0x") == true)
    }

    @Test func `the editor is asked for with the terminal given back, and its session read`() throws {
        var one = try explorer()
        let line = Written()
        one.surroundings.edit = { _, at in
            line.note("\(at)", "")
            do { return .success(try ExplorerTests.session("first-touch")) } catch { return .failure(InputError("x", nil, "\(error)")) }
        }
        try press("42g", &one)
        let operation = try #require(one.timeline.operationNumber(at: 42))
        let place = one.timeline.session.script.operation(at: operation).operation.place.line
        #expect(one.handle(.key(.character("e"))) == .outside)
        one.performOutside()
        #expect(line.paths == ["\(place)"] && one.title == "First touch")
        #expect(one.message?.text.contains("read again") == true)
        one.surroundings.edit = { _, _ in .failure(InputError("x.yaml", SourcePlace(line: 3, column: 1), "is wrong")) }
        one.performOutside()
        #expect(one.message?.text == "x.yaml:3:1: is wrong" && one.title == "First touch")
    }

    @Test func `where a session was left is offered, and its end is noticed`() throws {
        var surroundings = Explorer.Surroundings()
        surroundings.left = 42
        var one = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings)
        #expect(try press("", &one)[22].contains("last time you left it at step 42 of 1"))
        try press("' '", &one)
        #expect(one.timeline.position == 42)
        #expect(one.progress?.step == 42 && one.progress?.count == one.timeline.count && one.progress?.isDone == false)
        var other = try explorer()
        try press("G", &other)
        #expect(other.progress?.isDone == false)
        try press("5S s*5", &other)
        #expect(other.progress?.isDone == true)
    }

    @Test func `the glossary explains what is on the screen, behaviours say where they are decided`() throws {
        var one = try explorer()
        let words = try press("s*20 K", &one).joined(separator: "\n")
        #expect(words.contains("In pane 1") && words.contains("Source: "))
        #expect(try press("Esc \":glossary gup\" Enter", &one).joined().contains("get_user_pages"))
        #expect(try press("Esc \":glossary HPFRA\" Enter", &one)[22].contains("did you mean HPFAR"))
        let list = try press("\":behaviours smp-rmb\" Enter", &one).joined(separator: "\n")
        #expect(list.contains("Decided in user_mem_abort"))
        try press("Enter", &one)
        #expect(one.prompt?.string == "without smp-rmb")
        var other = try explorer()
        let offered = try press("\":without \" Tab", &other).joined(separator: "\n")
        #expect(offered.contains("1 of \(Behaviour.names.count)") && offered.contains("under mmu_lock, give up"))
    }

    @Test func `keys are bound anew, and what they meant before is nobody's`() throws {
        KeyTable.trying([.why: [.character("X")], .stepOver: [.character("w")]]) {
            #expect(
                KeyTable.action(for: .character("X")) == .why && KeyTable.action(for: .character("w")) == .stepOver
                    && KeyTable.action(for: .character("o")) == nil)
            #expect(KeyTable.bindings.first { $0.action == .why }?.shown == "X")
        }
    }
}

/// What was handed outside.
final class Written: @unchecked Sendable {
    private(set) var paths: [String] = []
    private(set) var texts: [String] = []
    func note(_ path: String, _ text: String) {
        paths.append(path)
        texts.append(text)
    }
}
