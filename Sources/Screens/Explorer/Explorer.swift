import Sessions
import Stage2Sim

/// The explorer: a timeline, a place on it, and how the screen is arranged. Pure: what it wants of the world outside
/// (a file written) it asks of `Surroundings`.
public struct Explorer: Interactive {
    /// What the explorer may ask of whoever runs it.
    public struct Surroundings: Sendable {
        /// Writes a text file, over an existing one only where that is said; returns what went wrong, or nil.
        public var write: @Sendable (_ text: String, _ path: String, _ replacing: Bool) -> WriteProblem?
        public var theme: Theme
        /// Linear text without frames.
        public var plain: Bool
        public var ascii: Bool
        /// The largest arrangement of panes, however large the window is.
        public var mostPanes = Layout.Kind.wide
        /// There is a list of sessions behind this one, to which `q` goes back.
        public var hasList = false
        /// What is to be said of the session when it is opened; empty: nothing.
        public var greeting = ""
        /// The sessions that ship, by their names.
        public var sessions: @Sendable () -> [(name: String, session: Session)] = { [] }
        /// The step that the session was left at last time; nil: it was not.
        public var left: Int?
        /// Puts a text into the clipboard; returns what went wrong, or nil.
        public var copy: @Sendable (_ text: String) -> String? = { _ in "nothing can be copied here" }
        /// The command line that opens the session as it was opened; empty: there is none.
        public var command = ""
        /// A link to a step of the session, as it is typed to a shell; nil: there is none.
        public var link: (@Sendable (_ step: Int) -> String)?
        /// Told of an answer: the question's name, whether it was right, and whether it was the session itself that was asked about.
        public var answered: @Sendable (_ question: String, _ isRight: Bool, _ counts: Bool) -> Void = { _, _, _ in }
        /// Opens the session's file at a line in an editor and reads it again; nil: there is none. Called while the terminal is given back.
        public var edit: (@Sendable (_ path: String, _ line: Int) -> Result<Session, InputError>)?
        /// A session that is inside the program is no file to edit: where a copy of it would be, and what writes that.
        public var copyToEdit: (path: String, write: @Sendable () -> WriteProblem?)?
        /// Told of everything typed that makes a branch; returns why it cannot be kept, where that has not been said before.
        public var journal: @Sendable (TypedAction) -> String? = { _ in nil }
        /// What earlier programs left of this session, the newest last, and told of what is no longer needed.
        public var unsaved: [UnsavedWork] = []
        public var dispose: @Sendable (UnsavedWork) -> Void = { _ in }
        /// Lines typed at the prompt before, the newest last, and told of each that is typed.
        public var history: [String] = []
        public var remember: @Sendable (String) -> Void = { _ in }
        /// The files that a path begins, for completion; folders end in `/`.
        public var files: @Sendable (String) -> [String] = { _ in [] }
        /// Steps of a session that are run at once, before there is a bar: a tenth of a second or two.
        public var workAtOnce = 4 << 20

        public init(
            theme: Theme = .dark, plain: Bool = false, ascii: Bool = false,
            write: @escaping @Sendable (String, String, Bool) -> WriteProblem? = { _, path, _ in .failed("\(path) cannot be written here") }
        ) {
            self.theme = theme
            self.plain = plain
            self.ascii = ascii
            self.write = write
        }
    }

    /// Why a file was not written.
    public enum WriteProblem: Sendable, Equatable {
        /// A file of that name is there already.
        case exists
        /// In words, with the file's name.
        case failed(String)
    }

