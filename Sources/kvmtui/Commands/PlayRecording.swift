import Glibc
import Screens

/// A session playing into a file, without a terminal and without waiting.
enum Recording {
    static func write(_ explorer: Explorer, to path: String, size: ScreenSize, options: TerminalOptions) throws(TerminalError) {
        let descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(path) }
        defer { if path != "-" { close(descriptor) } }
        var explorer = explorer
        var grid = Grid(width: size.width, height: size.height, glyphs: options.ascii ? .ascii : .unicode)
        var cast = Cast(size: size, theme: options.effectiveTheme(noColour: nil), title: explorer.title)
        _ = explorer.handle(.resize(width: size.width, height: size.height))
        // Nothing is held back: a recording may be longer than the memory.
        func flush() throws(TerminalError) { if !CommandIO.write(Array(cast.take().utf8), to: descriptor) { throw failure(path) } }
        explorer.draw(into: &grid)
        cast.show(grid)
        while let wait = explorer.wakeAfter {
            cast.wait(wait)
            _ = explorer.handle(.tick)
            if let fault = explorer.faultBeginningHere { cast.mark("fault \(fault)") }
            grid.clear()
            explorer.draw(into: &grid)
            cast.show(grid)
            try flush()
        }
        cast.wait(.seconds(2))
        cast.end()
        try flush()
    }

    private static func failure(_ path: String) -> TerminalError {
        .file(path == "-" ? "standard output" : path, reason: "cannot be written: \(String(cString: strerror(errno)))")
    }
}
