import Foundation
import Sessions
import Testing
import Stage2Sim

@testable import Screens

/// The list of sessions, and the way into one and back.
@Suite struct SessionBrowserTests {
    static func entries() -> [SessionEntry] {
        // Short ones: each is run through to be measured.
        let names = [
            "destroy-leak", "execute", "first-touch", "hwpoison", "late-reader", "mmio", "mmio-decoder", "mprotect", "no-retry-check", "no-vma", "retry",
            "swap-bug",
            "swap-bug-fixed", "swap-bug-hidden", "two-vcpus", "write-after-read",
        ]
        var entries = names.map { name in
            SessionEntry(name: name, origin: .program, session: try? ExplorerTests.session(name))
        }
        entries.append(SessionEntry(name: "broken.yaml", origin: .file(path: "broken.yaml"), session: nil, problem: "broken.yaml:3:1: \u{1b}[31munknown key"))
        return entries
    }

    private func browser(_ explorer: Explorer? = nil, ascii: Bool = false, plain: Bool = false) -> SessionBrowser {
        SessionBrowser(
            explorer,
            outside: .init(
                list: { Self.entries() },
                open: { session, _ in
                    var surroundings = Explorer.Surroundings(plain: plain, ascii: ascii)
                    surroundings.hasList = true
                    return Explorer(session, surroundings: surroundings)
                }), ascii: ascii, plain: plain)
    }

    private func screen(_ browser: inout SessionBrowser, _ width: Int, _ height: Int, _ keys: String, _ glyphs: Glyphs = .unicode) throws -> Grid {
        Headless.run(&browser, size: ScreenSize(width: width, height: height), events: try KeyScript(parsing: keys).events, glyphs: glyphs)
    }

    @Test(arguments: ExplorerTests.sizes) func `the list at every size`(_ width: Int, _ height: Int) throws {
        var list = browser()
        let grid = try screen(&list, width, height, "/ \"swap\" Enter j")
        expectPicture(grid, named: "picker-\(width)x\(height)", roles: true)
        var all = browser()
        let bottom = try screen(&all, width, height, "G").rows.joined(separator: "\n")
        #expect(bottom.contains("broken.yaml") && bottom.contains("in error") && !bottom.contains("\u{1b}"))
    }

    @Test func `a search finds by title, and Enter opens what is left alone`() throws {
        var list = browser()
        let found = try screen(&list, 80, 24, "/ \"hidden\"")
        #expect(found.text(row: 0).contains("of \(Self.entries().count) sessions"))
        var one = browser()
        let open = try screen(&one, 80, 24, "/ \"first-touch\" Enter")
        #expect(open.text(row: 0).contains("First touch"))
        #expect(one.explorer != nil)
        var none = browser()
        #expect(try screen(&none, 80, 24, "/ \"xyzzy\" Enter Enter").rows.joined().contains("nothing has"))
        #expect(none.explorer == nil)
    }

    @Test func `q in a session goes back to its place in the list, and leaves from there`() throws {
        var list = browser()
        _ = try screen(&list, 80, 24, "j j j")
        let before = try screen(&list, 80, 24, "")
        _ = try screen(&list, 80, 24, "Enter s s s")
        #expect(list.explorer?.timeline.position == 3)
        #expect(try screen(&list, 80, 24, "q") == before)
        #expect(list.handle(.key(.character("q"))) == .quit)
    }

    @Test func `a session opened by name has the list at the prompt, and q leaves`() throws {
        var surroundings = Explorer.Surroundings()
        surroundings.hasList = false
        var direct = browser(Explorer(try ExplorerTests.session("retry"), surroundings: surroundings))
        #expect(try screen(&direct, 80, 24, "\":sessions\" Enter").rows.joined().contains("Sessions"))
        var other = browser(Explorer(try ExplorerTests.session("retry"), surroundings: surroundings))
        _ = try screen(&other, 80, 24, "")
        #expect(other.handle(.key(.character("q"))) == .quit)
    }

    @Test func `a session in error cannot be opened, and says why`() throws {
        var list = browser()
        let grid = try screen(&list, 80, 24, "G Enter")
        #expect(list.explorer == nil)
        #expect(grid.text(row: 22).contains("unknown key"))
    }

    @Test func `lengths are measured, and ASCII and plain say the same`() throws {
        var list = browser(ascii: true)
        let grid = try screen(&list, 120, 36, "/ \"retry, and\"", .ascii)
        #expect(grid.rows.joined().contains("4 faults, 186 steps"))
        #expect(grid.rows.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        var plain = browser(plain: true)
        let text = try screen(&plain, 80, 24, "")
        #expect(text.rows.allSatisfy { !$0.contains("│") })
    }

    @Test func `a click picks, a second one opens`() throws {
        var list = browser()
        _ = try screen(&list, 80, 24, "<click 10,5>")
        #expect(list.explorer == nil)
        _ = try screen(&list, 80, 24, "<click 10,5>")
        #expect(list.explorer?.timeline.session.title == (try ExplorerTests.session("execute")).title)
    }

    @Test func `any keys at any size`() throws {
        var random = SplitMix64(state: 5)
        var list = browser()
        let keys: [Key] = "jkgG/?abcq:sz \u{7f}".map { Key.character($0) } + [.enter, .escape, .backspace, .pageDown, .pageUp, .up, .down]
        for _ in 0..<600 {
            switch random.next() % 10 {
            case 0: _ = list.handle(.resize(width: Int(random.next() % 200), height: Int(random.next() % 60)))
            case 1:
                _ = list.handle(.mouse(Mouse([.click, .wheelUp, .wheelDown][Int(random.next() % 3)], x: Int(random.next() % 200), y: Int(random.next() % 60))))
            default: _ = list.handle(.key(keys[Int(random.next() % UInt64(keys.count))]))
            }
            var grid = Grid(width: 90, height: 30)
            list.draw(into: &grid)
        }
    }
}
