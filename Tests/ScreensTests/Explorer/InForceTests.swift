import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// What kernel runs, and what of the author's words is of this course, is always said.
@Suite struct InForceTests {
    private func explorer(_ name: String, _ width: Int = 80, _ height: Int = 24) throws -> Explorer {
        var explorer = Explorer(try ExplorerTests.session(name))
        _ = ExplorerTests.screen(&explorer, width, height)
        return explorer
    }

    private func rows(_ explorer: inout Explorer) -> [String] { ExplorerTests.screen(&explorer, explorer.size.width, explorer.size.height).rows }

    @Test(arguments: ExplorerTests.sizes) func `title and status say what is switched, at every size`(_ width: Int, _ height: Int) throws {
        var explorer = try explorer("retry", width, height)
        #expect(rows(&explorer)[0].contains("v3.9 "))
        _ = explorer.run("goto 20")
        _ = explorer.run("without retry-check")
        let screen = rows(&explorer)
        #expect(screen[0].contains("v3.9 − retry-check"), "\(screen[0])")
        #expect(screen[height - 1].contains("v3.9 − retry-check"), "\(screen[height - 1])")
        // Before the switch it was not so.
        _ = explorer.run("goto 10")
        #expect(!rows(&explorer)[0].contains("retry-check"))
    }

    @Test func `a session that switches on its way says so from there on`() throws {
        var explorer = try explorer("barrier")
        try ExplorerTests.press(&explorer, "G")
        #expect(rows(&explorer)[23].contains("v3.9 − smp-rmb"))
        try ExplorerTests.press(&explorer, "g")
        #expect(!rows(&explorer)[23].contains("smp-rmb"))
    }

    @Test func `comparing says what runs on either side`() throws {
        var explorer = try explorer("retry", 120, 36)
        _ = explorer.run("goto 20")
        _ = explorer.run("without retry-check")
        try ExplorerTests.press(&explorer, "=")
        #expect(rows(&explorer).contains { $0.contains("v3.9 − retry-check") && $0.contains(#/≠ +v3\.9/#) })
    }

    @Test func `many switches are counted where there is no room for them`() {
        let list = KernelInForce(.v39, Revision.v39.behaviours.subtracting([Behaviours(.retryCheck), Behaviours(.smpRmb), Behaviours(.topUp)]))
        #expect(list.text() == "v3.9 − retry-check − smp-rmb − top-up")
        #expect(list.text(minus: "-", width: 30) == "v3.9 - retry-check and 2 more")
        #expect(list.text(width: 18) == "v3.9, 3 switched")
    }

    @Test func `what an author says after a divergence is marked, and not saved`() throws {
        var explorer = try explorer("retry", 120, 36)
        _ = explorer.run("goto 20")
        let said = rows(&explorer).joined()
        #expect(said.contains("Note  A read fault has looked its page up"))
        _ = explorer.run("without retry-check")
        // Of what was under way before, its author's words stay true.
        try ExplorerTests.press(&explorer, "S")
        #expect(rows(&explorer).joined().contains("Note  A read fault has looked its page up"))
        try ExplorerTests.press(&explorer, "] ]")
        #expect(rows(&explorer).joined().contains("Said of another course"), "\(rows(&explorer))")
        let text = SessionWriter.text(explorer.timeline.session)
        let saved = try SessionReader.read(text: text, file: "saved")
        let written = saved.script.written
        #expect(written.first?.note.isEmpty == false)
        let typed = try #require(written.firstIndex { $0.text.contains("retry-check") })
        #expect(written[typed...].allSatisfy { $0.note.isEmpty && $0.expectations.isEmpty })
        #expect(Judge.judge(saved).failures.allSatisfy { $0.message.contains("broken check") })
    }

    @Test func `without a barrier what it ordered comes late, and it is said`() throws {
        // No access of the session says that it is late.
        var explorer = Explorer(
            try SessionReader.read(
                text: """
                    kvmtui: 1
                    title: t
                    machine:
                      memory:
                        - { ipa: 0x80000000, size: 64M, hva: 0x76000000, populated: true }
                    steps:
                      - vcpu0: write 0x80003000 0xa2
                        until: lockMMU
                      - vmm: munmap 0x80003000
                      - vcpu0: continue
                    """, file: "t"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        #expect(explorer.timeline.end.machine.world.violations.isEmpty)
        _ = explorer.run("goto 5")
        _ = explorer.run("without smp-rmb")
        #expect(explorer.message?.text.contains("what it orders comes late from here on") == true)
        #expect(explorer.timeline.end.machine.world.violations.contains { $0.rule == .frameFreedMapped })
        // Where it has been read already, it is too late to be late; the next access is.
        _ = explorer.run("branch 1")
        _ = explorer.run("without retry-smp-rmb")
        #expect(explorer.message?.text.contains("late") == true)
        _ = explorer.run("vcpu0: read 0x80005000")
        #expect(explorer.message?.text.contains("late, without retry-smp-rmb") == true)
    }
}
