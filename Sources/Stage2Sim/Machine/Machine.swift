/// What a machine is made of.
public struct MachineConfiguration: Sendable, Equatable {
    /// A memory slot, and what of the VMM's memory is behind it.
    public struct Memory: Sendable, Equatable {
        /// What is behind a slot when the machine starts.
        public enum Content: Sendable, Equatable {
            /// Nobody has touched it: no frame, no host entry.
            case untouched
            /// The VMM has written it: every page has its own frame and a writable entry.
            case populated
            /// A device at a physical address, mapped into the VMM (VM_PFNMAP).
            case device(PA)
            /// A driver's memory, mapped into the VMM (VM_PFNMAP): pages that nobody counts.
            case driver
            /// A slot without memory behind it: no area of the VMM is there.
            case unmapped
        }
        /// The guest's address of its first byte, a multiple of 4 KiB, below 2^40.
        public var ipa: IPA
        /// Bytes, a multiple of 4 KiB.
        public var size: UInt64
        /// The VMM's address of its first byte, a multiple of 4 KiB.
        public var hva: HVA
        /// What is behind it.
        public var content: Content
        /// The guest may not write (needs `Behaviour.readOnlySlots`).
        public var readOnly = false
        /// User space allocated the memory; v4 refuses others.
        public var userAllocated = true
        /// Its missing pages are answered by a thread of the VMM (userfaultfd); of untouched memory only.
        public var userfault = false

        /// See the properties for units.
        public init(ipa: IPA, size: UInt64, hva: HVA, content: Content = .untouched) {
            self.ipa = ipa
            self.size = size
            self.hva = hva
            self.content = content
        }
    }

    /// A virtual machine as it starts.
    public struct VM: Sendable, Equatable {
        /// One physical CPU for each vCPU, by number.
        public var vcpus: [CPUNumber]
        /// Its memory slots; they may not overlap.
        public var memory: [Memory]
        /// One vCPU on CPU 0 unless told otherwise.
        public init(vcpus: [CPUNumber] = [0], memory: [Memory] = []) {
            self.vcpus = vcpus
            self.memory = memory
        }
    }

    /// The physical CPUs' kind.
    public var cpu: CPUModel = .cortexA15
    /// Choosing a revision sets its behaviours; single ones are switched after it.
    public var revision: Revision = .v39 { didSet { behaviours = revision.behaviours } }
    /// What that kernel does.
    public var behaviours: Behaviours = Revision.v39.behaviours
    /// More than one CPU runs: table walks are shareable.
    public var multiprocessor = true
    /// The virtual machines, in the order of their numbers; `VMNumber.limit` at most.
    public var vms: [VM] = [VM()]
    /// Guest virtual memory behind a map; elsewhere a virtual address is the IPA.
    public var stage1: [Stage1Mapping] = []
    /// Where the kernel's pages begin: the first VM's level-1 table.
    public var kernelBase = PA(0x8000_0000)
    /// Whether freed kernel pages are handed out again.
    public var reuse = KernelPages.Reuse.never
    /// What a CPU does that meets two translations of one address, in its TLB and in the tables.
    public var tlbConflict = TLBConflict.goesUnnoticed
    /// Simulate caches, line by line; nil: every access finds the bytes last stored. CTR is then theirs, not the CPU model's.
    public var caches: CacheConfiguration?

    /// One VM with one vCPU and no memory, v3.9 on a Cortex-A15.
    public init() {}
}

/// What becomes of an access for which the TLB holds one translation and the tables another, with different outputs. The architecture
/// leaves it to the CPU (DDI 0406C B3.10.1): one of the two is used, or a TLB conflict abort is taken.
public enum TLBConflict: UInt8, Sendable, BitwiseCopyable {
    /// The access goes by the TLB's.
    case goesUnnoticed
    /// The access ends in a TLB conflict abort, status 0x30, in Hyp mode.
    case aborts
}

/// The names that the host's threads act under.
public enum HostThread: UInt8, CaseIterable, Sendable {
    /// The kernel itself, reclaim, the merger of equal pages, a thread of the VMM, another process, whoever makes and destroys VMs.
    case host, kswapd, ksmd, vmm, other, admin
}

