/// A screen's size as `--size` takes it: `120x36`, columns first.
public struct ScreenSize: Hashable, Sendable, CustomStringConvertible {
    public let width: Int
    public let height: Int

    /// More than any screen has; keeps a typing mistake from filling the memory.
    public static let limit = 1000

    /// Each side is cut to 1...`limit`.
    public init(width: Int, height: Int) {
        self.width = min(max(width, 1), Self.limit)
        self.height = min(max(height, 1), Self.limit)
    }

    /// Reads `COLUMNSxROWS`, each 1 to `limit`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let width = Int(parts[0]), let height = Int(parts[1]),
            (1...Self.limit).contains(width), (1...Self.limit).contains(height)
        else { return nil }
        self.init(width: width, height: height)
    }

    public var description: String { "\(width)x\(height)" }
}
