import Sessions

/// The program on the screen: a session being explored, or the list to choose one from.
public struct SessionBrowser: Interactive {
    /// What the browser asks of whoever runs it.
    public struct Outside: Sendable {
        /// The sessions there are; asked for when the list is first shown.
        public var list: @Sendable () -> [SessionEntry]
        /// An explorer of a session; its surroundings say that there is a list to go back to.
        public var open: @Sendable (_ session: Session, _ entry: SessionEntry) -> Explorer
        /// An explorer is left for the list.
        public var closed: @Sendable (Explorer) -> Void

        public init(
            list: @escaping @Sendable () -> [SessionEntry], open: @escaping @Sendable (Session, SessionEntry) -> Explorer,
            closed: @escaping @Sendable (Explorer) -> Void = { _ in }
        ) {
            self.list = list
            self.open = open
            self.closed = closed
        }
    }

    /// The session on the screen; nil: the list is.
    public private(set) var explorer: Explorer?
    private var picker: SessionPicker?
    private let outside: Outside
    private let glyphs: Glyphs
    private let plain: Bool
    private var size = (width: 80, height: 24)

    /// - Parameter explorer: the session to begin with; nil: the list.
    public init(_ explorer: Explorer?, outside: Outside, ascii: Bool = false, plain: Bool = false) {
        self.explorer = explorer
        self.outside = outside
        self.plain = plain
        glyphs = ascii ? .ascii : .unicode
        if explorer == nil { showList() }
    }

    private mutating func showList() {
        if picker == nil { picker = SessionPicker(outside.list(), glyphs: glyphs, plain: plain) }
        _ = picker?.handle(.resize(width: size.width, height: size.height))
    }

    public mutating func handle(_ event: Event) -> Reaction {
        if case .resize(let width, let height) = event { size = (width, height) }
        if explorer != nil {
            let reaction = explorer?.handle(event) ?? .nothing
            guard reaction == .quit, let left = explorer, left.goesToList else { return reaction }
            outside.closed(left)
            explorer = nil
            showList()
            return .redraw
        }
        switch picker?.handle(event) {
        case .open(let number):
            guard let entry = picker?.entries[number], let session = entry.session else { return .nothing }
            explorer = outside.open(session, entry)
            return explorer?.handle(.resize(width: size.width, height: size.height)) ?? .redraw
        case .reaction(let reaction): return reaction
        case nil: return .nothing
        }
    }

    public mutating func draw(into grid: inout Grid) {
        if explorer != nil { explorer?.draw(into: &grid) } else { picker?.draw(into: &grid) }
    }

    public mutating func idle() -> Bool { explorer != nil ? explorer?.idle() ?? false : picker?.idle() ?? false }

    public var wakeAfter: Duration? { explorer?.wakeAfter }

    public var likely: [Event] { explorer?.likely ?? [] }
}
