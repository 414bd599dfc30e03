import Glibc

/// The terminal that the process belongs to: where the keys come from when standard input was the session.
enum ControllingTerminal {
    /// Puts it in standard input's place. Where the process belongs to no terminal standard input stays what it is, and
    /// whoever needs a terminal says so.
    static func becomeStandardInput() {
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        dup2(descriptor, STDIN_FILENO)
        close(descriptor)
    }
}
