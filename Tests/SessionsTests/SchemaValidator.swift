import Foundation

/// JSON as it was written.
enum JSONValue: Equatable, Sendable {
    case null, bool(Bool), number(Int), text(String), array([JSONValue]), object([String: JSONValue])

    init(_ text: String) throws {
        var parser = JSONParser(bytes: Array(text.utf8))
        self = try parser.document()
    }

    subscript(_ key: String) -> JSONValue? {
        get { if case .object(let entries) = self { entries[key] } else { nil } }
        set {
            guard case .object(var entries) = self else { return }
            entries[key] = newValue
            self = .object(entries)
        }
    }
    var array: [JSONValue] { if case .array(let values) = self { values } else { [] } }
    var text: String? { if case .text(let value) = self { value } else { nil } }
    var number: Int? { if case .number(let value) = self { value } else { nil } }
    var entries: [String: JSONValue] { if case .object(let entries) = self { entries } else { [:] } }

    var type: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "integer"
        case .text: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// Reads what we write: no numbers but whole ones. Foundation's decoder takes minutes for a state, by guessing each value's type.
private struct JSONParser {
    struct Problem: Error { let at: Int }
    let bytes: [UInt8]
    var at = 0

    mutating func document() throws -> JSONValue {
        let value = try value()
        skipSpaces()
        guard at == bytes.count else { throw Problem(at: at) }
        return value
    }

    private mutating func skipSpaces() { while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0a { at += 1 } }

    private mutating func takeIf(_ text: String) -> Bool {
        skipSpaces()
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func takeIf(_ mark: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard at < bytes.count, UInt32(bytes[at]) == mark.value else { return false }
        at += 1
        return true
    }

    private mutating func take(_ mark: Unicode.Scalar) throws { if !takeIf(mark) { throw Problem(at: at) } }

    private mutating func value() throws -> JSONValue {
        skipSpaces()
        guard at < bytes.count else { throw Problem(at: at) }
        switch bytes[at] {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        default: break
        }
        if takeIf("null") { return .null }
        if takeIf("true") { return .bool(true) }
        if takeIf("false") { return .bool(false) }
        let start = at
        while at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] &- 0x30 < 10 { at += 1 }
        guard let number = Int(String(decoding: bytes[start..<at], as: UTF8.self)) else { throw Problem(at: start) }
        return .number(number)
    }

    private mutating func object() throws -> [String: JSONValue] {
        var entries: [String: JSONValue] = [:]
        try take("{")
        if takeIf("}" as Unicode.Scalar) { return entries }
        repeat {
            skipSpaces()
            let key = try string()
            try take(":")
            // A key that comes twice would hide the first.
            guard entries.updateValue(try value(), forKey: key) == nil else { throw Problem(at: at) }
        } while takeIf("," as Unicode.Scalar)
        try take("}")
        return entries
    }

    private mutating func array() throws -> [JSONValue] {
        var values: [JSONValue] = []
        try take("[")
        if takeIf("]" as Unicode.Scalar) { return values }
        repeat { values.append(try value()) } while takeIf("," as Unicode.Scalar)
        try take("]")
        return values
    }

    private mutating func string() throws -> String {
        let start = at
        try take("\"")
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            guard bytes[at] >= 0x20 else { throw Problem(at: at) }
            at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        try take("\"")
        let text = bytes[start..<at]
        guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text.dropFirst().dropLast(), as: UTF8.self) }
        return try JSONDecoder().decode(String.self, from: Data(text))
    }
}

/// As much of JSON Schema as our own schemas use; a key that the schema does not have is a problem too.
struct SchemaValidator {
    let root: JSONValue
    /// The schema's patterns, compiled: there are few, and thousands of texts.
    private let patterns: [String: NSRegularExpression]

    init(_ schema: String) throws {
        root = try JSONValue(schema)
        var patterns: [String: NSRegularExpression] = [:]
        func collect(_ value: JSONValue) throws {
            if let pattern = value["pattern"]?.text { patterns[pattern] = try NSRegularExpression(pattern: pattern) }
            try value.entries.values.forEach(collect)
            try value.array.forEach(collect)
        }
        try collect(root)
        self.patterns = patterns
    }

    func problems(_ value: JSONValue) -> [String] { problems(value, root, "$") }

    private static let known: Set = [
        "$schema", "$defs", "title", "description", "type", "required", "properties", "additionalProperties", "items", "enum", "const", "pattern", "$ref",
    ]

    private func problems(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
        var problems = schema.entries.keys.filter { !Self.known.contains($0) }.map { "\(path): the schema's \($0) is not known here" }
        if let reference = schema["$ref"]?.text {
            guard let name = reference.split(separator: "/").last, let target = root["$defs"]?[String(name)] else {
                return ["\(path): \(reference) is nowhere"]
            }
            return self.problems(value, target, path)
        }
        if let type = schema["type"] {
            let types = type.text.map { [$0] } ?? type.array.compactMap(\.text)
            if !types.contains(value.type) { problems.append("\(path): is \(value.type), not \(types)") }
        }
        if let wanted = schema["const"], wanted != value { problems.append("\(path): is not \(wanted)") }
        if let allowed = schema["enum"], !allowed.array.contains(value) { problems.append("\(path): \(value) is not allowed") }
        if let pattern = schema["pattern"]?.text, let text = value.text,
            patterns[pattern]?.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) == nil
        {
            problems.append("\(path): `\(text)` is no \(pattern)")
        }
        // As in JSON Schema: of anything but an object nothing is required.
        if case .object = value {
            for name in schema["required"]?.array.compactMap(\.text) ?? [] where value[name] == nil { problems.append("\(path).\(name): is missing") }
        }
        for (name, value) in value.entries {
            if let own = schema["properties"]?[name] ?? schema["additionalProperties"] {
                problems += self.problems(value, own, "\(path).\(name)")
            } else {
                problems.append("\(path).\(name): the schema does not know it")
            }
        }
        if let items = schema["items"] {
            for (index, value) in value.array.enumerated() where problems.count < 20 { problems += self.problems(value, items, "\(path)[\(index)]") }
        }
        return problems
    }
}
