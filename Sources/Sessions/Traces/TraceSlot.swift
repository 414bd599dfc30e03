#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A memslot as the VMM wrote it into the trace when it set it: created, moved, deleted (`size` 0), or given other
/// flags. Lines with the same `slot` follow one another in time.
public struct TraceSlot: Sendable, Hashable {
    /// Its number at the VMM.
    public var slot: Int
    /// What the VMM calls it.
    public var name: String?
    /// The guest's address of its first byte.
    public var ipa: UInt64
    /// In bytes.
    public var size: UInt64
    /// The VMM's address of its first byte.
    public var hva: UInt64
    /// `KVM_MEM_`: 1 log dirty pages, 2 read-only.
    public var flags: UInt32
    /// When it was told, in the trace's unit.
    public var time: UInt64
    /// The line, from 1.
    public var line: Int
    /// Who wrote it: an index into `Trace.threads`.
    public var thread: UInt16

    private struct Mark: Decodable {
        var slot: Int
        var name: String?
        var ipa: HexNumber
        var size: HexNumber
        var hva: HexNumber
        var flags: UInt32
    }

    init?(json: some Collection<UInt8>, time: UInt64, line: Int, thread: UInt16) {
        guard let mark = try? JSONDecoder().decode(Mark.self, from: Data(json)) else { return nil }
        slot = mark.slot
        name = mark.name.map { PrintableText.of(Array($0.utf8), limit: 64) }
        (ipa, size, hva) = (mark.ipa.value, mark.size.value, mark.hva.value)
        flags = mark.flags
        self.time = time
        self.line = line
        self.thread = thread
    }
}
