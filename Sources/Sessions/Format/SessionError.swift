#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Session files: the format, the action language, expectations, and the errors that they can have.

/// A place in a file. Lines and columns count from 1; 0: unknown.
public struct SourcePlace: Sendable, Hashable {
    /// From 1.
    public var line: Int
    /// From 1, in characters.
    public var column: Int
    /// Both from 1.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// What is wrong with an input: where, what was found, what would fit. Printed as a line.
public struct InputError: Error, Sendable, CustomStringConvertible {
    /// The file, as it was named.
    public var file: String
    /// Where in it; nil: the whole of it is meant.
    public var place: SourcePlace?
    /// What is wrong, and what was found.
    public var message: String
    /// What would fit there; empty where the message says it.
    public var fits: String
    /// The system would not give it, although it is there: no mistake of whoever wrote it.
    public var isUnreadable = false
    /// What else is wrong with the same file, in its order.
    public var others: [InputError] = []
    /// How many mistakes more there are, which nobody tells one by one.
    public var untold = 0

    /// - Parameters:
    ///   - fits: what would fit; empty where there is nothing to say.
    public init(_ file: String, _ place: SourcePlace? = nil, _ message: String, fits: String = "") {
        self.file = file
        self.place = place
        self.message = message
        self.fits = fits
    }

    /// What kept a file from being had.
    public init(_ name: String, _ error: ByteSourceError) {
        self.init(name, nil, error.doing == .opening ? "cannot be opened" : "cannot be read", fits: error.reason)
        isUnreadable = ![0, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP].contains(error.errno)
    }

    public var description: String {
        let at = place.map { $0.line > 0 ? ":\($0.line):\($0.column)" : "" } ?? ""
        return PrintableText.printable("\(file)\(at): \(message)" + (fits.isEmpty ? "" : "; \(fits)"))
    }

    /// A line for each thing that is wrong with the file; behind the first ones, how many more there are.
    public var lines: [String] {
        [description] + others.map(\.description)
            + (untold > 0 ? [PrintableText.printable("\(file): and \(untold) mistake\(untold == 1 ? "" : "s") more")] : [])
    }

    /// Several mistakes as one error, `Findings.most` of them told. Nil: there are none.
    public static func all(_ errors: [InputError]) -> InputError? {
        guard var first = errors.first else { return nil }
        let told = errors.dropFirst().prefix(Findings.most - 1)
        first.others = Array(told)
        first.untold = errors.count - 1 - told.count
        return first
    }
}
