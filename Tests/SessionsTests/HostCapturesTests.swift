import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// What the VMM did, as far as faults show it.
private struct Truth: Decodable {
    var ev: String
    var vcpu: Int?
    var addr: HexNumber?

    /// The pages that each vCPU was told to access, in order.
    static func pages(_ name: String) throws -> [Int: [UInt64]] {
        var pages: [Int: [UInt64]] = [:]
        for line in try Data(contentsOf: URL(filePath: TraceCaseFiles.capture(name))).split(separator: 0x0a) {
            let truth = try JSONDecoder().decode(Truth.self, from: Data(line))
            guard truth.ev == "access", let vcpu = truth.vcpu, let address = truth.addr else { continue }
            pages[vcpu, default: []].append(address.value & ~0xfff)
        }
        return pages
    }
}

private func read(_ name: String) throws -> Trace { try TraceCaseFiles.trace(at: TraceCaseFiles.capture(name)) }
private func faults(_ trace: Trace) -> [TraceEvent.GuestFault] { trace.events.compactMap(\.guestFault) }

/// Faults of each thread on data, in order, without the guest's own code and the address that ends a run.
private func dataPages(_ trace: Trace) -> [[UInt64]] {
    var byThread: [UInt16: [UInt64]] = [:]
    for event in trace.events {
        guard let fault = event.guestFault, !(0x4000_0000..<0x4020_0000).contains(fault.ipa), fault.ipa != 0xa00_0000 else { continue }
        byThread[event.thread, default: []].append(fault.ipa)
    }
    return byThread.sorted { $0.key < $1.key }.map(\.value)
}

@Suite("Captures of real hosts")
struct HostCapturesTests {
    static let counts: [(name: String, faults: Int)] = [
        ("trace-cmd/basic", 33), ("trace-cmd/basic-v6", 33), ("trace-cmd/cow", 34), ("trace-cmd/cow-none", 34), ("trace-cmd/faultonly", 34),
        ("trace-cmd/marker", 34), ("trace-cmd/mixed", 34), ("trace-cmd/mono", 34), ("trace-cmd/smp", 74), ("granule-16k/basic", 32), ("granule-16k/cow", 32),
    ]
    static let samples: [(name: String, text: String, faults: Int)] = [
        ("perf/basic", "perf/basic.script-ns.txt", 33), ("perf/cow", "perf/cow.script-ns.txt", 34), ("perf/cow-noa", "perf/cow-noa.script.txt", 34),
        ("perf/one", "perf/one.script.txt", 34), ("perf/cow-clock", "perf/cow-clock.script.txt", 34), ("perf/cow-z", "perf/cow-z.script.txt", 34),
        ("perf/lost", "perf/lost.script-lost.txt", 10), ("granule-16k/cow", "granule-16k/cow.script.txt", 32),
    ]

    // MARK: Texts

    @Test("trace-cmd's reports have the faults of the run", arguments: counts)
    func reports(_ name: String, _ count: Int) throws {
        let trace = try read("\(name).report.txt")
        #expect(faults(trace).count == count)
        #expect(trace.counts.damaged == 0 && trace.counts.lostNotices == 0)
        try expectTruth(trace, name.hasPrefix("granule") ? "\(name).dat.gt.jsonl" : "\(name).gt.jsonl")
    }

