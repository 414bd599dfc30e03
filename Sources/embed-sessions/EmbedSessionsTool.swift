// embed-sessions/: the tool that the plugin EmbedSessions runs. Not part of the program.

import Foundation

/// Writes a folder's sessions as Swift source: `embed-sessions FOLDER OUTPUT`.
@main struct EmbedSessionsTool {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { fail("takes a folder and the file to write") }
        let (folder, output) = (arguments[1], arguments[2])
        do {
            var source =
                "// Written by embed-sessions at build time.\n\nextension EmbeddedSessions {\n    static let texts: [(name: String, text: String)] = [\n"
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
            for name in files.map({ String($0.dropLast(5)) }).sorted() {
                let path = "\(folder)/\(name).yaml"
                let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
                guard let text = String(validating: bytes, as: UTF8.self) else { fail("\(path) is not UTF-8") }
                source += "        (\(literal(name)), \(literal(text))),\n"
            }
            source += "    ]\n}\n"
            try source.write(toFile: output, atomically: true, encoding: .utf8)
        } catch {
            fail("\(error)")
        }
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
