// The language of `kvmtui tables`: scripts that call the kernel's table functions directly, and what they print.
// The functions themselves are Stage2Sim's.

import Stage2Sim

/// One command of a table script.
public enum TableCommand: Sendable, Hashable {
    /// Top-up, then a leaf for memory: `map IPA PFN ro|rw`.
    case map(IPA, PFN, writable: Bool)
    /// Page by page with its flush, as the notifier does: `unmap IPA SIZE`.
    case unmap(IPA, size: UInt64)
    /// One bare `unmap_stage2_range`: `rawunmap IPA SIZE`.
    case rawUnmap(IPA, size: UInt64)
    /// The change_pte notifier: `setspte IPA PFN`.
    case setSpte(IPA, PFN)
    /// `ioremap IPA PA SIZE`.
    case ioremap(IPA, PA, size: UInt64)
    /// `topup MIN MAX`, on the vCPU's memory cache.
    case topUp(minimum: Int, maximum: Int)
    /// The memory cache gives its pages back.
    case freeCache
    /// `fail N`: the page allocator fails after N more pages; -1: never.
    case fail(after: Int)
    /// The VM's tables are torn down.
    case destroy
    /// All tables are printed.
    case dump
    /// One of v6.1's.
    case pgtable(PgtableCommand)

    /// A command's word and its operands, as the errors name them.
    struct Form: Sendable {
        enum Operand: Sendable {
            case ipa, pfn, rights, size, pa, minimum, maximum, count
            // Of v6.1.
            case anyIPA, anySize, mapSize, longPA, letters
        }
        let word: String
        let operands: [Operand]
        /// The functions behind it are not v4's.
        var isV39Only = false

        /// Those of a kernel.
        static func all(_ revision: Revision) -> [Form] { revision == .v61 ? PgtableCommand.forms : ofARMv7 }

        private static let ofARMv7 = [
            Form(word: "map", operands: [.ipa, .pfn, .rights]),
            Form(word: "unmap", operands: [.ipa, .size]),
            Form(word: "rawunmap", operands: [.ipa, .size], isV39Only: true),
            Form(word: "setspte", operands: [.ipa, .pfn], isV39Only: true),
            Form(word: "ioremap", operands: [.ipa, .pa, .size]),
            Form(word: "topup", operands: [.minimum, .maximum]),
            Form(word: "freecache", operands: []),
            Form(word: "fail", operands: [.count]),
            Form(word: "destroy", operands: []),
            Form(word: "dump", operands: []),
        ]
    }

    init(_ form: Form, _ values: [UInt64], _ revision: Revision) {
        if revision == .v61 {
            self = .pgtable(PgtableCommand(form.word, values))
            return
        }
        switch form.word {
        case "map": self = .map(IPA(values[0]), PFN(values[1]), writable: values[2] == 1)
        case "unmap": self = .unmap(IPA(values[0]), size: values[1])
        case "rawunmap": self = .rawUnmap(IPA(values[0]), size: values[1])
        case "setspte": self = .setSpte(IPA(values[0]), PFN(values[1]))
        case "ioremap": self = .ioremap(IPA(values[0]), PA(values[1]), size: values[2])
        case "topup": self = .topUp(minimum: Int(values[0]), maximum: Int(values[1]))
        case "freecache": self = .freeCache
        case "fail": self = .fail(after: Int(Int64(bitPattern: values[0])))
        case "destroy": self = .destroy
        default: self = .dump
        }
    }
}

extension TableCommand.Form.Operand {
    /// The name in the usage line of a command.
    var name: String {
        switch self {
        case .ipa: "IPA"
        case .pfn: "PFN"
        case .rights: "ro|rw"
        case .size: "SIZE"
        case .pa: "PA"
        case .minimum: "MIN"
        case .maximum: "MAX"
        case .count: "N"
        case .anyIPA: "IPA"
        case .anySize, .mapSize: "SIZE"
        case .longPA: "PA"
        case .letters: "PROT"
        }
    }

    /// What fits, for the errors.
    var fits: String {
        switch self {
        case .ipa: "an IPA of 40 bits, 0 to 0xffffffffff"
        case .pfn: "a page frame number of 28 bits, 0 to 0xfffffff"
        case .rights: "ro or rw"
        case .size: "a size in bytes whose last page ends within 40 bits of address"
        case .pa: "a physical address of 40 bits, 0 to 0xffffffffff"
        case .minimum: "a number of pages, 0 to 40"
        case .maximum: "a number of pages, 0 to 40 (a cache has no more places)"
        case .count: "a number of pages up to \(Int32.max), or -1"
        case .anyIPA: "an IPA, a number of 64 bits (40 of them are mapped)"
        case .anySize: "a size in bytes, a number of 64 bits"
        case .mapSize: "0x1000, 0x200000 or 0x40000000: a page, or a block of 2 MiB or 1 GiB"
        case .longPA: "a physical address of 48 bits, 0 to 0xffffffffffff"
        case .letters: "the letters r, w, x and d (device), each once at most, such as rw"
        }
    }

    /// The greatest value that fits; nil where it is no number.
    var greatest: UInt64? {
        switch self {
        case .ipa, .pa: 1 << 40 - 1
        case .pfn: 1 << 28 - 1
        case .size: 1 << 40
        case .minimum, .maximum: UInt64(MemoryCache.capacity)
        case .count: UInt64(Int32.max)
        case .longPA: 1 << 48 - 1
        case .anyIPA, .anySize, .mapSize: .max
        case .rights, .letters: nil
        }
    }
}
