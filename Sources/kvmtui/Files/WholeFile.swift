// Files/: files that are written whole or not at all.

import Glibc
import Screens

/// A file being written. What stands there is replaced when all of it is on the disk, and not before: a full disk, a signal or a crash
/// leave the old file. Links lead where they led, and the file's mode stays.
///
/// Only regular files are replaced: a pipe would wait for its reader, a terminal is being drawn on.
final class WholeFile {
    /// As it was named, for messages.
    private let name: String
    /// Where it really is, links followed.
    private let path: String
    /// What is written first; empty where it has no name.
    private let part: String
    private var descriptor: Int32
    private let old: stat?
    private let replacing: Bool

    /// - Parameters:
    ///   - path: `-`, and nothing else, is standard output.
    ///   - replacing: a file that is there already may go.
    init(_ path: String, replacing: Bool) throws(TerminalError) {
        name = path
        self.replacing = replacing
        let target = Self.followed(path)
        self.path = target
        var status = stat()
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                let what = status.st_mode & S_IFMT == S_IFDIR ? "is a folder" : "is a pipe, a device or a socket: only files are written"
                throw .file(path, reason: what)
            }
            guard replacing else { throw .exists(path) }
            guard access(target, W_OK) == 0 else { throw Self.failure(path, errno) }
            old = status
        } else {
            old = nil
        }
        let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
        let last = target.split(separator: "/").last.map(String.init) ?? ""
        var made = "", opened: Int32 = -1, problem: Int32 = 0
        for number in 0..<100 where opened < 0 {
            made = "\(folder).\(last.prefix(100)).\(getpid())-\(number)"
            opened = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
            problem = errno
            if opened < 0, problem != EEXIST { break }
        }
        if opened < 0, old != nil, problem == EACCES || problem == EROFS || problem == EPERM {
            // The file may be written, its folder may not: what is new waits in a file without a name.
            made = "\(Self.temporaryFolder)/kvmtui-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            opened = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            problem = errno
            if opened >= 0 { unlink(made) }
            made = ""
        }
        guard opened >= 0 else { throw Self.failure(path, problem) }
        part = made
        descriptor = opened
    }

    deinit { giveUp() }

    /// Adds bytes at the end.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TerminalError) {
        if !CommandIO.write(bytes, to: descriptor) { throw Self.failure(name, errno) }
    }

    func write(_ text: String) throws(TerminalError) {
        let done = Array(text.utf8).withUnsafeBytes { CommandIO.write($0, to: descriptor) }
        if !done { throw Self.failure(name, errno) }
    }

    /// Puts what was written in the place of what stood there.
    func finish() throws(TerminalError) {
        defer { giveUp() }
        if let old, part.isEmpty || old.st_nlink > 1 { return try copyOver(old) }
        if let old {
            _ = fchown(descriptor, old.st_uid, old.st_gid)
            fchmod(descriptor, old.st_mode & 0o7777)
        }
        guard fsync(descriptor) == 0 else { throw Self.failure(name, errno) }
        if replacing {
            guard rename(part, path) == 0 else { throw Self.failure(name, errno) }
        } else if link(part, path) != 0 {
            // Somebody else made it meanwhile; or there are no links here, and it is looked for once more.
            if errno == EEXIST || access(path, F_OK) == 0 { throw .exists(name) }
            guard rename(part, path) == 0 else { throw Self.failure(name, errno) }
        }
        let folder = open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// A file of several names stays one: it is written over, once the disk has said that there is room for all of it.
    private func copyOver(_ old: stat) throws(TerminalError) {
        let target = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
        guard target >= 0 else { throw Self.failure(name, errno) }
        defer { close(target) }
        let size = lseek(descriptor, 0, SEEK_END)
        if size > 0, case let problem = posix_fallocate(target, 0, size), problem == ENOSPC || problem == EDQUOT || problem == EFBIG {
            // What it has grown by goes again.
            ftruncate(target, old.st_size)
            throw Self.failure(name, problem)
        }
        lseek(descriptor, 0, SEEK_SET)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(descriptor, &piece, piece.count), count != 0 {
            guard count > 0, piece.withUnsafeBytes({ CommandIO.write(UnsafeRawBufferPointer(rebasing: $0[..<count]), to: target) }) else {
                throw Self.failure(name, errno)
            }
        }
        guard ftruncate(target, size) == 0, fsync(target) == 0 else { throw Self.failure(name, errno) }
    }

    private func giveUp() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        if !part.isEmpty { unlink(part) }
    }

    /// Where a path leads, also where nothing stands there yet.
    private static func followed(_ path: String) -> String {
        var path = path
        for _ in 0..<40 {
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
            guard count > 0 else { break }
            let target = String(decoding: buffer[..<count], as: UTF8.self)
            path = target.hasPrefix("/") ? target : (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + target
        }
        return path
    }

    private static var temporaryFolder: String {
        guard let folder = getenv("TMPDIR").map({ String(cString: $0) }), folder.hasPrefix("/") else { return "/tmp" }
        return folder
    }

    private static func failure(_ path: String, _ error: Int32) -> TerminalError {
        .file(path, reason: "cannot be written: \(String(cString: strerror(error)))")
    }
}
