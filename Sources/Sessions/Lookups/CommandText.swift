/// A number as people type it: decimal, or `0x` and hexadecimal digits; 64 bits.
public struct ParsedNumber: Sendable, Hashable {
    /// The number.
    public let value: UInt64
    /// nil where the text is no number of 64 bits.
    public init?(_ text: some StringProtocol) {
        guard let value = HexNumber.number(text) else { return nil }
        self.value = value
    }
}

/// Text out of a file or a command line, made fit for a terminal.
public struct DisplayText: Sendable, Hashable {
    /// What may be shown.
    public let text: String
    /// - Parameter limit: bytes, after which it ends in `…`.
    public init(_ text: String, limit: Int) { self.text = PrintableText.of(Array(text.utf8), limit: limit) }
}

/// A file or pipe, line by line.
public struct LineReader {
    /// A line longer than this is cut: no probe has so many bytes, and what comes from a pipe must not fill the memory.
    public static let longest = 4096

    /// The path, or `standard input`.
    public var name: String { source.name }
    /// Of the line that was read last, from 1.
    public private(set) var number = 0
    private let source: ByteSource
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var at = 0
    private var end = 0

    /// - Parameter path: `-` is standard input.
    public init(path: String) throws(ByteSourceError) { source = try ByteSource(path: path) }

    /// The next line without its end; nil at the file's end.
    public mutating func next() throws -> String? {
        var line: [UInt8] = []
        var isThere = false
        while true {
            if at == end {
                end = try source.read(into: &buffer)
                at = 0
                if end == 0 { break }
            }
            isThere = true
            let stop = buffer[at..<end].firstIndex(of: 0x0a)
            let piece = buffer[at..<(stop ?? end)]
            if line.count < Self.longest { line.append(contentsOf: piece.prefix(Self.longest - line.count)) }
            at = stop.map { $0 + 1 } ?? end
            if stop != nil { break }
        }
        guard isThere else { return nil }
        number += 1
        return String(decoding: line, as: UTF8.self)
    }
}
