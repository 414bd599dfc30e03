import Sessions
import Stage2Sim

// A session being run for the screen: at once where that is done in a moment, else piece by piece while nothing else is to be done, with
// a bar, and an end that can be had at any time.

extension Explorer {
    /// A run that has not come to its end, and what it is for.
    struct Work {
        var run: FirstRun
        /// nil: the session that is being opened.
        var branch: BranchRequest?
    }

    /// A branch that was asked for, from the step on the screen.
    struct BranchRequest {
        var typed: String
        var title: String?
        var place: TimelinePlace
        /// Of what was typed, in the branch's script.
        var number: Int
        /// The rest of the session follows too.
        var replaying: Bool
        /// What is said of the order that barriers keep no longer; nil: they keep it.
        var late: String?
        /// What could not be done up to the step already.
        var problemsBefore: Int

        var position: Int { place.step }
    }

    /// Steps in a piece of work in the background.
    private static let piece = 1 << 15
    /// Events that are kept until the work is done.
    private static let mostWaiting = 10_000

    /// A session is being run in the background.
    public var isWorking: Bool { work != nil }

    /// Runs a session as far as it goes at once; the rest is left for `idle`.
    mutating func begin(_ run: FirstRun, for branch: BranchRequest?) {
        var run = run
        _ = run.goOn(work: surroundings.workAtOnce)
        if run.isOver { return done(run, branch) }
        work = Work(run: run, branch: branch)
        if branch == nil { timeline = Timeline(run) }
    }

    /// A piece of the work. Returns whether there is more.
    mutating func goOnWorking(_ steps: Int = Self.piece) -> Bool {
        guard work != nil else { return false }
        if work!.run.goOn(work: steps) { return true }
        finishWork()
        return work != nil
    }

    /// Does all the work there is, without a screen between.
    ///
    /// - Parameter goesOn: asked every 65,536 steps; false stops the work with what there is.
    public mutating func settle(goesOn: (RunProgress) -> Bool = { _ in true }) {
        while let progress = work?.run.progress {
            if !goesOn(progress) { stopWork() } else { _ = goOnWorking(1 << 16) }
        }
    }

    private mutating func finishWork() {
        guard let finished = work else { return }
        work = nil
        done(finished.run, finished.branch)
        goOnRecovering()
        goOnPasting()
    }

    /// ^C or Esc: the work ends with what there is.
    mutating func stopWork() {
        guard let stopped = work else { return }
        work = nil
        recovery = nil
        (pasted, isRunningPasted) = ([], false)
        let steps = stopped.run.progress.steps
        if let branch = stopped.branch, steps <= branch.position {
            return say("stopped after \(steps) steps, before the branch began: nothing is changed")
        }
        done(stopped.run, stopped.branch)
        say("stopped: this is run up to step \(steps), and no further")
    }

    private mutating func done(_ run: FirstRun, _ branch: BranchRequest?) {
        let made = Timeline(run)
        if let branch { return install(made, branch) }
        let place = timeline.place
        timeline = made
        forgetScene()
        go(to: place)
        sayWhatWasFound()
    }

    // MARK: Events meanwhile

    /// An event while a session is being run: nothing typed ahead is lost. Nil: it means what it means without.
    mutating func takeWhileWorking(_ event: Event) -> Reaction? {
        guard work != nil else { return nil }
        switch event {
        case .key(.control("c")), .key(.escape):
            stopWork()
            return .redraw
        case .key(.control("l")): return .repaint
        case .key(.control("z")): return .suspend
        case .resize(let width, let height):
            size = (width, height)
            return .redraw
        case .tick: return .redraw
        default:
            if waiting.count < Self.mostWaiting { waiting.append(event) }
            return .nothing
        }
    }

    /// Takes what was typed ahead, until it asks for something or has another session run.
    mutating func takeWaiting() -> Reaction {
        var reaction = Reaction.redraw
        while work == nil, !waiting.isEmpty, reaction == .redraw || reaction == .nothing { reaction = react(to: waiting.removeFirst()) }
        return reaction == .nothing ? .redraw : reaction
    }

    // MARK: The bar

    /// How far it has come, in the hint line.
    func drawWork(_ canvas: inout Canvas) {
        guard let progress = work?.run.progress else { return }
        let bars = min(20, Int(progress.share * 20))
        let bar = "[" + String(repeating: "#", count: bars) + String(repeating: ".", count: 20 - bars) + "]"
        let steps = "\(progress.steps) steps  "
        let texts = ["\(bar) \(Int(progress.share * 100))%  action \(progress.begun) of \(progress.operations), \(steps)", "\(bar) \(steps)", steps]
        let end = "Esc ends it with what there is"
        let text = texts.first { 1 + $0.count + end.count <= canvas.width } ?? ""
        let x = canvas.put(1, 0, text, .note)
        canvas.put(x, 0, end, .dim, width: max(0, canvas.width - x))
    }
}
