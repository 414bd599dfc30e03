/// What a cell means. The theme says how that looks; a pane never names a colour.
///
/// Colour does not speak alone: whoever draws `changed`, `stale`, `broken` or `held` also puts the mark
/// (`Glyphs`) and the word.
public enum Role: UInt8, CaseIterable, Sendable {
    /// Running text.
    case plain
    /// Text that explains, or that matters less now.
    case dim
    /// The name of the program and of the session, on the first line.
    case title
    /// A heading inside a pane.
    case heading
    /// The frame of a pane.
    case border
    /// The frame of the pane that has the keys.
    case focusedBorder
    /// The name of a field, a register, a column.
    case label
    /// A figure, an address, a word of memory.
    case value
    /// A key to press, in hints and in the help.
    case key
    /// The session author's words.
    case note
    /// The line that is selected in a pane.
    case selection
    /// A place that the search found.
    case match
    /// The status line.
    case status
    /// Written by the step on the screen.
    case changed
    /// Still there but no longer true: a TLB entry whose leaf is gone, a line that memory has overtaken.
    case stale
    /// A check that does not hold, and what it points to.
    case broken
    /// A lock, and who holds it.
    case held
    /// A step that is behind us.
    case done
    /// The step on the screen.
    case current
    /// A step that is still to come.
    case upcoming
    /// An expectation that was met, a right that is granted.
    case good
    /// A page or frame in use.
    case allocated
    /// A page or frame that is free.
    case free
    /// An arrow or a line that ties two places together.
    case link
    /// A breakpoint.
    case breakpoint
    /// The command line and its cursor's surroundings.
    case prompt
    /// A message about a mistake: bad input, an unknown command.
    case error
    /// Six colours without a meaning of their own, to tell apart what stands side by side (vCPUs,
    /// cache lines, the fields of a descriptor).
    case series1, series2, series3, series4, series5, series6

    /// One of the six `series` roles; counts round.
    public static func series(_ index: Int) -> Role {
        let wrapped = ((index % 6) + 6) % 6
        return [.series1, .series2, .series3, .series4, .series5, .series6][wrapped]
    }
}

/// How letters are drawn, apart from their colour.
public struct Attributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let bold = Attributes(rawValue: 1)
    public static let underline = Attributes(rawValue: 2)
    public static let reverse = Attributes(rawValue: 4)
    public static let dim = Attributes(rawValue: 8)
    public static let italic = Attributes(rawValue: 16)
}
