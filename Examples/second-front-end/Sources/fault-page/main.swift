import Stage2Sim

// A fault as a page of text; the same fault once more with one line of the kernel taken away; who can move.

let ipa = IPA(0x8000_1000), hva = HVA(0x7600_1000)

var configuration = MachineConfiguration()
configuration.vms = [
    .init(vcpus: [0, 1], memory: [.init(ipa: IPA(0x8000_0000), size: 1 << 20, hva: HVA(0x7600_0000), content: .populated)])
]
let start = Machine(configuration)
guard let vcpu0 = start.vcpu(0), let vcpu1 = start.vcpu(1) else { fatalError("the configuration has two vCPUs") }
let kswapd = start.thread(.kswapd)

print("A fault, step by step")
var page = FaultPage(start)
page.start(.access(Access(.write, ipa, value: 42)), by: vcpu0)
page.run(vcpu0)

// The fault has noted the sequence and found its page. The host's reclaim comes before it takes mmu_lock.
var reclaim = HostAction(.madviseDontneed)
reclaim.hva = hva
let decisive: Set<MicroStep> = [.checkRetryCount, .checkRetrySeq, .writeLeaf, .releasePage]
for behaviour in [Behaviour?.none, .retryCheck] {
    print("\nThe page goes while the fault is under way, " + (behaviour.map { "without \($0.name)" } ?? "as the kernel is"))
    var branch = FaultPage(start)
    if let behaviour { branch.switchOff(behaviour) }
    branch.start(.access(Access(.write, ipa, value: 42)), by: vcpu0)
    branch.run(vcpu0, before: .lockMMU) { _ in false }
    branch.start(.host(reclaim), by: branch.machine.thread(.vmm))
    branch.run(branch.machine.thread(.vmm)) { _ in false }
    branch.run(vcpu0) { decisive.contains($0) }
    print("    \(branch.machine.actors[vcpu0].outcome), \(branch.machine.world.statistics.violations) broken checks")
}

// Two vCPUs fault, and the first one holds mmu_lock.
print("\nWho can move, and whom the others wait for")
var race = FaultPage(start)
race.start(.access(Access(.write, ipa, value: 1)), by: vcpu0)
race.run(vcpu0, before: .checkRetryCount) { _ in false }
race.start(.access(Access(.write, IPA(0x8000_2000), value: 2)), by: vcpu1)
race.run(vcpu1, before: .lockMMU) { _ in false }
for standing in race.machine.standings {
    guard let next = standing.next else { continue }
    if standing.canMove {
        print("  \(standing.name) can move: \(next.text(race.machine.world.setting).title)")
    } else if let wait = standing.waitsFor {
        let holders = standing.holders.map { race.machine.name(of: $0) }
        print("  \(standing.name) waits for \(wait.words)" + (holders.isEmpty ? "" : ", held by \(holders.joined(separator: ", "))"))
    }
}
let idle = race.machine.standings.filter { $0.next == nil }.map(\.name)
print("  with nothing to do: \(idle.joined(separator: ", "))")
