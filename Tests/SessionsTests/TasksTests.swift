import EmbeddedSessions
import Foundation
import Stage2Sim
import Testing

@testable import Sessions

/// A task with a solution of it, and with what comes near and solves nothing.
private struct Model: CustomTestStringConvertible {
    let task: String
    /// Actions, "vcpu0: read 0x80001000|until: lockMMU" with what else the step has behind a bar.
    let solution: [String]
    let misses: [[String]]
    var testDescription: String { task }

    init(_ task: String, _ solution: [String], misses: [[String]]) {
        (self.task, self.solution, self.misses) = (task, solution, misses)
    }

    func text(_ steps: [String]) throws -> String {
        let own = try #require(EmbeddedSessions.task(of: task))
        let head = own[..<(try #require(own.range(of: "\nsteps:")).lowerBound)]
        return head + "\nsteps:\n" + steps.map { "  - " + $0.replacingOccurrences(of: "|", with: "\n    ") + "\n" }.joined()
    }

    func judged(_ steps: [String]) throws -> TaskJudge {
        let task = try SessionReader.read(Array(try #require(EmbeddedSessions.task(of: task)).utf8), file: "\(task).yaml")
        return TaskJudge(try SessionReader.read(Array(text(steps).utf8), file: "student.yaml"), against: task)
    }
}

private let models = [
    Model(
        "three-levels", ["vcpu0: read 0x80001000", "vcpu0: read 0x80201000", "vcpu0: read 0x80002000"],
        misses: [
            ["vcpu0: read 0x80001000", "vcpu0: read 0x80002000", "vcpu0: read 0x80003000"],
            ["vcpu0: read 0x80001000", "vcpu0: read 0x80201000", "vcpu0: read 0x80401000"],
            ["vcpu0: read 0x80001000", "vcpu0: read 0x80201000", "vcpu0: write 0x80002000 1"],
        ]),
    Model(
        "level-1-again", ["vcpu0: read 0x80001000", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000"],
        misses: [
            ["vcpu0: read 0x80001000", "vcpu0: read 0x80001000"],
            ["vcpu0: read 0x80001000", "kswapd: swap-out 0x80002000", "vcpu0: read 0x80001000"],
            ["vcpu0: read 0x80001000", "kswapd: swap-out 0x80001000", "vcpu0: write 0x80001000 1"],
        ]),
    Model(
        "permission-twice", ["vcpu0: read 0x80001000", "vcpu0: write 0x80001000 1", "vcpu0: read 0x80002000", "vcpu0: write 0x80002000 1"],
        misses: [
            ["vcpu0: read 0x80001000", "vcpu0: write 0x80001000 1", "vcpu0: write 0x80001000 2"],
            ["vcpu0: write 0x80001000 1", "vcpu0: write 0x80002000 1"],
            ["vcpu0: read 0x80001000", "vcpu0: write 0x80001000 1 half", "vcpu0: read 0x80002000", "vcpu0: write 0x80002000 1"],
        ]),
    Model(
        "a-read-that-writes", ["vcpu0: ldm 0x80001000"],
        misses: [
            ["vcpu0: read 0x80001000"],
            ["vcpu0: stm 0x80001000 1"],
            ["vcpu0: ldm 0x80002000"],
        ]),
    Model(
        "a-copy-of-its-own", ["vmm: fork", "vcpu0: write 0x80001000 1"],
        misses: [
            ["vcpu0: write 0x80001000 1"],
            ["vmm: fork", "vcpu0: read 0x80001000"],
            ["vmm: fork", "vmm: exit child", "vcpu0: write 0x80001000 1"],
        ]),
    Model(
        "there-and-back", ["vcpu0: write 0x80001000 0x2a", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000"],
        misses: [
            ["vcpu0: read 0x80001000", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000"],
            ["vcpu0: write 0x80001000 0x2a", "kswapd: swap-out 0x80002000", "vcpu0: read 0x80001000"],
            ["vcpu0: write 0x80001000 0x2a", "kswapd: swap-out 0x80001000", "vmm: read 0x80001000"],
        ]),
    Model(
        "give-up-twice",
        [
            "vcpu0: read 0x80001000|until: lockMMU", "kswapd: swap-out 0x80002000", "vcpu0: continue|until: translateGFN", "kswapd: swap-out 0x80003000",
            "vcpu0: continue",
        ],
        misses: [
            ["vcpu0: read 0x80001000|until: lockMMU", "kswapd: swap-out 0x80002000", "vcpu0: continue"],
            ["vcpu0: read 0x80001000|until: lockMMU", "kswapd: swap-out 0x80002000", "kswapd: swap-out 0x80003000", "vcpu0: continue"],
            [
                "vcpu0: read 0x80001000|until: sampleNotifierSeq", "kswapd: swap-out 0x80002000", "vcpu0: continue|until: lockMMU",
                "kswapd: swap-out 0x80003000", "vcpu0: continue",
            ],
        ]),
    Model(
        "keep-what-is-gone", ["vcpu0: write 0x80001000 1|until: lockMMU", "vmm: munmap 0x80001000", "vcpu0: continue"],
        misses: [
            ["vcpu0: write 0x80001000 1", "vmm: munmap 0x80001000", "vcpu0: write 0x80001000 1"],
            ["vcpu0: write 0x80001000 1|until: sampleNotifierSeq", "vmm: munmap 0x80001000", "vcpu0: continue"],
            ["vcpu0: write 0x80001000 1|until: lockMMU", "vmm: munmap 0x80002000", "vcpu0: continue"],
        ]),
    Model(
        "an-entry-too-long", ["vcpu0: read 0x80001000", "vmm: munmap 0x80001000", "vcpu0: read 0x80001000"],
        misses: [
            ["vcpu0: read 0x80001000", "vmm: munmap 0x80002000", "vcpu0: read 0x80001000"],
            ["vmm: munmap 0x80001000", "vcpu0: read 0x80002000", "vcpu0: read 0x80002000"],
            ["vcpu0: read 0x80001000", "vmm: munmap 0x80001000", "vcpu0: read 0x80002000"],
        ]),
    Model(
        "five-tables", ["vcpu0: read 0x80001000", "vcpu0: read 0x100001000", "vcpu0: read 0x100201000"],
        misses: [
            ["vcpu0: read 0x80001000", "vcpu0: read 0x80201000", "vcpu0: read 0x80401000"],
            ["vcpu0: read 0x80001000", "vcpu0: read 0x100001000", "vcpu0: read 0x100002000"],
            ["vcpu0: read 0x80001000", "vcpu0: read 0x80002000", "vcpu0: read 0x100001000"],
        ]),
    Model(
        "lose-a-write",
        [
            "vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000", "vcpu0: write 0x80001000 0xbbbb",
            "kswapd: swap-out 0x80001000",
        ],
        misses: [
            ["vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: write 0x80001000 0xbbbb", "kswapd: swap-out 0x80001000"],
            ["vcpu0: write 0x80001000 0xaaaa", "vcpu0: read 0x80001000", "vcpu0: write 0x80001000 0xbbbb", "kswapd: swap-out 0x80001000"],
            [
                "vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000", "vcpu0: write 0x80002000 0xbbbb",
                "kswapd: swap-out 0x80002000",
            ],
        ]),
    Model(
        "one-switch",
        [
            "with: [raw-leaf-store]", "vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000",
            "vcpu0: write 0x80001000 0xbbbb", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000",
        ],
        misses: [
            [
                "with: [release-dirty]", "vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000",
                "vcpu0: write 0x80001000 0xbbbb", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000",
            ],
            [
                "vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000", "with: [raw-leaf-store]",
                "vcpu0: write 0x80001000 0xbbbb", "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000",
            ],
            [
                "with: [raw-leaf-store]", "vcpu0: write 0x80001000 0xaaaa", "kswapd: swap-out 0x80001000", "vcpu0: write 0x80001000 0xbbbb",
                "kswapd: swap-out 0x80001000", "vcpu0: read 0x80001000",
            ],
        ]),
    Model(
        "old-code",
        [
            "vmm: write vm1:0x80009040 0xe3a00001", "vmm: maintain dccmvau vm1:0x80009040", "vm1.vcpu0: exec 0x80009040", "vmm: dontneed vm1:0x80009000",
            "vmm: write 0x80004040 0xe3a00002", "vcpu0: exec 0x80004040",
        ],
        misses: [
            [
                "vmm: write vm1:0x80009040 0xe3a00001", "vmm: maintain dccmvau vm1:0x80009040", "vm1.vcpu0: exec 0x80009040",
                "vmm: write 0x80004040 0xe3a00002", "vmm: maintain dccmvau 0x80004040", "vcpu0: exec 0x80004040",
            ],
            [
                "vmm: write vm1:0x80009040 0xe3a00001", "vmm: maintain dccmvau vm1:0x80009040", "vm1.vcpu0: read 0x80009040", "vmm: dontneed vm1:0x80009000",
                "vmm: write 0x80004040 0xe3a00002", "vmm: maintain dccmvau 0x80004040", "vcpu0: exec 0x80004040",
            ],
            [
                "vmm: write vm1:0x80009040 0xe3a00001", "vmm: maintain dccmvau vm1:0x80009040", "vm1.vcpu0: exec 0x80009040", "vmm: dontneed vm1:0x80009000",
                "vmm: write 0x80004040 0xe3a00002", "vcpu0: read 0x80004040",
            ],
        ]),
    Model(
        "new-code",
        [
            "vmm: write vm1:0x80008040 0xe3a00001", "vm1.vcpu0: exec 0x80008040", "vmm: dontneed vm1:0x80008000", "vmm: write 0x80003040 0xe3a00002",
            "vcpu0: exec 0x80003040",
        ],
        misses: [
            ["vmm: write 0x80003040 0xe3a00001", "vcpu0: exec 0x80003040"],
            ["vmm: write 0x80003040 0xe3a00002", "vcpu0: read 0x80003040", "vcpu0: read 0x80003040", "vcpu0: exec 0x80003044"],
            [
                "without: [icache-maintenance]", "vmm: write vm1:0x80008040 0xe3a00001", "vm1.vcpu0: exec 0x80008040", "vmm: dontneed vm1:0x80008000",
                "vmm: write 0x80003040 0xe3a00002", "vcpu0: exec 0x80003040",
            ],
        ]),
    Model(
        "caches-on",
        [
            "vmm: write 0x80000040 0x11", "vcpu0: caches off", "vcpu0: read 0x80000040", "vmm: prefetch 0x80000040 dcache", "vcpu0: write 0x80000040 0x22",
            "vcpu0: caches on", "vcpu0: read 0x80000040",
        ],
        misses: [
            [
                "vmm: write 0x80000040 0x11", "vcpu0: read 0x80000040", "vmm: prefetch 0x80000040 dcache", "vcpu0: write 0x80000040 0x22",
                "vcpu0: read 0x80000040",
            ],
            [
                "vmm: write 0x80000040 0x11", "vcpu0: caches off", "vcpu0: read 0x80000040", "vcpu0: write 0x80000040 0x22", "vcpu0: caches on",
                "vcpu0: read 0x80000040",
            ],
            [
                "vmm: write 0x80000040 0x11", "vcpu0: caches off", "vcpu0: read 0x80000040", "vmm: prefetch 0x80000040 dcache", "vcpu0: write 0x80000040 0x22",
                "vcpu0: read 0x80000040",
            ],
        ]),
    Model(
        "the-device-is-late", ["vmm: write 0x80000040 0x2a", "vmm: maintain dccmvac 0x80000040", "host: dma-read 0x80000040 incoherent"],
        misses: [
            ["vmm: write 0x80000040 0x2a", "host: dma-read 0x80000040 incoherent"],
            ["vmm: write 0x80000040 0x2a", "vmm: maintain dccmvac 0x80000080", "host: dma-read 0x80000040 incoherent"],
            ["vmm: write 0x80000040 0x2a", "host: dma-read 0x80000040"],
        ]),
    Model(
        "longer-than-its-slot", ["vcpu0: write 0x90001000 0x2a", "vmm: slot-delete 0x90000000", "vmm: munmap hva:0x76000000 16M", "vcpu0: read 0x90001000"],
        misses: [
            ["vcpu0: write 0x90001000 0x2a", "vmm: munmap hva:0x76000000 16M", "vmm: slot-delete 0x90000000", "vcpu0: read 0x90001000 device 0"],
            ["vcpu0: write 0x90001000 0x2a", "vmm: slot-delete 0x90000000", "vcpu0: read 0x90001000"],
            ["vmm: slot-delete 0x90000000", "vmm: munmap hva:0x76000000 16M", "vcpu0: read 0x90001000 device 0"],
        ]),
    Model(
        "in-good-order", ["vcpu0: write 0x90001000 0x2a", "vmm: munmap hva:0x76000000 16M", "vmm: slot-delete 0x90000000", "vcpu0: read 0x90001000 device 0"],
        misses: [
            ["vcpu0: write 0x90001000 0x2a", "vmm: slot-delete 0x90000000", "vmm: munmap hva:0x76000000 16M", "vcpu0: read 0x90001000 device 0"],
            ["vcpu0: write 0x90001000 0x2a", "vmm: slot-delete 0x90000000", "vcpu0: read 0x90001000 device 0"],
            ["vmm: munmap hva:0x76000000 16M", "vmm: slot-delete 0x90000000", "vcpu0: read 0x90001000 device 0"],
        ]),
]

@Suite("Tasks at the end of the chapters") struct TasksTests {
    @Test("the model solves it", arguments: models)
    private func solution(_ model: Model) throws {
        let judge = try model.judged(model.solution)
        #expect(judge.problems.isEmpty)
        for point in judge.points { #expect(point.isMet, "\(point.text): found \(point.found)") }
        #expect(judge.isSolved)
    }

    @Test("what comes near does not", arguments: models)
    private func misses(_ model: Model) throws {
        #expect(model.misses.count == 3)
        for miss in model.misses {
            let judge = try model.judged(miss)
            #expect(judge.problems.isEmpty, "\(miss)")
            #expect(!judge.isSolved, "\(miss)")
        }
    }

    @Test("each chapter that has sessions ends with two, and each has hints")
    func chapters() throws {
        var tasks: [String: Int] = [:]
        for name in EmbeddedSessions.taskNames {
            let task = try SessionReader.read(Array(EmbeddedSessions.task(of: name)!.utf8), file: name)
            #expect(!task.goals.isEmpty && !task.hints.isEmpty && !task.about.isEmpty, "\(name)")
            tasks[task.chapter, default: 0] += 1
        }
        for chapter in Course.chapters.prefix(9) { #expect(tasks[chapter] == 2, "\(chapter)") }
        #expect(Set(models.map(\.task)) == Set(EmbeddedSessions.taskNames))
    }

    // MARK: The judge

    private func task(_ goal: String, steps: String = "[]", machine: String = "") throws -> Session {
        try SessionReader.read(
            text: """
                kvmtui: 1
                title: A task
                goal: [\(goal)]
                machine: { \(machine)memory: [ { ipa: 0x80000000, size: 1M, hva: 0x76000000, populated: true } ] }
                steps: \(steps)
                """, file: "task.yaml")
    }

    private func failures(_ goal: String, _ steps: [String], machine: String = "", taskSteps: String = "[]") throws -> [String] {
        let list = "\n" + steps.map { "  - \($0)" }.joined(separator: "\n")
        let judge = TaskJudge(try task("no broken", steps: list, machine: machine), against: try task(goal, steps: taskSteps))
        return judge.points.filter { !$0.isMet }.map(\.text)
    }

    @Test("counts are exact, or bounds")
    func counts() throws {
        #expect(try failures("faults 1, actions at most 2, flushes at least 0", ["vcpu0: read 0x80001000"]) == [])
        #expect(
            try failures("faults 2, actions at most 0, steps at least 1000", ["vcpu0: read 0x80001000"]) == [
                "faults 2", "actions at most 0", "steps at least 1000",
            ])
        #expect(try failures("hsr 0x93830005 1, hsr 0x93830005 at most 0", ["vcpu0: read 0x80001000"]) == ["hsr 0x93830005 at most 0"])
    }

    @Test("another machine is another task, unless it may be")
    func machine() throws {
        #expect(try failures("faults 1", ["vcpu0: read 0x80001000"], machine: "kernel: v4, ") == ["the machine is the task's"])
        #expect(try failures("faults 1", ["vcpu0: read 0x80001000"], machine: "without: [retry-check], ") == ["the machine is the task's"])
        #expect(try failures("faults 1, any machine", ["vcpu0: read 0x80001000"], machine: "kernel: v4, ") == [])
        #expect(try failures("faults 1, may-switch retry-check", ["vcpu0: read 0x80001000"], machine: "without: [retry-check], ") == [])
    }

    @Test("what is switched on the way is named")
    func switching() throws {
        #expect(try failures("faults 1", ["without: [top-up]", "vcpu0: read 0x80001000"]) == ["no behaviour is switched on the way"])
        #expect(try failures("faults 1, may-switch smp-rmb", ["without: [smp-rmb]", "vcpu0: read 0x80001000"]) == [])
    }

    @Test("the task's actions must be there, in their order")
    func actions() throws {
        let steps = "[ { vcpu0: read 0x80001000 }, { vcpu0: write 0x80001000 1 } ]"
        #expect(try failures("no broken", ["vcpu0: read 0x80001000", "vcpu0: read 0x80002000", "vcpu0: write 0x80001000 1"], taskSteps: steps) == [])
        #expect(try failures("no broken", ["vcpu0: write 0x80001000 1", "vcpu0: read 0x80001000"], taskSteps: steps).count == 1)
    }

    @Test("nobody is left in the middle")
    func unfinished() throws {
        #expect(try failures("faults at least 0", ["{ vcpu0: read 0x80001000, until: lockMMU }"]) == [])
    }

    @Test(
        "a mistake in a goal has its place, and what would fit",
        arguments: [
            ("faults most 2", "'most'"), ("fautls 2", "'fautls'"), ("broken nothing", "'nothing'"), ("hsr 12345678901 1", "'12345678901'"),
            ("end leaf", "'leaf'"), ("may-switch top", "'top'"), ("actions", "'actions'"),
        ])
    func mistakes(_ goal: String, _ found: String) {
        #expect { try task(goal) } throws: { error in
            guard let error = error as? InputError else { return false }
            return error.place?.line == 3 && error.message.contains("found \(found)") && !error.fits.isEmpty
        }
    }

    @Test("a task is written as it was read")
    func writing() throws {
        let read = try task("faults at most 2, end leaf 0x80001000 rw")
        let again = try SessionReader.read(text: SessionWriter.text(read), file: "again.yaml")
        #expect(again.goals.map(\.text) == read.goals.map(\.text))
        for word in Goal.words { #expect(throws: Never.self) { try task(word.sample) } }
    }
}