    var timeline: Timeline
    /// Timelines beside the one on the screen, each with the step it was left at; the one shown has its place kept free.
    var branches: [Branch]
    var branch = 0
    var surroundings: Surroundings
    var size = (width: 80, height: 24)
    var focus = PaneID.path
    var zoomed = false
    /// Where panes are narrow: the arrangement for reading, with the entry and all of the note, instead of that with the tables.
    var readsNarrow = false
    var changesOnly = false
    var overlay: Overlay?
    var prompt: Prompt?
    var message: (text: String, isError: Bool)?
    var breakpoints = Breakpoints()
    /// Lines scrolled by hand, by pane; absent: the pane follows the step.
    var scrolled: [PaneID: Int] = [:]
    /// The line picked in the path; nil follows the step.
    var pickedStep: TimelinePlace?
    /// The place in the tables.
    var browsing = TableBrowsing()
    /// The map of the address space, as it was left.
    var map: AddressMapScreen?
    /// The names of a place, while they are shown.
    var names: NamesSheet?
    /// Digits typed before `g`, and where the focus was before they were.
    var digits = ""
    /// The key that last moved by a step, a fault or a stop.
    var lastMove = Key.character("s")
    var focusBeforeDigits = PaneID.path
    var lastSearch = ""
    /// The line that the search stands at.
    var found: (pane: PaneID, line: Int)?
    var overlayScroll = 0
    /// The list over the panes.
    var list: ListSheet?
    var habits = Habits()
    /// The row picked among the actors, and what they did last.
    var pickedActor: ActorNumber = 0
    var recentLanes: LaneColumns?
    /// The timeline over the whole screen, two branches side by side, and the session playing.
    var lanes: LanesView?
    /// The session being predicted.
    var prediction: Prediction?
    /// In front of a class: few panes, large, and all of the note.
    public var lecture = false
    var comparison: Comparison?
    var player: Player?
    /// What `:search` found last.
    var searched: Searched?
    /// Leaving: an answer is awaited, what it was, and whether the list of sessions comes next.
    var isAskingToLeave = false
    var leaving = Leaving.kept
    public internal(set) var goesToList = false
    var history: [String] = []
    /// A session that is being run in the background, what was typed meanwhile, and unsaved work that is being done again.
    var work: Work?
    var waiting: [Event] = []
    /// Lines that were pasted at the prompt, to be run one after another; and whether that has been asked for.
    var pasted: [String] = []
    var isRunningPasted = false
    var recovery: Recovery?
    /// A pane's content by its width.
    struct PaneWidth: Hashable {
        let pane: PaneID
        let width: Int
    }

    /// What panes show, while a screen is drawn; nil: none is.
    var made: [PaneWidth: PaneContent]?
    /// The line that says who wrote an entry, of the scene.
    var writerLines: [WriterKey: Line] = [:]
    struct WriterKey: Hashable {
        let address: PA
        let isPicked: Bool
    }
    /// The scene, made when the place has changed.
    private var cachedScene: Scene?
    private var cachedOwnSteps: (fault: Int, branch: Int, steps: [Int]?)?
    private var cachedRecords: (range: ClosedRange<Int>, branch: Int, records: [StepRecord])?

    /// What lies over the panes.
    enum Overlay: Equatable { case list, why, actors, map, names }

    /// - Parameter firstRun: the session's run, where whoever made the session has made it.
    public init(_ session: Session, firstRun: FirstRun? = nil, surroundings: Surroundings = Surroundings()) {
        branches = [Branch(title: session.title, timeline: nil)]
        self.surroundings = surroundings
        history = surroundings.history
        if let made = firstRun.flatMap({ Timeline($0, ifOf: session) }) {
            timeline = made
            sayWhatWasFound()
        } else {
            let run = FirstRun(beginning: session)
            timeline = Timeline(run)
            begin(run, for: nil)
        }
    }

    /// What there is to be said of a session that has been opened.
    mutating func sayWhatWasFound() {
        if !surroundings.greeting.isEmpty { message = (surroundings.greeting, false) }
        if let left = surroundings.left, left > 0, left <= timeline.count {
            habits.visited.note(VisitedPlace(branch: 0, step: left))
            let words = "last time you left it at step \(left) of \(timeline.count): '' goes there"
            message = ((surroundings.greeting.isEmpty ? "" : surroundings.greeting + "; ") + words, false)
        }
        if let found = unsavedWorkFound { message = (found, false) }
        if let first = timeline.end.problems.first { message = (first.description, true) }
    }

    /// How many steps the session on the screen has, as far as it has been run.
    public var stepCount: Int { timeline.count }

    /// Shows the state after `position` steps, once all of the session has been run.
    public mutating func jump(to position: Int) {
        settle()
        go(to: position)
    }

    // MARK: The scene

