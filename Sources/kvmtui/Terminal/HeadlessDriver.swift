import Screens

/// Drives a program from a script of keys, without a terminal, and saves its last screen:
/// `--size CxR --keys FILE|- --save-screen FILE`.
enum HeadlessDriver {
    /// - Parameters:
    ///   - keys: the script's file, `-` for standard input, nil for no keys.
    ///   - picture: where the screen goes; its ending says as what (`Picture.Format`). Nil prints it as text.
    static func run(
        _ app: inout some Interactive, size: ScreenSize, keys: String?, saveTo picture: String?,
        options: TerminalOptions
    ) throws(TerminalError) {
        // Mistakes in what the command line says come before any work.
        var format = Picture.Format.text
        if let picture {
            do { format = try Picture.Format(fileName: picture) } catch { throw .picture(error) }
        }
        let events = if let keys { try script(keys) } else { [Event]() }
        let grid = Headless.run(&app, size: size, events: events, glyphs: options.ascii ? .ascii : .unicode)
        let contents = Picture(grid, theme: options.effectiveTheme(noColour: nil)).encoded(as: format)
        try TextFile.write(contents, to: picture ?? "-")
    }

    /// Longer key scripts are not read.
    private static let longestScript = 4 << 20

    private static func script(_ file: String) throws(TerminalError) -> [Event] {
        guard let text = String(validating: try TextFile.read(file, limit: longestScript), as: UTF8.self) else {
            throw .file(file == "-" ? "standard input" : file, reason: "is not UTF-8 text")
        }
        do { return try KeyScript(parsing: text).events } catch {
            throw .script(file: file == "-" ? "standard input" : file, error)
        }
    }
}
