import Testing

@testable import Sessions
@testable import Stage2Sim

/// An operation that makes no step has a place of its own, so that nothing that its author says of it is lost.
@Suite struct TimelineStopsTests {
    @Test(arguments: ShippedSessions.paths) func `every operation has a place, in the order of the script`(_ path: String) throws {
        let session = try SessionReader.read(path: path)
        var timeline = Timeline(session)
        var last = TimelinePlace(step: 0)
        for number in 0..<min(session.script.count, 400) {
            let place = timeline.place(ofOperation: number)
            #expect(place > last, "\(session.file): operation \(number)")
            timeline.seek(place)
            #expect(timeline.place == place)
            #expect(timeline.operationNumber(at: place) == number)
            last = place
        }
    }

    @Test(arguments: ["barrier", "two-vcpus", "redundant-barriers", "icache-b14"])
    func `from the start to the end and back, every step and every stop comes once`(_ name: String) throws {
        let path = try #require(ShippedSessions.paths.first { $0.hasSuffix("/\(name).yaml") })
        var timeline = Timeline(try SessionReader.read(path: path))
        var places = [timeline.place]
        while timeline.place(after: timeline.place) != timeline.place {
            timeline.seek(timeline.place(after: timeline.place))
            places.append(timeline.place)
        }
        #expect(timeline.place == timeline.lastPlace)
        let stops = timeline.operationStarts.isEmpty ? 0 : timeline.stopCount(after: 0...timeline.count)
        #expect(places.count == 1 + timeline.count + stops && Set(places).count == places.count)
        var back = [timeline.place]
        while timeline.place > TimelinePlace(step: 0) {
            timeline.seek(timeline.place(before: timeline.place))
            back.append(timeline.place)
        }
        #expect(back == places.reversed())
    }

    @Test func `what a stop shows is the same however it is come to`() throws {
        let text =
            SessionErrorsTests.head
                + """
                  - without: [smp-rmb]
                  - vcpu0: write 0x80001000 1
                    until: sampleNotifierSeq
                  - with: [b1-set-pte-ext]
                  - without: [retry-check]
                  - vcpu0: continue
                    until: sampleNotifierSeq
                  - vcpu0: continue
                  - vcpu0: continue
                """
        var timeline = Timeline(try SessionReader.read(text: text, file: "x"))
        func look() -> String {
            "\(timeline.place) \(TimelineTests.look(timeline.now.machine)) \(timeline.now.machine.world.behaviours.rawValue) \(timeline.actor.map(\.description) ?? "nobody") \(timeline.stopHere?.title ?? "") \(timeline.effects.count)"
        }
        var looks: [TimelinePlace: String] = [:]
        var places: [TimelinePlace] = []
        while true {
            looks[timeline.place] = look()
            places.append(timeline.place)
            let next = timeline.place(after: timeline.place)
            if next == timeline.place { break }
            timeline.seek(next)
        }
        #expect(places.filter { $0.stop > 0 }.count == 5)
        #expect(places[1] == TimelinePlace(step: 0, stop: 1) && timeline.lastPlace.stop == 1)
        var random = SplitMix64(state: 5)
        for _ in 0..<200 {
            let place = places[Int(random.next() % UInt64(places.count))]
            timeline.seek(place)
            #expect(look() == looks[place])
        }
        timeline.seek(0)
        #expect(timeline.now.machine.world.behaviours.has(.smpRmb))
        timeline.seek(TimelinePlace(step: 0, stop: 1))
        #expect(!timeline.now.machine.world.behaviours.has(.smpRmb) && timeline.before.machine.world.behaviours.has(.smpRmb))
    }

