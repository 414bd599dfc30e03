// EmbeddedSessions/: the sessions of the repository's `sessions/`, inside the program. Their texts are written at build time, by the
// plugin EmbedSessions and its tool embed-sessions, into `EmbeddedSessions.texts`: there is no second copy to keep up.

/// The sessions that ship.
public enum EmbeddedSessions {
    /// Their names, in order: the files' without `.yaml`.
    public static var names: [String] { texts.map(\.name) }

    /// A session's text, YAML as it stands in the repository; nil: none of that name ships.
    public static func text(of name: String) -> String? { texts.first { $0.name == name }?.text }

    /// The names of the tasks that ship, in order.
    public static var taskNames: [String] { tasks.map(\.name) }

    /// A task's text; nil: none of that name ships.
    public static func task(of name: String) -> String? { tasks.first { $0.name == name }?.text }
}
