import CNcurses
import Screens

/// The terminal under curses, from opening to giving it back. One at a time.
struct CursesScreen {
    let glyphs: Glyphs
    private let palette: CursesPalette
    /// What the terminal shows.
    private var shown: Grid
    private var row: [cchar_t] = []

    /// Takes over the terminal, or says why not without having written anything to it.
    ///
    /// - Parameters:
    ///   - environment: `TERM` and `NO_COLOR` are looked up here.
    static func open(
        _ options: TerminalOptions, environment: [String: String]
    ) throws(TerminalError) -> CursesScreen {
        setlocale(LC_ALL, "")
        guard isatty(STDIN_FILENO) == 1 else { throw .notATerminal(stream: "standard input") }
        guard isatty(STDOUT_FILENO) == 1 else { throw .notATerminal(stream: "standard output") }
        guard let term = environment["TERM"], !term.isEmpty else { throw .noTerminalName }
        guard cn_can_draw(term) else { throw .unknownTerminal(term) }
        let size = firstSize(environment)
        guard guard_remember() == 0, cn_open(term, Int32(size.width), Int32(size.height)) else { throw .unknownTerminal(term) }
        return CursesScreen(options, environment)
    }

    private init(_ options: TerminalOptions, _ environment: [String: String]) {
        glyphs = options.ascii || !cn_locale_is_utf8() ? .ascii : .unicode
        // Every key as it is, ^C and ^Z too; Enter as carriage return.
        raw()
        noecho()
        nonl()
        keypad(cn_screen(), true)
        nodelay(cn_screen(), true)
        // A lone Escape is told from the beginning of a key's sequence by waiting for the rest: as long as the user says, if they do.
        if Int(environment["ESCDELAY"] ?? "") == nil { set_escdelay(25) }
        // A frame that was begun is finished, even if the next key is there.
        typeahead(-1)
        leaveok(cn_screen(), false)
        CursesInput.defineKeys()
        if options.mouse { cn_mouse_on() }
        palette = CursesPalette(theme: options.effectiveTheme(noColour: environment["NO_COLOR"]))
        shown = Grid(width: 0, height: 0)
        def_prog_mode()
        CursesScreen.restoring.withUnsafeBufferPointer { guard_arm($0.baseAddress, $0.count) }
        curs_set(0)
        CursesScreen.send(CursesScreen.pasteOn)
    }

    var size: ScreenSize { ScreenSize(width: Int(cn_columns()), height: Int(cn_lines())) }

    /// Brings the terminal from what it shows to `grid`, in one go.
    mutating func show(_ grid: Grid) {
        let screen = cn_screen()
        if row.count < grid.width + 1 { row = Array(repeating: cchar_t(), count: grid.width + 1) }
        if shown.width != grid.width || shown.height != grid.height { werase(screen) }
        grid.forEachDifference(from: shown) { y, columns in
            var count = 0
            for x in columns {
                let cell = grid[x, y]
                if cell.isContinuation { continue }
                palette.convert(cell, into: &row[count])
                count += 1
                if palette.isDisputed(cell) {
                    row[count] = row[count - 1]
                    count += 1
                }
            }
            wmove(screen, Int32(y), Int32(columns.lowerBound))
            wadd_wchnstr(screen, row, Int32(count))
        }
        if let cursor = grid.cursor {
            wmove(screen, Int32(cursor.y), Int32(cursor.x))
        }
        cn_begin_frame()
        if (grid.cursor == nil) != (shown.cursor == nil) { curs_set(grid.cursor == nil ? 0 : 1) }
        wrefresh(screen)
        cn_end_frame()
        shown = grid
    }

    /// Takes the mouse, or leaves it to the terminal, whose own it is to select text.
    func setMouse(_ isOurs: Bool) { if isOurs { cn_mouse_on() } else { mousemask(0, nil) } }

    /// The next `show` sends everything.
    mutating func forget() {
        shown = Grid(width: 0, height: 0)
        cn_forget()
    }

    /// Gives the terminal back for good.
    func close() {
        leave()
        guard_disarm()
    }

    /// Gives the terminal back, stops, and takes it again when continued.
    mutating func suspend() {
        leave()
        guard_suspend()
        resume()
    }

    /// Gives the terminal back while `body` runs, and takes it again.
    mutating func lend(_ body: () -> Void) {
        leave()
        body()
        resume()
    }

    /// Takes the terminal again after somebody else had it.
    mutating func resume() {
        if isendwin() == false { leave() }
        // The change of size of a window is not told to those who stand in the background.
        adoptSize()
        forget()
        // Opens the screen again; what is to be seen comes with the next show.
        wrefresh(cn_screen())
        curs_set(0)
        CursesScreen.send(CursesScreen.pasteOn)
    }

    /// Takes the window's size as it is now.
    func adoptSize() {
        guard let size = CursesScreen.windowSize, size != self.size else { return }
        resize_term(Int32(size.height), Int32(size.width))
    }

    /// As the system has it, as far as screens go.
    private static var windowSize: ScreenSize? {
        var (columns, lines): (Int32, Int32) = (0, 0)
        return cn_window_size(&columns, &lines) ? ScreenSize(width: Int(columns), height: Int(lines)) : nil
    }

    /// Exported `LINES` and `COLUMNS` count where the system does not know, as on a serial line.
    private static func firstSize(_ environment: [String: String]) -> ScreenSize {
        if let size = windowSize { return size }
        let (width, height) = (Int(environment["COLUMNS"] ?? "") ?? 0, Int(environment["LINES"] ?? "") ?? 0)
        return ScreenSize(width: width > 0 ? width : 80, height: height > 0 ? height : 24)
    }

    private func leave() {
        CursesScreen.send(CursesScreen.pasteOff)
        curs_set(1)
        endwin()
    }

    private static func send(_ text: [CChar]) {
        var rest = text[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    private static var pasteOn: [CChar] { capability("BE") }
    private static var pasteOff: [CChar] { capability("BD") }

    /// What gives the terminal back from within a signal handler, where curses cannot be called.
    private static var restoring: [CChar] {
        var text = pasteOff
        if has_mouse() { text += Array("\u{1b}[?1006l\u{1b}[?1000l".utf8.map(CChar.init(bitPattern:))) }
        for name in ["sgr0", "op", "cnorm", "rmkx", "rmcup"] { text += capability(name) }
        // Without a second screen, what follows would be written into the middle of ours.
        if capability("rmcup").isEmpty { text += capability("clear") }
        return text
    }

    private static func capability(_ name: String) -> [CChar] {
        [CChar](unsafeUninitializedCapacity: 128) { buffer, count in
            count = cn_capability(name, buffer.baseAddress, buffer.count)
        }
    }
}
