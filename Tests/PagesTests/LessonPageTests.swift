import EmbeddedSessions
import Foundation
import Pages
import Sessions
import Stage2Sim
import Testing

/// What a lesson's page says, judged by its embedded data; `.ci/pages` judges what a browser makes of it.
@Suite struct LessonPageTests {
    @Test(arguments: ["first-touch", "swap-bug", "two-vcpus", "barrier", "mmio", "icache-vivt-asid", "stage1-changed", "lost-neighbour", "destroy-leak"])
    func aPageTellsEveryStepAsRunDoes(_ name: String) throws {
        let session = try shipped(name)
        let page = try ReadPage(html: LessonPage(Timeline(session)).html)
        var steps: [[String: Any]] = []
        _ = RunReport.run(session, as: .jsonWithStates) { line in
            let object = try! JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
            if object["type"] as! String == "step" { steps.append(object) }
        }
        let stops = Set((page.data["stops"] as! [[Int]]).map { $0[0] })
        let places = (0..<page.placeCount).filter { $0 > 0 && !stops.contains($0) }
        #expect(places.count == steps.count)
        for (place, step) in zip(places, steps) {
            let words = page.words(place)
            #expect([words[0], words[1], words[2], words[4]] == ["actor", "name", "function", "result"].map { step[$0] as? String })
            let state = step["state"] as! [String: Any]
            let vms = state["vms"] as! [[String: Any]]
            for (number, vm) in vms.enumerated() {
                let prefix = vms.count > 1 ? "vm\(number) " : "", of = vms.count > 1 ? " of vm\(number)" : ""
                let status = page.section("status", at: place)
                #expect(status?.lists[prefix + "mmu_notifier_seq"] == String(vm["notifier_seq"] as! Int))
                #expect(status?.lists[prefix + "mmu_notifier_count"] == String(vm["notifier_count"] as! Int))
                let leaves = (vm["leaves"] as! [[String: String]]).map { leaf in ["ipa", "pa", "rights", "descriptor"].map { leaf[$0] } }
                let shown = page.section("tables", at: place)?.tables["Leaves" + of] ?? []
                #expect(shown == leaves, "step \(place)")
            }
            let caches = Dictionary(
                uniqueKeysWithValues: (state["vcpus"] as! [[String: Any]]).map { ($0["name"] as! String, String($0["memory_cache"] as! Int)) })
            let shown = page.section("memory-cache", at: place)?.tables["Pages for tables, by vCPU"] ?? []
            #expect(Dictionary(uniqueKeysWithValues: shown.map { ($0[0], $0[1]) }) == caches)
        }
    }

    @Test func notesAndBrokenChecksAreInThePage() throws {
        let session = try shipped("swap-bug")
        let page = try ReadPage(html: LessonPage(Timeline(session)).html)
        let notes = Set((0..<page.placeCount).compactMap { page.note($0) })
        for operation in session.script.written where !operation.note.isEmpty { #expect(notes.contains(operation.note)) }
        let timeline = Timeline(session)
        #expect((page.data["broken"] as! [Any]).count == timeline.index.broken.count)
        #expect((page.data["faults"] as! [Any]).count == timeline.index.faults.count)
    }

    @Test func operationsWithoutAStepArePlaces() throws {
        let session = try session(
            """
            kvmtui: 1
            title: Stops
            machine: { memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000, populated: true } ] }
            steps:
              - vcpu0: read 0x80001000
              - without: [smp-rmb]
                note: From here on another kernel.
              - vcpu0: write 0x80001000 1
            """)
        let timeline = Timeline(session)
        let page = try ReadPage(html: LessonPage(timeline).html)
        #expect(page.placeCount == timeline.count + 2)
        let stop = (page.data["stops"] as! [[Int]])[0]
        #expect(page.note(stop[0]) == "From here on another kernel.")
        #expect(page.section("status", at: stop[0])?.lists["Kernel"] == "v3.9 − smp-rmb")
    }

    // MARK: What comes from a file

    @Test func textOfASessionIsTextInThePage() throws {
        let evil = "</script><script>alert(1)</script><!-- & \"'><img src=x onerror=alert(2)>"
        let quoted = "'" + evil.replacingOccurrences(of: "'", with: "''") + "'"
        let session = try session(
            """
            kvmtui: 1
            title: \(quoted)
            about: \(quoted)
            question: \(quoted)
            machine: { memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000, populated: true } ] }
            steps:
              - vcpu0: read 0x80001000
                note: \(quoted)
            """)
        let html = try LessonPage(Timeline(session)).html
        #expect(!html.contains("<script>alert"))
        #expect(!html.contains("<img"))
        // Those of the page itself, and no more.
        #expect(html.components(separatedBy: "<script").count == 3)
        #expect(html.components(separatedBy: "</script>").count == 3)
        let page = try ReadPage(html: html)
        #expect(page.data["title"] as? String == evil)
        #expect(page.note(1) == evil)
    }

    @Test func aPageAsksForNothingElse() throws {
        let html = try LessonPage(Timeline(shipped("first-touch"))).html
        #expect(html.contains("default-src 'none'"))
        #expect(html.range(of: #"(src|href)="(https?:)?//"#, options: .regularExpression) == nil)
        for word in ["fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval(", "document.write"] { #expect(!html.contains(word)) }
    }

    // MARK: How long a page may be

    private func long(_ times: Int) throws -> Session {
        try session(
            """
            kvmtui: 1
            title: Long
            machine: { memory: [ { ipa: 0x80000000, size: 64M, hva: 0x76000000, populated: true } ] }
            steps:
              - repeat: \(times)
                stride: 4K
                steps:
                  - vcpu0: write 0x80001000 1
            """)
    }

    @Test func aSessionThatIsTooLongIsRefusedWithWhatFits() throws {
        let timeline = Timeline(try long(400))
        #expect(timeline.count > LessonPage.mostPlaces)
        var fits: ClosedRange<Int>?
        do throws(LessonPage.TooLong) { _ = try LessonPage(timeline) } catch {
            #expect(error.places == timeline.count + 1)
            fits = error.fits
        }
        let range = try #require(fits)
        let page = try LessonPage(timeline, steps: range)
        #expect(page.html.utf8.count < 4 << 20)
        #expect(try ReadPage(html: page.html).placeCount == range.count)
    }

    @Test func partsOfASessionBeginWithTheirOwnState() throws {
        let timeline = Timeline(try shipped("retry"))
        let whole = try ReadPage(html: LessonPage(timeline).html)
        let part = try ReadPage(html: LessonPage(timeline, steps: 60...90).html)
        #expect(part.placeCount == 31)
        #expect(part.data["first"] as? Int == 60)
        for id in ["status", "tables", "syndrome", "host"] { #expect(part.section(id, at: 10) == whole.section(id, at: 70)) }
    }

    @Test func aLessonTakesLessThan400KB() throws {
        for name in ["first-touch", "swap-bug", "icache-cost", "retry"] { #expect(try LessonPage(Timeline(shipped(name))).html.utf8.count < 400_000) }
    }
}