    @Test(
        "trace-cmd's options change nothing", arguments: ["basic.report-N", "basic.report-R", "basic.report-t", "cow.report-N", "cow.report-l", "cow.report-t"])
    func options(_ name: String) throws {
        let plain = try read("trace-cmd/\(name.prefix { $0 != "." }).report.txt"), other = try read("trace-cmd/\(name).txt")
        // trace-cmd's words give an interrupted KVM_RUN the reason of the exit before; the fields do not.
        func words(_ trace: Trace) -> [TraceEvent.Payload] { trace.events.filter { !name.hasSuffix("-R") || $0.kind != .userspaceExit }.map(\.payload) }
        #expect(words(other) == words(plain))
        #expect(other.events.map { $0.time / 1_000_000 } == plain.events.map { $0.time / 1_000_000 })
        #expect(other.threads == plain.threads)
        #expect(other.counts.damaged == 0)
        if name.hasSuffix("-t") { #expect(other.events.contains { $0.time % 1000 != 0 }) }
    }

    @Test("a report of one event has it alone")
    func filtered() throws {
        let trace = try read("trace-cmd/cow.report-F.txt")
        let whole = try read("trace-cmd/cow.report.txt")
        #expect(faults(trace) == faults(whole))
        #expect(trace.events.count == 34)
    }

    @Test("perf's texts have the faults of the run", arguments: samples)
    func scripts(_ name: String, _ text: String, _ count: Int) throws {
        let trace = try read(text)
        #expect(faults(trace).count == count)
        #expect(trace.counts.damaged == 0)
        try expectTruth(trace, name.hasPrefix("granule") ? "\(name).data.gt.jsonl" : "\(name).gt.jsonl")
    }

    @Test("a text from which perf has hidden the faults is told to be one", arguments: ["basic.script-default", "cow.script-default", "kvmstat.script"])
    func hidden(_ name: String) throws {
        let understanding = TraceSession.open(try read("perf/\(name).txt"), name: name) { _ in }.understanding
        #expect(understanding.problem?.message.contains("no kvm_guest_fault") == true)
        #expect(understanding.problem?.fits.contains("--guest-code") == true)
    }

    @Test("a recording of nothing is one")
    func empty() throws {
        let trace = try read("trace-cmd/empty-v6.report.txt")
        #expect(trace.events.isEmpty && trace.counts.damaged == 0)
        let problem = TraceSession.open(trace, name: "empty") { _ in }.understanding.problem
        #expect(problem?.message == "a trace without any event")
    }

    @Test("lost events are where they were lost")
    func lost() throws {
        let trace = try read("perf/lost.script-lost.txt")
        #expect(trace.counts.lostNotices == 4 && trace.counts.lostEvents == 1 + 358 + 157 + 97)
    }

    // MARK: Binary files, where the tools are

    @Test("trace.dat opens by trace-cmd, event for event", .enabled(if: TraceCaseFiles.hasTool("trace-cmd"), "trace-cmd is not installed"), arguments: counts)
    func traceDat(_ name: String, _ count: Int) throws {
        let trace = try read("\(name).dat"), text = try read("\(name).report.txt")
        #expect(trace.events.map(\.payload).filter(\.isNoMark) == text.events.map(\.payload).filter(\.isNoMark))
        #expect(trace.events.map(\.cpu) == text.events.map(\.cpu))
        #expect(trace.threads.map(\.tid) == text.threads.map(\.tid))
        #expect(faults(trace).count == count && trace.counts.damaged == 0)
        try expectTruth(trace, name.hasPrefix("granule") ? "\(name).dat.gt.jsonl" : "\(name).gt.jsonl")
    }

    @Test("perf.data opens by perf, its faults shown", .enabled(if: TraceCaseFiles.hasTool("perf"), "perf is not installed"), arguments: samples)
    func perfData(_ name: String, _ text: String, _ count: Int) throws {
        let trace = try read("\(name).data"), script = try read(text)
        #expect(faults(trace) == faults(script))
        let kinds = Set(trace.events.map(\.kind)).subtracting([.lost])
        #expect(trace.events.map(\.payload).filter { $0.kindIs(in: kinds) } == script.events.map(\.payload).filter { $0.kindIs(in: kinds) })
        #expect(faults(trace).count == count && trace.counts.damaged == 0)
        try expectTruth(trace, name.hasPrefix("granule") ? "\(name).data.gt.jsonl" : "\(name).gt.jsonl")
    }

    @Test("a packed trace.dat opens as well", .enabled(if: TraceCaseFiles.hasTool("trace-cmd") && TraceCaseFiles.hasTool("gzip")))
    func packedTraceDat() throws {
        let source = try ByteSource(path: TraceCaseFiles.capture("trace-cmd/cow.dat"))
        let path = FileManager.default.temporaryDirectory.appending(path: "kvmtui-\(UUID().uuidString)").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-c", source.path ?? ""]
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: path) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: path))
        try process.run()
        process.waitUntilExit()
        let trace = try TraceCaseFiles.trace(at: path)
        #expect(faults(trace).count == 34)
    }

    @Test("a file that its tool cannot read is told in the tool's words", .enabled(if: TraceCaseFiles.hasTool("trace-cmd") && TraceCaseFiles.hasTool("gzip")))
    func damaged() throws {
        for (bytes, name) in [([0x17, 0x08, 0x44] + Array("tracing7".utf8), "trace-cmd"), ([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5], "gzip")] as [([UInt8], String)] {
            let path = FileManager.default.temporaryDirectory.appending(path: "kvmtui-\(UUID().uuidString)").path
            try Data(bytes).write(to: URL(filePath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            let problem = #expect(throws: InputError.self) { try TraceCaseFiles.trace(at: path) }
            #expect(problem?.message.hasPrefix("\(name) cannot read it: ") == true)
        }
    }

    @Test("a tool that is missing is named with its package")
    func missingTool() throws {
        let tool = Tool(name: "kvmtui-no-such-tool", package: "no-such-package", arguments: [[]])
        let problem = #expect(throws: InputError.self) { try ByteSource(path: TraceCaseFiles.capture("trace-cmd/cow.dat")).output(of: tool) }
        #expect(problem?.fits == "install the package no-such-package (apt install no-such-package)")
    }

    /// Every fault on data is at the page of the access that its vCPU had come to.
    private func expectTruth(_ trace: Trace, _ name: String) throws {
        let truth = try Truth.pages(name)
        let pages = dataPages(trace)
        guard trace.counts.lostNotices == 0 else { return }
        #expect(pages.count == truth.count)
        // Threads are in the order of their first fault, which need not be the vCPUs'.
        var left = truth
        for faults in pages {
            let vcpu = left.first { _, accesses in
                var at = 0
                for page in faults {
                    while at < accesses.count, accesses[at] != page { at += 1 }
                }
                return at < accesses.count
            }
            #expect(vcpu != nil, "\(faults.map { hex($0) })")
            if let vcpu { left[vcpu.key] = nil }
        }
    }
}

extension TraceEvent.Payload {
    fileprivate var isNoMark: Bool {
        if case .mark = self { return false }
        return true
    }

    fileprivate func kindIs(in kinds: Set<TraceEvent.Kind>) -> Bool {
        switch self {
        case .guestFault: kinds.contains(.guestFault)
        case .entry: kinds.contains(.entry)
        case .exit: kinds.contains(.exit)
        case .unmapRange: kinds.contains(.unmapRange)
        case .setSPTE: kinds.contains(.setSPTE)
        case .mmio: kinds.contains(.mmio)
        case .userspaceExit: kinds.contains(.userspaceExit)
        default: false
        }
    }
}
