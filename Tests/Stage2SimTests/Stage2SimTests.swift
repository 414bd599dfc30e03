import Testing
@testable import Stage2Sim

@Test func probe() {
    var c = MachineConfiguration()
    c.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x100000, hva: HVA(0x7600_0000), content: .populated), .init(ipa: IPA(0x9000_0000), size: 0x100000, hva: HVA(0x7700_0000))])]
    var m = Machine(c)
    var e = EffectBuffer()
    func go(_ a: Action, _ n: Int) {
        print("====", a)
        m.start(a, by: n)
        while true {
            let s = m.actors[n].next
            e.removeAll()
            guard m.step(n, effects: &e) == .stepped else { break }
            print(m.world.stepNumber, s, e.array)
        }
        print(m.actors[n].outcome, m.actors[n].value, m.world.statistics, m.world.violations)
    }
    let v = m.vcpu(0)!
    go(.access(Access(.read, IPA(0x8000_1000))), v)
    go(.access(Access(.write, IPA(0x8000_1000), value: 42)), v)
    go(.access(Access(.read, IPA(0x9000_1000))), v)
    go(.access(Access(.write, IPA(0x9000_1000), value: 42)), v)
    var h = HostAction(.swapOut); h.hva = HVA(0x7600_1000)
    go(.host(h), m.thread(.kswapd))
    go(.access(Access(.read, IPA(0x8000_1000))), v)
}
