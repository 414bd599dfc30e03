import Foundation
import Stage2Sim
import Testing

@testable import Sessions

@Suite("The course")
struct CourseTests {
    static let sessions: [(name: String, session: Session)] = ShippedSessions.paths.compactMap { path in
        (try? SessionReader.read(path: path)).map { (URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent, $0) }
    }
    static let names = Set(sessions.map(\.name))

    @Test("every session that ships has a chapter of the course, and builds on sessions that ship")
    func chapters() {
        for (name, session) in Self.sessions {
            #expect(Course.chapters.contains(session.chapter), "\(name)")
            for other in session.after { #expect(Self.names.contains(other), "\(name) builds on \(other)") }
        }
    }

    @Test("nobody stands before what it builds on")
    func order() throws {
        let chapters = Course.arranged(Self.sessions.map { .init(name: $0.name, chapter: $0.session.chapter, after: $0.session.after) })
        let order = chapters.flatMap { $0.sessions.map { Self.sessions[$0].name } }
        #expect(Set(order) == Self.names && order.count == Self.names.count)
        for (name, session) in Self.sessions {
            let place = try #require(order.firstIndex(of: name))
            for other in session.after { #expect(try #require(order.firstIndex(of: other)) < place, "\(name) stands before \(other)") }
        }
        #expect(order.first == "first-touch")
        #expect(chapters[0].heading == "1. The fault" && chapters.map(\.number) == chapters.map(\.number).sorted())
    }

    @Test("what has no chapter, or one of its own, stands behind; a circle is shown all the same")
    func others() {
        let items: [Course.Item] = [
            .init(name: "b", chapter: "Slots", after: ["a"]), .init(name: "a", chapter: "Slots", after: ["b"]), .init(name: "c", chapter: "", after: []),
            .init(name: "d", chapter: "Mine", after: []), .init(name: "e", chapter: "Races", after: ["gone"]),
        ]
        let found = Course.arranged(items)
        #expect(found.map(\.heading) == ["4. Races", "9. Slots", "Mine", "Other sessions"])
        #expect(found[1].sessions == [1, 0])
    }

    @Test("a chapter is known by its number and in any case", arguments: [("4", "Races"), ("races", "Races"), ("My own", "My own"), ("99", "99")])
    func chapterNames(_ written: String, _ chapter: String) throws {
        let session = try SessionReader.read(text: "kvmtui: 1\nchapter: \(written)\nafter: [a, b]\nsteps: []\n", file: "x")
        #expect(session.chapter == chapter && session.after == ["a", "b"])
        let again = try SessionReader.read(text: SessionWriter.text(session), file: "y")
        #expect(again.chapter == chapter && again.after == ["a", "b"])
    }

    @Test(
        "words find sessions: of names first, then of titles, texts, the kernel's source and the review",
        arguments: [
            ("fork", "fork"), ("swap", "swap-bug"), ("release_dirty", "swap-bug"), ("is_iabt", "no-syndrome"), ("weird", "swap-bug"), ("smp_rmb", "barrier"),
            ("mmu_topup_memory_cache", "top-up"), ("vivt_asid_tagged", "icache-vivt-asid"), ("retry check", "no-retry-check"), ("deployed", "set-pte-ext"),
        ]) func search(_ words: String, _ wanted: String)
    {
        var index = SessionIndex()
        for (name, session) in Self.sessions { index.add(name: name, session: session) }
        let found = index.find(words).map { Self.sessions[$0].name }
        #expect(found.contains(wanted), "\(words): \(found)")
        if Self.names.contains(words) { #expect(found.first == words) }
        #expect(index.find("no such word anywhere").isEmpty && index.find("").count == Self.sessions.count)
    }

    @Test("names come before titles and texts")
    func ranks() {
        var index = SessionIndex()
        for (name, session) in Self.sessions { index.add(name: name, session: session) }
        let found = index.find("retry").map { Self.sessions[$0].name }
        #expect(found.first == "retry")
        let named = found.prefix { $0.contains("retry") }.count
        #expect(named == Self.names.filter { $0.contains("retry") }.count && found.count > named)
    }

    @Test("the review's questions are answered by sessions that ship, and it quotes no line of the patch")
    func review() {
        #expect(Review.questions.count == 5)
        for passage in Review.passages {
            for name in passage.sessions { #expect(Self.names.contains(name), "\(name)") }
            #expect(!passage.text.contains(";\n") && !passage.text.contains("->"))
            if passage.kind == .question { #expect(!passage.sessions.isEmpty) }
        }
    }

    @Test("the README has the review's table as the program has it")
    func readme() throws {
        let text = try String(contentsOf: ShippedSessions.folder.deletingLastPathComponent().appendingPathComponent("README.md"), encoding: .utf8)
        for question in Review.questions {
            #expect(
                text.contains("| \(Review.short(question)) | \(question.sessions.map { "`\($0)`" }.joined(separator: ", ")) |"), "\(Review.short(question))")
        }
    }

    @Test("every behaviour says where it is decided, in steps that there are")
    func behaviours() {
        for guide in BehaviourGuide.all(sessions: Self.sessions) { #expect(!guide.about.isEmpty) }
        #expect(BehaviourGuide(.smpRmb).places.contains { $0.contains("readBarrier") })
        #expect(BehaviourGuide(.retryCheck, sessions: Self.sessions).sessions.contains("no-retry-check"))
    }

    @Test("the glossary's words are found by all their names, in texts too, and have a source each")
    func glossary() {
        for term in Glossary.terms {
            #expect(!term.meaning.isEmpty && !term.source.isEmpty)
            for name in term.names { #expect(Glossary.term(name)?.names.contains(name) == true, "\(name)") }
        }
        for word in ["HPFAR", "ISV", "gup", "memslot", "PoU", "mmu_gather"] { #expect(Glossary.term(word) != nil, "\(word)") }
        #expect(Glossary.terms(in: "HPFAR is UNKNOWN; gup takes a reference (smp_rmb).").map(\.name) == ["HPFAR", "gup", "smp_rmb"])
    }
}
