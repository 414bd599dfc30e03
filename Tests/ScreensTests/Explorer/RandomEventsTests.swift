import Foundation
import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Whatever is pressed, clicked, typed and resized: nothing traps, and the screen is what the state says.
///
/// `KVMTUI_EVENTS=10000 swift test --filter RandomEventsTests` gives every session and image that many events.
@Suite struct RandomEventsTests {
    private static let count = ProcessInfo.processInfo.environment["KVMTUI_EVENTS"].flatMap { Int($0) } ?? 120

    @Test(arguments: ExplorerTests.names) func `a session under random events`(_ name: String) throws {
        let session = try ExplorerTests.session(name)
        var events = RandomEvents(seed: seed(name), lines: RandomEvents.sessionLines)
        var explorer = Explorer(session, surroundings: Self.surroundings)
        var screen = ScreenInPieces()
        for round in 0..<Self.count {
            // Each branch keeps a timeline of its own; a handful are enough.
            if explorer.branches.count > 6 {
                explorer = Explorer(session, surroundings: Self.surroundings)
                screen = ScreenInPieces()
            }
            let event = events.next()
            let reaction = explorer.handle(event)
            if let wrong = screen.wrong(&explorer, size: explorer.size, after: reaction, draws: events.oneIn(4)) {
                Issue.record("\(name): event \(round), \(event), \(reaction): the parts drawn do not add up to the screen:\n\(wrong)")
                return
            }
            guard events.oneIn(40) else { continue }
            let before = ScreenInPieces.drawing(&explorer, explorer.size)
            explorer.forgetScene()
            #expect(ScreenInPieces.drawing(&explorer, explorer.size) == before, "\(name): event \(round), \(event)")
        }
    }

    /// With all that keys may ask for.
    private static var surroundings: Explorer.Surroundings {
        var surroundings = Explorer.Surroundings()
        surroundings.copy = { _ in nil }
        surroundings.link = { "kvmtui open x@\($0)" }
        surroundings.edit = { path, _ in .failure(InputError(path, nil, "is not edited")) }
        surroundings.copyToEdit = ("x.yaml", { .exists })
        return surroundings
    }

    /// Half of the events are steps, of which the most are thought of.
    @Test(arguments: ["retry", "swap-bug", "icache-vipt", "mmio"]) func `drawn ahead is drawn right`(_ name: String) throws {
        let session = try ExplorerTests.session(name)
        var events = RandomEvents(seed: seed(name), lines: RandomEvents.sessionLines)
        var plain = Explorer(session), quick = Explorer(session)
        var ahead = DrawnAhead<Explorer>()
        var hits = 0
        for round in 0..<400 {
            let event = round == 0 ? .resize(width: 120, height: 36) : events.oneIn(2) ? .key(.character(events.oneIn(3) ? "S" : "s")) : events.next()
            let drawn = ahead.take(event, &quick)
            if drawn == nil { _ = quick.handle(event) } else { hits += 1 }
            ahead.forget()
            _ = plain.handle(event)
            let wanted = ScreenInPieces.drawing(&plain, plain.size)
            #expect((drawn ?? ScreenInPieces.drawing(&quick, quick.size)) == wanted, "event \(round), \(event)")
            while ahead.work(quick, on: wanted) {}
            #expect(ScreenInPieces.drawing(&quick, quick.size) == wanted, "working ahead has changed the present: event \(round)")
        }
        #expect(hits > 5)
    }

    @Test(arguments: ImageExplorerTests.names) func `an image under random events`(_ name: String) throws {
        let folder = ExplorerTests.folder.deletingLastPathComponent().appendingPathComponent("Tests/HostTraces")
        var events = RandomEvents(seed: seed(name), lines: RandomEvents.imageLines)
        var explorer = ImageExplorer(try TableImage.open(path: folder.appendingPathComponent(name).path))
        var screen = ScreenInPieces()
        for round in 0..<Self.count {
            let event = events.next()
            let reaction = explorer.handle(event)
            if let wrong = screen.wrong(&explorer, size: explorer.size, after: reaction, draws: events.oneIn(4)) {
                Issue.record("\(name): event \(round), \(event), \(reaction): the parts drawn do not add up to the screen:\n\(wrong)")
                return
            }
        }
    }

    /// The same for a name on every machine; other names, other events.
    private func seed(_ name: String) -> UInt64 { name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) } }
}

/// A screen kept as a terminal's is: only what differs is put on it.
private struct ScreenInPieces {
    private var shown = Grid(width: 0, height: 0)
    /// Whether something has happened since the last drawing that may show.
    private var isBehind = true

    static func drawing(_ app: inout some Interactive, _ size: (width: Int, height: Int)) -> Grid {
        var grid = Grid(width: size.width, height: size.height)
        app.draw(into: &grid)
        return grid
    }

    /// The parts that differ must add up to the whole drawing, and nothing may differ after "nothing": else what is shown and what
    /// should be, by rows.
    mutating func wrong(_ app: inout some Interactive, size: (width: Int, height: Int), after reaction: Reaction, draws: Bool) -> String? {
        if reaction != .nothing { isBehind = true }
        guard draws else { return nil }
        let whole = Self.drawing(&app, size)
        guard isBehind else { return difference(from: whole) }
        isBehind = false
        if shown.width != whole.width || shown.height != whole.height {
            shown = Grid(width: whole.width, height: whole.height)
        }
        let earlier = shown
        whole.forEachDifference(from: earlier) { row, columns in
            for column in columns { shown.cells[row * whole.width + column] = whole[column, row] }
        }
        shown.cursor = whole.cursor
        return difference(from: whole)
    }

