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
}
