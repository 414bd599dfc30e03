/// The unit of everything below L1, in bytes: a line of L2 and of memory.
let granuleBytes = 64

/// The bytes of a line, as little-endian words from its start. Lines shorter than 64 bytes use the first words.
public struct LineBytes: BitwiseCopyable, Sendable, Equatable {
    var words = InlineArray<8, UInt64>(repeating: 0)

    /// 64 zeros.
    public static let zero = LineBytes()
    /// The 64-bit word at an index, 0 to 7.
    public subscript(word: Int) -> UInt64 {
        @inline(__always) get { words[word] }
        @inline(__always) set { words[word] = newValue }
    }

    public static func == (a: Self, b: Self) -> Bool { a.words.indices.allSatisfy { a.words[$0] == b.words[$0] } }

    /// `width` bytes (1, 2, 4 or 8) at `offset` in the line.
    @inline(__always) func value(at offset: UInt64, width: Int) -> UInt64 {
        let word = words[Int(offset >> 3)]
        return width == 8 ? word : word >> ((offset & 7) * 8) & (1 << (UInt64(width) * 8) - 1)
    }

    @inline(__always) mutating func set(_ value: UInt64, at offset: UInt64, width: Int) {
        let shift = (offset & 7) * 8
        let mask: UInt64 = width == 8 ? ~0 : (1 << (UInt64(width) * 8) - 1) << shift
        words[Int(offset >> 3)] = words[Int(offset >> 3)] & ~mask | value << shift & mask
    }
}

/// Who stores bytes, or brings a line into a cache: what the question of whose omission it was is answered from.
public struct Requester: RawRepresentable, Sendable, Hashable, BitwiseCopyable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The kernel, user space, or a device on their behalf.
    public static let host = Requester(rawValue: 0)
    /// A virtual machine's guest, by the VM's number, 0 to 253.
    public static func guest(_ vm: VMNumber) -> Requester { Requester(rawValue: vm.rawValue &+ 1) }
    /// The virtual machine; nil for the host and for devices.
    public var vm: VMNumber? { rawValue == 0 ? nil : VMNumber(rawValue: rawValue - 1) }
}

/// A line of an L1 instruction cache. Never dirty; nothing but a fill writes it.
public struct InstructionLine: BitwiseCopyable, Sendable {
    /// There is a line.
    public internal(set) var isValid = false
    /// The address-space identifier that it is tagged with.
    public internal(set) var asid: UInt8 = 0
    /// The VMID that it is tagged with; 0: the host's.
    public internal(set) var vmid: UInt8 = 0
    /// Who brought it in.
    public internal(set) var filler = Requester.host
    /// The caller's step that filled it.
    public internal(set) var filledAt: UInt32 = 0
    /// The addresses that it was filled for, at the line's start. Which of them is compared depends on the cache's kind.
    public internal(set) var va = VA(0)
    /// The physical address of its first byte.
    public internal(set) var pa = PA(0)
    /// What it holds.
    public internal(set) var bytes = LineBytes.zero
}

/// A line of an L1 data cache, in the states of MOESI: dirty or clean, alone or shared.
public struct DataLine: BitwiseCopyable, Sendable {
    /// There is a line.
    public internal(set) var isValid = false
    /// Newer than the levels below: to be written back. Of the copies of a line at most one is dirty.
    public internal(set) var isDirty = false
    /// Other CPUs may hold it too.
    public internal(set) var isShared = false
    /// Who brought it in.
    public internal(set) var filler = Requester.host
    /// The step at which it came.
    public internal(set) var filledAt: UInt32 = 0
    /// The physical address of its first byte.
    public internal(set) var pa = PA(0)
    /// What it holds.
    public internal(set) var bytes = LineBytes.zero

    /// "M", "O", "E", "S" or "I".
    public var state: String { !isValid ? "I" : isDirty ? (isShared ? "O" : "M") : isShared ? "S" : "E" }
}

/// A line of L2, which is unified: the point of unification.
public struct UnifiedLine: BitwiseCopyable, Sendable {
    /// There is a line.
    public internal(set) var isValid = false
    /// Newer than memory.
    public internal(set) var isDirty = false
    /// Who brought it in.
    public internal(set) var filler = Requester.host
    /// What it holds.
    public internal(set) var bytes = LineBytes.zero
}

/// A line of memory, the point of coherency, where its bytes stand apart from what they should be; else it holds the truth.
struct MemoryLine: BitwiseCopyable {
    var isApart = false
    var bytes = LineBytes.zero
}

/// Who last stored each 4 bytes of a granule.
struct GranuleWriters: BitwiseCopyable {
    var tags = InlineArray<16, UInt8>(repeating: 0)
}
