/// A program that fills a screen and answers keys, free of any terminal: the driver in front of it may be
/// curses, a script, or a test.
public protocol Interactive {
    /// Takes in one event. Several may come before the next `draw`.
    mutating func handle(_ event: Event) -> Reaction

    /// Draws the whole screen. The grid comes blank and has the size of the last `resize`.
    mutating func draw(into grid: inout Grid)

    /// A small piece of work in the background (below 2 ms), asked for when no input waits.
    /// Returns true if there is more to do.
    mutating func idle() -> Bool

    /// The time after which a `tick` is wanted even without input (`play`); nil for none. Asked for after
    /// every event.
    var wakeAfter: Duration? { get }

    /// Work of its own on the terminal that has been given back, such as an editor; asked for by `Reaction.outside`.
    mutating func performOutside()

    /// The events that are likely next, the likeliest first, of those that do nothing but change what is shown: they may be tried on
    /// copies that are thrown away.
    var likely: [Event] { get }
}

extension Interactive {
    public mutating func idle() -> Bool { false }
    public var wakeAfter: Duration? { nil }
    public mutating func performOutside() {}
    public var likely: [Event] { [] }
}

/// What the driver has to do after an event.
public enum Reaction: Hashable, Sendable {
    /// Nothing on the screen is different.
    case nothing
    /// Draw, and send what differs.
    case redraw
    /// Clear the terminal and send everything (`^L`).
    case repaint
    /// Give the terminal back and stop, until the shell continues us (`^Z`).
    case suspend
    /// Draw; and take the mouse, or leave it to the terminal.
    case mouse(Bool)
    /// Give the terminal back, call `performOutside()`, and take it again.
    case outside
    /// Give the terminal back and end.
    case quit
}
