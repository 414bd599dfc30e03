import Testing

@testable import Screens

struct HeadlessTests {
    /// Writes down what it is told, and needs three rounds in the background after each event.
    private struct Diary: Interactive {
        var lines: [String] = []
        var work = 0

        mutating func handle(_ event: Event) -> Reaction {
            lines.append("\(event) after \(work)")
            work = 0
            return event == .key(.character("q")) ? .quit : event == .key(.control("z")) ? .suspend : .redraw
        }

        mutating func idle() -> Bool {
            work += 1
            return work < 3
        }

        func draw(into grid: inout Grid) {
            grid.draw { canvas in
                for (y, line) in lines.enumerated() { canvas.put(0, y, line) }
            }
        }
    }

    @Test func `events come in order, with the background work done between them`() throws {
        var diary = Diary()
        let script = try KeyScript(parsing: "s <C-z> <size 50x5> q x")
        let grid = Headless.run(&diary, size: ScreenSize(width: 40, height: 4), events: script.events)
        #expect(
            diary.lines == [
                "resize(width: 40, height: 4) after 0", "key(s) after 3", "key(C-z) after 3",
                "resize(width: 50, height: 5) after 3", "key(q) after 3",
            ])
        #expect(grid.width == 50 && grid.height == 5)
        #expect(grid.text(row: 1).hasPrefix("key(s) after 3"))
    }
}