    private func difference(from whole: Grid) -> String? {
        guard shown != whole else { return nil }
        let rows = (0..<min(shown.height, whole.height)).filter { y in (0..<min(shown.width, whole.width)).contains { shown[$0, y] != whole[$0, y] } }
        return "\(shown.width)x\(shown.height), to be \(whole.width)x\(whole.height), cursor \(shown.cursor != whole.cursor ? "elsewhere" : "right")\n"
            + rows.map { "-\(shown.text(row: $0))\n+\(whole.text(row: $0))" }.joined(separator: "\n")
    }
}

/// Keys of the table, digits, letters, the mouse anywhere, sizes from 1x1 to 250x80, pastes, ticks, and whole command lines.
struct RandomEvents {
    private var random: SplitMix64
    private let lines: [String]
    /// What is being typed, the next event last.
    private var waiting: [Event] = []

    init(seed: UInt64, lines: [String]) {
        random = SplitMix64(state: seed)
        self.lines = lines
    }

    private static let keys: [Key] =
        KeyTable.bindings.flatMap(\.keys)
        + "0123456789abxyz:/\"é漢".map { Key.character($0) }
        + [.enter, .escape, .tab, .backTab, .backspace, .delete, .insert, .home, .end, .left, .right, .function(7)]

    private static let places = ["0", "0x80000000", "0x80001000", "0x2c001000", "0xffffffffffffffff", "0x10000000000", "-1", "", "99999999999999999999"]
    private static let lookups = places.flatMap { ["goto \($0)", "map \($0)", "names \($0)", "names pfn \($0)"] }

    static let sessionLines: [String] =
        lookups
        + places.flatMap {
            [
                "fault \($0)", "break \($0)", "branch \($0)", "vcpu0: read \($0)", "vcpu0: write \($0) 1", "host: swap-out \($0)", "names hva \($0)",
                "names va \($0)",
            ]
        }
        + Behaviour.names.flatMap { ["with \($0)", "without \($0)"] } + MicroStep.allCases.map { "break \($0.name)" }
        + ExplorerCommand.all.map(\.name).filter { $0 != "quit" }
        + [
            "kswapd: swap-out 0x80001000 late", "vcpu0: exec 0x80002000", "ksmd: merge 0x80001000 0x80002000", "vcpu7: read 0", "compare 1", "break off",
            "find lock", "find nothing of the kind", "glossary gup", "glossary nothing", "behaviours smp", "goto 78+1", "+5", "-3", "goto 1+", "link", "copy",
            "play 4",
            "predict", "lecture", "move vcpu0", "branch", "breaks", "recover off", "mouse off",
            "save /nowhere/x.yaml", "screenshot /nowhere/x.svg", "screenshot x", "diagram /nowhere/x.svg", "nonsense", ":", "é: 漢",
        ]

    static let imageLines: [String] =
        lookups + places.flatMap { ["walk \($0)", "walk \($0) write", "walk \($0) exec"] }
        + ["walk 0 sing", "screenshot /nowhere/x.svg", "diagram /nowhere/x.svg", "help", "map", "names", "nonsense", "é"]

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func next() -> Event {
        if let event = waiting.popLast() { return event }
        switch below(28) {
        case 0: return .resize(width: 1 + below(250), height: 1 + below(80))
        // Most sizes of the draw above are too small for something; these are what people have.
        case 1:
            return [.resize(width: 80, height: 24), .resize(width: 120, height: 36), .resize(width: 200, height: 60), .resize(width: 60, height: 17)][below(4)]
        case 2, 3: return .mouse(Mouse([.click, .wheelUp, .wheelDown][below(3)], x: below(250), y: below(80)))
        case 4: return .paste(["0x80001000", "a\nb\u{1b}[2J", ":without smp-rmb"][below(3)])
        case 5: return .tick
        case 7:
            // A list, filtered or not, gone through and used.
            let opens: [Key] = [.character("?"), .character("K"), .character("y"), .character("a"), .character("i"), .character("m")]
            let words = ["lock", "leaf", "go", "zzz", ""][below(5)]
            waiting = [.key(opens[below(opens.count)])] + words.map { .key(.character($0)) } + (0..<below(4)).map { _ in .key(.down) }
            waiting = (waiting + [.key([.enter, .escape, .backspace][below(3)])]).reversed()
            return waiting.removeLast()
        case 8:
            // The mouse on the line of hints.
            return .mouse(Mouse(.click, x: below(120), y: [15, 22, 34, 58][below(4)]))
        case 9: return [.key(.character("P")), .key(.character("L")), .key(.character("z")), .key(.character("t"))][below(4)]
        case 6:
            // Out of whatever has the keys, then a line; now and then it is left to be completed or broken off.
            let line = lines[below(lines.count)]
            waiting = ([.key(.escape), .key(.escape), .key(.character(":"))] + line.map { .key(.character($0)) } + [oneIn(8) ? .key(.tab) : .key(.enter)])
                .reversed()
            return waiting.removeLast()
        default: return .key(Self.keys[below(Self.keys.count)])
        }
    }
}