/// The whole state as one value, and how it steps.
///
/// A copy is a snapshot: it shares everything until one of the two is stepped. A machine and its copies belong to one thread.
///
///     var configuration = MachineConfiguration()
///     configuration.vms = [.init(memory: [.init(ipa: IPA(0x8000_0000), size: 0x100000, hva: HVA(0x7600_0000))])]
///     var machine = Machine(configuration)
///     machine.start(.access(Access(.write, IPA(0x8000_1000), value: 42)), by: machine.vcpu(0)!)
///     var effects = EffectBuffer()
///     while machine.step(machine.vcpu(0)!, effects: &effects) == .stepped {}
///     // machine.world.statistics.faults == 1
public struct Machine {
    /// What it was made of.
    public let configuration: MachineConfiguration
    /// What all actors share.
    public internal(set) var world: World
    /// The vCPUs, VM by VM, then the host's threads.
    public internal(set) var actors: Numbered<ActorNumber, Actor>
    /// The first of the host's threads in `actors`.
    private let firstHost: ActorNumber

    /// - Precondition: `configuration.validate()` does not throw; `init(validating:)` asks first.
    public init(_ configuration: MachineConfiguration) {
        self.configuration = configuration
        let cpuCount = (configuration.vms.flatMap(\.vcpus).max() ?? 0).index + 1
        let tlb = TLB(entries: configuration.cpu.tlbEntries, ways: configuration.cpu.tlbWays)
        world = World(
            revision: configuration.revision, behaviours: configuration.behaviours, cpuModel: configuration.cpu, multiprocessor: configuration.multiprocessor,
            kernelPages: KernelPages(base: configuration.kernelBase, reuse: configuration.reuse),
            cpus: Numbered(Array(repeating: PhysicalCPU(tlb: tlb), count: cpuCount)))
        world.stage1 = configuration.stage1
        world.tlbConflict = configuration.tlbConflict
        world.cacheBox = configuration.caches.map { CacheBox(CacheHierarchy($0, cpus: cpuCount)) }
        actors = Numbered()
        for (v, vm) in configuration.vms.enumerated() {
            guard let id = world.addVM(named: "vmm\(v)") else { continue }
            for (i, cpu) in vm.vcpus.enumerated() { actors.append(Actor(vcpu: UInt8(truncatingIfNeeded: i), vm: id, cpu: cpu, id: actors.endIndex)) }
            world.addMemory(vm.memory, to: id)
        }
        firstHost = actors.endIndex
        for _ in HostThread.allCases { actors.append(Actor(host: actors.endIndex)) }
        world.makeZeroPage()
        world.makePrivateProcess()
    }

    // MARK: Who acts

    /// The actor number of a vCPU; nil where there is none.
    public func vcpu(_ index: Int, of vm: VMNumber = 0) -> ActorNumber? { actors.firstIndex { $0.kind == .vcpu && $0.vm == vm && $0.index == index } }
    /// The actor number of a thread of the host.
    public func thread(_ thread: HostThread) -> ActorNumber { firstHost.advanced(by: Int(thread.rawValue)) }

    /// "vcpu0", "vm1.vcpu0", "kswapd".
    public func name(of actor: ActorNumber) -> String {
        let a = actors[actor]
        guard a.kind == .vcpu else { return String(describing: HostThread(rawValue: UInt8(truncatingIfNeeded: firstHost.distance(to: actor))) ?? .host) }
        return (a.vm == 0 ? "" : "vm\(a.vm).") + "vcpu\(a.index)"
    }

    /// The actor called `name`.
    public func actor(named name: String) -> ActorNumber? { actors.indices.first { self.name(of: $0) == name } }

    // MARK: Acting

    /// Gives an idle actor something to do.
    /// - Parameter late: without the barrier that orders them, the accesses that it ordered happen in the other order.
    public mutating func start(_ action: Action, by actor: ActorNumber, late: Bool = false) {
        precondition(actors[actor].isIdle, "an actor finishes one action before it starts another")
        world.busyActors += 1
        if world.leavingVMs != 0, actors[actor].kind == .vcpu { world.vms[actors[actor].vm].busyVCPUs += 1 }
        if case .host(let host) = action, host.kind == .vmDestroy { countVCPUs(of: host.vm) }
        prefetchForeseen(action, by: actor)
        actors[actor].begin(action, late: late)
        // With stage 1 off an AArch64 guest's virtual address is the IPA, all of it.
        if world.isArm64, !actors[actor].access.throughStage1 { actors[actor].access.va = VA(actors[actor].access.ipa.rawValue) }
    }

