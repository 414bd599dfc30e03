// Doctor/: what there is around the program, in words. It asks and changes nothing.

import CNcurses
import EmbeddedSessions
import Foundation
import Screens
import Sessions

/// Looks around, and reports.
struct Doctor {
    private let environment = ProcessInfo.processInfo.environment
    private var rows: [(name: String, text: String)] = []
    /// What stands in the way of something, and what helps.
    private var troubles: [String] = []

    init() {
        setlocale(LC_ALL, "")
        lookAtSystem()
        lookAtTerminal()
        lookAtSessions()
        lookAtState()
        for tool in Tool.all { add(tool) }
    }

    /// A line for each thing, then what is wrong.
    var report: String {
        let width = rows.map(\.name.count).max() ?? 0
        var lines = [KVMTUI.version] + rows.map { $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.text }
        lines.append("")
        lines += troubles.isEmpty ? ["nothing is in the way"] : troubles.map { "! \($0)" }
        // Whatever it is that was found, it is not to steer the terminal.
        return lines.map { DisplayText($0, limit: 2000).text + "\n" }.joined()
    }

    private mutating func add(_ name: String, _ text: String) { rows.append((name, text)) }

    private func setting(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A path, the home folder shortened: a report is read by others.
    private func shown(_ path: String) -> String {
        guard let home = setting("HOME"), home.hasPrefix("/"), home != "/", path == home || path.hasPrefix(home + "/") else { return path }
        return "~" + path.dropFirst(home.count)
    }

    // MARK: The system and the terminal

    private mutating func lookAtSystem() {
        var name = utsname()
        uname(&name)
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let release = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8))?.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        let distribution = release.map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } + ", " } ?? ""
        add("system", "\(distribution)\(text(name.sysname)) \(text(name.release)), \(text(name.machine))")
    }

    private mutating func lookAtTerminal() {
        let streams = ["standard input", "standard output"].enumerated().filter { isatty(Int32($0.offset)) == 0 }.map(\.element)
        let inside = [("TMUX", "inside tmux"), ("STY", "inside screen"), ("SSH_CONNECTION", "by ssh")].filter { setting($0.0) != nil }.map(\.1)
        let term = setting("TERM")
        add(
            "terminal",
            ([term.map { "TERM=\($0)" } ?? "TERM is not set"] + inside + (streams.isEmpty ? [] : ["\(streams.joined(separator: " and ")) no terminal"])).joined(
                separator: ", "))
        var colours: Int32 = -1
        var copies = false
        let isKnown = term.map { cn_describe($0, &colours, &copies) } ?? false
        if !isKnown {
            troubles.append(
                "\(term.map { "the terminal \($0) (TERM) is not known here, or cannot place its cursor" } ?? "TERM is not set"): open and play cannot show anything; "
                    + "try TERM=xterm-256color, or the package ncurses-term")
        }
        lookAtSize()
        let wishes = ["COLORTERM", "NO_COLOR"].compactMap { name in setting(name).map { "\(name)=\($0)" } }
        add("colours", ([isKnown ? "\(colours < 0 ? "none" : "\(colours)") by its description" : "unknown"] + wishes).joined(separator: ", "))
        let encoding = String(cString: cn_encoding())
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].first { setting($0) != nil }
        add("encoding", "\(encoding), by \(locale.map { "\($0)=\(setting($0) ?? "")" } ?? "no locale")")
        if !cn_locale_is_utf8() { troubles.append("the encoding is \(encoding): frames and marks are drawn in ASCII; try LC_ALL=C.UTF-8") }
        let programs = ["wl-copy", "xclip", "xsel", "pbcopy"].compactMap { Tool.path(of: $0) }
        add(
            "clipboard",
            (isKnown ? "the terminal's description \(copies ? "has" : "has not") a way to set it (OSC 52)" : "unknown")
                + (programs.isEmpty ? "; no program for it" : "; \(programs.joined(separator: ", "))"))
    }

    private mutating func lookAtSize() {
        let size = [1, 0, 2].lazy.compactMap { descriptor -> (width: Int, height: Int)? in
            var size = winsize()
            return ioctl(Int32(descriptor), UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? (Int(size.ws_col), Int(size.ws_row)) : nil
        }.first
        guard let size else { return add("size", "unknown: there is no terminal") }
        let kind = Layout(width: size.width, height: size.height, focus: .path, zoomed: false).kind
        let words =
            switch kind {
            case .wide: "panes side by side"
            case .narrow: "the path, the tables and one pane more"
            case .single: "one pane at a time"
            case .tooSmall: "too small"
            }
        add("size", "\(size.width)x\(size.height): \(words)")
        if kind == .tooSmall {
            troubles.append("the terminal is too small: it takes \(Layout.smallestWidth)x\(Layout.smallestHeight)")
        }
    }

    // MARK: Files

    private mutating func lookAtSessions() {
        let all = FoundSession.all()
        var words = ["\(EmbeddedSessions.names.count) inside the program"]
        for folder in FoundSession.folders {
            let count = all.count { if case .folder(let path) = $0.origin { path.hasPrefix(folder + "/") } else { false } }
            if count > 0 { words.append("\(count) of \(shown(folder)), which go first") }
        }
        add("sessions", words.joined(separator: "; "))
        if let problem = FoundSession.problem { troubles.append(problem) }
    }

    private mutating func lookAtState() {
        let folders = WorkJournal.folders(making: false)
        let used = folders.first { Self.canBeWritten($0) }
        let kept = folders.reduce(0) { sum, folder in
            sum + ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).count { $0.hasPrefix("kvmtui-") && $0.hasSuffix(".work") }
        }
        guard let used else {
            add("unsaved work", "cannot be kept")
            return troubles.append("unsaved work cannot be kept: none of \(folders.map(shown).joined(separator: ", ")) can be written")
        }
        add("unsaved work", "kept in \(shown(used))" + (kept > 0 ? "; \(kept) \(kept == 1 ? "file" : "files") there" : ""))
    }

    /// Whether files can be made in a folder, or it can be made.
    private static func canBeWritten(_ path: String) -> Bool {
        var folder = URL(fileURLWithPath: path)
        var isFolder: ObjCBool = false
        while !FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), folder.path != "/" { folder.deleteLastPathComponent() }
        return isFolder.boolValue && access(folder.path, W_OK | X_OK) == 0
    }

    private mutating func add(_ tool: Tool) {
        add(tool.name, Tool.path(of: tool.name) ?? "not found: \(tool.purpose) (Debian's package \(tool.package))")
    }
}
