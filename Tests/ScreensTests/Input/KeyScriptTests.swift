import Testing

@testable import Screens

struct KeyScriptTests {
    static func keys(_ text: String) -> [Event] { text.map { .key(.character($0)) } }

    struct Example: Sendable, CustomTestStringConvertible {
        let text: String
        let events: [Event]
        var testDescription: String { text }

        init(_ text: String, _ events: [Event]) { (self.text, self.events) = (text, events) }
        init(_ text: String, keys: Key...) { self.init(text, keys.map(Event.key)) }
        init(_ text: String, typed: String) { self.init(text, KeyScriptTests.keys(typed)) }
    }

    static let examples: [Example] = [
        Example("", []),
        Example("  # only a comment", []),
        Example("s s F ] 4 2 g # and on\n s", typed: "ssF]42gs"),
        Example("42g sss", typed: "42gsss"),
        Example("Tab Enter Esc Space", keys: .tab, .enter, .escape, .character(" ")),
        Example("tab ENTER pgdn", keys: .tab, .enter, .pageDown),
        Example("F1 f12 S-Tab", keys: .function(1), .function(12), .backTab),
        Example("C-d <C-d> c-D", keys: .control("d"), .control("d"), .control("d")),
        Example("C-i C-m C-[ C-h", keys: .tab, .enter, .escape, .backspace),
        Example("s*3 \"ab\"*2", typed: "sssabab"),
        Example("<C-d>*2 Tab*2", keys: .control("d"), .control("d"), .tab, .tab),
        Example("* < > ? : / ' \\", typed: "*<>?:/'\\"),
        Example("**2 <>>", typed: "**>"),
        Example("\":without x\" Enter", keys(":without x") + [.key(.enter)]),
        Example(#""a\"b\\c""#, typed: #"a"b\c"#),
        Example("\"#\" #s", typed: "#"),
        Example("<size 120x36>", [.resize(width: 120, height: 36)]),
        Example("<click 10,5>*2", [.mouse(Mouse(.click, x: 10, y: 5)), .mouse(Mouse(.click, x: 10, y: 5))]),
        Example("<wheel up 1,2>", [.mouse(Mouse(.wheelUp, x: 1, y: 2))]),
        Example("<wheel  down 1,2>", [.mouse(Mouse(.wheelDown, x: 1, y: 2))]),
        Example("<paste \"read > 0x80001000\"> <tick>", [.paste("read > 0x80001000"), .tick]),
        Example("é 漢", typed: "é漢"),
    ]

    @Test(arguments: examples)
    func `a script says what happens`(example: Example) throws {
        #expect(try KeyScript(parsing: example.text).events == example.events)
    }

    @Test(arguments: [
        ("s nope", 1, 3, "\"nope\"", "quotes to type several (\"nope\")"),
        ("s\n  Entr", 2, 3, "\"Entr\"", "did you mean Enter?"),
        ("PgDwn", 1, 1, "\"PgDwn\"", "did you mean PgDn?"),
        ("F13", 1, 1, "\"F13\"", "a key"),
        ("<size 10x>", 1, 1, "<size 10x>", "<size COLUMNSxROWS>, each 1 to 1000"),
        ("<size 0x5>", 1, 1, "<size 0x5>", "<size COLUMNSxROWS>, each 1 to 1000"),
        ("<size 2000x5>", 1, 1, "<size 2000x5>", "<size COLUMNSxROWS>, each 1 to 1000"),
        ("<click 5>", 1, 1, "<click 5>", "<click COLUMN,ROW>"),
        ("<click -5,1>", 1, 1, "<click -5,1>", "<click COLUMN,ROW>"),
        ("<wheel left 1,1>", 1, 1, "<wheel left 1,1>", "<wheel up COLUMN,ROW>"),
        ("<paste x>", 1, 1, "<paste x>", "<paste \"TEXT\">"),
        ("<frob>", 1, 1, "<frob>", "<KEY>, <size …>"),
        ("a <Tab", 1, 3, "< without an end", "> on the same line"),
        ("a \"b\nc\"", 1, 3, "a quote without an end", "a closing quote"),
        ("\"a\\n\"", 1, 3, "\"\\n\"", "Enter and Tab are keys"),
        ("\"a\tb\"", 1, 3, "a control character", "Enter and Tab are keys"),
        ("\"a\"b", 1, 4, "\"b\"", "a blank or *COUNT after a closing quote"),
        ("s*0", 1, 3, "\"0\"", "how many times, 1 to 100000"),
        ("s*", 1, 3, "nothing", "how many times"),
        ("Tab*x", 1, 5, "\"x\"", "how many times"),
    ])
    func `a mistake is told with its place`(text: String, line: Int, column: Int, found: String, expected: String) {
        do {
            _ = try KeyScript(parsing: text)
            Issue.record("no error for \(text)")
        } catch {
            #expect(error.line == line && error.column == column, "\(error)")
            #expect(error.found == found)
            #expect(error.expected.contains(expected), "\(error.expected)")
            #expect("\(error)".hasPrefix("\(line):\(column): found \(found); expected "))
        }
    }

    @Test(arguments: KeyScript.names.filter { !$0.contains("…") })
    func `a key's name is read back`(name: String) throws {
        let key = try #require(Key(name: name))
        #expect(key.description == name)
        #expect(try KeyScript(parsing: "\(key) <\(key)>").events == [.key(key), .key(key)])
    }

    @Test(arguments: [
        ("120x36", 120, 36), ("1X1", 1, 1), ("1000x1000", 1000, 1000),
    ])
    func `a size is columns x rows`(text: String, width: Int, height: Int) {
        #expect(ScreenSize(text) == ScreenSize(width: width, height: height))
    }

    @Test(arguments: ["", "x", "80", "80x", "x24", "80x24x1", "0x24", "80x1001", "-80x24", "+80x24", "80 x 24", "８0x24"])
    func `no other size`(text: String) {
        #expect(ScreenSize(text) == nil)
    }
}