    /// Every fault would pay for a count that only a VM's destruction asks for: it is taken when one begins.
    @inline(never) private mutating func countVCPUs(of vm: VMNumber) {
        world.leavingVMs += 1
        world.vms[vm].busyVCPUs = Int32(actors.elements.count { $0.kind == .vcpu && $0.vm == vm && !$0.isIdle })
    }

    /// What came of asking an actor for a step.
    public enum StepResult: Equatable, Sendable {
        /// One micro-step was made.
        case stepped
        /// The step needs a lock that another actor holds; nothing happened.
        case blocked
        /// The actor has nothing to do.
        case idle
    }

    /// Makes one micro-step of an actor, checks on, and delivers its effects.
    public mutating func step(_ actor: ActorNumber, effects: inout EffectBuffer) -> StepResult {
        withUnsafeMutablePointer(to: &effects) { buffer in
            var sink = BufferSink<ChecksOn>(buffer: buffer)
            return run(actor, limit: 1, sink: &sink).1
        }
    }

    /// Runs an actor to the end of its action, or for `limit` steps, checks on, effects not delivered.
    /// Returns the steps made, and how the last one went.
    public mutating func run(_ actor: ActorNumber, limit: Int = .max) -> (steps: Int, last: StepResult) {
        var sink = CheckedSink()
        let result = run(actor, limit: limit, sink: &sink)
        return (result.0, result.1)
    }

    /// As `run`, noting in `index` where faults, flushes and broken checks are.
    public mutating func run(_ actor: ActorNumber, limit: Int = .max, index: inout StepIndex) -> (steps: Int, last: StepResult) {
        withUnsafeMutablePointer(to: &index) { index in
            var sink = IndexSink(index: index)
            return run(actor, limit: limit, sink: &sink)
        }
    }

    /// As `run`, with nothing checked: what the kernel's path alone costs.
    public mutating func runUnchecked(_ actor: ActorNumber, limit: Int = .max) -> (steps: Int, last: StepResult) {
        var sink = BareSink()
        let result = run(actor, limit: limit, sink: &sink)
        return (result.0, result.1)
    }

    /// Runs an actor to the end of its action with effects delivered; `effects` keeps the last ones that fit.
    public mutating func run(_ actor: ActorNumber, checks: Bool, effects: inout EffectBuffer) -> (steps: Int, last: StepResult) {
        withUnsafeMutablePointer(to: &effects) { buffer in
            if checks {
                var sink = BufferSink<ChecksOn>(buffer: buffer)
                return run(actor, limit: .max, sink: &sink)
            }
            var sink = BufferSink<ChecksOff>(buffer: buffer)
            return run(actor, limit: .max, sink: &sink)
        }
    }

    private mutating func run<Sink: EffectSink>(_ actor: ActorNumber, limit: Int, sink: inout Sink) -> (Int, StepResult) {
        withStepper(actor, &sink) { stepper in
            var steps = 0
            while steps < limit {
                let result = stepper.step()
                if result != .stepped { return (steps, result) }
                steps += 1
            }
            return (steps, .stepped)
        }
    }

    /// A stepper for one actor, which works in place for as long as `body` runs.
    @inline(__always) mutating func withStepper<Sink: EffectSink, R>(_ actor: ActorNumber, _ sink: inout Sink, _ body: (Stepper<Sink>) -> R) -> R {
        world.own()
        return withUnsafeMutablePointer(to: &world) { world in
            actors.elements.withUnsafeMutableBufferPointer { actors in
                withUnsafeMutablePointer(to: &sink) { body(Stepper(world, actors.baseAddress! + actor.index, $0)) }
            }
        }
    }

    /// Whether an actor's next step needs something that another one holds.
    public func isBlocked(_ actor: ActorNumber) -> Bool {
        withUnsafePointer(to: world) { world in withUnsafePointer(to: actors[actor]) { Waiting(world: world, actor: $0).isBlocked } }
    }

    // MARK: Switching behaviours

    /// Switches a behaviour from here on.
    public mutating func set(_ behaviour: Behaviour, _ on: Bool) {
        world.behaviours.set(behaviour, on)
        world.progress &+= 1
    }
}

extension World {
    /// Makes everything that is written often this world's alone, after it may have been copied: before the first step of a run.
    @inline(__always) mutating func own() {
        kernelPages.own()
        frames.own()
        for i in processes.indices { processes[i].entries.own() }
    }

