import CCompression
import Foundation

/// What cases are made of: the captures and cases of Tests/, and the shipped sessions.
struct Seeds {
    var traces: [[UInt8]] = []
    /// With the JSON beside them.
    var images: [(elf: [UInt8], json: [UInt8]?)] = []
    var dumps: [(name: String, bytes: [UInt8])] = []
    var ptdumps: [[UInt8]] = []
    var logs: [[UInt8]] = []
    var sessions: [[UInt8]] = []
    /// Traces by gzip, as it packs them.
    var packed: [[UInt8]] = []

    init(root: String) throws {
        let tests = root + "/Tests"
        func files(_ folder: String, _ suffixes: String...) -> [String] {
            let all = FileManager.default.enumerator(atPath: "\(tests)/\(folder)")?.compactMap { $0 as? String } ?? []
            return all.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted().map { "\(tests)/\(folder)/\($0)" }
        }
        func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }
        for path in files("HostTraces", ".trace", ".txt") + files("HostCaptures", ".trace", ".txt") { traces.append(try read(path)) }
        // Small ones, and those of every odd form, count more.
        for path in files("TraceCases", ".trace", ".txt") { traces += Array(repeating: try read(path), count: 3) }
        packed = try files("TraceCases", ".gz").map(read)
        for path in files("HostTraces", ".elf") { images.append((try read(path), try? read(path.dropLast(3) + "json"))) }
        for path in files("Images", ".z") {
            let stored = try read(path), name = String(path.split(separator: "/").last!.dropLast(2))
            let bytes = Self.unpacked(stored)
            if name.hasSuffix(".elf") { images.append((bytes, nil)) }
            dumps.append((name, bytes))
            if name.hasSuffix("kdump-flat") { dumps.append((String(name.dropLast(5)), Self.plain(bytes))) }
        }
        ptdumps = try files("Images", "page_tables.txt", "ptdump.txt").map(read)
        logs = try files("Images", "dmesg.txt", "walk.txt").map(read)
        for name in try FileManager.default.contentsOfDirectory(atPath: root + "/sessions").sorted() where name.hasSuffix(".yaml") {
            sessions.append(try read("\(root)/sessions/\(name)"))
        }
    }

    /// 8 bytes of size, then zlib's.
    private static func unpacked(_ stored: [UInt8]) -> [UInt8] {
        let size = stored.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return Array(unsafeUninitializedCapacity: size) { buffer, count in
            count = stored.withUnsafeBytes { max(0, kvmtui_inflate($0.baseAddress! + 8, $0.count - 8, buffer.baseAddress!, size)) }
        }
    }

    /// What `makedumpfile -R` makes of a flattened dump: records of offset, size, both big endian, and bytes.
    private static func plain(_ flat: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [], at = 4096
        func number(_ place: Int) -> Int { flat[place..<place + 8].reduce(0) { $0 << 8 | Int($1) } }
        while at + 16 <= flat.count, case let offset = number(at), offset >= 0 {
            let size = number(at + 8)
            at += 16
            if result.count < offset + size { result += [UInt8](repeating: 0, count: offset + size - result.count) }
            result.replaceSubrange(offset..<offset + size, with: flat[at..<at + size])
            at += size
        }
        return result
    }
}
