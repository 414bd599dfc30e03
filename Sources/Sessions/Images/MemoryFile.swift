import Stage2Sim

/// The forms in which physical memory comes, told by the first bytes. Raw memory has no such bytes: `--base` says that it is.
public enum MemoryForm: String, Sendable, Hashable, CaseIterable {
    /// An ELF core.
    case elf
    /// makedumpfile's and QEMU's compressed dumps.
    case kdump
    /// Either of these as makedumpfile writes it into a pipe (`-F`), QEMU always.
    case flattened
    /// LiME's.
    case lime
    /// Bytes of memory, one after the other.
    case raw

    /// nil: none of those that say what they are.
    public static func detect(_ prefix: some Collection<UInt8>) -> MemoryForm? {
        let magics: [([UInt8], MemoryForm)] = [
            ([0x7f, 0x45, 0x4c, 0x46], .elf), (Array("KDUMP   ".utf8), .kdump), (Array("DISKDUMP".utf8), .kdump), (Array("makedumpfile".utf8), .flattened),
            ([0x45, 0x4d, 0x69, 0x4c], .lime),
        ]
        return magics.first { prefix.starts(with: $0.0) }?.1
    }

    /// In words, for an error or a title.
    public var name: String {
        switch self {
        case .elf: "an ELF file"
        case .kdump: "a kdump-compressed dump"
        case .flattened: "a flattened dump of makedumpfile's"
        case .lime: "a LiME dump"
        case .raw: "raw memory"
        }
    }
}

/// A piece of raw memory beside the first.
public struct RawPiece: Sendable, Hashable {
    /// Where its first byte belongs.
    public var base: UInt64
    /// nil: the file that is being opened.
    public var path: String?

    /// - Parameters:
    ///   - base: the physical address of the first byte.
    ///   - path: another file; nil: the first.
    public init(base: UInt64, path: String? = nil) { (self.base, self.path) = (base, path) }
}

/// Physical memory out of a file, whatever the file's form.
public struct MemoryFile: Sendable {
    /// How it was kept.
    public var form: MemoryForm
    /// nil: the form does not say whose memory it is.
    public var machine: ELFMachine?
    /// Its bytes, by physical address, read when they are asked for.
    public var memory: PhysicalImage
    /// kvmtui's own note, which only ELF files have.
    public var note: ImageNote?
    /// What was left out or is not there, a sentence each.
    public var notices: [String] = []

    /// Why a file cannot be read as memory.
    public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// In the file.
        public var offset: UInt64
        /// The part of the file.
        public var field: String
        /// What it says.
        public var found: String
        /// What would fit.
        public var fits: String
        public var description: String { "at 0x\(String(offset, radix: 16)), \(field): found \(found), expected \(fits)" }
    }

    /// Reads what the file's form asks for; large files stay where they are.
    ///
    /// - Parameter pieces: not empty: the file is raw memory, whatever its bytes look like.
    /// - Throws: `ByteSourceError`, `ELFError` or `Problem`.
    public static func read(_ source: ByteSource, pieces: [RawPiece] = []) throws -> MemoryFile {
        if !pieces.isEmpty { return try raw(source, pieces) }
        return try read(try source.store())
    }

    static func read(_ store: any ByteStore) throws -> MemoryFile {
        let form = MemoryForm.detect(store.bytes(at: 0, count: 16))
        switch form {
        case .elf:
            let elf = try ELFImage(store)
            return MemoryFile(form: .elf, machine: elf.machine, memory: elf.memory, note: elf.note, notices: elf.notices)
        case .kdump: return try KdumpFile(store).file
        case .lime: return try LiMEFile.read(store)
        case .flattened:
            let flat = try FlattenedStore(store)
            let inner = MemoryForm.detect(flat.bytes(at: 0, count: 16))
            guard inner == .kdump || inner == .elf else {
                throw Problem(offset: 0, field: "flattened data", found: "neither a kdump-compressed nor an ELF dump in it", fits: "one of these")
            }
            var file = try read(flat)
            file.form = .flattened
            file.notices += flat.notices
            return file
        case .raw, nil:
            throw Problem(
                offset: 0, field: "magic", found: "none of a memory dump's",
                fits: "an ELF, kdump-compressed, flattened or LiME dump; for raw memory say where it begins with --base")
        }
    }

    private static func raw(_ source: ByteSource, _ pieces: [RawPiece]) throws -> MemoryFile {
        let whole = try source.store()
        var stores: [any ByteStore] = [], segments: [PhysicalImage.Segment] = []
        var joined: UInt64 = 0
        for piece in pieces {
            let store = try piece.path.map { try ByteSource(path: $0).store() } ?? whole
            let (end, isOutside) = piece.base.addingReportingOverflow(store.count)
            guard !isOutside, joined + store.count < 1 << 62 else {
                throw Problem(
                    offset: 0, field: "--base", found: "0x\(String(piece.base, radix: 16)) for \(store.count) bytes", fits: "memory that ends below 2^64")
            }
            if store.count > 0 {
                segments.append(PhysicalImage.Segment(start: piece.base, end: end, fileStart: Int(joined), fileCount: Int(store.count)))
            }
            stores.append(store)
            joined += store.count
        }
        guard !segments.isEmpty else { throw Problem(offset: 0, field: "file", found: "0 bytes", fits: "memory") }
        return MemoryFile(form: .raw, memory: PhysicalImage(stores.count == 1 ? stores[0] : JoinedStore(stores), segments: segments))
    }
}

/// Files one after the other.
private struct JoinedStore: ByteStore {
    private let stores: [any ByteStore]
    private let starts: [UInt64]
    let count: UInt64

    init(_ stores: [any ByteStore]) {
        self.stores = stores
        var at: UInt64 = 0
        starts = stores.map { store in
            defer { at += store.count }
            return at
        }
        count = at
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var done = 0
        while done < buffer.count, offset + UInt64(done) < count {
            let place = offset + UInt64(done)
            guard let index = starts.lastIndex(where: { $0 <= place }) else { break }
            let into = place - starts[index], wanted = Int(min(UInt64(buffer.count - done), stores[index].count - into))
            let got = stores[index].read(at: into, into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + wanted]))
            done += got
            if got < wanted || wanted == 0 { break }
        }
        return done
    }
}
