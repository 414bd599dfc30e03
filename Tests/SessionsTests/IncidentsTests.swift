import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("The incidents")
struct IncidentsTests {
    @Test("each says when, how it came about and what it needs; those that are shown are shown by sessions that ship", arguments: Incidents.all.indices)
    func told(_ number: Int) {
        let incident = Incidents.all[number]
        #expect((2012...2026).contains(incident.year) && incident.mechanism.count > 80 && !incident.needs.isEmpty && incident.title.count < 80)
        for id in incident.ids { #expect(id.count == Incidents.known && Incidents.isCommitID(id)) }
        for session in incident.sessions {
            #expect(CourseTests.names.contains(session), "\(incident.name): \(session)")
            #expect(Incidents.shown(by: session).contains { $0.title == incident.title })
        }
        #expect(incident.id != nil || incident.name == "a fix of \(incident.year)")
    }

    @Test("no two have an id in common, nor its first seven digits")
    func distinct() {
        let ids = Incidents.all.flatMap(\.ids)
        #expect(Set(ids.map { $0.prefix(Incidents.shortest) }).count == ids.count)
    }

    @Test(
        "an id is known by its beginning, in any case and at any length",
        arguments: ["0d3e4d4", "0D3E4D4FADE6", "0d3e4d4fade6c7df8c0be8b5a5ea5ea7ea7ea7ea"]) func lookUp(_ word: String) throws
    {
        guard case .incident(let incident) = Incidents.lookUp(word) else { return #expect(Bool(false), "\(word) is not found") }
        #expect(incident.sessions.first == "cache-op-under-lock")
    }

    @Test("a word that is no id is none; an unknown id is told with the nearest")
    func unknown() {
        for word in ["fork", "0d3e4d", "retry-check", "decade", String(repeating: "a", count: 41)] {
            guard case .none = Incidents.lookUp(word) else { return #expect(Bool(false), "\(word) is taken for an id") }
        }
        guard case .unknown(let nearest) = Incidents.lookUp("0d3e4d5fade6") else { return #expect(Bool(false)) }
        #expect(nearest.first == "0d3e4d4fade6")
        guard case .unknown(let none) = Incidents.lookUp("1111111") else { return #expect(Bool(false)) }
        #expect(none.isEmpty)
    }

    @Test(
        "a session is found by the id and the words of what it shows",
        arguments: [("363ef89f8e9b", "swap-coherent-dma"), ("a7d079c", "no-syndrome"), ("read ahead", "swap-coherent-dma")])
    func search(_ words: String, _ wanted: String) {
        var index = SessionIndex()
        for (name, session) in CourseTests.sessions { index.add(name: name, session: session) }
        #expect(index.find(words).map { CourseTests.sessions[$0].name }.contains(wanted))
    }

    @Test("words find incidents", arguments: [("swap old bytes", "363ef89f8e9b"), ("2020 change_pte", "694556d54f35"), ("CVE-2021-22543", "f8be156be163")])
    func find(_ words: String, _ id: String) {
        #expect(Incidents.find(words.split(separator: " ").map(String.init)).contains { $0.id == id })
    }
}
