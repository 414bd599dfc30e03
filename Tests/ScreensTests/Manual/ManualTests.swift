import Testing

@testable import Screens

/// The manual page names everything, and nothing in it is taken for roff by mistake.
@Suite struct ManualTests {
    private var page: String {
        Manual(
            abstract: "Test.",
            commands: [
                Manual.Command(
                    name: "open", abstract: ".Sh is no section here.", discussion: "back\\slash and → arrow",
                    parameters: [Manual.Parameter(names: ["--no-mouse", "-n"], value: "", help: "'quoted", isOptional: true, isRepeating: false)])
            ], date: "January 1, 2000"
        ).text
    }

    @Test func `every key and every command of the prompt`() {
        let lines = Set(page.split(separator: "\n").map { $0.replacing("\\&", with: "") })
        for binding in KeyTable.bindings {
            #expect(lines.contains(".It Ic " + Manual.escaped(binding.shown).replacing("\\&", with: "")), "\(binding.shown)")
            #expect(
                lines.contains { $0.contains(Manual.escaped(binding.help.split(separator: ". ").first ?? "").replacing("\\&", with: "")) }, "\(binding.help)")
        }
        for command in ExplorerCommand.all { #expect(lines.contains(".It Ic :" + Manual.escaped(command.usage)), "\(command.usage)") }
    }

    @Test func `only known requests, lists closed, ASCII throughout`() {
        let known: Set<Substring> = ["Dd", "Dt", "Os", "Sh", "Ss", "Nm", "Nd", "Cm", "Op", "Ar", "Pp", "Bl", "Fl", "It", "El", "Bd", "Ed"]
        var open = 0
        for line in page.split(separator: "\n") {
            #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }, "\(line)")
            #expect(!line.hasPrefix("'"), "\(line)")
            guard line.hasPrefix(".") else { continue }
            let request = line.dropFirst().prefix { $0 != " " }
            #expect(known.contains(request), "\(line)")
            if request == "Bl" { open += 1 }
            if request == "El" { open -= 1 }
            if request == "Sh" || request == "Ss" { #expect(open == 0, "\(line)") }
            #expect(open == 0 || open == 1)
        }
        #expect(page.contains("\\&.Sh is no section here"))
        #expect(page.contains("back\\eslash and \\[u2192] arrow"))
        #expect(page.contains(".It Fl -no-mouse , Fl n"))
    }
}
