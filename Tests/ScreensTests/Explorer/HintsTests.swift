import Foundation
import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// The line of hints names the keys that do it, and a click on a hint is that key; lists answer alike wherever they stand.
@Suite struct HintsTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func press(_ keys: String, _ app: inout some Interactive, _ width: Int = 100, _ height: Int = 30) throws -> [String] {
        Headless.run(&app, size: ScreenSize(width: width, height: height), events: try KeyScript(parsing: keys).events).rows
    }

    /// Clicks on a word of the line of hints.
    private func click(_ word: String, _ app: inout some Interactive, _ width: Int = 100, _ height: Int = 30) throws -> Reaction {
        let row = try press("", &app, width, height)[height - 2]
        let at = try #require(row.range(of: word), "no '\(word)' in '\(row)'")
        return app.handle(.mouse(Mouse(.click, x: row.distance(from: row.startIndex, to: at.lowerBound), y: height - 2)))
    }

    private func explorer(_ name: String = "retry") throws -> Explorer { Explorer(try ExplorerTests.session(name)) }
    private func image() throws -> ImageExplorer {
        ImageExplorer(try TableImage.open(path: Self.folder.appendingPathComponent("HostTraces/6.1-max/thp.end.elf").path))
    }
    private func leaves() throws -> LeafMapExplorer {
        LeafMapExplorer(
            try PTDumpText.read(ByteSource(path: Self.folder.appendingPathComponent("Images/ptdump-7.3/max.basic.end.stage2_page_tables.txt").path)))
    }

    @Test func `keys bound anew are those that the hints name, in the timeline, while playing, comparing, in lists of help`() throws {
        let keys: [KeyAction: [Key]] = [
            .more: [.character("A")], .less: [.character("B")], .into: [.character("E")], .out: [.character("Q")], .stepOn: [.character("T")],
            .moveDown: [.character("J")],
        ]
        try KeyTable.trying(keys) {
            var lanes = try explorer()
            let row = try press("T t", &lanes)[28]
            #expect(row.contains("A B zoom") && row.contains("E go there") && row.contains("Q back"), "\(row)")
            _ = try press("Q", &lanes)
            #expect(lanes.lanes == nil)
            var playing = try explorer()
            let play = try press("p", &playing)[28]
            #expect(play.contains("A and B change the speed") && play.contains("p pauses") && play.contains("Q ends it"), "\(play)")
            let hints = try press("J", &playing)[28]
            #expect(hints.contains("p pause") && hints.contains("T S by hand") && hints.contains("Q end playing"), "\(hints)")
            var help = try explorer()
            #expect(try press("?", &help).joined(separator: "\n").contains("J k               pick a step"))
            var note = try explorer("swap-bug")
            let text = try press("\":goto 103\" E", &note, 80, 24).joined(separator: "\n")
            #expect(!text.contains("8, then j"))
        }
        // As they ship.
        var lanes = try explorer()
        #expect(try press("s t", &lanes)[28].contains("← → cursor"))
    }

    @Test func `a click on a hint is its key: in the timeline, comparing, playing, in sheets and lists`() throws {
        var explorer = try explorer()
        _ = try press("s*30 t", &explorer)
        _ = try click("back", &explorer)
        #expect(explorer.lanes == nil)
        _ = try press("p j", &explorer)
        _ = try click("pause", &explorer)
        #expect(explorer.player?.isPaused == true)
        _ = try click("end playing", &explorer)
        #expect(explorer.player == nil)
        _ = try press("j w", &explorer)
        _ = try click("close", &explorer)
        #expect(explorer.overlay == nil)
        _ = try press("?", &explorer)
        _ = try click("pick", &explorer)
        #expect(explorer.overlay == .list)
        _ = try click("close", &explorer)
        #expect(explorer.overlay == nil)
        _ = try press("m", &explorer)
        _ = try click("close", &explorer)
        #expect(explorer.overlay == nil)
        _ = try press("\":without retry-check\" Enter j =", &explorer)
        _ = try click("back", &explorer)
        #expect(explorer.comparison == nil)
    }

    @Test func `a click on a hint is its key in images, maps of leaves and the list of sessions; a command's opens the prompt`() throws {
        var image = try image()
        _ = try click("translate", &image)
        #expect(image.prompt?.string == "walk ")
        _ = try press("Esc", &image)
        _ = try click("map", &image)
        #expect(image.overlay == .map)
        _ = try click("close", &image)
        #expect(image.overlay == nil)
        _ = try click("names", &image)
        _ = try click("close", &image)
        #expect(image.overlay == nil)
        var leaves = try leaves()
        _ = try click("find", &leaves)
        #expect(leaves.prompt?.string == "goto ")
        _ = try press("Esc", &leaves)
        _ = try click("help", &leaves)
        #expect(leaves.list != nil)
        _ = try click("close", &leaves)
        #expect(leaves.list == nil)
        var browser = SessionBrowser(
            nil, outside: .init(list: { [SessionEntry(name: "a", origin: .program, session: nil, problem: "no")] }, open: { session, _ in Explorer(session) }))
        #expect(try click("help", &browser) == .redraw)
        #expect(try press("", &browser).joined().contains("choose; ^d ^u by pages"))
        #expect(try click("close", &browser) == .redraw)
        #expect(try click("quit", &browser) == .quit)
    }

    @Test func `in images and maps of leaves help, glossary and copying are lists: they filter, Enter does it`() throws {
        var image = try image()
        let help = try press("? \"translat\"", &image).joined(separator: "\n")
        #expect(help.contains(":walk 0x80001000 write") && !help.contains("the first table") && help.contains("/translat"))
        _ = try press("Enter", &image)
        #expect(image.prompt?.string == "walk " && image.overlay == nil)
        _ = try press("Esc \":gloss\" Enter", &image)
        #expect(image.list?.title == "Glossary")
        let copies = try press("Esc Esc y", &image).joined(separator: "\n")
        #expect(copies.contains("descriptor") && copies.contains("VTTBR"))
        #expect(try press("Esc \":hlep\" Enter", &image)[28].contains("did you mean help"))
        #expect(try press("\":goto 80001000\" Enter", &image)[28].contains("0x80001000, or 0x4c4b7e8 if decimal was meant"))
        var leaves = try leaves()
        #expect(try press("? \"Search\"", &leaves).joined().contains("search the ranges"))
        _ = try press("Esc Esc K", &leaves)
        #expect(leaves.list?.title == "Glossary")
        #expect(try press("Esc y", &leaves).joined().contains("first IPA"))
        #expect(try press("Esc \":goto 80001000\" Enter", &leaves)[28].contains("if decimal was meant"))
        #expect(try press("e", &leaves)[28].contains("no steps"))
    }

    @Test func `steps are typed as sums, and on or back from here; what is no step is refused`() throws {
        for (line, step) in [("goto 78+1", 79), ("goto 12-2", 10), ("+5", 25), ("-3", 17), ("goto +0", 20), ("0x10", 16), ("goto 1", 1)] {
            var one = try explorer()
            _ = try press("s*20 \":\(line)\" Enter", &one)
            #expect(one.timeline.position == step, "\(line)")
        }
        for line in ["goto 78+", "goto 7 8", "goto ++3", "goto 3*4", "goto x"] {
            var one = try explorer()
            #expect(try press("s*20 \":\(line)\" Enter", &one)[28].contains("a step from 0 to"), "\(line)")
            #expect(one.timeline.position == 20)
        }
        var one = try explorer()
        #expect(try press("\":goto 99999999999999999999999\" Enter", &one)[27...28].joined().contains("a step from 0 to"))
        #expect(try press("\":goto 9999999+9999999999999999999\" Enter", &one)[28].contains("is the last one"))
        #expect(try press("\":-5000\" Enter", &one)[28].contains("nothing comes before"))
    }

    @Test func `a session inside the program is edited as a copy, and only where none is there`() throws {
        let written = Written()
        var surroundings = Explorer.Surroundings()
        surroundings.edit = { path, _ in
            written.note(path, "edited")
            return .failure(InputError(path, nil, "was edited"))
        }
        surroundings.copyToEdit = (
            "retry.yaml",
            {
                written.note("retry.yaml", "copied"); return nil
            }
        )
        var one = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings)
        #expect(try press("e", &one, 120)[28].contains("y copies it to retry.yaml"))
        #expect(try press("n", &one)[28].contains("not copied") && written.texts.isEmpty)
        _ = try press("e", &one)
        #expect(one.handle(.key(.character("y"))) == .outside && written.texts == ["copied"])
        one.performOutside()
        #expect(written.paths == ["retry.yaml", "retry.yaml"] && written.texts == ["copied", "edited"])
        surroundings.copyToEdit = ("retry.yaml", { .exists })
        var other = Explorer(try ExplorerTests.session("retry"), surroundings: surroundings)
        #expect(try press("e y", &other)[28].contains("retry.yaml is there already"))
    }

    @Test func `what is said and longer than the line goes on above it`() throws {
        var one = try explorer()
        let rows = try press("\":names 80001000 and what comes\" Enter \":retry\" Enter", &one, 60, 17)
        #expect(rows[14...15].joined(separator: " ").contains("help lists them"), "\(rows[13...16])")
    }
}
