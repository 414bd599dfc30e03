import Foundation

/// JSON as it was written.
enum JSONValue: Decodable, Equatable, Sendable {
    case null, bool(Bool), number(Int), text(String), array([JSONValue]), object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // The commonest first: a wrong guess is an error thrown.
        if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([String: JSONValue].self) {
            self = .object(value)
        } else if let value = try? container.decode(Int.self) {
            self = .number(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if container.decodeNil() {
            self = .null
        } else {
            self = .array(try container.decode([JSONValue].self))
        }
    }

    init(_ text: String) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }

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
            guard let name = reference.split(separator: "/").last, let target = root["$defs"]?[String(name)] else { return ["\(path): \(reference) is nowhere"] }
            return self.problems(value, target, path)
        }
        if let type = schema["type"] {
            let types = type.text.map { [$0] } ?? type.array.compactMap(\.text)
            if !types.contains(value.type) { problems.append("\(path): is \(value.type), not \(types)") }
        }
        if let wanted = schema["const"], wanted != value { problems.append("\(path): is not \(wanted)") }
        if let allowed = schema["enum"], !allowed.array.contains(value) { problems.append("\(path): \(value) is not allowed") }
        if let pattern = schema["pattern"]?.text, let text = value.text, patterns[pattern]?.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) == nil {
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
