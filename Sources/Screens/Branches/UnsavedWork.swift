import Sessions

/// A command line that made a branch or went on with one, and where: enough to do it again.
public struct TypedAction: Sendable, Equatable {
    /// The branch that was on the screen, from 1, and the place.
    public var branch: Int
    public var place: TimelinePlace
    public var text: String

    public init(branch: Int, place: TimelinePlace, text: String) {
        self.branch = branch
        self.place = place
        self.text = text
    }
}

/// What an explorer of the same session had typed and not saved when its program died.
public struct UnsavedWork: Sendable, Equatable {
    /// When it was typed last, for people.
    public var when: String
    public var actions: [TypedAction]
    /// Where it is kept, for whoever keeps it.
    public var place: String

    public init(when: String, actions: [TypedAction], place: String) {
        self.when = when
        self.actions = actions
        self.place = place
    }
}

extension Explorer {
    /// How a program is left.
    enum Leaving { case kept, thrownAway }

    /// Branches that no file has: those from which none grew, and that were not written.
    var unsavedBranches: [Int] {
        branches.indices.dropFirst().filter { number in !branches[number].isSaved && !branches.contains { $0.origin?.branch == number } }
    }

    /// Something typed would be lost if nobody kept it.
    public var hasUnsavedWork: Bool { leaving != .thrownAway && !unsavedBranches.isEmpty }

    private var unsavedWords: String {
        let count = unsavedBranches.count
        return count == 1 ? "branch \(unsavedBranches[0] + 1) is not saved" : "\(count) branches are not saved"
    }

    /// `q`: leaves, or asks first.
    mutating func close() -> Reaction {
        guard !unsavedBranches.isEmpty else { return leave(toList: surroundings.hasList) }
        isAskingToLeave = true
        say("\(unsavedWords): y leaves all the same, s saves this one, any other key stays", error: true)
        return .redraw
    }

    /// The answer to that.
    mutating func answer(_ key: Key) -> Reaction {
        isAskingToLeave = false
        message = nil
        switch key {
        case .character("y"), .character("Y"):
            leaving = .thrownAway
            return leave(toList: surroundings.hasList)
        case .character("s"), .character("S"): prompt = Prompt(kind: .command, text: "save ")
        default: break
        }
        return .redraw
    }

    /// `:quit`, `:quit!` and `:sessions`.
    mutating func quit(_ name: String, evenUnsaved: Bool, toList: Bool) -> Reaction {
        if evenUnsaved { leaving = .thrownAway }
        guard evenUnsaved || unsavedBranches.isEmpty else {
            say("\(unsavedWords): :save FILE keeps this one, :\(name)! leaves all the same", error: true)
            return .redraw
        }
        return leave(toList: toList)
    }

    private mutating func leave(toList: Bool) -> Reaction {
        goesToList = toList
        return .quit
    }

    // MARK: Recovery

    /// What an earlier program left, to be said when the session opens.
    var unsavedWorkFound: String? {
        guard let work = surroundings.unsaved.last else { return nil }
        let count = work.actions.count
        return "unsaved work on this session from \(work.when), \(count) action\(count == 1 ? "" : "s"): :recover does it again, :recover off forgets it"
    }

    /// `:recover`: does again what was typed.
    mutating func recover(_ argument: String) {
        guard let work = surroundings.unsaved.last else { return say("no unsaved work was left on this session") }
        guard argument.isEmpty || argument == "off" else { return say("recover '\(argument)': nothing or off fits", error: true) }
        surroundings.unsaved.removeLast()
        if argument == "off" {
            surroundings.dispose(work)
            return say("forgotten: \(work.actions.count) actions from \(work.when)")
        }
        recovery = Recovery(work: work)
        goOnRecovering()
    }

    /// Unsaved work that is being done again, action by action.
    struct Recovery {
        let work: UnsavedWork
        /// Its branches' numbers then, and now.
        var numbers = [0]
        var done = 0
        /// Branches before the last action.
        var before = 0
    }

    /// Does the next of its actions, until one has a session run in the background, or none is left.
    mutating func goOnRecovering() {
        while work == nil, var now = recovery {
            recovery = nil
            // What the last one came to.
            if now.done > 0, branches.count > now.before { now.numbers.append(branch) }
            if now.done > 0, let message, message.isError {
                return say("after \(now.done - 1) actions, '\(now.work.actions[now.done - 1].text)': \(message.text)", error: true)
            }
            guard now.done < now.work.actions.count else {
                surroundings.dispose(now.work)
                return say("recovered \(now.done) actions in \(branches.count - 1) branches; :save FILE keeps this one, :branch lists them")
            }
            let action = now.work.actions[now.done]
            guard now.numbers.indices.contains(action.branch - 1) else { return say("the unsaved work is damaged after \(now.done) actions", error: true) }
            show(branch: now.numbers[action.branch - 1])
            go(to: action.place)
            message = nil
            now.done += 1
            now.before = branches.count
            recovery = now
            _ = run(action.text)
        }
    }
}
