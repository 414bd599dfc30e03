import Stage2Sim
import Yams

extension SessionReader {
    mutating func machine(_ node: Node) throws -> MachineConfiguration {
        let entries = try mapping(node, "the machine", FormatKeys.machine, goingOn: true)
        var configuration = MachineConfiguration()
        if let kernel = entries.first(where: { $0.key == "kernel" })?.value {
            if let revision = kernel.string.flatMap(Revision.init(rawValue:)) {
                configuration.revision = revision
                configuration.behaviours = revision.behaviours
                isArm64 = revision == .v61
                if isArm64 {
                    configuration.cpu = .max
                    isWideHost = true
                }
            } else {
                findings.add(fail(kernel, "kernel \(Self.kind(kernel))", fits: NearNames.list(Revision.allCases.map(\.rawValue))))
            }
        }
        // Before the memory, which it bounds.
        if let host = entries.first(where: { $0.key == "host" })?.value {
            guard host.string == "arm" || host.string == "arm64" else {
                throw fail(host, "host \(Self.kind(host))", fits: "arm, or arm64: addresses of 64 bits in its processes")
            }
            isWideHost = host.string == "arm64" || isArm64
        }
        var vm = MachineConfiguration.VM()
        var others: [MachineConfiguration.VM] = []
        for (key, _, value) in entries {
            do {
                switch key {
                case "cpu":
                    let models = isArm64 ? CPUModel.ofAArch64 : CPUModel.all
                    guard let model = models.first(where: { $0.name == value.string }) else {
                        throw fail(value, "cpu \(Self.kind(value))", fits: models.map(\.name).joined(separator: ", ") + (isArm64 ? ", with kernel v6.1" : ""))
                    }
                    configuration.cpu = model
                case "with", "without":
                    for (behaviour, on) in try behaviours(value) { configuration.behaviours.set(behaviour, key == "with" ? on : !on) }
                case "vcpus": vm.vcpus = try vcpus(value)
                case "memory": vm.memory = try memory(value)
                case "vms":
                    let listed = try list(value, "vms")
                    guard listed.count < VMNumber.limit else {
                        throw fail(listed[VMNumber.limit - 1], "\(listed.count) more VMs", fits: "up to \(VMNumber.limit - 1) beside the first")
                    }
                    others = try listed.map(otherVM)
                case "stage1": configuration.stage1 = try list(value, "stage1").map(stage1)
                case "smp": configuration.multiprocessor = try flag(value, "smp")
                case "reuse":
                    switch value.string {
                    case "never": configuration.reuse = .never
                    case "lifo": configuration.reuse = .lastFreedFirst
                    default: throw fail(value, "reuse \(Self.kind(value))", fits: "never or lifo")
                    }
                case "tlb-conflict":
                    switch value.string {
                    case "unnoticed": configuration.tlbConflict = .goesUnnoticed
                    case "abort": configuration.tlbConflict = .aborts
                    default: throw fail(value, "tlb-conflict \(Self.kind(value))", fits: "unnoticed or abort")
                    }
                case "base":
                    let base = try address(value, "base", in: 0...(1 << 40) - 1)
                    guard base % 0x2000 == 0 else { throw fail(value, "base \(hex(base))", fits: "an address aligned to 8 KiB") }
                    configuration.kernelBase = PA(base)
                default: break
                }
            } catch {
                if key == "vcpus" || key == "vms" { takesAnyVCPU = true }
                try findings.add(error)
            }
        }
        configuration.vms = [vm] + others
        // Last: `true` means the CPU's own.
        if let value = entries.first(where: { $0.key == "caches" })?.value {
            do { configuration.caches = try caches(value, cpu: configuration.cpu) } catch { try findings.add(error) }
        }
        if isArm64 { limitArm64(configuration, entries) }
        if findings.count == 0, !configuration.behaviours.has(.readOnlySlots), configuration.vms.contains(where: { $0.memory.contains(where: \.readOnly) }) {
            findings.add(
                fail(
                    entries.first { $0.key == "memory" }?.keyNode ?? node, "read-only memory slots are refused by 32-bit ARM (-EINVAL)",
                    fits: "with: [read-only-slots]"))
        }
        return configuration
    }

