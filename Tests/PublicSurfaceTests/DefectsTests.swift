import Foundation
import Sessions
import Stage2Sim
import Testing

/// A section of DEFECTS.md.
struct Defect: Sendable, CustomTestStringConvertible {
    /// "A leaf is stored as if it were one of stage 1".
    let name: String
    /// "B1"; nil for the later ones.
    let number: String?
    /// "What", "Symptom", "Fix", "Behaviours", "Revisions", "Sessions".
    var fields: [String: String] = [:]

    var testDescription: String { name }
    /// What a list says; "none" is none.
    func list(_ field: String) -> [String] {
        (fields[field] ?? "none").split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "` ")) }.filter { $0 != "none" }
    }

    static let all: [Defect] = {
        var found: [Defect] = []
        for line in (try? Repository.lines("DEFECTS.md")) ?? [] {
            if line.hasPrefix("## ") {
                let heading = line.dropFirst(3)
                let number = heading.firstMatch(of: /^(.*) \((B[0-9]+)\)$/)
                found.append(Defect(name: number.map { String($0.output.1) } ?? String(heading), number: number.map { String($0.output.2) }))
            } else if let field = line.firstMatch(of: /^- ([A-Z][a-z]+): (.+)$/), !found.isEmpty {
                found[found.count - 1].fields[String(field.output.1)] = String(field.output.2)
            }
        }
        return found
    }()
}

extension Behaviour {
    /// The defect's number, where the behaviour, or its opposite, is called by one: "B5" of "b5-unaligned-unmap".
    var defectNumber: String? {
        [name, opposite ?? ""].lazy.compactMap { $0.firstMatch(of: /^b([0-9]+)-/) }.first.map { "B" + String($0.output.1) }
    }
}

@Suite("The list of defects") struct DefectsTests {
    @Test("has a section for each number that a behaviour is called by, in their order") func complete() {
        let numbers = Behaviour.allCases.compactMap(\.defectNumber).sorted { $0.count == $1.count ? $0 < $1 : $0.count < $1.count }
        #expect(Defect.all.compactMap(\.number) == numbers)
    }

    @Test("says everything of each, by a name in words", arguments: Defect.all) func whole(_ defect: Defect) throws {
        #expect(Set(defect.fields.keys) == ["What", "Symptom", "Fix", "Behaviours", "Revisions", "Sessions"])
        #expect(defect.name.split(separator: " ").count > 2)
        for name in defect.list("Behaviours") {
            let (behaviour, _) = try #require(Behaviour.named(name), "no behaviour is called \(name)")
            #expect(behaviour.defectNumber == defect.number)
        }
        #expect(!defect.list("Behaviours").isEmpty)
    }

    @Test("says which revisions have it", arguments: Defect.all) func revisions(_ defect: Defect) throws {
        for name in defect.list("Behaviours") {
            let (behaviour, on) = try #require(Behaviour.named(name))
            #expect(Revision.ofARMv7.filter { $0.behaviours.has(behaviour) == on }.map(\.rawValue).sorted() == defect.list("Revisions").sorted())
        }
    }

    @Test("names sessions in which it matters", arguments: Defect.all) func sessions(_ defect: Defect) throws {
        for name in defect.list("Sessions") {
            let session = try SessionReader.read(path: Repository.root.appending(path: "sessions/\(name).yaml").path)
            for behaviour in defect.list("Behaviours") {
                let (behaviour, _) = try #require(Behaviour.named(behaviour))
                #expect(course(of: session, behaviour, true) != course(of: session, behaviour, false), "\(name) is the same either way")
            }
        }
    }

    /// Every effect of a session with a behaviour as given from beginning to end, whatever the session says of it.
    private func course(of session: Session, _ behaviour: Behaviour, _ on: Bool) -> [Effect] {
        var session = session
        session.machine.behaviours.set(behaviour, on)
        var simulation = Simulation(session)
        var effects = EffectBuffer(), all: [Effect] = []
        while simulation.prepare() != nil, all.count < 200_000 {
            effects.removeAll()
            simulation.step(effects: &effects)
            all += Array(effects)
        }
        return all
    }
}
