// Session files: the format, the action language, expectations, and the errors that they can have.

/// A place in a file. Lines and columns count from 1; 0: unknown.
public struct SourcePlace: Sendable, Hashable {
    public var line: Int
    public var column: Int
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// What is wrong with an input: where, what was found, what would fit. Printed as a line.
public struct InputError: Error, Sendable, CustomStringConvertible {
    public var file: String
    public var place: SourcePlace?
    public var message: String
    /// What would fit there; empty where the message says it.
    public var fits: String
    /// The file is no text, or no YAML.
    public var isNotYAML = false
    /// What else is wrong with the same file, in its order.
    public var others: [InputError] = []
    /// How many mistakes more there are, which nobody tells one by one.
    public var untold = 0

    public init(_ file: String, _ place: SourcePlace? = nil, _ message: String, fits: String = "") {
        self.file = file
        self.place = place
        self.message = message
        self.fits = fits
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
