/// The mistakes of one file, told in one go: whoever reads it goes on behind each of them, as far as what follows can still be understood.
final class Findings {
    /// Mistakes that are told; more are counted.
    static let most = 20

    private(set) var errors: [InputError] = []
    private var untold = 0

    var count: Int { errors.count + untold }

    func add(_ error: InputError) {
        if errors.count < Self.most { errors.append(error) } else { untold += 1 }
    }

    /// Keeps a mistake that was thrown; what is none of these goes on.
    func add(_ error: any Error) throws {
        guard let error = error as? InputError else { throw error }
        add(error)
    }

    /// - Throws: the first of them by its place, with the others in it, if there are any.
    func throwAll() throws {
        let sorted = errors.enumerated().sorted {
            ($0.element.place?.line ?? 0, $0.element.place?.column ?? 0, $0.offset) < ($1.element.place?.line ?? 0, $1.element.place?.column ?? 0, $1.offset)
        }.map(\.element)
        guard var first = sorted.first else { return }
        first.others = Array(sorted.dropFirst())
        first.untold = untold
        throw first
    }
}
