import Foundation
import Sessions
import Testing

@testable import Screens

/// A session that goes on by itself, and its recording.
@Suite struct PlayingTests {
    private func playing(_ name: String, _ width: Int = 80, _ height: Int = 24) throws -> Explorer {
        var explorer = Explorer(try ExplorerTests.session(name))
        _ = ExplorerTests.screen(&explorer, width, height)
        explorer.play()
        return explorer
    }

    @Test func `a tick is a step, and it ends paused at the end`() throws {
        var explorer = try playing("first-touch")
        var ticks = 0
        while explorer.wakeAfter != nil {
            #expect(explorer.handle(.tick) == .redraw)
            ticks += 1
        }
        #expect(ticks == explorer.timeline.count && explorer.timeline.position == explorer.timeline.count)
        #expect(ExplorerTests.screen(&explorer, 80, 24).text(row: 23).contains("paused 1x"))
        #expect(explorer.handle(.tick) == .nothing)
        // Space plays it again.
        try ExplorerTests.press(&explorer, "Space")
        #expect(explorer.timeline.position == 0 && explorer.wakeAfter != nil)
    }

    @Test func `Space pauses, a step by hand pauses, other moves go on`() throws {
        var explorer = try playing("first-touch")
        try ExplorerTests.press(&explorer, "<tick>*3 Space")
        #expect(explorer.wakeAfter == nil && explorer.timeline.position == 3)
        try ExplorerTests.press(&explorer, "<tick> Space")
        #expect(explorer.wakeAfter != nil && explorer.timeline.position == 3)
        try ExplorerTests.press(&explorer, "]")
        #expect(explorer.wakeAfter != nil && explorer.timeline.position > 3)
        let place = explorer.timeline.position
        try ExplorerTests.press(&explorer, "s")
        #expect(explorer.wakeAfter == nil && explorer.timeline.position == place + 1)
        try ExplorerTests.press(&explorer, "Esc Space")
        #expect(explorer.player == nil && explorer.timeline.position == place + 2)
    }

    @Test func `plus and minus change the speed within bounds`() throws {
        var explorer = try playing("first-touch")
        try ExplorerTests.press(&explorer, "<tick>*2")
        let normal = try #require(explorer.wakeAfter)
        try ExplorerTests.press(&explorer, "+")
        #expect(explorer.wakeAfter == normal / 2)
        #expect(ExplorerTests.screen(&explorer, 80, 24).text(row: 23).contains("playing 2x"))
        try ExplorerTests.press(&explorer, "-*40")
        #expect(try #require(explorer.wakeAfter) > normal)
        try ExplorerTests.press(&explorer, "+*40")
        #expect(try #require(explorer.wakeAfter) >= .milliseconds(10))
        for bad in ["x", "0", "-1", "nan", "inf", "1e999"] {
            _ = explorer.run("play \(bad)")
            #expect(explorer.message?.isError == true, "\(bad)")
        }
    }

    @Test func `more to read takes longer`() throws {
        var explorer = try playing("retry")
        let first = try #require(explorer.wakeAfter)
        try ExplorerTests.press(&explorer, "<tick>")
        let withNote = try #require(explorer.wakeAfter)
        try ExplorerTests.press(&explorer, "<tick>*3")
        let plain = try #require(explorer.wakeAfter)
        #expect(first > plain && withNote > plain && plain >= .milliseconds(500) && first <= .seconds(12))
    }

    // MARK: Recording

    /// As much of a terminal as a recording needs: where the cursor is, and what stands in the cells.
    struct Terminal {
        var rows: [[Character]]
        var x = 0, y = 0
        var unknown: [String] = []

        init(_ width: Int, _ height: Int) { rows = Array(repeating: Array(repeating: " ", count: width), count: height) }

        mutating func feed(_ text: String) {
            var rest = Substring(text)
            while let character = rest.popFirst() {
                if character == "\u{1b}" {
                    guard rest.popFirst() == "[" else { unknown.append("no bracket"); continue }
                    var parameters = ""
                    while let next = rest.first, !next.isLetter { parameters.append(rest.removeFirst()); _ = next }
                    let final = rest.popFirst()
                    switch final {
                    case "H":
                        let numbers = parameters.split(separator: ";").compactMap { Int($0) }
                        guard numbers.count == 2, numbers[0] <= rows.count, numbers[1] <= rows[0].count else { unknown.append("H \(parameters)"); continue }
                        (y, x) = (numbers[0] - 1, numbers[1] - 1)
                    case "J": rows = rows.map { $0.map { _ in " " } }
                    case "m", "l", "h": break
                    default: unknown.append("\(final.map(String.init) ?? "the end")")
                    }
                } else if character != "\r", character != "\n", character != "\r\n" {
                    guard x < rows[y].count else { unknown.append("beyond the edge"); continue }
                    rows[y][x] = character
                    x += 1
                }
            }
        }
    }

    @Test(arguments: [("retry", 80, 24), ("two-vcpus", 120, 36), ("swap-bug", 60, 17)])
    func `played back, a recording shows the screens`(_ name: String, _ width: Int, _ height: Int) throws {
        var explorer = try playing(name, width, height)
        var cast = Cast(size: ScreenSize(width: width, height: height), theme: .dark, title: explorer.title)
        var screens = [ExplorerTests.screen(&explorer, width, height)]
        cast.show(screens[0])
        var faults: [Int] = []
        while let wait = explorer.wakeAfter {
            cast.wait(wait)
            _ = explorer.handle(.tick)
            if let fault = explorer.faultBeginningHere {
                faults.append(fault)
                cast.mark("fault \(fault)")
            }
            screens.append(ExplorerTests.screen(&explorer, width, height))
            cast.show(screens[screens.count - 1])
        }
        cast.end()
        let lines = cast.take().split(separator: "\n").map(String.init)
        let header = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(header["version"] as? Int == 2 && header["width"] as? Int == width && header["height"] as? Int == height)
        var terminal = Terminal(width, height)
        var time = 0.0, shown = 0
        var markers: [String] = []
        for line in lines.dropFirst() {
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any])
            let at = try #require(event[0] as? Double), kind = try #require(event[1] as? String), data = try #require(event[2] as? String)
            #expect(at >= time)
            time = at
            switch kind {
            case "o":
                terminal.feed(data)
                if shown < screens.count { #expect(terminal.rows.map { String($0) } == screens[shown].rows, "screen \(shown)") }
                shown += 1
            case "m": markers.append(data)
            default: Issue.record("\(kind)")
            }
        }
        #expect(terminal.unknown.isEmpty)
        #expect(shown == screens.count + 1)
        #expect(faults == Array(1...explorer.timeline.index.faults.count))
        #expect(markers == faults.map { "fault \($0)" })
    }
}
