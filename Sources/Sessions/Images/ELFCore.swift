/// Writes an image of physical memory: an ELF64 core file (ET_CORE) with a PT_NOTE for the registers and a PT_LOAD for
/// each run of memory, neighbours merged. Virtual and physical address of a segment are the same number, as QEMU and
/// the kernel do it where there is no virtual one.
public struct ELFCore: Sendable {
    /// Why runs are no memory.
    public enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// Two runs have the same address.
        case overlap(address: UInt64)
        /// A run ends beyond 2^64.
        case tooHigh(address: UInt64)

        public var description: String {
            switch self {
            case .overlap(let address): "two runs of memory have 0x\(String(address, radix: 16))"
            case .tooHigh(let address): "the run at 0x\(String(address, radix: 16)) ends beyond the address space"
            }
        }
    }

    private struct Segment {
        var address: UInt64
        /// In memory; in the file too, but for zeros.
        var size: UInt64
        /// All zeros, and not in the file.
        var isZero = false
        /// Of `runs`.
        var runs: Range<Int>
        var fileOffset: UInt64 = 0
    }

    /// Whose memory it is.
    public let machine: ELFMachine
    /// kvmtui's own note, where there is one.
    public let note: ImageNote?
    /// In address order.
    private let runs: [PhysicalRun]
    private let segments: [Segment]
    private let head: [UInt8]

    private static let pageSize: UInt64 = 4096

    /// - Parameters:
    ///   - runs: in any order; empty ones are left out.
    ///   - zeros: ranges of memory that hold nothing but zeros: they cost the file a program header for each, neighbours merged.
    public init(machine: ELFMachine, note: ImageNote?, runs: [PhysicalRun], zeros: [Range<UInt64>] = []) throws(Problem) {
        self.machine = machine
        self.note = note
        self.runs = runs.filter { !$0.bytes.isEmpty }.sorted { $0.address < $1.address }
        var segments = try Self.merge(self.runs)
        if !zeros.isEmpty {
            for range in zeros.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
                // A file may claim more than an Int counts.
                let size = range.upperBound - range.lowerBound
                if let last = segments.last, last.isZero, last.address + last.size == range.lowerBound {
                    segments[segments.count - 1].size += size
                } else {
                    segments.append(Segment(address: range.lowerBound, size: size, isZero: true, runs: 0..<0))
                }
            }
            segments.sort { $0.address < $1.address }
            for (one, other) in zip(segments, segments.dropFirst()) where one.address + one.size > other.address {
                throw .overlap(address: other.address)
            }
        }
        head = Self.layOut(&segments, machine: machine, note: note?.encoded ?? [])
        self.segments = segments
    }

    /// The file, piece by piece, from front to back.
    public func write(to sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try head.withUnsafeBytes(sink)
        var at = UInt64(head.count)
        let zeros = [UInt8](repeating: 0, count: Int(Self.pageSize))
        for segment in segments where !segment.isZero {
            try zeros.withUnsafeBytes { try sink(UnsafeRawBufferPointer(rebasing: $0[..<Int(segment.fileOffset - at)])) }
            for run in runs[segment.runs] { try run.bytes.withUnsafeBytes(sink) }
            at = segment.fileOffset + segment.size
        }
    }

    /// The whole file.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write { bytes.append(contentsOf: $0) }
        return bytes
    }

    private static func merge(_ runs: [PhysicalRun]) throws(Problem) -> [Segment] {
        var segments: [Segment] = []
        for (index, run) in runs.enumerated() {
            let size = UInt64(run.bytes.count)
            guard !run.address.addingReportingOverflow(size).overflow else { throw .tooHigh(address: run.address) }
            guard let last = segments.last, last.address + last.size >= run.address else {
                segments.append(Segment(address: run.address, size: size, runs: index..<index + 1))
                continue
            }
            guard last.address + last.size == run.address else { throw .overlap(address: run.address) }
            segments[segments.count - 1].size += size
            segments[segments.count - 1].runs = last.runs.lowerBound..<index + 1
        }
        return segments
    }

    /// Gives each segment its place in the file, which is that of its address in a page, and makes everything that
    /// stands before them: ELF header, program headers, the section header that counts them if they are too many, note.
    private static func layOut(_ segments: inout [Segment], machine: ELFMachine, note: [UInt8]) -> [UInt8] {
        let count = segments.count + (note.isEmpty ? 0 : 1)
        let isExtended = count >= Int(ELFHeader.extendedNumbering)
        let sectionAt = 64 + count * 56
        let noteAt = sectionAt + (isExtended ? 64 : 0)
        var at = UInt64(noteAt + note.count)
        for index in segments.indices {
            if segments[index].isZero {
                segments[index].fileOffset = at
                continue
            }
            // Offset and address must agree modulo `p_align`; 2^64 is a multiple of it, so wrapping is right.
            at += (segments[index].address &- at) % pageSize
            segments[index].fileOffset = at
            at += segments[index].size
        }

        var head = LittleEndianBytes()
        head.append([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9))
        head.append(UInt16(4))  // ET_CORE
        head.append(machine.rawValue)
        head.append(UInt32(1))
        head.append(UInt64(0))  // no entry
        head.append(UInt64(64))
        head.append(UInt64(isExtended ? sectionAt : 0))
        head.append(machine == .arm ? UInt32(0x0500_0000) : 0)  // EF_ARM_EABI_VER5
        head.append(UInt16(64))
        head.append(UInt16(56))
        head.append(isExtended ? ELFHeader.extendedNumbering : UInt16(count))
        head.append(UInt16(isExtended ? 64 : 0))
        head.append(UInt16(isExtended ? 1 : 0))
        head.append(UInt16(0))
        if !note.isEmpty {
            append(
                to: &head, type: ELFSegment.note, flags: 0, at: UInt64(noteAt), address: 0, size: UInt64(note.count),
                memorySize: 0, alignment: 4)
        }
        for segment in segments {
            append(
                to: &head, type: ELFSegment.load, flags: 6, at: segment.fileOffset, address: segment.address,
                size: segment.isZero ? 0 : segment.size, memorySize: segment.size, alignment: segment.isZero ? 1 : pageSize)
        }
        if isExtended {
            // Section 0, SHT_NULL: its sh_info is the number of program headers.
            head.append([UInt8](repeating: 0, count: 44))
            head.append(UInt32(count))
            head.append([UInt8](repeating: 0, count: 16))
        }
        head.append(note)
        return head.bytes
    }

    private static func append(
        to head: inout LittleEndianBytes, type: UInt32, flags: UInt32, at offset: UInt64, address: UInt64, size: UInt64,
        memorySize: UInt64, alignment: UInt64
    ) {
        head.append(type)
        head.append(flags)
        for field in [offset, address, address, size, memorySize, alignment] { head.append(field) }
    }
}
