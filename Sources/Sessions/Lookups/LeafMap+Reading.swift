#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import Stage2Sim

extension LeafMap {
    /// The leaves in JSON: what `kvmtui export --json` writes of an image or of a session's state, and what tools write beside a dump.
    ///
    /// - Parameters:
    ///   - vm: of a state with several, by number; nil: the first with leaves.
    /// - Throws: `InputError`.
    public init(json bytes: [UInt8], name: String, vm: Int? = nil) throws {
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: Data(bytes)) } catch {
            let problem = (error as? DecodingError).map { HostTables.Problem($0) }
            throw InputError(name, nil, problem.map { "\($0)" } ?? "is no JSON that can be read", fits: "leaves as `kvmtui export --json` writes them")
        }
        let lists = file.vms.map { $0.map(\.leaves) } ?? file.leaves.map { [$0] } ?? []
        guard let number = vm ?? lists.firstIndex(where: { !$0.isEmpty }) ?? (lists.isEmpty ? nil : 0), lists.indices.contains(number) else {
            throw InputError(
                name, nil, vm.map { "there is no VM \($0) in it" } ?? "no `leaves` are in it", fits: "leaves as `kvmtui export --json` writes them")
        }
        let isARMv7 = file.arch == "armv7" || file.vms != nil
        var ranges: [LeafRange] = []
        for (index, leaf) in lists[number].enumerated() {
            guard let word = leaf.descriptor?.value ?? leaf.desc?.value, leaf.size.value > 0, !leaf.ipa.value.addingReportingOverflow(leaf.size.value).overflow,
                !leaf.pa.value.addingReportingOverflow(leaf.size.value).overflow
            else {
                throw InputError(
                    name, nil, "leaves[\(index)]: found no descriptor, or a size of 0 or beyond the address space", fits: "ipa, pa, size, level and descriptor")
            }
            let attributes = LeafRange.Attributes(Stage2Descriptor(word), isARMv7 ? .armv7 : .armv8(), isARMv7: isARMv7)
            ranges.append(
                LeafRange(start: leaf.ipa.value, end: leaf.ipa.value + leaf.size.value, level: leaf.level, attributes: attributes, pa: leaf.pa.value))
        }
        ranges.sort { $0.start < $1.start }
        for (one, other) in zip(ranges, ranges.dropFirst()) where other.start < one.end {
            throw InputError(name, nil, "two leaves map \(hex(other.start))", fits: "leaves that do not overlap")
        }
        self.init(name: name, ranges: Self.merged(ranges))
    }

    private struct File: Decodable {
        struct Leaf: Decodable {
            var ipa: HexNumber
            var pa: HexNumber
            var size: HexNumber
            var level: Int
            var desc: HexNumber?
            var descriptor: HexNumber?
        }
        struct VM: Decodable {
            var leaves: [Leaf]
        }
        var arch: String?
        var leaves: [Leaf]?
        var vms: [VM]?
    }

    /// Neighbours of the same kind as one range.
    static func merged(_ ranges: [LeafRange]) -> [LeafRange] {
        var result: [LeafRange] = []
        for range in ranges {
            if let last = result.last, last.end == range.start, last.level == range.level, last.attributes == range.attributes,
                last.pa.map({ $0 + last.size }) == range.pa
            {
                result[result.count - 1].end = range.end
            } else {
                result.append(range)
            }
        }
        return result
    }
}

extension LeafRange.Attributes {
    init(_ leaf: Stage2Descriptor, _ rules: Stage2Rules, isARMv7: Bool) {
        let xn = leaf.executeNever(rules)
        self.init(
            read: leaf.allowsRead, write: leaf.allowsWrite, executeNever: UInt8(rules.hasTwoXNBits ? xn : xn == 0 ? 0 : 2), accessed: leaf.accessFlag,
            memory: UInt8(Stage2Descriptor.memAttrBits.of(leaf.rawValue)), contiguous: isARMv7 ? nil : Stage2Descriptor.contiguousBits.of(leaf.rawValue) != 0)
    }
}
