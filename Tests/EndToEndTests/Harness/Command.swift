import Foundation

/// Other programs, run to their end.
///
/// By `posix_spawn` and not Foundation's `Process`: that one waits until every descendant has ended, and
/// tmux leaves a server behind.
enum Command {
    /// What a run left behind.
    struct Outcome {
        /// 128 + the number for a signal, as shells count.
        let status: Int
        let output: String
        let errors: String
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs `words` (a program, looked up in PATH, and its arguments) with `input` on standard input.
    static func run(
        _ words: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Outcome {
        // Files and not pipes: a program that writes much is not to wait for a reader.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kvmtui-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let names = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try Data(input.utf8).write(to: names[0])

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, names[0].path, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, names[1].path, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, names[2].path, O_WRONLY | O_CREAT, 0o600)

        // A test runs on a thread that has most signals blocked, and what is started here would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let settings = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var arguments = words.map { strdup($0) } + [nil]
        var variables = settings.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var process = pid_t()
        let problem = posix_spawnp(&process, words[0], &actions, &attributes, &arguments, &variables)
        guard problem == 0 else { throw Failure(description: "\(words[0]): \(String(cString: strerror(problem)))") }

        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = Int(status & 0x7f)
        return Outcome(
            status: signal > 0 ? 128 + signal : Int(status >> 8 & 0xff),
            output: String(decoding: try Data(contentsOf: names[1]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: names[2]), as: UTF8.self))
    }
}
