/// What the user says that a file is.
public enum InputForm: String, Sendable, Hashable, CaseIterable {
    case trace, image, ptdump, session
}

/// A file with what it turned out to be: unpacked, and turned into text by the tool that it is for, until nothing is left to be undone.
public struct Input {
    public let source: ByteSource
    public let kind: InputKind

    /// A file of which it is known what it is.
    public init(source: ByteSource, kind: InputKind) { (self.source, self.kind) = (source, kind) }

    /// - Parameter form: what the user says that it is, whatever it looks like.
    /// - Throws: `InputError` where a tool is missing or fails; `ByteSourceError`.
    public static func open(_ source: ByteSource, as form: InputForm? = nil) throws -> Input {
        var source = source
        var kind = InputKind.detect(try source.peek())
        // A trace.dat in a .gz in UTF-16 … is nobody's; a file that is packed for ever is somebody's.
        for _ in 0..<4 {
            switch kind {
            case .compressed(let compression) where form != .session: source = try source.output(of: compression.tool)
            case .traceCmdData where form == nil || form == .trace: source = try source.output(of: .traceCmd)
            case .perfData(let inPipeForm) where form == nil || form == .trace: source = try source.output(of: inPipeForm ? .perfPipe : .perf)
            case .utf16 where form != .image: if let text = try source.decodingUTF16() { source = text }
            default: return Input(source: source, kind: forced(kind, form))
            }
            kind = InputKind.detect(try source.peek())
            // What a tool printed is a trace, even if there is nothing in it.
            if source.tool == .traceCmd || source.tool == .perf || source.tool == .perfPipe { kind = .trace }
        }
        return Input(source: source, kind: forced(kind, form))
    }

    private static func forced(_ kind: InputKind, _ form: InputForm?) -> InputKind {
        switch form {
        case nil: kind
        case .trace: .trace
        case .session: .session
        case .ptdump: .ptdump
        case .image: kind.isImage && kind != .ptdump ? kind : .rawMemory
        }
    }
}
