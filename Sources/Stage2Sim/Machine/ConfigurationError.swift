/// What is wrong with a machine's configuration, where, and what would fit.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The part, as it is reached from the configuration: "vms[1].memory[0].size".
    public let part: String
    /// What was found there.
    public let found: String
    /// What would fit.
    public let fits: String

    /// The whole of it in a line.
    public var description: String { "\(part): \(found); \(fits) would fit" }
}

extension MachineConfiguration {
    /// Whether a machine can be built so: the first thing that is wrong is thrown.
    public func validate() throws(ConfigurationError) {
        guard (1...VMNumber.limit).contains(vms.count) else { throw wrong("vms", "\(vms.count) of them", "1 to \(VMNumber.limit)") }
        guard kernelBase.rawValue % 0x2000 == 0, kernelBase.rawValue < 1 << 40 else {
            throw wrong("kernelBase", hex(kernelBase.rawValue), "an address of 40 bits, aligned to 8 KiB")
        }
        for (number, vm) in vms.enumerated() { try validate(vm, "vms[\(number)]") }
        for (number, mapping) in stage1.enumerated() {
            guard mapping.size > 0, mapping.va.rawValue % pageSize == 0, mapping.ipa.rawValue % pageSize == 0, mapping.ipa.rawValue < 1 << 40 else {
                throw wrong("stage1[\(number)]", "\(hex(mapping.va.rawValue)) to \(hex(mapping.ipa.rawValue))", "a page-aligned VA of 32 bits and IPA of 40")
            }
        }
    }

    private func wrong(_ part: String, _ found: String, _ fits: String) -> ConfigurationError { ConfigurationError(part: part, found: found, fits: fits) }

    private func validate(_ vm: VM, _ part: String) throws(ConfigurationError) {
        guard (1...VirtualMachine.vcpuLimit).contains(vm.vcpus.count) else {
            throw wrong(part + ".vcpus", "\(vm.vcpus.count) of them", "1 to \(VirtualMachine.vcpuLimit)")
        }
        for (number, cpu) in vm.vcpus.enumerated() where cpu.index >= CPUNumber.limit {
            throw wrong(part + ".vcpus[\(number)]", "physical CPU \(cpu)", "0 to \(CPUNumber.limit - 1)")
        }
        for (number, memory) in vm.memory.enumerated() { try validate(memory, part + ".memory[\(number)]") }
        let sorted = vm.memory.indices.sorted { vm.memory[$0].ipa < vm.memory[$1].ipa }
        for (a, b) in zip(sorted, sorted.dropFirst()) where vm.memory[a].ipa.rawValue + vm.memory[a].size > vm.memory[b].ipa.rawValue {
            throw wrong(part + ".memory[\(b)].ipa", "\(hex(vm.memory[b].ipa.rawValue)), which memory[\(a)] holds already", "each IPA in one slot only")
        }
    }

    private func validate(_ memory: Memory, _ part: String) throws(ConfigurationError) {
        let most: UInt64 = 1 << 40
        guard memory.size > 0, memory.size % pageSize == 0, memory.size <= most else {
            throw wrong(part + ".size", hex(memory.size), "a multiple of 4 KiB up to 1 TiB")
        }
        guard memory.ipa.rawValue % pageSize == 0, memory.ipa.rawValue <= most - memory.size else {
            throw wrong(part + ".ipa", hex(memory.ipa.rawValue), "a page-aligned IPA whose slot ends within 40 bits")
        }
        guard memory.hva.rawValue % pageSize == 0, memory.hva.rawValue <= 1 << 56 - memory.size else {
            throw wrong(part + ".hva", hex(memory.hva.rawValue), "a page-aligned address below 2^56")
        }
        if case .device(let pa) = memory.content, pa.rawValue % pageSize != 0 || pa.rawValue > most - memory.size {
            throw wrong(part + ".content", "a device at \(hex(pa.rawValue))", "a page-aligned physical address of 40 bits")
        }
        if memory.readOnly, !behaviours.has(.readOnlySlots) {
            throw wrong(part + ".readOnly", "true", "32-bit ARM of that time refuses it (-EINVAL): the behaviour read-only-slots, or false")
        }
    }
}

extension Machine {
    /// A machine, if it can be built so.
    public init(validating configuration: MachineConfiguration) throws(ConfigurationError) {
        try configuration.validate()
        self.init(configuration)
    }
}
