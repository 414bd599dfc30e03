/// What a build is told by, taken when it was made.
public enum BuildStamp {
    /// The commit that was checked out, 12 digits; what was changed since then and not committed is in the build as well. nil: built without git.
    public static var commit: String? { values.commit }

    /// The compiler's version, such as `6.3.1`; nil: it did not say.
    public static var swift: String? { values.swift }
}
