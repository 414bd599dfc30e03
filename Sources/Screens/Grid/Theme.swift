/// How each role looks.
///
/// The three themes are told apart by people who do not see red and green apart: the hues are Okabe and
/// Ito's (Color Universal Design, 2008), and what must never be confused differs in lightness or in an
/// attribute as well, so that even `mono` keeps the distinctions.
public struct Theme: Sendable {
    /// The looks of one role. A missing colour is the terminal's own.
    public struct Look: Hashable, Sendable {
        public var foreground: Colour?
        public var background: Colour?
        public var attributes: Attributes

        public init(_ foreground: Colour? = nil, on background: Colour? = nil, _ attributes: Attributes = []) {
            self.foreground = foreground
            self.background = background
            self.attributes = attributes
        }
    }

    /// `dark`, `light` or `mono`, as `--theme` takes it.
    public let name: String
    /// What pictures use where a look leaves the colour to the terminal.
    public let paper: Colour
    public let ink: Colour
    /// One look a role, in the order of `Role.allCases`.
    private let looks: [Look]

    init(name: String, paper: Colour, ink: Colour, look: (Role) -> Look) {
        self.name = name
        self.paper = paper
        self.ink = ink
        looks = Role.allCases.map(look)
    }

    public subscript(role: Role) -> Look { looks[Int(role.rawValue)] }

    public static let all: [Theme] = [.dark, .light, .mono]

    /// The theme of that name, or nil.
    public static func named(_ name: String) -> Theme? { all.first { $0.name == name } }
}
