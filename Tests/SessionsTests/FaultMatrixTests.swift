import Stage2Sim
import Testing

@testable import Sessions

/// KVM's page_fault_test, the cases that an ARMv7 guest can make.
@Suite("The matrix")
struct FaultMatrixTests {
    /// A row as the selftest has it: userfaults, exits for MMIO, -ENOSYS, pages of data logged.
    struct Row: CustomTestStringConvertible, Sendable {
        let group: FaultMatrix.Group
        let access: FaultMatrix.Access
        var userfaults = 0, exits = 0, fails = false, logged = 0
        var testDescription: String { "\(group.rawValue), \(access.rawValue)" }
    }

    static let rows: [Row] = [
        Row(group: .punched, access: .read64), Row(group: .punched, access: .cas), Row(group: .punched, access: .ldPreidx),
        Row(group: .punched, access: .write64), Row(group: .punched, access: .stPreidx), Row(group: .punched, access: .at),

        Row(group: .userfault, access: .read64, userfaults: 2), Row(group: .userfault, access: .cas, userfaults: 2),
        Row(group: .userfault, access: .at, userfaults: 1), Row(group: .userfault, access: .ldPreidx, userfaults: 2),
        Row(group: .userfault, access: .write64, userfaults: 2), Row(group: .userfault, access: .stPreidx, userfaults: 2),
        Row(group: .userfault, access: .exec, userfaults: 2),

        Row(group: .log, access: .read64), Row(group: .log, access: .ldPreidx), Row(group: .log, access: .at), Row(group: .log, access: .exec),
        Row(group: .log, access: .write64, logged: 1), Row(group: .log, access: .cas, logged: 1), Row(group: .log, access: .stPreidx, logged: 1),

        Row(group: .userfaultLog, access: .read64, userfaults: 2), Row(group: .userfaultLog, access: .ldPreidx, userfaults: 2),
        Row(group: .userfaultLog, access: .at, userfaults: 1), Row(group: .userfaultLog, access: .exec, userfaults: 2),
        Row(group: .userfaultLog, access: .write64, userfaults: 2, logged: 1), Row(group: .userfaultLog, access: .cas, userfaults: 2, logged: 1),
        Row(group: .userfaultLog, access: .stPreidx, userfaults: 2, logged: 1),

        Row(group: .readOnly, access: .read64), Row(group: .readOnly, access: .ldPreidx), Row(group: .readOnly, access: .at),
        Row(group: .readOnly, access: .exec), Row(group: .readOnly, access: .write64, exits: 1), Row(group: .readOnly, access: .cas, fails: true),
        Row(group: .readOnly, access: .stPreidx, fails: true),

        Row(group: .readOnlyLog, access: .read64), Row(group: .readOnlyLog, access: .ldPreidx), Row(group: .readOnlyLog, access: .at),
        Row(group: .readOnlyLog, access: .exec), Row(group: .readOnlyLog, access: .write64, exits: 1), Row(group: .readOnlyLog, access: .cas, fails: true),
        Row(group: .readOnlyLog, access: .stPreidx, fails: true),

        Row(group: .readOnlyUserfault, access: .read64, userfaults: 2), Row(group: .readOnlyUserfault, access: .ldPreidx, userfaults: 2),
        Row(group: .readOnlyUserfault, access: .exec, userfaults: 2), Row(group: .readOnlyUserfault, access: .at, userfaults: 1),
        Row(group: .readOnlyUserfault, access: .write64, userfaults: 2, exits: 1),
        Row(group: .readOnlyUserfault, access: .cas, userfaults: 2, fails: true),
        Row(group: .readOnlyUserfault, access: .stPreidx, userfaults: 1, fails: true),
    ]

    @Test("every case is a row, and every row a case")
    func complete() {
        #expect(Set(Self.rows.map(\.testDescription)) == Set(FaultMatrix.all.map { "\($0.group.rawValue), \($0.access.rawValue)" }))
        #expect(Self.rows.count == FaultMatrix.all.count && FaultMatrix.all.count == 48)
    }

    /// Counted from the effects, not from what the session expects of itself.
    @Test("a run comes to what the selftest wants", arguments: rows)
    func comesTo(_ row: Row) throws {
        let text = FaultMatrix.Case(group: row.group, access: row.access).text
        let session = try SessionReader.read(text: text, file: "matrix")
        var simulation = Simulation(session), buffer = EffectBuffer()
        var userfaults: [UInt64] = [], exits = 0, logged: Set<UInt64> = []
        while simulation.prepare() != nil {
            buffer.removeAll()
            simulation.step(effects: &buffer)
            for effect in buffer {
                switch effect {
                case .userfaultRaised(_, let hva, _): userfaults.append(hva.rawValue)
                case .pageLogged(let ipa): logged.insert(ipa.rawValue)
                default: break
                }
            }
            if simulation.machine.actors[simulation.machine.vcpu(0)!].next == .emulateInUserSpace { exits += 1 }
        }
        let vcpu = simulation.machine.actors[simulation.machine.vcpu(0)!]
        // The tables' page first, then the data's.
        #expect(userfaults == Array([0x7700_0000, 0x7600_1000].prefix(row.userfaults)))
        #expect(exits == row.exits)
        #expect(vcpu.error == (row.fails ? -Errno.ENOSYS.rawValue : 0))
        #expect(logged == (row.logged == 1 ? [0x8010_1000] : []))
        #expect(simulation.machine.world.violations.isEmpty && simulation.problems.isEmpty)
    }

    @Test("each case's own expectations hold", arguments: FaultMatrix.all.indices)
    func holds(_ number: Int) throws {
        let verdict = Judge.judge(try SessionReader.read(text: FaultMatrix.all[number].text, file: FaultMatrix.all[number].name))
        #expect(verdict.problems.isEmpty)
        #expect(verdict.failures.map(\.description) == [])
    }
}
