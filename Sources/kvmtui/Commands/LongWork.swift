import Screens
import Sessions
import Stage2Sim
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// ^C while something long is under way and no program is on the screen: the work ends with what there is. A second one ends the process.
enum Interrupt {
    private static let seen = Atomic<Bool>(false)

    /// From here on the first SIGINT is noted; what the parent had us ignore stays ignored.
    static func watch() {
        seen.store(false, ordering: .relaxed)
        var before = sigaction()
        sigaction(SIGINT, nil, &before)
        guard unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self) else { return }
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interrupt.seen.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        sigemptyset(&action.sa_mask)
        sigaction(SIGINT, &action, nil)
    }

    /// SIGINT means again what it meant.
    static func ignore() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = SIG_DFL
        sigemptyset(&action.sa_mask)
        sigaction(SIGINT, &action, nil)
    }

    static var wasSeen: Bool { seen.load(ordering: .relaxed) }

    /// Ends work that can only be ended by an error.
    struct Seen: Error {}

    /// The exit status of work that was ended so: what shells give for SIGINT.
    static let exitStatus: Int32 = 130
}

/// How far something long has come, on standard error when that is a terminal and it takes long enough to be seen.
final class ProgressBar {
    private let tool: String?
    private let isShown = isatty(2) == 1
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    private var drawn = false

    /// - Parameter tool: whose output is read.
    init(_ tool: String? = nil) { self.tool = tool }

    /// Reading and following a trace.
    func show(_ progress: ReadingProgress) {
        guard isDue else { return }
        if let followed = progress.followed {
            draw(Double(followed) / Double(max(1, progress.events)), "following \(followed) of \(progress.events) events")
        } else if let total = progress.bytesTotal, total > 0 {
            draw(Double(progress.bytesRead) / Double(total), "reading, \(progress.events) events")
        } else {
            put("\(tool.map { "reading by \($0)" } ?? "reading"), \(progress.bytesRead >> 20) MiB, \(progress.events) events")
        }
    }

    /// Running a session.
    func show(_ progress: RunProgress, _ what: String) {
        guard isDue else { return }
        draw(progress.share, "\(what), \(progress.steps) steps; ^C ends it")
    }

    /// Searching every order.
    func show(_ progress: SearchProgress) {
        guard isDue else { return }
        let seconds = Double((ContinuousClock.now - start).components.seconds) + 0.1
        put(
            "\(Answer.grouped(progress.states)) states, depth \(progress.depth), \(Answer.grouped(Int(Double(progress.states) / seconds))) a second, "
                + "\(progress.bytes >> 20) MiB; ^C ends it")
    }

    private var isDue: Bool {
        let now = ContinuousClock.now
        guard isShown, now - start > .milliseconds(200), now - last > .milliseconds(50) else { return false }
        last = now
        return true
    }

    private func draw(_ share: Double, _ words: String) {
        let bars = min(20, Int(share * 20))
        put("[" + String(repeating: "#", count: bars) + String(repeating: ".", count: 20 - bars) + "] \(min(100, Int(share * 100)))%, \(words)")
    }

    /// One line, cut where the terminal ends: what wraps could not be taken away again.
    private func put(_ text: String) {
        var size = winsize()
        let columns = ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        write("\r\u{1b}[K" + text.prefix(max(1, columns - 1)))
        drawn = true
    }

    func clear() {
        if drawn { write("\r\u{1b}[K") }
        drawn = false
    }

    private func write(_ text: String) { _ = CommandIO.write(Array(text.utf8), to: 2) }
}