    mutating func scene() -> Scene {
        if let cachedScene { return cachedScene }
        let episode = timeline.episode(at: timeline.position)
        // An unmap of a million pages is one episode; the screen needs what is around the place.
        let around = max(episode.lowerBound, timeline.position - 200)...min(episode.upperBound, timeline.position + 100)
        let records: [StepRecord]
        if let cached = cachedRecords, cached.branch == branch, cached.range.lowerBound <= around.lowerBound, cached.range.upperBound >= around.upperBound,
            episode.lowerBound <= cached.range.lowerBound, cached.range.upperBound <= episode.upperBound
        {
            records = cached.records
        } else {
            records = timeline.count == 0 ? [] : timeline.records(around)
            cachedRecords = (around, branch, records)
        }
        // The acting actor's fault; while others move within somebody's, that one; between faults the last.
        let underWay = timeline.position == 0 ? nil : timeline.faultUnderWay(at: timeline.position, of: timeline.actor)
        let fault = underWay ?? timeline.faultNumber(at: timeline.position)
        let operation = timeline.operationNumber(at: timeline.place).map(timeline.session.script.movedOperation)
        let stops = timeline.stopPlaces(after: max(0, around.lowerBound - 1)...max(around.lowerBound - 1, around.upperBound), near: timeline.place.stop)
            .compactMap { $0 == timeline.place ? timeline.stopHere : timeline.stop(at: $0) }
        let narration = timeline.narration
        let scene = Scene(
            session: timeline.session, position: timeline.position, count: timeline.count, before: timeline.before.machine, now: timeline.now.machine,
            effects: timeline.effects, actor: timeline.actor, step: timeline.step, place: timeline.place, stops: stops,
            isFinishing: timeline.position > timeline.scriptEnd,
            records: records, fault: fault, faultCount: timeline.index.faults.count, faultActor: fault.map(timeline.actor(ofFault:)),
            faultSteps: fault.map(timeline.steps(ofFault:)), ownSteps: underWay.flatMap { ownSteps(ofFault: $0) },
            operation: operation,
            isOfAnotherCourse: timeline.operationNumber(at: timeline.place).map(timeline.session.isOfAnotherCourse) ?? false, words: narration?.text,
            result: narration?.result ?? "",
            changes: Changes(timeline.effects), coversUpcoming: prediction != nil,
            coversNote: prediction != nil && timeline.place < timeline.lastPlace
                && timeline.operationNumber(at: timeline.place(after: timeline.place)) == timeline.operationNumber(at: timeline.place))
        cachedScene = scene
        return scene
    }

    /// The steps of a fault that are its actor's.
    private mutating func ownSteps(ofFault number: Int) -> [Int]? {
        if let cached = cachedOwnSteps, cached.fault == number, cached.branch == branch { return cached.steps }
        let steps = timeline.ownSteps(ofFault: number)
        cachedOwnSteps = (number, branch, steps)
        return steps
    }

    mutating func go(to position: Int) { go(to: TimelinePlace(step: position)) }

    mutating func go(to place: TimelinePlace) {
        if habits.asks, asksOnTheWay(to: place) { return }
        let left = here
        timeline.seek(place)
        noteMove(from: left)
        moved()
    }

    /// One place on or back: a step, or the stop of an operation that makes none.
    mutating func goOn() { go(to: timeline.place(after: timeline.place)) }
    mutating func goBack() { go(to: timeline.place(before: timeline.place)) }

    mutating func moved() {
        cachedScene = nil
        writerLines = [:]
        pickedStep = nil
        found = nil
        scrolled = [:]
        pace()
        followWithOther()
    }

    mutating func forgetScene() {
        cachedScene = nil
        writerLines = [:]
        cachedRecords = nil
        cachedOwnSteps = nil
        recentLanes = nil
        lanes?.columns = nil
    }

    /// Steps are made in rows, on or back.
    public var likely: [Event] {
        guard work == nil, waiting.isEmpty, prompt == nil, overlay == nil, prediction == nil, habits.pending == nil, lanes == nil, comparison == nil,
            player == nil,
            digits.isEmpty, !isAskingToLeave
        else { return [] }
        return [lastMove, KeyTable.opposite(of: lastMove)].compactMap { $0.map(Event.key) }
    }

    // MARK: Events

    public mutating func handle(_ event: Event) -> Reaction {
        if let reaction = takeWhileWorking(event) { return reaction }
        if !waiting.isEmpty {
            // What was typed before comes first.
            if event != .tick { waiting.append(event) }
            return takeWaiting()
        }
        let (hint, typed) = (message?.text, digits)
        let reaction = react(to: event)
        // Messages and numbers go with the next event, whatever else that does.
        return reaction == .nothing && (hint != message?.text || typed != digits) ? .redraw : reaction
    }

    mutating func react(to event: Event) -> Reaction {
        switch event {
        case .resize(let width, let height):
            size = (width, height)
            return .redraw
        case .key(let key): return press(key)
        case .mouse(let mouse): return handle(mouse)
        case .paste(let text): return paste(text)
        case .tick: return tick()
        }
    }

