import Stage2Sim

/// What is left in the memory cache after some accesses.
enum CacheProblem {
    static func make(_ seed: UInt64, _ random: inout QuizRandom) -> Problem? {
        let gib = UInt64(1 + random.number(below: 3)), count = 3 + random.number(below: 4)
        // Near pages share tables, others are a 2 MiB or a 1 GiB away.
        let bases: [UInt64] = [0, 1, 2].map { ($0 + gib) << 30 }
        var actions: [String] = [], addresses: [UInt64] = []
        for _ in 0..<count {
            let known = addresses.isEmpty || random.isTrue() ? nil : Optional(random.one(of: addresses))
            let address: UInt64 =
                switch (known, random.number(below: 3)) {
                case (let known?, 0): known
                case (let known?, 1): known & ~0xf_f000 | UInt64(random.number(below: 256)) << 12
                default: random.one(of: bases) | UInt64(random.number(below: 4)) << 21 | UInt64(random.number(below: 512)) << 12
                }
            addresses.append(address)
            actions.append(random.isTrue() ? "read \(hex(address))" : "write \(hex(address)) 1")
        }
        let session = """
            kvmtui: 1
            title: A problem, seed \(seed)
            machine:
              memory:
            \(bases.enumerated().map { "    - { ipa: \(hex($1)), size: 8M, hva: \(hex(0x4000_0000 + UInt64($0) << 24)), populated: true }" }.joined(separator: "\n"))
            steps:
            \(actions.map { "  - vcpu0: \($0)" }.joined(separator: "\n"))

            """
        guard let run = QuizRun(session), run.isFinished, run.broken.isEmpty else { return nil }
        let left = run.simulation.machine.actors[0].memoryCache.count
        let tables = 40 - left
        let faults = run.faults.reduce(0) { $0 + $1.count }, pages = Set(addresses.map { $0 >> 12 }).count
        let first = Set(addresses.map { $0 >> 30 }).count, second = Set(addresses.map { $0 >> 21 }).count
        let wrong: [(String, String)] = [
            ("40", "it is topped up only when fewer than 2 pages are left, not at every fault"),
            ("\(max(0, 40 - 2 * faults))", "a table that stands is used again: only missing ones are taken from the cache"),
            ("\(max(0, left - pages))", "the guest's own pages do not come from the memory cache, only tables do"),
            ("\(max(0, left - 1))", "the level-1 table was there from the start, and is not taken from the cache"),
            ("\(40 - second)", "a new level-2 table is taken from the cache as well as a new level-3 table"),
            ("\(40 - first)", "each level-3 table is taken from the cache as well as the level-2 tables"),
            ("\(40 - faults)", "not every fault takes a page: where the tables stand, or only rights change, none is needed"),
            ("0", "a top-up fills the cache to 40 and not to what is needed"),
        ]
        return Problem(
            .cache, seed: seed,
            text: [
                "A fresh VM under v3.9: only the level-1 table is there, and vcpu0's memory cache is empty. The host has all pages. The guest then does this:"
            ],
            given: actions, question: "How many pages are in vcpu0's memory cache afterwards?", answer: "\(left)", wrong: wrong,
            why:
                "The first fault fills the cache to 40. After that \(tables) tables were needed, \(first) of level 2 and \(second) of level 3; \(left) pages are left, and no later fault found fewer than 2.",
            session: session, random: &random)
    }
}