    /// Those that are known; the others are noted.
    func behaviours(_ node: Node) throws -> [(Behaviour, on: Bool)] {
        try list(node, "the behaviours").compactMap { item in
            let name = try string(item, "a behaviour")
            guard let found = Behaviour.named(name) else {
                findings.add(
                    fail(
                        item, "unknown behaviour \(Self.kind(item))",
                        fits: NearNames.fits(name, among: Behaviour.names, otherwise: "kvmtui behaviours lists them")))
                return nil
            }
            return found
        }
    }

    private func vcpus(_ node: Node) throws -> [CPUNumber] {
        let most = VirtualMachine.vcpuLimit
        if case .sequence(let cpus) = node {
            guard !cpus.isEmpty, cpus.count <= most else { throw fail(node, "\(cpus.count) vcpus", fits: "1 to \(most)") }
            return try cpus.map { CPUNumber(at: Int(try number($0, "a physical CPU", in: 0...UInt64(CPUNumber.limit - 1)))) }
        }
        return (0..<Int(try number(node, "vcpus", in: 1...UInt64(most)))).map { CPUNumber(at: $0 % CPUNumber.limit) }
    }

    private func otherVM(_ node: Node) throws -> MachineConfiguration.VM {
        var vm = MachineConfiguration.VM()
        for (key, _, value) in try mapping(node, "a VM", FormatKeys.vm) {
            if key == "vcpus" { vm.vcpus = try vcpus(value) } else { vm.memory = try memory(value) }
        }
        return vm
    }

    private func stage1(_ node: Node) throws -> Stage1Mapping {
        var va: UInt64?, ipa: UInt64?, size: UInt64 = 4096
        var tables: [IPA] = []
        var setsAccessFlag = false
        for (key, _, value) in try mapping(node, "a stage-1 mapping", FormatKeys.stage1) {
            switch key {
            case "va": va = try pages(value, "va", below: 1 << 32)
            case "ipa": ipa = try pages(value, "ipa", below: 1 << 40)
            case "size": size = try pages(value, "size", below: 1 << 32)
            case "af":
                guard value.string == "hardware" || value.string == "software" else {
                    throw fail(value, "af \(Self.kind(value))", fits: "software or hardware")
                }
                setsAccessFlag = value.string == "hardware"
            default: tables = try list(value, "tables").map { IPA(try address($0, "a table's IPA", in: 0...(1 << 40) - 8)) }
            }
        }
        guard let va, let ipa, size > 0 else {
            throw fail(node, "a stage-1 mapping without va, ipa or size", fits: "{ va: 0x1000, ipa: 0x80005000, tables: [0x80010000] }")
        }
        var mapping = Stage1Mapping(va: VA(va), ipa: IPA(ipa), size: size, tables: tables)
        mapping.setsAccessFlag = setsAccessFlag
        return mapping
    }

    private func pages(_ node: Node, _ what: String, below limit: UInt64) throws -> UInt64 {
        let value = what == "size" || what == "stride" ? try number(node, what) : try address(node, what)
        guard value % 4096 == 0 else { throw fail(node, "\(what) \(hex(value)) is not a multiple of 4 KiB", fits: "page-aligned numbers") }
        guard value < limit else { throw fail(node, "\(what) \(hex(value)) is too large", fits: "less than \(hex(limit))") }
        return value
    }

    // MARK: Memory slots

