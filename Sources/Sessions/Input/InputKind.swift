/// What a file is, told by what is in it and never by its name.
///
/// A new kind of file is: a case here, how it is known in `detect`, what it is called in `found`, and who reads it at the commands' ends
/// (`SessionFiles.open` for what has steps, `TableImage.open` for what has tables).
public enum InputKind: Sendable, Hashable {
    /// The magic of an ELF file; whether it is one that can be read is for `ELFImage` to say.
    case elf
    /// A compressed dump: `KDUMP` or `DISKDUMP`, as makedumpfile and QEMU write it.
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
    /// `perf.data`, which `perf script` turns into text; in a pipe's form, if `perf record -o -` wrote it.
    case perfData(inPipeForm: Bool)
    case compressed(Compression)
    case utf16
    case session
    /// Text that shows nothing of these in its first part. A trace's first line may come late.
    case text
    /// No text, and no binary form known here.
    case binary

    /// Which program packed a file.
    public enum Compression: Sendable, Hashable, CaseIterable {
        case gzip, xz, zstd, bzip2

        var tool: Tool {
            switch self {
            case .gzip: .gzip
            case .xz: .xz
            case .zstd: .zstd
            case .bzip2: .bzip2
            }
        }

        var magic: [UInt8] {
            switch self {
            case .gzip: [0x1f, 0x8b]
            case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]
            case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
            case .bzip2: Array("BZh".utf8)
            }
        }
    }

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
        if let kind = byMagic(bytes) { return kind }
        if UTF16Text(bytes) != nil { return .utf16 }
        guard isText(bytes) else { return .binary }
        let kind = TextKind.of(bytes)
        return kind != .session && PTDumpText.isStart(of: bytes) ? .ptdump : kind
    }

    private static func byMagic(_ bytes: [UInt8]) -> InputKind? {
        let magics: [([UInt8], InputKind)] = [
            ([0x7f, 0x45, 0x4c, 0x46], .elf),
            (Array("KDUMP   ".utf8), .kdump), (Array("DISKDUMP".utf8), .kdump), (Array("makedumpfile\0".utf8), .flattenedDump),
            (Array("EMiL".utf8), .lime),
            ([0x17, 0x08, 0x44] + Array("tracing".utf8), .traceCmdData),
        ]
        for (magic, kind) in magics where bytes.starts(with: magic) { return kind }
        if bytes.starts(with: "PERFILE2".utf8) || bytes.starts(with: "2ELIFREP".utf8) {
            // The size of the head follows, in the byte order of who wrote it: 16 in a pipe's form.
            let size = bytes.count >= 16 ? (bytes[8], bytes[15], bytes[9..<15].allSatisfy { $0 == 0 }) : (0, 0, false)
            return .perfData(inPipeForm: size == (16, 0, true) || size == (0, 16, true))
        }
        for compression in Compression.allCases where bytes.starts(with: compression.magic) {
            // A text may begin with these three letters.
            if compression == .bzip2, bytes.count < 10 || !(bytes[4...].starts(with: [0x31, 0x41, 0x59]) || bytes[4...].starts(with: [0x17, 0x72, 0x45])) {
                continue
            }
            return .compressed(compression)
        }
        return nil
    }

    /// A log may have a run of zeros in it, from when the power went; but most of a text's bytes are text.
    private static func isText(_ bytes: [UInt8]) -> Bool {
        let odd = bytes.count { $0 < 9 || ($0 > 13 && $0 < 32 && $0 != 27) || $0 == 0x7f }
        return odd * 8 <= bytes.count
    }
}

extension InputKind {
    /// What a file turned out to be, for a message.
    public var found: String {
        switch self {
        case .elf: "an ELF file"
        case .kdump: "a kdump-compressed dump"
        case .flattenedDump: "a dump in makedumpfile's flattened form"
        case .lime: "a LiME dump"
        case .rawMemory: "raw memory"
        case .ptdump: "a text of page tables as Linux prints them"
        case .trace: "a trace"
        case .traceCmdData: "a trace.dat file"
        case .perfData: "a perf.data file"
        case .compressed: "a compressed file"
        case .utf16: "text in UTF-16"
        case .session: "a session"
        case .text: "a text that is neither a session nor a trace"
        case .binary: "a file of a kind not known here"
        }
    }

    /// What bytes that nothing here reads seem to be, and what to do with them; nil: they have no mark that is known.
    public static func guess(_ prefix: some Collection<UInt8>) -> String? {
        let bytes = Array(prefix.prefix(1024))
        let marks: [(at: Int, [UInt8], String)] = [
            (0, Array("PK\u{3}\u{4}".utf8), "a ZIP archive: unpack it first"),
            (257, Array("ustar".utf8), "a tar archive: unpack it first"),
            (0, Array("7z\u{bc}\u{af}".unicodeScalars.map { UInt8($0.value) }), "a 7z archive: unpack it first"),
            (0, [0x04, 0x22, 0x4d, 0x18], "packed by lz4: unpack it first (lz4 -d)"),
            (0, [0x02, 0x21, 0x4c, 0x18], "packed by lz4: unpack it first (lz4 -d)"),
            (0, [0x5d, 0x00, 0x00], "packed by lzma: unpack it first (xz -dc --format=lzma)"),
            (0, [0x89] + Array("LZO".utf8), "packed by lzop: unpack it first (lzop -dc)"),
            (0, Array("QFI".utf8) + [0xfb], "a qcow2 disk image: a disk has no stage-2 tables; dump the memory (QEMU's dump-guest-memory or pmemsave)"),
            (0, Array("PERFFILE".utf8), "perf.data of a perf before 2.6.37: use that perf's own report"),
            (0, [0xc1, 0x1f, 0xfc, 0xc1], "a CTF trace (LTTng, perf data convert): give it as perf.data, or record with trace-cmd"),
            (0, Array("SQLite format 3\0".utf8), "an SQLite database: give the trace that it was made of"),
            (0, Array("%PDF".utf8), "a PDF"),
            (0, [0x89] + Array("PNG".utf8), "a picture (PNG)"),
            (0, [0xff, 0xd8, 0xff], "a picture (JPEG)"),
            (0, [0xd0, 0x0d, 0xfe, 0xed], "a device tree blob"),
            (56, Array("ARMd".utf8), "an arm64 kernel image"),
        ]
        for (at, mark, what) in marks where bytes.count >= at + mark.count && Array(bytes[at..<at + mark.count]) == mark { return what }
        guard !bytes.isEmpty else { return "an empty file" }
        if bytes.allSatisfy({ $0 == 0 }) { return "zeros; if it is physical memory: --as image --base ADDRESS" }
        return nil
    }
}
