// embed-sessions/: the tool that the plugin EmbedSessions runs. Not part of the program.

import Foundation

/// Writes Swift source: `embed-sessions sessions FOLDER OUTPUT`, a folder's sessions; `embed-sessions stamp PACKAGE OUTPUT`, what is built.
@main struct EmbedSessionsTool {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else { fail("takes sessions or stamp, a folder, and the file to write") }
        do {
            let source: String
            switch arguments[1] {
            case "sessions": source = try sessions(of: arguments[2])
            case "stamp": source = stamp(of: arguments[2])
            default: fail("takes sessions or stamp, not \(arguments[1])")
            }
            try source.write(toFile: arguments[3], atomically: true, encoding: .utf8)
        } catch {
            fail("\(error)")
        }
    }

    private static let head = "// Written by embed-sessions at build time.\n\n"

    /// The sessions of a folder, and the tasks of the folder `tasks` in it.
    private static func sessions(of folder: String) throws -> String {
        let tasks = FileManager.default.fileExists(atPath: folder + "/tasks") ? try texts(of: folder + "/tasks") : ""
        return head + "extension EmbeddedSessions {\n    static let texts: [(name: String, text: String)] = [\n" + (try texts(of: folder))
            + "    ]\n    static let tasks: [(name: String, text: String)] = [\n" + tasks + "    ]\n}\n"
    }

    private static func texts(of folder: String) throws -> String {
        var source = ""
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
        for name in files.map({ String($0.dropLast(5)) }).sorted() {
            let path = "\(folder)/\(name).yaml"
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            guard let text = String(validating: bytes, as: UTF8.self) else { fail("\(path) is not UTF-8") }
            source += "        (\(literal(name)), \(literal(text))),\n"
        }
        return source
    }

    /// The commit, where the package is the top of a git repository, and the compiler. What cannot be had is nil.
    private static func stamp(of package: String) -> String {
        var commit: String?
        if FileManager.default.fileExists(atPath: package + "/.git") { commit = output(["git", "-C", package, "rev-parse", "--short=12", "HEAD"]) }
        var swift: String?
        if let words = output(["swift", "--version"])?.split(separator: " "), let at = words.firstIndex(of: "version"), at + 1 < words.endIndex {
            swift = String(words[at + 1])
        }
        func value(_ text: String?) -> String { text.map(literal) ?? "nil" }
        return head + """
            extension BuildStamp {
                static let values: (commit: String?, swift: String?) = (\(value(commit)), \(value(swift)))
            }

            """
    }

    /// The first line that a program writes; nil: it failed, or is not there.
    private static func output(_ words: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil, let data = try? pipe.fileHandleForReading.readToEnd() else { return nil }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }

    /// A Swift string literal on one line.
    private static func literal(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\" + String(scalar)
            case "\n": out += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: out += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func fail(_ message: String) -> Never {
        FileHandle.standardError.write(Data("embed-sessions: \(message)\n".utf8))
        exit(1)
    }
}
