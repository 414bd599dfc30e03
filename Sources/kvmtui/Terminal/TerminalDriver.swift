// Terminal/: a program of `Screens` on a real terminal, by curses, and without one, from a script of keys
// into a picture. Nothing here knows what the program shows.

import CNcurses
import Screens

/// Shows a program on the terminal until it quits.
struct TerminalDriver<App: Interactive> {
    private var app: App
    private var screen: CursesScreen
    private var input = CursesInput()
    private var grid: Grid
    private var needsDrawing = true
    /// Whether the program has asked for more time in the background.
    private var hasWork = true
    /// Whether it has done some since the last drawing.
    private var hasWorked = false
    private var ahead = DrawnAhead<App>()
    /// The drawing of the program as it is, where it was drawn ahead.
    private var drawn: Grid?
    /// Whether there may be more to draw ahead.
    private var drawsAhead = false
    /// Whether a drawing has just been written, which the kernel has still to carry to the terminal.
    private var hasJustDrawn = false
    /// When the tick is due that the program asked for.
    private var tickAt: ContinuousClock.Instant?
    private let clock = ContinuousClock()

    /// Runs `app` and returns it as it was when it quit. The terminal is as it was found, also when this
    /// throws.
    static func run(
        _ app: App, options: TerminalOptions, environment: [String: String]
    ) throws(TerminalError) -> App {
        let screen = try CursesScreen.open(options, environment: environment)
        var driver = TerminalDriver(app, screen)
        driver.input = CursesInput(first: options.typedAhead)
        defer { driver.screen.close() }
        try driver.loop()
        return driver.app
    }

    private init(_ app: App, _ screen: CursesScreen) {
        self.app = app
        self.screen = screen
        grid = Grid(width: 0, height: 0)
    }

    private mutating func loop() throws(TerminalError) {
        guard handle(.resize(width: screen.size.width, height: screen.size.height)) else { return }
        while true {
            guard drain() else { return }
            if needsDrawing { draw() }
            guard try wait() else { return }
        }
    }

    /// Takes in all the input that waits; false ends the program. A flood of it is interrupted for a frame
    /// now and then.
    private mutating func drain() -> Bool {
        var frameDue: ContinuousClock.Instant?
        while let event = input.next() {
            guard handle(event) else { return false }
            guard needsDrawing else { continue }
            let now = clock.now
            if let frameDue, now > frameDue { return true }
            frameDue = frameDue ?? now + .milliseconds(40)
        }
        return true
    }

    /// Hands one event to the program; false ends it.
    private mutating func handle(_ event: Event) -> Bool {
        if case .resize(let width, let height) = event {
            grid = Grid(width: width, height: height, glyphs: screen.glyphs)
            screen.forget()
            needsDrawing = true
        }
        drawn = ahead.take(event, &app)
        let reaction = drawn == nil ? app.handle(event) : .redraw
        ahead.forget()
        hasWork = true
        drawsAhead = true
        switch reaction {
        case .nothing: break
        case .redraw: needsDrawing = true
        case .repaint:
            screen.forget()
            needsDrawing = true
        case .mouse(let isOurs):
            screen.setMouse(isOurs)
            needsDrawing = true
        case .suspend:
            screen.suspend()
            return handleReturn()
        case .outside:
            screen.lend { app.performOutside() }
            return handleReturn()
        case .quit: return false
        }
        return true
    }

    /// After others had the terminal: its size may be another.
    private mutating func handleReturn() -> Bool {
        needsDrawing = true
        let size = screen.size
        guard size.width != grid.width || size.height != grid.height else { return true }
        return handle(.resize(width: size.width, height: size.height))
    }

    private mutating func draw() {
        if let drawn {
            grid = drawn
        } else {
            grid.clear()
            app.draw(into: &grid)
        }
        drawn = nil
        screen.show(grid)
        needsDrawing = false
        hasJustDrawn = true
    }

    /// Lets the program work in the background until there is input, a signal or a tick; false ends it.
    private mutating func wait() throws(TerminalError) -> Bool {
        if let after = app.wakeAfter {
            tickAt = tickAt ?? clock.now + after
        } else {
            tickAt = nil
        }
        while true {
            let patience = patience()
            hasJustDrawn = false
            switch Int(guard_wait(patience)) {
            case GUARD_INPUT: return true
            case GUARD_SIGNAL: return handleSignals()
            case GUARD_HANGUP: throw .lost
            default:
                if let event = input.pauseIsOver() {
                    // What had been taken for part of it comes as keys.
                    return handle(event) && drain()
                }
                if let due = tickAt, clock.now >= due {
                    tickAt = nil
                    return handle(.tick)
                }
                guard hasWork else {
                    if drawsAhead { drawsAhead = ahead.work(app, on: grid) }
                    continue
                }
                hasWork = app.idle()
                if hasWork { ahead.forget() }
                hasWorked = hasWorked || hasWork
                // What was found out in the background may be to be seen.
                if !hasWork, hasWorked {
                    hasWorked = false
                    needsDrawing = true
                    return true
                }
            }
        }
    }

    /// How long to wait for input, in nanoseconds; negative is for ever.
    private func patience() -> Int64 {
        // Work begun at once would take the processor from the kernel's worker that carries the drawing on, and from the terminal.
        if hasWork || drawsAhead { return hasJustDrawn ? 2_000_000 : 0 }
        guard let due = tickAt else { return input.patience ?? -1 }
        let (seconds, attoseconds) = (due - clock.now).components
        return min(max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000), input.patience ?? .max)
    }

    private mutating func handleSignals() -> Bool {
        let signals = Int(guard_take())
        if signals & GUARD_INTERRUPT != 0, !handle(.key(.control("c"))) { return false }
        if signals & GUARD_RESIZED != 0 {
            screen.adoptSize()
            guard handleReturn() else { return false }
        }
        if signals & GUARD_STOP != 0 {
            screen.suspend()
            return handleReturn()
        }
        if signals & GUARD_CONTINUED != 0 {
            screen.resume()
            return handleReturn()
        }
        return true
    }
}
