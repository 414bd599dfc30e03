import ArgumentParser
import Foundation
import Sessions
import Stage2Sim

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a trace does not say of itself.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For a trace: the guest's memory slots, from a session file or as ipa:size, ipa:size:hva or ipa:size:hva:ro, such as 0x80000000:64M. May be repeated.",
            valueName: "slots"))
    var memory: [String] = []

    @Option(
        help: ArgumentHelp("For a trace: the size of the host's pages, 4K, 16K or 64K, in place of what its notifiers' ranges suggest.", valueName: "size"))
    var granule: String?

    /// Which of these was given, if any was.
    var firstGiven: String? { !memory.isEmpty ? "--memory" : granule != nil ? "--granule" : chosenVM != nil ? "--vm" : nil }

    /// The process whose VM is wanted, by the commands that can choose.
    var chosenVM: String?

    enum CodingKeys: CodingKey {
        case memory, granule
    }

    func choosing(_ option: TraceVMOption) -> TraceOptions {
        var options = self
        options.chosenVM = option.vm
        return options
    }

    /// The options for a trace: from `--memory`, else from a session file beside it (`NAME.yaml`), else none.
    ///
    /// - Parameter trace: the trace's path; nil where it has none.
    func make(beside trace: String?) throws -> TraceSession.Options {
        var options = TraceSession.Options()
        options.granule = try granule.map(Self.granule)
        options.vm = chosenVM
        if memory.isEmpty {
            guard let trace else { return options }
            let base = URL(fileURLWithPath: trace).deletingPathExtension().path
            for candidate in [trace + ".yaml", base + ".yaml"] where candidate != trace && SessionFiles.isFile(candidate) {
                let machine = try SessionReader.read(path: candidate, isForTrace: true).machine
                options.machine = machine
                options.memory = (Self.slots(of: machine), candidate)
                return options
            }
            return options
        }
        var slots: [TraceMemory.Slot] = []
        for text in memory {
            if text.first?.isNumber == true, let slot = try Self.slot(text) {
                slots.append(slot)
            } else {
                guard FileManager.default.fileExists(atPath: text) else {
                    throw InputError(
                        "--memory", nil, "'\(text)' is no file", fits: "a session file, or ipa:size, ipa:size:hva or ipa:size:hva:ro, such as 0x80000000:64M")
                }
                let machine = try SessionReader.read(path: text, isForTrace: true).machine
                options.machine = machine
                slots += Self.slots(of: machine)
            }
        }
        options.memory = (slots, "--memory")
        return options
    }

    /// 4K, 16K or 64K in bytes.
    static func granule(_ text: String) throws -> UInt64 {
        guard let size = parseNumber(text), [0x1000, 0x4000, 0x1_0000].contains(size) else {
            throw InputError("--granule", nil, "'\(text)'", fits: "4K, 16K or 64K")
        }
        return size
    }

    private static func slots(of machine: MachineConfiguration) -> [TraceMemory.Slot] {
        (machine.vms.first?.memory ?? []).map {
            TraceMemory.Slot(ipa: $0.ipa.rawValue, size: $0.size, hostHVA: $0.hva.rawValue == 0 ? nil : $0.hva.rawValue, readOnly: $0.readOnly)
        }
    }

    /// A slot on the command line; nil where there is no colon: a file's name.
    private static func slot(_ text: String) throws -> TraceMemory.Slot? {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2 else { return nil }
        let readOnly = parts.count > 2 && parts.last == "ro"
        if readOnly { parts.removeLast() }
        for part in [parts[0], parts.count == 3 ? parts[2] : ""] {
            if let meant = DecimalAddress(part) { throw InputError("--memory", nil, meant.found, fits: meant.fits) }
        }
        let numbers = parts.map { parseNumber($0) }
        guard parts.count <= 3, let ipa = numbers[0], let size = numbers[1], parts.count == 2 || numbers[2] != nil else {
            throw InputError("--memory", nil, "'\(text)'", fits: "ipa:size, ipa:size:hva or ipa:size:hva:ro, such as 0x80000000:64M")
        }
        return TraceMemory.Slot(ipa: ipa, size: size, hostHVA: parts.count == 3 ? numbers[2] : nil, readOnly: readOnly)
    }
}

extension InputForm: ExpressibleByArgument {}

/// What a file is, where it does not show it itself.
struct InputOptions: ParsableArguments {
    @Option(
        name: .customLong("as"), help: ArgumentHelp("Take the file for a trace, an image, a ptdump or a session, whatever it looks like.", valueName: "kind"))
    var form: InputForm?
}

/// Which VM of a trace's is wanted.
struct TraceVMOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For a trace of several VMs: only the one of this process, by the process's number, a vCPU's thread, or its name.", valueName: "process"))
    var vm: String?
}
