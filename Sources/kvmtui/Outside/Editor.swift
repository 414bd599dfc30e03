import Foundation
import Sessions

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The author's editor, on the terminal that the explorer has given back.
enum Editor {
    /// Opens `path` at a line, waits until the editor has ended, and reads the session again.
    static func edit(_ path: String, line: Int) -> Result<Session, InputError> {
        let environment = ProcessInfo.processInfo.environment
        // Its arguments may stand in the variable: "emacs -nw". As git does, a shell takes it apart; the file is an argument, never a part of the command.
        let editor = ["VISUAL", "EDITOR"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? "vi"
        let words = ["sh", "-c", "\(editor) \"$@\"", editor] + place(editor, line) + [path.hasPrefix("-") ? "./" + path : path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var child = pid_t()
        guard posix_spawn(&child, "/bin/sh", nil, &attributes, &arguments, environ) == 0 else {
            return .failure(InputError(editor, nil, "cannot be started", fits: "EDITOR names a program"))
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { if errno != EINTR { break } }
        let code = status >> 8 & 0xff
        guard status & 0x7f == 0, code == 0 else {
            return .failure(InputError(editor, nil, code == 127 ? "is not found" : "ended with status \(code)", fits: "EDITOR names a program"))
        }
        do { return .success(try SessionReader.read(path: path)) } catch let error as InputError { return .failure(error) } catch {
            return .failure(InputError(path, nil, "cannot be read", fits: "\(error)"))
        }
    }

    /// How the editor is told the line: those that do not know `+LINE` are not told.
    private static func place(_ editor: String, _ line: Int) -> [String] {
        let name = (editor.split(separator: " ").first.map(String.init) ?? editor).split(separator: "/").last.map(String.init) ?? editor
        let known = [
            "vi", "vim", "nvim", "view", "ex", "nano", "pico", "emacs", "emacsclient", "mg", "joe", "jed", "ne", "micro", "kak", "helix", "hx", "less",
            "mcedit", "e3",
        ]
        return line > 0 && known.contains(name) ? ["+\(line)"] : []
    }
}