    @Test func `a stop says why there is no step`() throws {
        func reasons(_ steps: String) throws -> [String] {
            let timeline = Timeline(try SessionReader.read(text: SessionErrorsTests.head + steps, file: "x"))
            return timeline.stopPlaces(after: 0...timeline.count).compactMap { timeline.stop(at: $0) }.map {
                switch $0.reason {
                case .switched(let list): "switched \(list.map { "\($0.0.name) \($0.on)" })"
                case .waits(let step): "waits before \(step), \($0.held)"
                case .nothingBegun: "nothing"
                case .isThere(let step): "is before \(step)"
                case .refused(let error): "refused \(error.place?.line ?? 0)"
                }
            }
        }
        #expect(try reasons("  - with: [b1-set-pte-ext]\n") == [#"switched ["raw-leaf-store false"]"#])
        #expect(try reasons("  - without: [smp-rmb, retry-check]\n") == [#"switched ["smp-rmb false", "retry-check false"]"#])
        // In a session as it was written that is its author's mistake.
        #expect(try reasons("  - vcpu0: continue\n").allSatisfy { $0.hasPrefix("refused") || $0 == "nothing" })
        #expect(try reasons("  - vcpu0: read 0x80001000\n    until: issueAccess\n  - vcpu0: continue\n    until: issueAccess\n") == ["is before issueAccess"])
        #expect(
            try reasons(
                "  - vcpu0: write 0x80001000 1\n  - vcpu0: write 0x80002000 1\n    through: lockMMU\n  - kswapd: swap-out 0x80001000\n  - kswapd: continue\n")
                == ["waits before notifyPageLock, mmu_lock of vm0 is held by vcpu0"])
        #expect(try reasons("  - kswapd: swap-out 0x10000000\n").allSatisfy { $0.hasPrefix("refused") })
    }

    @Test func `what is finished after the script's end belongs to no operation, and a branch there keeps it`() throws {
        let text = SessionErrorsTests.head + "  - vcpu0: write 0x80001000 1\n    until: lockMMU\n  - without: [retry-check]\n    note: the last\n"
        var timeline = Timeline(try SessionReader.read(text: text, file: "x"))
        let stop = timeline.place(ofOperation: 1)
        #expect(stop.stop == 1 && stop.step == timeline.scriptEnd && stop.step < timeline.count)
        timeline.seek(stop)
        #expect(timeline.operationNumber(at: timeline.place) == 1)
        timeline.seek(stop.step + 3)
        #expect(timeline.operationNumber(at: timeline.place) == nil)
        let command = try ActionLanguage.parse("swap-out 0x80001000", for: .host)
        let operation = Operation(actor: "kswapd", command: command, text: "swap-out", place: SourcePlace(line: 0, column: 0))
        let (session, number) = timeline.branched(with: operation, replaying: false)
        var branch = Timeline(session)
        branch.seek(stop.step + 3)
        #expect(TimelineTests.look(branch.now.machine) == TimelineTests.look(timeline.now.machine))
        #expect(branch.place(ofOperation: number) == TimelinePlace(step: stop.step + 4))
    }

    @Test func `a branch typed at a stop comes after it`() throws {
        let text = SessionErrorsTests.head + "  - vcpu0: write 0x80001000 1\n  - without: [retry-check]\n  - without: [smp-rmb]\n  - vcpu0: read 0x80001000\n"
        var timeline = Timeline(try SessionReader.read(text: text, file: "x"))
        timeline.seek(timeline.place(ofOperation: 1))
        let operation = Operation(actor: "", command: .switches([(.topUp, on: false)]), text: "without top-up", place: SourcePlace(line: 0, column: 0))
        let (session, number) = timeline.branched(with: operation, replaying: true)
        var branch = Timeline(session)
        #expect(number == 2)
        branch.seek(branch.place(ofOperation: 2))
        #expect(branch.place.stop == 2)
        #expect(!branch.now.machine.world.behaviours.has(.retryCheck) && !branch.now.machine.world.behaviours.has(.topUp))
        #expect(branch.now.machine.world.behaviours.has(.smpRmb) && branch.session.script.count == 5)
    }

    @Test func `places are written and read`() {
        for text in ["0", "78", "78+1"] { #expect(TimelinePlace(text)?.description == text) }
        for text in ["", "+1", "78+", "-1", "1+-1", "1+1+1", "x"] { #expect(TimelinePlace(text) == nil, "\(text)") }
    }
}