    mutating func press(_ key: Key) -> Reaction {
        if key == .control("z") { return .suspend }
        if key == .control("l") { return .repaint }
        if key == .control("c"), prompt == nil, pasted.isEmpty { return .quit }
        // The layout itself asks every pane what it has to say: not for each key.
        if Layout.kind(width: size.width, height: size.height) == .tooSmall { return handleTooSmall(key) }
        if prompt != nil { return handleInPrompt(key) }
        if isAskingToLeave { return answer(key) }
        if !pasted.isEmpty { return answerPaste(key) }
        message = nil
        if prediction?.question != nil { return handleInQuestion(key) }
        if overlay == .list { return handleInList(key) }
        if overlay == .map { return handleInMap(key) }
        if let reaction = handlePending(key) { return reaction }
        let walks = habits.isWalking
        habits.isWalking = false
        if walks, key == .tab {
            walkPlaces(back: false)
            return .redraw
        }
        if case .character(let c) = key, let digit = c.wholeNumberValue, c.isASCII {
            if overlay == .actors { return letActorMove(digit: digit) }
            if overlay == nil { return typed(digit) }
        }
        guard let action = KeyTable.action(for: key) else {
            digits = ""
            if key != .escape { say("\(key) does nothing here; \(KeyTable.shown(.help)) lists the keys") }
            return .redraw
        }
        if action == .out, !digits.isEmpty {
            digits = ""
            return .redraw
        }
        let number = Int(digits)
        digits = ""
        if KeyTable.opposite(of: key) != nil { lastMove = key }
        if overlay != nil { return handleInOverlay(action) }
        if lanes != nil { return handleInLanes(action, number: number) }
        if comparison != nil, let reaction = handleInComparison(action) { return reaction }
        if player != nil, let reaction = handleInPlay(key, action) { return reaction }
        return perform(action, number: number)
    }

    /// Nothing is to be seen: what is open is closed before the program is left.
    private mutating func handleTooSmall(_ key: Key) -> Reaction {
        guard prompt == nil, pasted.isEmpty else {
            if key == .control("c") || key == .escape { (prompt, pasted) = (nil, []) }
            return .nothing
        }
        return key == .character("q") ? .quit : .nothing
    }

    /// A digit shows its pane; before `g`, the digits were a step's number and the focus goes back.
    private mutating func typed(_ digit: Int) -> Reaction {
        if digits.isEmpty { focusBeforeDigits = focus }
        habits.digitsAreFresh = true
        digits = String((digits + String(digit)).suffix(10))
        if lanes == nil, comparison == nil, let pane = PaneID(rawValue: digit) { focus = pane }
        return .redraw
    }

    /// Where the panes stand for what they have to show now.
    var layout: Layout {
        mutating get {
            let scene = scene()
            let hasCaches = scene.now.world.caches != nil, touched = scene.touchedPane
            let (width, height, focus, zoomed, most) = (size.width, size.height, focus, zoomed, surroundings.mostPanes)
            // The closure is asked only while the layout is made.
            return withoutActuallyEscaping({ (pane: PaneID, width: Int) -> Int in self.rowsNeeded(by: pane, width: width) }) { rows in
                Layout(
                    width: width, height: height, focus: focus, zoomed: zoomed, most: most,
                    Layout.Content(
                        touched: touched, hasCaches: hasCaches, isLecture: lecture, forReading: readsNarrow && [.path, .note, .entry].contains(focus),
                        pathLeast: 2, rows: rows))
            }
        }
    }

