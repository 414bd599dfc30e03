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

    /// The options for a trace: from `--memory`, else from a session file beside it (`NAME.yaml`), else none.
    ///
    /// - Parameter trace: the trace's path; nil where it has none.
    static func make(_ memory: [String], beside trace: String?) throws -> TraceSession.Options {
        var options = TraceSession.Options()
        if memory.isEmpty {
            guard let trace else { return options }
            let base = URL(fileURLWithPath: trace).deletingPathExtension().path
            for candidate in [trace + ".yaml", base + ".yaml"] where candidate != trace && SessionFiles.isFile(candidate) {
                let machine = try SessionReader.read(path: candidate, isForTrace: true).machine
                options.machine = machine
                options.memory = (slots(of: machine), candidate)
                return options
            }
            return options
        }
        var slots: [TraceMemory.Slot] = []
        for text in memory {
            if text.first?.isNumber == true, let slot = try slot(text) {
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
        let numbers = parts.map { parseNumber($0) }
        guard parts.count <= 3, let ipa = numbers[0], let size = numbers[1], parts.count == 2 || numbers[2] != nil else {
            throw InputError("--memory", nil, "'\(text)'", fits: "ipa:size, ipa:size:hva or ipa:size:hva:ro, such as 0x80000000:64M")
        }
        return TraceMemory.Slot(ipa: ipa, size: size, hostHVA: parts.count == 3 ? numbers[2] : nil, readOnly: readOnly)
    }
}
