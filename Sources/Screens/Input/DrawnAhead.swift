/// What the events that are likely next would come to, worked out and drawn on copies while nothing else was to be done. When one of
/// them comes, its drawing is there.
///
/// A step takes about a millisecond to be made and drawn, most of it waiting for memory that has left the processor's caches while
/// the reader read. Nobody can see that, but it is what is measured.
public struct DrawnAhead<App: Interactive> {
    private struct Guess {
        let event: Event
        var app: App
        var grid: Grid
    }

    private var guesses: [Guess] = []
    /// Those still to be worked out, the next one last.
    private var left: [Event] = []
    /// Whether the guesses are about the program as it is.
    private var isCurrent = false

    public init() {}

    /// The program has changed, or the screen's size.
    public mutating func forget() { isCurrent = false }

    /// Takes the event in, if it was thought of: `app` becomes what it is after it. Returns the drawing.
    public mutating func take(_ event: Event, _ app: inout App) -> Grid? {
        guard isCurrent, let index = guesses.firstIndex(where: { $0.event == event }) else { return nil }
        isCurrent = false
        // What was before goes when there is time again.
        swap(&app, &guesses[index].app)
        return guesses[index].grid
    }

    /// Works out one likely event on a screen like `grid`. Returns whether there may be more to do.
    public mutating func work(_ app: App, on grid: Grid) -> Bool {
        if !isCurrent {
            guesses.removeAll(keepingCapacity: true)
            left = app.likely.reversed()
            isCurrent = true
        }
        guard let event = left.popLast() else { return false }
        var guess = Guess(event: event, app: app, grid: Grid(width: grid.width, height: grid.height, glyphs: grid.glyphs))
        if guess.app.handle(event) == .redraw {
            guess.app.draw(into: &guess.grid)
            guesses.append(guess)
        }
        return !left.isEmpty
    }
}