    mutating func perform(_ action: KeyAction, number: Int?) -> Reaction {
        habits.asks = prediction != nil && Self.readingOn.contains(action)
        defer { habits.asks = false }
        if let number, let reaction = performCounted(action, number) { return reaction }
        switch action {
        case .stepOn, .stepBack:
            let before = timeline.place
            if action == .stepOn { goOn() } else { goBack() }
            if timeline.place == before, prediction?.question == nil { sayEnd(action == .stepOn ? timeline.count + 1 : -1) }
        case .nextOperation: goToOperation(1)
        case .previousOperation: goToOperation(-1)
        case .stepOver: stepOver()
        case .stepOverBack: stepOverBack()
        case .visitedBack: walkPlaces(back: true)
        case .visitedForth: walkPlaces(back: false)
        case .setMark, .goToMark:
            habits.pending = action == .setMark ? .setMark : .goToMark
            say(action == .setMark ? "mark: a letter" : "to mark: a letter, or ' for the place visited last")
        case .glossary: showGlossary("")
        case .copy: showCopies()
        case .edit: return editSession()
        case .predict: togglePredicting()
        case .lecture: toggleLecture()
        case .finishFault: finishFault()
        case .startFault: startFault()
        case .nextFault: goToFault(1)
        case .previousFault: goToFault(-1)
        case .nextStop: goToStop(forward: true)
        case .previousStop: goToStop(forward: false)
        case .first, .goTo:
            if let number {
                focus = focusBeforeDigits
                go(to: number)
            } else {
                go(to: 0)
            }
        case .last: go(to: timeline.lastPlace)
        case .firstRow: move(-Self.everything)
        case .lastRow: move(Self.everything)
        case .moveDown: move(1)
        case .moveUp: move(-1)
        case .pageDown: move(max(1, size.height / 2 - 3))
        case .pageUp: move(-max(1, size.height / 2 - 3))
        case .nextPane: cycle(1)
        case .previousPane: cycle(-1)
        case .pane: break
        case .into: into()
        case .out: out()
        case .zoom: zoom()
        case .search:
            prompt = Prompt(kind: .search)
            habits.searchStart = searchIsForSession ? timeline.position : nil
        case .searchNext: search(forward: true)
        case .searchPrevious: search(forward: false)
        case .changesOnly: changesOnly.toggle(); scrolled = [:]
        case .why: overlay = .why
        case .actors: showActors()
        case .lanes: openLanes()
        case .compare: compare("")
        case .play: play("")
        case .more, .less: say("+ and - zoom the timeline (t), and set the speed while the session plays (p)")
        case .breakpoint: toggleBreakpoint()
        case .map: openMap()
        case .writer: goToWriter()
        case .names: showNames("")
        case .refresh: say("R reads a running machine's tables again: kvmtui attach")
        case .command: prompt = Prompt(kind: .command)
        case .help: showHelp()
        case .repaint: return .repaint
        case .suspend: return .suspend
        case .quit: return .quit
        case .close:
            if zoomed { zoomed = false } else { return close() }
        }
        return .redraw
    }

    private mutating func handleInOverlay(_ action: KeyAction) -> Reaction {
        if overlay == .actors, moveAmongActors(action) { return .redraw }
        if overlay == .names, moveAmongNames(action) { return .redraw }
        switch action {
        case .moveDown: scrollOverlay(1)
        case .moveUp: scrollOverlay(-1)
        case .pageDown: scrollOverlay(10)
        case .pageUp: scrollOverlay(-10)
        case .stepOn where overlay == .why, .stepBack where overlay == .why:
            if action == .stepOn { goOn() } else { goBack() }
        case .quit: return .quit
        default:
            overlay = nil
            overlayScroll = 0
        }
        return .redraw
    }

    private mutating func scrollOverlay(_ lines: Int) { overlayScroll = max(0, overlayScroll + lines) }

    private mutating func handle(_ mouse: Mouse) -> Reaction {
        let layout = layout
        guard layout.kind != .tooSmall else { return .nothing }
        if digits.isEmpty, let reaction = clickHint(mouse, row: layout.hint.y, width: size.width) { return reaction }
        if prediction?.question != nil { return .nothing }
        if overlay == .list { return handleInList(mouse, width: size.width, height: size.height) }
        if overlay != nil {
            switch mouse.action {
            case .click where overlay != .map:
                overlay = nil
                overlayScroll = 0
            case .wheelUp: scrollOverlay(-3)
            case .wheelDown: scrollOverlay(3)
            case .click: break
            }
            return .redraw
        }
        if lanes != nil { return handleInLanes(mouse) }
        if comparison != nil {
            guard mouse.action != .click else { return .nothing }
            scrollComparison(mouse.action == .wheelUp ? -3 : 3)
            return .redraw
        }
        guard let pane = layout.panes.last(where: { $0.rect.contains(mouse.x, mouse.y) }) else { return .nothing }
        switch mouse.action {
        case .wheelUp: scroll(pane.id, -3)
        case .wheelDown: scroll(pane.id, 3)
        case .click:
            focus = pane.id
            click(pane.id, x: mouse.x - pane.rect.x - 1, row: mouse.y - pane.rect.y - 1, rect: pane.rect)
        }
        return .redraw
    }

    /// More lines than any pane has.
    private static let everything = 1 << 40

    public mutating func idle() -> Bool { goOnWorking() }
}
