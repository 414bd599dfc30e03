import Sessions
import Stage2Sim

/// A place in a session: a step of a branch.
struct VisitedPlace: Equatable, Sendable {
    var branch: Int
    var step: Int
}

/// The places jumped from, as editors keep them: back, forth, and the last one.
struct VisitedPlaces: Sendable {
    private(set) var list: [VisitedPlace] = []
    /// Where one stands in the list; at its end: nowhere in it.
    private var at = 0
    private static let most = 100

    /// A jump leaves this place.
    mutating func note(_ place: VisitedPlace) {
        list.removeAll { $0 == place }
        list.append(place)
        if list.count > Self.most { list.removeFirst() }
        at = list.count
    }

    mutating func back(from here: VisitedPlace) -> VisitedPlace? {
        if at >= list.count {
            if list.last != here { list.append(here) }
            at = list.count - 1
        }
        guard at > 0 else { return nil }
        at -= 1
        return list[at]
    }

    mutating func forth() -> VisitedPlace? {
        guard at + 1 < list.count else { return nil }
        at += 1
        return list[at]
    }

    /// The place jumped from last.
    func last(but here: VisitedPlace) -> VisitedPlace? { list.last { $0 != here } }
}

/// What the explorer remembers between keys: places, marks, what a key still waits for.
struct Habits: Sendable {
    enum Pending { case setMark, goToMark, copyAndEdit }

    var visited = VisitedPlaces()
    var marks: [Character: VisitedPlace] = [:]
    /// The move under way reads on: on its way questions are asked.
    var asks = false
    /// The copy that is edited instead of a session inside the program.
    var editedFile: String?
    /// The next key belongs to this one.
    var pending: Pending?
    /// The last key went back or forth in the places: Tab, which terminals send for C-i, goes forth.
    var isWalking = false
    /// A digit was typed since the last tick.
    var digitsAreFresh = false
    /// The session was gone through to its end.
    var reachedEnd = false
    /// Places are not noted while they are walked through.
    var isNoting = true
    /// The last search was for all of the session.
    var searchesSession = false
    /// Where a search that is being typed began.
    var searchStart: Int?
}

extension Explorer {
    var here: VisitedPlace { VisitedPlace(branch: branch, step: timeline.position) }

    /// How far the session itself was read; nil: there is nothing in it.
    public var progress: (step: Int, count: Int, isDone: Bool)? {
        guard let own = branch == 0 ? timeline : branches[0].timeline, own.count > 0 else { return nil }
        return (own.position, own.count, habits.reachedEnd)
    }

    /// Told before and after every move: what was left, and whether this is the end.
    mutating func noteMove(from left: VisitedPlace) {
        if habits.isNoting, left.branch != branch || abs(left.step - timeline.position) > 1 { habits.visited.note(left) }
        // A jump from far away is no reading.
        if branch == 0, timeline.count > 0, timeline.position == timeline.count, left.step >= Int(timeline.operationStarts.last ?? 0) {
            habits.reachedEnd = true
        }
    }

    mutating func go(to place: VisitedPlace) {
        guard branches.indices.contains(place.branch) else { return say("branch \(place.branch + 1) is no more") }
        show(branch: place.branch)
        go(to: place.step)
    }

    // MARK: Back and forth

    mutating func walkPlaces(back: Bool) {
        let next = back ? habits.visited.back(from: here) : habits.visited.forth()
        guard let next else { return say(back ? "no place was visited before" : "no place was visited after this one") }
        habits.isNoting = false
        go(to: next)
        habits.isNoting = true
        habits.isWalking = true
        say("step \(next.step)\(branches.count > 1 ? " of branch \(next.branch + 1)" : "") again: ^O goes farther back, ^I (Tab) forth")
    }

    /// A key that waits for another one. Nil: none does.
    mutating func handlePending(_ key: Key) -> Reaction? {
        guard let pending = habits.pending else { return nil }
        habits.pending = nil
        if pending == .copyAndEdit { return answerCopyAndEdit(key) }
        guard case .character(let letter) = key else {
            say("no mark; a letter follows M and '")
            return .redraw
        }
        switch pending {
        case .copyAndEdit: break
        case .setMark:
            guard letter.isLetter, letter.isASCII else { say("a mark is a letter", error: true); break }
            habits.marks[letter] = here
            say("mark \(letter): step \(timeline.position); '\(letter) comes back")
        case .goToMark:
            if letter == "'" {
                guard let last = habits.visited.last(but: here) else { say("no place was visited before"); break }
                go(to: last)
            } else if let place = habits.marks[letter] {
                go(to: place)
            } else {
                let set = habits.marks.keys.sorted().map(String.init).joined(separator: " ")
                say("mark \(letter) is not set" + (set.isEmpty ? "; M and a letter sets one" : "; set are \(set)"), error: true)
            }
        }
        return .redraw
    }