    private func memory(_ node: Node) throws -> [MachineConfiguration.Memory] {
        var slots: [(memory: MachineConfiguration.Memory, node: Node)] = []
        var nextHVA: UInt64 = 0x1000_0000
        for item in try list(node, "memory") {
            let row: [MachineConfiguration.Memory]
            do { row = try slot(item, &nextHVA) } catch {
                try findings.add(error)
                continue
            }
            for memory in row { slots.append((memory, item)) }
            // A trace tells of whatever host it comes from.
            let most = isForTrace ? 1 << 20 : Memslots.userLimit
            guard slots.count <= most else { throw fail(item, "more than \(most) memory slots", fits: "a smaller count, or larger slots") }
        }
        let sorted = slots.sorted { $0.memory.ipa < $1.memory.ipa }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.memory.ipa.rawValue + a.memory.size > b.memory.ipa.rawValue {
            let later = b.node.mark.map { $0.line } ?? 0 >= a.node.mark.map { $0.line } ?? 0 ? b : a
            throw fail(
                later.node, "memory slots overlap: \(hex(a.memory.ipa.rawValue)) + \(hex(a.memory.size)) reaches into \(hex(b.memory.ipa.rawValue))",
                fits: "each IPA in one slot only")
        }
        return slots.map(\.memory)
    }

    private func slot(_ node: Node, _ nextHVA: inout UInt64) throws -> [MachineConfiguration.Memory] {
        let entries = try mapping(node, "a memory slot", FormatKeys.slot)
        func entry(_ key: String) -> Node? { entries.first { $0.key == key }?.value }
        guard let ipaNode = entry("ipa"), let sizeNode = entry("size") else {
            throw fail(node, "a memory slot without ipa or size", fits: "{ ipa: 0x80000000, size: 64M }")
        }
        let ipa = try pages(ipaNode, "ipa", below: 1 << 40)
        let size = try pages(sizeNode, "size", below: (1 << 40) + 1)
        guard size > 0 else { throw fail(sizeNode, "size 0", fits: "at least 4K") }
        let count = try entry("count").map { try number($0, "count", in: 1...1 << 20) } ?? 1
        let stride = try entry("stride").map { try pages($0, "stride", below: 1 << 40) } ?? size
        guard stride >= size else { throw fail(node, "the slots of this row overlap", fits: "a stride of at least the size") }
        guard count == 1 || stride <= (1 << 40) / count, ipa + stride * (count - 1) + size <= 1 << 40 else {
            throw fail(node, "the memory slot ends beyond 40 bits of IPA", fits: "an end up to \(hex(1 << 40))")
        }
        let end = hvaEnd
        let given = try entry("hva").map { try pages($0, "hva", below: end) }
        let hva = given ?? nextHVA
        guard size * count <= end, hva + size * count <= end else {
            throw fail(node, "the memory slot does not fit into the VMM's address space, which ends at \(hex(end))", fits: "less memory, or a lower hva")
        }
        nextHVA = max(nextHVA, hva + size * count)
        var memory = MachineConfiguration.Memory(ipa: IPA(ipa), size: size, hva: HVA(hva))
        if let value = entry("populated"), try flag(value, "populated") { memory.content = .populated }
        if let value = entry("unmapped"), try flag(value, "unmapped") { memory.content = .unmapped }
        if let value = entry("driver"), try flag(value, "driver") { memory.content = .driver }
        if let value = entry("device") { memory.content = .device(PA(try pages(value, "device", below: 1 << 40))) }
        if let value = entry("readonly") { memory.readOnly = try flag(value, "readonly") }
        if let value = entry("userfault") {
            memory.userfault = try flag(value, "userfault")
            guard !memory.userfault || memory.content == .untouched else {
                throw fail(value, "userfaults of memory that is not untouched", fits: "a slot without populated, device and unmapped")
            }
        }
        if let value = entry("user-alloc") { memory.userAllocated = try flag(value, "user-alloc") }
        return (0..<count).map {
            var copy = memory
            copy.ipa = IPA(ipa + stride * $0)
            copy.hva = HVA(isForTrace && given == nil ? 0 : hva + size * $0)
            return copy
        }
    }
}