    /// Bytes that this world has copied since its start because kept copies of it share them: what those copies cost.
    public var copiedBytes: Int { kernelPages.copied + frames.copied + causes.copied + processes.reduce(0) { $0 + $1.entries.copied } }

    init(revision: Revision, behaviours: Behaviours, cpuModel: CPUModel, multiprocessor: Bool, kernelPages: KernelPages, cpus: Numbered<CPUNumber, PhysicalCPU>)
    {
        self.revision = revision
        isArm64 = revision == .v61
        self.behaviours = behaviours
        order = StepOrder.of(behaviours)
        leafTemplate = Self.leafTemplate(behaviours, multiprocessor: multiprocessor)
        self.cpuModel = cpuModel
        self.multiprocessor = multiprocessor
        self.kernelPages = kernelPages
        self.cpus = cpus
    }

    mutating func addMemory(_ memory: [MachineConfiguration.Memory], to vm: VMNumber) {
        let process = vms[vm].process
        vms[vm].slots.insert(
            contentsOf: memory.enumerated().map { i, piece in
                Memslot(id: UInt32(i), ipa: piece.ipa, size: piece.size, hva: piece.hva, readOnly: piece.readOnly, userAllocated: piece.userAllocated)
            })
        for piece in memory {
            let end = HVA(piece.hva.rawValue + piece.size)
            switch piece.content {
            case .unmapped: continue
            case .driver: addDriverMemory(process, piece.hva, end)
            case .device(let pa):
                // remap_pfn_range fills the entries when the VMM maps the device.
                processes[process].areas.append(MemoryArea(start: piece.hva, end: end, backing: .device(pa)))
                for page in Process.index(piece.hva)..<Process.index(end) {
                    let offset = UInt64(page - Process.index(piece.hva)) << 12
                    processes[process].entries.mutable(page).pointee = HostEntry(PA(pa.rawValue + offset).pfn, writable: true, special: true)
                }
            case .untouched where piece.userfault:
                var area = MemoryArea(start: piece.hva, end: end, backing: .anonymous)
                area.isRegistered = true
                processes[process].areas.append(area)
            case .untouched: addAnonymousArea(process, piece.hva, end)
            case .populated:
                addAnonymousArea(process, piece.hva, end)
                processes[process].prepareAnonymous(piece.hva)
                for page in Process.index(piece.hva)..<Process.index(end) where processes[process].entries[page].isNone {
                    let pfn = frames.allocate()
                    frames.change(pfn) {
                        $0.map()
                        $0.flags.insert(.dirty)
                    }
                    processes[process].entries.mutable(page).pointee = HostEntry(pfn, writable: true)
                }
            }
        }
        processes[process].areas.sort { $0.start < $1.start }
    }

    /// What a driver has allocated as one piece and maps page by page: frames that follow one another, each with a count of 0.
    private mutating func addDriverMemory(_ process: ProcessNumber, _ start: HVA, _ end: HVA) {
        var first: PFN?
        for page in Process.index(start)..<Process.index(end) {
            let pfn = frames.allocate()
            first = first ?? pfn
            frames.change(pfn) { $0.letGo() }
            processes[process].entries.mutable(page).pointee = HostEntry(pfn, writable: true, special: true)
        }
        guard let first else { return }
        processes[process].areas.append(MemoryArea(start: start, end: end, backing: .device(first.pa)))
    }

    /// Adjacent and overlapping areas become one, so that many small slots do not make many areas.
    mutating func addAnonymousArea(_ process: ProcessNumber, _ start: HVA, _ end: HVA) {
        if let last = processes[process].areas.indices.last, processes[process].areas[last].backing == .anonymous, !processes[process].areas[last].isRegistered,
            start >= processes[process].areas[last].start, start <= processes[process].areas[last].end
        {
            processes[process].areas[last].end = max(processes[process].areas[last].end, end)
            return
        }
        processes[process].areas.append(MemoryArea(start: start, end: end, backing: .anonymous))
    }

    mutating func makeZeroPage() {
        zeroPage = frames.allocate()
        frames.change(zeroPage) { $0.flags = .reserved }
    }

    /// A process that is no VMM: whoever else uses the host's memory.
    mutating func makePrivateProcess() {
        var process = Process(id: processes.endIndex, name: "other")
        process.areas = [MemoryArea(start: HVA(0x1000_0000), end: HVA(0x2000_0000), backing: .anonymous)]
        processes.append(process)
    }
}