    // MARK: Counts

    /// An action that a number in front repeats. Nil: the number is for something else.
    mutating func performCounted(_ action: KeyAction, _ number: Int) -> Reaction? {
        let times = min(max(1, number), 100_000)
        switch action {
        case .stepOn, .stepBack:
            focus = focusBeforeDigits
            let target = timeline.position + (action == .stepOn ? times : -times)
            go(to: target)
            if prediction?.question == nil { sayEnd(target) }
        case .moveDown, .moveUp:
            focus = focusBeforeDigits
            move(action == .moveDown ? times : -times)
        case .nextFault, .previousFault, .nextStop, .previousStop, .nextOperation, .previousOperation, .stepOver, .stepOverBack, .finishFault, .startFault,
            .pageDown, .pageUp,
            .searchNext, .searchPrevious, .visitedBack, .visitedForth, .nextPane, .previousPane:
            focus = focusBeforeDigits
            for _ in 0..<min(times, 10_000) {
                let before = here, first = message
                _ = perform(action, number: nil)
                if prediction?.question != nil { break }
                let moves = ![.pageDown, .pageUp, .nextPane, .previousPane].contains(action)
                if moves, here == before, message != nil || first != nil { break }
            }
        default: return nil
        }
        return .redraw
    }

    /// A step was asked for that is not there.
    mutating func sayEnd(_ target: Int) {
        if target > timeline.count { say("the end: step \(timeline.count) is the last one") }
        if target < 0 { say("the start: nothing comes before") }
    }

    // MARK: Operations

    /// To the first step of the next operation that makes one, or back.
    mutating func goToOperation(_ direction: Int) {
        let starts = timeline.operationStarts
        let position = timeline.position
        func position(of operation: Int) -> Int { Int(starts[operation]) + 1 }
        if direction > 0 {
            var low = 0, high = starts.count
            while low < high {
                let middle = (low + high) / 2
                if Int(starts[middle]) + 1 <= position { low = middle + 1 } else { high = middle }
            }
            guard low < starts.count, Int(starts[low]) < timeline.count else {
                guard position < timeline.count else { return say("this was the last operation") }
                return go(to: timeline.count)
            }
            return go(to: Int(starts[low]) + 1)
        }
        guard position > 0 else { return say("the start: nothing comes before") }
        var low = 0, high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if Int(starts[middle]) + 1 < position { low = middle + 1 } else { high = middle }
        }
        go(to: low > 0 ? Int(starts[low - 1]) + 1 : 0)
    }

    // MARK: Stepping over

    /// Steps looked at for the end of what is stepped over.
    private static let farthest = 200_000

    /// To the next step of the same actor that is not in a routine called here: that routine, and what others do meanwhile, run as one.
    mutating func stepOver() {
        guard let actor = timeline.actor else { return perform(stepping: 1) }
        guard timeline.position < timeline.count else { return sayEnd(timeline.count + 1) }
        let depth = timeline.before.machine.actors[actor].depth
        var state = timeline.now
        for _ in 0..<Self.farthest {
            guard let next = state.prepare() else { return go(to: timeline.count) }
            let isBack = next == actor && state.machine.actors[next].depth <= depth
            state.run(limit: 1)
            if isBack { return go(to: state.position) }
        }
        say("\(timeline.now.machine.name(of: actor)) does not come back within \(Self.farthest) steps")
    }

    /// The same backwards.
    mutating func stepOverBack() {
        guard timeline.position > 0 else { return sayEnd(-1) }
        guard let actor = timeline.actor else { return perform(stepping: -1) }
        let depth = timeline.before.machine.actors[actor].depth
        for stretch in [512, 8192, Self.farthest] {
            let start = max(0, timeline.position - stretch)
            var state = timeline.state(at: start)
            var found: Int?
            while state.position < timeline.position - 1, let next = state.prepare() {
                let isBack = next == actor && state.machine.actors[next].depth <= depth
                state.run(limit: 1)
                if isBack { found = state.position }
            }
            if let found { return go(to: found) }
            if start == 0 { break }
        }
        go(to: timeline.position - 1)
    }

    private mutating func perform(stepping by: Int) {
        let target = timeline.position + by
        go(to: target)
        sayEnd(target)
    }
}
