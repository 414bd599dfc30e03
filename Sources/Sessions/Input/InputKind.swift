/// What a file is, told by its first bytes and never by its name.
public enum InputKind: Sendable, Hashable {
    /// The magic of an ELF file; whether it is one that can be read is for `ELFImage` to say.
    case elf
    /// A compressed dump, as makedumpfile and QEMU write it.
    case kdump
    /// The same in makedumpfile's form for a pipe.
    case flattenedDump
    /// A LiME dump of memory.
    case lime
    /// Physical memory without any header; only ever said by the user.
    case rawMemory
    /// Linux's text of stage-2 tables: ranges, a size, a level, rights.
    case ptdump
    /// Text by ftrace, `trace-cmd report` or `perf script`.
    case trace
    /// `trace.dat`, which `trace-cmd report` turns into text.
    case traceCmdData
    /// `perf.data`, which `perf script` turns into text.
    case perfData
    /// gzip, xz or zstd.
    case compressed
    /// Anything else: a session, if it is anything.
    case other

    /// It holds physical memory, or tables.
    public var isImage: Bool {
        switch self {
        case .elf, .kdump, .flattenedDump, .lime, .rawMemory, .ptdump: true
        default: false
        }
    }

    /// - Parameter prefix: the file's first bytes, a few kilobytes of them if there are so many.
    public static func detect(_ prefix: some Collection<UInt8>) -> InputKind {
        var bytes = Array(prefix.prefix(65_536))
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
        let magics: [([UInt8], InputKind)] = [
            ([0x7f, 0x45, 0x4c, 0x46], .elf),
            (Array("KDUMP   ".utf8), .kdump), (Array("makedumpfile".utf8), .flattenedDump), (Array("EMiL".utf8), .lime),
            ([0x17, 0x08, 0x44] + Array("tracing".utf8), .traceCmdData),
            (Array("PERFILE2".utf8), .perfData),
            ([0x1f, 0x8b], .compressed),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a], .compressed),
            ([0x28, 0xb5, 0x2f, 0xfd], .compressed),
        ]
        for (magic, kind) in magics where bytes.starts(with: magic) { return kind }
        if PTDumpText.isStart(of: bytes) { return .ptdump }
        return looksLikeTrace(bytes) ? .trace : .other
    }

    /// The first line, from 1, that names an event of KVM; nil: none does. What is neither a session nor a trace may be a trace in a form
    /// that is not known.
    public static func firstLineWithEvent(_ prefix: some Collection<UInt8>) -> Int? {
        let lines = prefix.split(separator: 0x0a, omittingEmptySubsequences: false)
        return lines.firstIndex { line in
            ["kvm_guest_fault:", "kvm_entry:", "kvm_exit:", "kvm_unmap_hva"].contains { line.firstRange(of: $0.utf8) != nil }
        }.map { $0 + 1 }
    }

    /// ftrace's first header line, or most of the first lines with something on them being events. One event is not
    /// enough: the note of a session may quote a line of a trace.
    private static func looksLikeTrace(_ bytes: [UInt8]) -> Bool {
        if bytes.starts(with: "# tracer: ".utf8) { return true }
        return bytes.withUnsafeBufferPointer { bytes in
            var events = 0
            var others = 0
            var start = 0
            while start < bytes.count, events + others < 64 {
                let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
                // A line that goes on past the prefix says nothing, unless it is all there is.
                guard end < bytes.count || start == 0 || events + others == 0 else { break }
                let length = end > start && bytes[end - 1] == 0x0d ? end - 1 - start : end - start
                var cursor = LineCursor(UnsafeBufferPointer(rebasing: bytes[start..<start + length]))
                start = end + 1
                if cursor[0] == UInt8(ascii: "#") { continue }
                if (try? LineHead(reading: &cursor)) != nil {
                    events += 1
                } else if let other = OtherLine(cursor) {
                    if case .lost = other { events += 1 }
                } else {
                    others += 1
                }
            }
            return events > others
        }
    }
}
