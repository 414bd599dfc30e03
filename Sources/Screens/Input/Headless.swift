/// Drives a program without a terminal.
public enum Headless {
    /// Feeds `events` to `app` and returns the last screen. Between events the program gets all the time
    /// in the background that it asks for, so the same script always ends in the same picture. Stops at
    /// `quit`; there is nobody to suspend for.
    public static func run(
        _ app: inout some Interactive, size: ScreenSize, events: [Event], glyphs: Glyphs = .unicode
    ) -> Grid {
        var size = size
        var running = app.handle(.resize(width: size.width, height: size.height)) != .quit
        settle(&app)
        for event in events where running {
            if case .resize(let width, let height) = event { size = ScreenSize(width: width, height: height) }
            running = app.handle(event) != .quit
            settle(&app)
        }
        var grid = Grid(width: size.width, height: size.height, glyphs: glyphs)
        app.draw(into: &grid)
        return grid
    }

    private static func settle(_ app: inout some Interactive) {
        while app.idle() {}
    }
}
