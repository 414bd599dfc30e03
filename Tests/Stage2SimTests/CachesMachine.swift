import Testing
@testable import Stage2Sim

/// A machine with caches, told what to do in single lines.
struct CachedMachine {
    static let ipa: UInt64 = 0x8000_0000
    /// Its colour, bits 13:12, is 2 where the IPA's is 0.
    static let hva: UInt64 = 0x7600_2000
    var machine: Machine

    /// Two VMs on CPU 0 (the second on `secondCPU`), 1 MiB of untouched memory each.
    init(
        _ caches: CacheConfiguration?, with: [Behaviour] = [], without: [Behaviour] = [], secondCPU: CPUNumber = 0, hva: UInt64 = Self.hva,
        reuse: KernelPages.Reuse = .never
    ) {
        var c = MachineConfiguration()
        c.caches = caches
        let memory = MachineConfiguration.Memory(ipa: IPA(Self.ipa), size: 0x100000, hva: HVA(hva))
        c.vms = [.init(vcpus: [0], memory: [memory]), .init(vcpus: [secondCPU], memory: [memory])]
        c.reuse = reuse
        for b in with { c.behaviours.set(b, true) }
        for b in without { c.behaviours.set(b, false) }
        machine = Machine(c)
        host = hva
        // The first fault's top-up zeroes 40 pages, which pushes everything out of L1D: that is to be over.
        for vm: VMNumber in [0, 1] { read(0xff000, vm: vm) }
    }

    private let host: UInt64
    var violations: [Violation] { machine.world.violations }
    var stale: [StaleBytes] { violations.filter { $0.rule == .staleBytes }.compactMap(\.stale) }

    @discardableResult mutating func run(_ action: Action, _ actor: ActorNumber) -> Outcome {
        machine.start(action, by: actor)
        let result = machine.run(actor)
        #expect(result.last == .idle)
        return machine.actors[actor].outcome
    }

    @discardableResult mutating func guest(_ access: Access, vm: VMNumber = 0) -> UInt64 {
        let actor = machine.vcpu(0, of: vm)!
        run(.access(access), actor)
        return machine.actors[actor].value
    }

    @discardableResult mutating func read(_ offset: UInt64, vm: VMNumber = 0) -> UInt64 { guest(Access(.read, IPA(Self.ipa + offset)), vm: vm) }
    mutating func write(_ offset: UInt64, _ value: UInt64, vm: VMNumber = 0) { guest(Access(.write, IPA(Self.ipa + offset), value: value), vm: vm) }
    @discardableResult mutating func execute(_ offset: UInt64, vm: VMNumber = 0) -> UInt64 { guest(Access(.execute, IPA(Self.ipa + offset)), vm: vm) }
    mutating func maintain(_ operation: CacheOperation, _ offset: UInt64 = 0, vm: VMNumber = 0) { guest(Access(operation, at: IPA(Self.ipa + offset)), vm: vm) }

    @discardableResult mutating func host(
        _ kind: HostAction.Kind, _ offset: UInt64 = 0, vm: VMNumber = 0, by thread: HostThread = .vmm, _ change: (inout HostAction) -> Void = { _ in }
    ) -> Outcome {
        var action = HostAction(kind)
        action.process = machine.world.vms[vm].process
        action.vm = vm
        action.hva = HVA(host + offset)
        change(&action)
        return run(.host(action), machine.thread(thread))
    }

    /// The VMM stores a word, as when it loads a kernel image.
    mutating func load(_ offset: UInt64, _ value: UInt64, vm: VMNumber = 0) { host(.processWrite, offset, vm: vm) { $0.value = value } }

    /// A frame that VM 1 has executed comes to VM 0, with code that VM 0's VMM has stored. Returns what VM 0 executes.
    mutating func executeInAFrameThatAnotherVMExecuted() -> UInt64 {
        load(0x40, 0xaaaa, vm: 1)
        execute(0x40, vm: 1)
        let frame = machine.world.leaf(of: 1, IPA(Self.ipa))!.address
        host(.madviseDontneed, vm: 1)
        machine.world.violations.removeAll()
        load(0x40, 0xbbbb)
        let value = execute(0x40)
        #expect(machine.world.leaf(of: 0, IPA(Self.ipa))!.address == frame)
        return value
    }
}
