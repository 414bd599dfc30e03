import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// Who wrote a descriptor: against a record of every write, made by stepping through the whole session.
@Suite("Who wrote a descriptor")
struct TimelineWritersTests {
    private struct Written {
        var position: Int
        var actor: ActorNumber
        var step: MicroStep
        /// The use of the page that the write belongs to.
        var reuses: UInt32
    }

    /// Every write of a session, by address, and for some places who is to be found there.
    private func compare(_ session: Session, every interval: Int) {
        var timeline = Timeline(session)
        var record: [PA: [Written]] = [:]
        for position in 1...max(1, timeline.count) {
            timeline.seek(position)
            for effect in timeline.effects {
                guard case .descriptorWritten(let pa, _, let old, let new) = effect, old != 0 || new != 0, let actor = timeline.actor, let step = timeline.step
                else { continue }
                let reuses = timeline.now.machine.world.kernelPages.reuses(of: pa)
                if record[pa]?.last?.position == position { record[pa]?.removeLast() }
                record[pa, default: []].append(Written(position: position, actor: actor, step: step, reuses: reuses))
            }
        }
        // Those with the longest story.
        let watched = record.sorted { ($0.value.count, $0.key) > ($1.value.count, $1.key) }.prefix(5)
        // From a timeline that has not been there, in an order that jumps.
        var fresh = Timeline(session)
        let places = Array(stride(from: timeline.count, through: 0, by: -interval)) + Array(stride(from: 0, through: timeline.count, by: interval * 3))
        for position in places {
            fresh.seek(position)
            for (pa, writes) in watched {
                let reuses = fresh.now.machine.world.kernelPages.reuses(of: pa)
                let wanted = writes.last { $0.position <= position && $0.reuses == reuses }
                switch fresh.writer(of: pa, upTo: position) {
                case .step(let found):
                    #expect(
                        found.step == wanted?.position && found.actor == wanted?.actor && found.microStep == wanted?.step,
                        "\(session.file) \(hex(pa.rawValue)) at \(position)")
                    // And the one before that.
                    if case .step(let earlier) = fresh.writer(of: pa, upTo: found.step - 1) {
                        #expect(writes.contains { $0.position == earlier.step } && earlier.step < found.step)
                        #expect(!writes.contains { $0.position > earlier.step && $0.position < found.step && $0.reuses == earlier.reuses })
                    }
                case .nobody: #expect(wanted == nil, "\(session.file) \(hex(pa.rawValue)) at \(position): \(wanted!.position)")
                case .unknown: Issue.record("\(session.file) \(hex(pa.rawValue)) at \(position): unknown")
                }
            }
        }
    }

    @Test("in every session that ships, in both revisions", arguments: ShippedSessions.paths, [Revision.v39, .v4])
    func shipped(_ name: String, _ revision: Revision) throws {
        var session = try SessionReader.read(path: name)
        session.machine.reuse = .lastFreedFirst
        // A session of v6.1 is one of its family only.
        if session.machine.revision != .v61 {
            session.machine.behaviours = revision.behaviours
            session.machine.revision = revision
        }
        let count = Timeline(session).count
        guard count > 0, count < 900 else { return }
        compare(session, every: max(1, count / 3))
    }

    @Test("after tables were freed and their pages handed out again, far from the place")
    func recycled() throws {
        var text = "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 64M, hva: 0x76000000, populated: true }\nsteps:\n"
        for round in 0..<70 {
            // The only leaves go, and with them the tables: the memory cache is filled again from their pages.
            let page = 0x8000_0000 + round % 3 * 0x20_0000
            text += "  - vcpu0: write 0x\(String(page, radix: 16)) 1\n  - vcpu0: read 0x\(String(page + 0x1000, radix: 16))\n"
            if round % 4 != 1 { text += "  - vmm: dontneed 0x\(String(page, radix: 16)) 8K\n" }
        }
        var session = try SessionReader.read(text: text, file: "recycled")
        session.machine.reuse = .lastFreedFirst
        var timeline = Timeline(session)
        timeline.seek(timeline.count)
        let pages = timeline.now.machine.world.kernelPages
        #expect((0..<64).contains { pages.reuses(of: PA(0x8000_0000 + UInt64($0) << 12)) > 0 }, "pages are to be handed out again")
        compare(session, every: 997)
    }

    @Test("a limit is kept, and said")
    func limit() throws {
        let session = try SessionReader.read(
            text:
                "kvmtui: 1\nmachine:\n  memory:\n    - { ipa: 0x80000000, size: 64M, populated: true }\nsteps:\n  - repeat: 3000\n    stride: 4K\n    steps:\n      - vcpu0: write 0x80000000 1\n",
            file: "many")
        var timeline = Timeline(session)
        timeline.seek(timeline.count)
        let table = MachineTables(timeline.now.machine.world, vm: 0)!.tables(towards: IPA(0x8000_0000)).last!
        #expect(timeline.writer(of: table.address, upTo: timeline.count, limit: 10) == .unknown)
        guard case .step(let write) = timeline.writer(of: table.address, upTo: timeline.count) else { return #expect(Bool(false)) }
        #expect(write.step < 60 && write.microStep == .writeLeaf && write.old == 0)
        // Known now, at whatever limit.
        #expect(timeline.writer(of: table.address, upTo: timeline.count, limit: 0) == .step(write))
    }
}
