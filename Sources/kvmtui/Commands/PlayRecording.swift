import Screens
import Sessions

/// A session playing into a file, without a terminal and without waiting.
enum Recording {
    static func write(_ explorer: Explorer, to path: String, idleLimit: Duration?, size: ScreenSize, options: TerminalOptions) throws(TerminalError) {
        let file = try OutputFile(path)
        var explorer = explorer
        var grid = Grid(width: size.width, height: size.height, glyphs: options.ascii ? .ascii : .unicode)
        var cast = Cast(size: size, theme: options.effectiveTheme(noColour: nil), title: explorer.title)
        _ = explorer.handle(.resize(width: size.width, height: size.height))
        // Nothing is held back: a recording may be longer than the memory.
        func flush() throws(TerminalError) { try file.write(cast.take()) }
        explorer.draw(into: &grid)
        cast.show(grid)
        // A recording that is ended is one of what there is.
        let bar = ProgressBar(), steps = explorer.stepCount
        Interrupt.watch()
        defer {
            bar.clear()
            Interrupt.ignore()
        }
        var made = 0
        while !Interrupt.wasSeen, let wait = explorer.wakeAfter {
            cast.wait(idleLimit.map { min($0, wait) } ?? wait)
            _ = explorer.handle(.tick)
            if let fault = explorer.faultBeginningHere { cast.mark("fault \(fault)") }
            grid.clear()
            explorer.draw(into: &grid)
            cast.show(grid)
            try flush()
            made += 1
            bar.show(RunProgress(steps: made, begun: made, operations: steps), "recording")
        }
        cast.wait(.seconds(2))
        cast.end()
        try flush()
        try file.finish()
    }
}
