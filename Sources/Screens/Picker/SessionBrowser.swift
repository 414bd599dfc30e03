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
        /// How far the reader of a session has come.
        public var progress: @Sendable (_ entry: SessionEntry) -> SessionProgress?

        public init(
            list: @escaping @Sendable () -> [SessionEntry], open: @escaping @Sendable (Session, SessionEntry) -> Explorer,
            closed: @escaping @Sendable (Explorer) -> Void = { _ in }, progress: @escaping @Sendable (SessionEntry) -> SessionProgress? = { _ in nil }
        ) {
            self.list = list
            self.open = open
            self.closed = closed
            self.progress = progress
        }
    }

    /// The session on the screen; nil: the list is.
    public private(set) var explorer: Explorer?
    private var picker: SessionPicker?
    /// The review, while it is on the screen or the session on the screen was opened from it.
    private var review: ReviewScreen?
    /// The number of the session on the screen, where the list or the review opened it.
    private var opened: Int?
    private let outside: Outside
    private let glyphs: Glyphs
    private let plain: Bool
    private var size = (width: 80, height: 24)

    /// - Parameters:
    ///   - explorer: the session to begin with; nil: the list.
    ///   - showsReview: without a session, the review instead of the list.
    public init(_ explorer: Explorer?, outside: Outside, ascii: Bool = false, plain: Bool = false, showsReview: Bool = false) {
        self.explorer = explorer
        self.outside = outside
        self.plain = plain
        glyphs = ascii ? .ascii : .unicode
        if explorer == nil { showList() }
        if showsReview { showReview() }
    }

    private mutating func showReview() {
        review = ReviewScreen(picker?.entries ?? [], glyphs: glyphs, plain: plain)
        _ = review?.handle(.resize(width: size.width, height: size.height))
    }

    private mutating func open(_ number: Int) -> Reaction {
        guard let entry = picker?.entries[number], let session = entry.session else { return .nothing }
        opened = number
        explorer = outside.open(session, entry)
        return explorer?.handle(.resize(width: size.width, height: size.height)) ?? .redraw
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
            if let opened, let entry = picker?.entries[opened] { picker?.update(opened, outside.progress(entry)) }
            opened = nil
            if review != nil { _ = review?.handle(.resize(width: size.width, height: size.height)) }
            return .redraw
        }
        switch review?.handle(event) {
        case .open(let name):
            guard let number = picker?.entries.firstIndex(where: { $0.name == name && $0.session != nil }) else { return .nothing }
            return open(number)
        case .closed:
            review = nil
            _ = picker?.handle(.resize(width: size.width, height: size.height))
            return .redraw
        case .reaction(let reaction): return reaction
        case nil: break
        }
        switch picker?.handle(event) {
        case .open(let number): return open(number)
        case .review:
            showReview()
            return .redraw
        case .reaction(let reaction): return reaction
        case nil: return .nothing
        }
    }

    public mutating func draw(into grid: inout Grid) {
        if explorer != nil {
            explorer?.draw(into: &grid)
        } else if let review {
            review.draw(into: &grid)
        } else {
            picker?.draw(into: &grid)
        }
    }

    public mutating func idle() -> Bool { explorer != nil ? explorer?.idle() ?? false : picker?.idle() ?? false }

    public mutating func performOutside() { explorer?.performOutside() }

    public var wakeAfter: Duration? { explorer?.wakeAfter }

    public var likely: [Event] { explorer?.likely ?? [] }
}
