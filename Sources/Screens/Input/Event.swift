// Input/: what comes in (keys, mouse, sizes), its text form for `--keys`, and the protocol between the
// program on the screen and whatever drives it. It knows nothing of curses.

/// Something that happened outside of the program on the screen.
public enum Event: Hashable, Sendable {
    case key(Key)
    case mouse(Mouse)
    /// The screen's new size in columns and rows. Comes first of all, before anything is drawn.
    case resize(width: Int, height: Int)
    /// Text pasted into the terminal, all at once; it is no command.
    case paste(String)
    /// The time that `Interactive.wakeAfter` asked for has passed.
    case tick
}

/// A press or a turn of the wheel at a cell, from 0,0.
public struct Mouse: Hashable, Sendable {
    public enum Action: Hashable, Sendable { case click, wheelUp, wheelDown }

    public var action: Action
    public var x: Int
    public var y: Int

    public init(_ action: Action, x: Int, y: Int) {
        self.action = action
        self.x = x
        self.y = y
    }
}
