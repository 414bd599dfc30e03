import Foundation
import Testing

@testable import Screens

struct PictureTests {
    private let sample = drawn(24, 6) { canvas in
        canvas.box(Rect(x: 0, y: 0, width: 24, height: 5), .focusedBorder)
        canvas.put(2, 0, " Entry ", .heading)
        canvas.put(2, 1, "<HSR> & \"AF\"  1", .value)
        canvas.put(2, 2, "* changed ", .changed)
        canvas.put(12, 2, "漢字 e\u{301}", .stale, .underline)
        canvas.put(2, 3, "  reverse  ", .broken, .reverse)
    }

    @Test(arguments: [("a.txt", Picture.Format.text), ("/x.y/b.ANS", .ansi), ("c.d.svg", .svg)])
    func `the ending says what is saved`(name: String, format: Picture.Format) throws {
        #expect(try Picture.Format(fileName: name) == format)
    }

    @Test(arguments: ["a.png", "a", "svg", "a.", "x.svg/y"])
    func `another ending is an error that names the three`(name: String) {
        do {
            _ = try Picture.Format(fileName: name)
            Issue.record("no error for \(name)")
        } catch {
            #expect("\(error)".hasPrefix("\(name): "))
            for ending in [".txt", ".ans", ".svg"] { #expect("\(error)".contains(ending)) }
        }
    }

    @Test func `as text`() { expectPicture(sample, named: "picture") }

    @Test func `with roles`() { expectPicture(sample, named: "picture-roles", roles: true) }

    @Test(arguments: Theme.all)
    func `as text with escapes, each row by itself`(theme: Theme) {
        let text = Picture(sample, theme: theme).encoded(as: .ansi)
        expectRecorded(text.replacingOccurrences(of: "\u{1b}", with: "^["), file: "picture-\(theme.name).ans.txt")
        for line in text.split(separator: "\n") where line.contains("\u{1b}[") {
            #expect(line.matches(of: /\u{1b}\[[1-9][0-9;]*m/).count == line.matches(of: /\u{1b}\[0m/).count)
        }
    }

    @Test(arguments: Theme.all)
    func `as SVG`(theme: Theme) {
        expectRecorded(Picture(sample, theme: theme).encoded(as: .svg), file: "picture-\(theme.name).svg")
    }

    @Test func `every run of an SVG says where it is and how long`() {
        let svg = Picture(sample).encoded(as: .svg)
        for match in svg.matches(of: /<text ([^>]*)>/) {
            for attribute in ["x=", "y=", "textLength="] { #expect(match.1.contains(attribute)) }
        }
        #expect(svg.contains("&lt;HSR&gt; &amp; \"AF\"  1</text>"))
    }

    @Test func `a recording that differs is shown with its rows and columns`() {
        let old = "same\nrow two\nrow three\n4\n5\n6\n7\n8"
        let new = "same\nrow 2wo\nrow three\n4\n5\n6\n7\n8\n9"
        let expected = [
            "   1   same", "   2 - row two", "   2 + row 2wo", "           ^  ", "   3   row three", "   4   4", "     …",
            "   7   7", "   8   8", "   9 + 9",
        ]
        #expect(difference(old, new).split(separator: "\n").map(String.init) == expected)
    }
}
