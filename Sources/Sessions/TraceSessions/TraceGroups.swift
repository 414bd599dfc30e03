/// The threads of a trace that ran guests, by the VM that they belong to.
struct TraceGroups {
    /// One VM: the vCPUs' threads in the order of their first fault.
    struct VM {
        var threads: [Int]
        /// Where the trace has it.
        var process: Int32?
    }

    /// More are not simulated at once; `--vm` chooses one.
    static let limit = 16

    private(set) var vms: [VM] = []
    /// VMs beyond the limit, or not chosen.
    private(set) var leftOut: [VM] = []
    /// What told the VMs apart.
    private(set) var how = How.one

    enum How {
        case one, processes
        /// The same vCPU's name twice, under different numbers.
        case names
    }

    /// - Parameter vcpuThreads: in the order of their first fault.
    init(_ trace: Trace, vcpuThreads: [Int], chosen: String?) {
        let processes = Set(vcpuThreads.compactMap { trace.threads[$0].tgid })
        if processes.count > 1 || (processes.count == 1 && vcpuThreads.allSatisfy { trace.threads[$0].tgid != nil }) {
            for thread in vcpuThreads { put(thread, process: trace.threads[thread].tgid) }
            if vms.count > 1 { how = .processes }
        } else {
            groupByName(trace, vcpuThreads)
        }
        if let chosen {
            leftOut = vms.filter { !Self.isMeant($0, by: chosen, in: trace) }
            vms = vms.filter { Self.isMeant($0, by: chosen, in: trace) }
        }
        if vms.count > Self.limit {
            leftOut += vms[Self.limit...]
            vms.removeSubrange(Self.limit...)
        }
    }

    private mutating func put(_ thread: Int, process: Int32?) {
        if let at = vms.firstIndex(where: { $0.process == process }) {
            vms[at].threads.append(thread)
        } else {
            vms.append(VM(threads: [thread], process: process))
        }
    }

    /// VMMs call their vCPUs by number (`CPU 0/KVM`, `fc_vcpu 1`, `kvm-vcpu-0`). Where one name stands for two threads there are two VMs;
    /// the others go with the one whose thread was made just before them.
    private mutating func groupByName(_ trace: Trace, _ vcpuThreads: [Int]) {
        let names = vcpuThreads.map { Self.vcpu(trace.threads[$0].comm) }
        let known = zip(vcpuThreads, names).compactMap { thread, name in
            name.flatMap { name in trace.threads[thread].tid.map { (thread: thread, tid: $0, family: name.family, number: name.number) } }
        }
        guard known.count == vcpuThreads.count, Set(known.map { "\($0.family)/\($0.number)" }).count < known.count else {
            vms = vcpuThreads.isEmpty ? [] : [VM(threads: vcpuThreads, process: trace.threads[vcpuThreads[0]].tgid)]
            return
        }
        how = .names
        var groups: [[Int]] = []
        for family in Set(known.map(\.family)).sorted() {
            var current: [Int] = [], numbers: Set<Int> = []
            for one in known.filter({ $0.family == family }).sorted(by: { $0.tid < $1.tid }) {
                if !numbers.insert(one.number).inserted {
                    groups.append(current)
                    (current, numbers) = ([], [one.number])
                }
                current.append(one.thread)
            }
            groups.append(current)
        }
        let order = Dictionary(uniqueKeysWithValues: vcpuThreads.enumerated().map { ($1, $0) })
        vms = groups.map { VM(threads: $0.sorted { (order[$0] ?? 0) < (order[$1] ?? 0) }, process: nil) }
            .sorted { (order[$0.threads[0]] ?? 0) < (order[$1.threads[0]] ?? 0) }
    }

    /// The number in a vCPU's name, and the name without it; nil: it has none.
    private static func vcpu(_ comm: String) -> (family: String, number: Int)? {
        guard let start = comm.firstIndex(where: { $0.isASCII && $0.isNumber }) else { return nil }
        let digits = comm[start...].prefix { $0.isASCII && $0.isNumber }
        // perf's stand-ins hold the thread's or the process's own number.
        guard let number = Int(digits), number < 4096, !comm.hasPrefix(":"), !comm.hasPrefix("[") else { return nil }
        return (comm[..<start] + "#" + comm[digits.endIndex...], number)
    }

    private static func isMeant(_ vm: VM, by text: String, in trace: Trace) -> Bool {
        if let process = vm.process, String(process) == text { return true }
        return vm.threads.contains { trace.threads[$0].comm == text || trace.threads[$0].tid.map(String.init) == text }
    }

    /// "4090", or the thread that it is known by.
    static func name(_ vm: VM, in trace: Trace) -> String {
        if let process = vm.process { return String(process) }
        guard let thread = vm.threads.first.map({ trace.threads[$0] }) else { return "?" }
        return thread.tid.map(String.init) ?? thread.comm
    }
}
