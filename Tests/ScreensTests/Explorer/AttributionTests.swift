import Sessions
import Stage2Sim
import Testing

@testable import Screens

/// Whose fault it is, and whose registers.
@Suite struct AttributionTests {
    private func explorer(_ text: String) throws -> Explorer {
        var explorer = Explorer(try SessionReader.read(text: text, file: "x"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        return explorer
    }

    private static let interleaved = """
        kvmtui: 1
        title: t
        machine:
          vcpus: 2
          memory:
            - { ipa: 0x80000000, size: 64M, hva: 0x76000000, populated: true }
        steps:
          - vcpu0: write 0x80001000 1
            until: lockMMU
          - vcpu1: write 0x80002000 2
            until: lockMMU
          - kswapd: swap-out 0x80003000
          - vcpu0: continue
          - vcpu1: continue
        """

    @Test func `number, steps, f and F are the acting vCPU's`() throws {
        var explorer = try explorer(Self.interleaved)
        let timeline = explorer.timeline
        let status = { (explorer: inout Explorer) in ExplorerTests.screen(&explorer, 120, 36).text(row: 35) }
        // vcpu1 in the middle of its fault, while vcpu0 stands in its own; both are to fault once more, since kswapd's call makes them give up.
        let place = timeline.place(ofOperation: 2).step - 1
        explorer.go(to: place)
        #expect(status(&explorer).contains("fault 2/4") && status(&explorer).contains("vcpu1"), "\(status(&explorer))")
        let own = try #require(timeline.ownSteps(ofFault: 1))
        #expect(status(&explorer).contains("step \(own.count { $0 <= place })/\(own.count)"))
        try ExplorerTests.press(&explorer, "f")
        #expect(explorer.timeline.position == timeline.steps(ofFault: 1).upperBound)
        try ExplorerTests.press(&explorer, "F")
        #expect(explorer.timeline.position == timeline.steps(ofFault: 1).lowerBound)
        // vcpu0 goes on: its steps are counted without vcpu1's and kswapd's.
        explorer.go(to: timeline.place(ofOperation: 3))
        #expect(status(&explorer).contains("fault 1/4"), "\(status(&explorer))")
        let first = try #require(timeline.ownSteps(ofFault: 0))
        #expect(status(&explorer).contains("/\(first.count)"))
        try ExplorerTests.press(&explorer, "F")
        #expect(explorer.timeline.position == timeline.steps(ofFault: 0).lowerBound)
        // kswapd moves within faults that are not its own.
        explorer.go(to: timeline.place(ofOperation: 2))
        #expect(status(&explorer).contains("of vcpu1  stands at step"), "\(status(&explorer))")
    }

    @Test func `an entry's writer is named with its own fault`() throws {
        var explorer = try explorer(Self.interleaved)
        try ExplorerTests.press(&explorer, "G 3 z")
        let number = try #require(explorer.timeline.faultUnderWay(at: explorer.timeline.position, of: 1))
        #expect(explorer.timeline.actor(ofFault: number) == 1)
        let text = ExplorerTests.screen(&explorer, 120, 36).rows.joined()
        #expect(text.contains(", vcpu1, fault 4:"), "\(text)")
    }

    @Test func `panes name the VM and the vCPU where there are more than one, and VMIDs are called so`() throws {
        var explorer = Explorer(try ExplorerTests.session("ksm-copy"))
        _ = ExplorerTests.screen(&explorer, 120, 36)
        try ExplorerTests.press(&explorer, "] ] ] ]")
        let text = ExplorerTests.screen(&explorer, 120, 36).rows.joined(separator: "\n")
        #expect(text.contains("Stage-2 tables  vm1") && text.contains("Syndrome  vm1.vcpu0") && text.contains("Host  vm1"), "\(text)")
        #expect(text.contains("Memory cache  vm1.vcpu0") && text.contains("vm1 mmu_lock"))
        // ksmd's flush has left the TLB empty here; before it the entries are listed.
        try ExplorerTests.press(&explorer, "[ [ z 5")
        #expect(ExplorerTests.screen(&explorer, 120, 36).rows.joined().contains("VMID IPA"))
        var alone = Explorer(try ExplorerTests.session("first-touch"))
        _ = ExplorerTests.screen(&alone, 120, 36)
        try ExplorerTests.press(&alone, "f")
        #expect(!ExplorerTests.screen(&alone, 120, 36).rows.joined().contains("vm0"))
    }
}
