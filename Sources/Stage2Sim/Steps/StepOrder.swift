import Synchronization

/// The order of the routines under one set of behaviours, and what each step may wait for, as tables: made anew when a behaviour is
/// switched, read at each step.
struct StepOrder: BitwiseCopyable, Sendable {
    private var following = InlineArray<256, UInt8>(repeating: 0)
    private var waits = InlineArray<256, UInt8>(repeating: 0)

    init(_ behaviours: Behaviours) {
        // Also of places that are not in force: an actor may stand at one when its behaviour is switched, and goes on from there. Where
        // nothing behind it is in force either, the rest of the routine is made: it may hold a lock.
        for isInForce in [false, true] {
            for routine in Routine.all {
                let places = routine.places
                for (number, place) in places.enumerated() where place.isFollowed && place.when.holds(behaviours) == isInForce {
                    // Of a routine that is not in force as a whole, whoever is in it goes through the rest.
                    let rest = places[(number + 1)...]
                    guard let next = rest.first(where: { $0.when.holds(behaviours) }) ?? (isInForce ? nil : rest.first) else { continue }
                    following[Int(place.step.rawValue)] = next.step.rawValue
                }
            }
        }
        for step in MicroStep.allCases { waits[Int(step.rawValue)] = step.row.waits.rawValue }
    }

    /// The step after this one where nothing else is decided; `idle` after a routine's last.
    @inline(__always) subscript(after step: MicroStep) -> MicroStep { unsafeBitCast(following[Int(step.rawValue)], to: MicroStep.self) }

    /// What the step may have to wait for.
    @inline(__always) func wait(before step: MicroStep) -> Wait { unsafeBitCast(waits[Int(step.rawValue)], to: Wait.self) }

    /// The table for a set of behaviours.
    static func of(_ behaviours: Behaviours) -> UnsafePointer<StepOrder> { known.order(behaviours) }

    private static let known = Known()

    /// One table for each set of behaviours ever asked for, never freed: machines are made by the thousand, sets of behaviours are few.
    private final class Known: Sendable {
        /// Tables are written before anybody else can see them, and only read from then on.
        private struct Table: @unchecked Sendable { let pointer: UnsafePointer<StepOrder> }
        private let tables = Mutex<[UInt128: Table]>([:])

        func order(_ behaviours: Behaviours) -> UnsafePointer<StepOrder> {
            tables.withLock { tables in
                if let table = tables[behaviours.rawValue] { return table }
                let pointer = UnsafeMutablePointer<StepOrder>.allocate(capacity: 1)
                pointer.initialize(to: StepOrder(behaviours))
                let table = Table(pointer: UnsafePointer(pointer))
                tables[behaviours.rawValue] = table
                return table
            }.pointer
        }
    }
}
