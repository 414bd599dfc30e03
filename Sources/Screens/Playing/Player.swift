// Playing/: a session that goes on by itself at a reading pace, and its recording.

import Sessions

/// A session playing: how fast, and how long the step on the screen stays.
struct Player {
    /// A multiple of the reading pace.
    var speed = 1.0
    var isPaused = false
    /// How long the step on the screen is shown.
    var wait = Duration.seconds(1)
    /// The same at the reading pace, in milliseconds.
    var base = 1000
    /// Reasons that were on the screen long enough to be read.
    var read: Set<String> = []

    static let speeds = 0.125...64.0

    /// How long it takes to read what is new, in milliseconds: a glance, the step's line, and what its author says where that is new.
    mutating func time(_ scene: Scene, isNewOperation: Bool) -> Int {
        var time = 500
        if let words = scene.words {
            time += (words.title.count + min(80, scene.result.count)) * 14
        } else if let stop = scene.stop {
            time += (StopText(stop).title.count + min(80, StopText(stop).result.count)) * 14
        } else {
            return min(8000, 1500 + scene.session.about.count * 25)
        }
        // A reason takes its time once.
        if let why = scene.words?.why, read.insert(why).inserted { time += why.count * 22 }
        if isNewOperation, let note = scene.operation?.note { time += note.count * 32 }
        if !scene.changes.broken.isEmpty { time += 4000 }
        return min(30_000, time)
    }
}

extension Explorer {
    /// Begins to play, from the step on the screen or from the start if that is the end.
    public mutating func play(speed: Double = 1) {
        guard timeline.lastPlace > TimelinePlace(step: 0) else { return say("the session has no steps") }
        if isAtEnd { go(to: 0) }
        player = Player(speed: min(max(speed, Player.speeds.lowerBound), Player.speeds.upperBound))
        overlay = nil
        pace()
    }

    /// `:play`.
    mutating func play(_ argument: String) {
        let text = argument.hasSuffix("x") ? String(argument.dropLast()) : argument
        guard argument.isEmpty || (Double(text).map { $0.isFinite && $0 > 0 } ?? false) else {
            return say("play '\(argument)': a speed such as 2 or 0.5 fits", error: true)
        }
        play(speed: Double(text) ?? 1)
        say("\(playKey) pauses, \(KeyTable.shown(.more)) and \(KeyTable.shown(.less)) change the speed, \(KeyTable.shown(.out)) ends it")
    }

    /// Whether it goes on by itself now.
    var isPlaying: Bool { player.map { !$0.isPaused } ?? false }

    /// The key that pauses: Space, unless it was given to something else.
    var playKey: String { KeyTable.action(for: .character(" ")) == .stepOn ? "Space" : KeyTable.shown(.play) }

    private var isAtEnd: Bool { timeline.place == timeline.lastPlace }

    public var wakeAfter: Duration? {
        if work != nil { return .milliseconds(100) }
        if !waiting.isEmpty { return .zero }
        // Half a second, and once more where a digit has come meanwhile: a number that nothing follows is forgotten.
        if !digits.isEmpty { return .milliseconds(500) }
        return isPlaying && !isAtEnd ? player?.wait : nil
    }

    /// How long the step on the screen is to stay.
    mutating func pace() {
        guard var player else { return }
        let here = timeline.operationNumber(at: timeline.place)
        let isNew = here != timeline.operationNumber(at: timeline.place(before: timeline.place))
        player.base = player.time(scene(), isNewOperation: isNew)
        self.player = player
        setWait()
    }

    /// At another speed, the same step.
    private mutating func setWait() {
        guard let player else { return }
        self.player?.wait = .milliseconds(max(10, Int(Double(player.base) / player.speed)))
    }

    /// The time of the step on the screen is over.
    mutating func tick() -> Reaction {
        if !digits.isEmpty {
            if !habits.digitsAreFresh { digits = "" }
            habits.digitsAreFresh = false
            return .redraw
        }
        guard isPlaying, !isAtEnd else { return .nothing }
        goOn()
        if isAtEnd {
            player?.isPaused = true
            say("the end; \(playKey) plays it again, \(KeyTable.shown(.out)) ends playing")
        }
        return .redraw
    }

    /// The keys that mean something else while a session plays. Nil: as without.
    mutating func handleInPlay(_ key: Key, _ action: KeyAction) -> Reaction? {
        guard let player else { return nil }
        switch action {
        case .stepOn where key == .character(" "), .play:
            if isAtEnd { play(speed: player.speed) } else { self.player?.isPaused.toggle() }
            setWait()
        case .stepOn, .stepBack:
            // One step by hand is for looking at it.
            self.player?.isPaused = true
            return nil
        case .more, .less:
            let speed = player.speed * (action == .more ? 2 : 0.5)
            self.player?.speed = min(max(speed, Player.speeds.lowerBound), Player.speeds.upperBound)
            setWait()
        case .out:
            self.player = nil
            say("playing has ended; the keys are as before")
        default: return nil
        }
        return .redraw
    }

    /// For the status line.
    var playingWords: String? {
        guard let player else { return nil }
        let speed = player.speed == player.speed.rounded() ? "\(Int(player.speed))" : "\(player.speed)"
        return player.isPaused ? "paused \(speed)x" : "playing \(speed)x"
    }
}

// What a recording is told.
extension Explorer {
    /// Where it stands, in words; nil at the start, where everybody begins.
    public var place: String? {
        guard timeline.position > 0 else { return nil }
        var text = "step \(timeline.position) of \(timeline.count)"
        if let fault = timeline.faultNumber(at: timeline.position) { text += ", fault \(fault + 1)" }
        if let actor = timeline.actor { text += ", \(timeline.now.machine.name(of: actor))" }
        if let step = timeline.step { text += ": \(step.name)" }
        return branch > 0 ? "branch \(branch + 1), " + text : text
    }

    /// The session's title.
    public var title: String { timeline.session.title }

    /// The number of the fault, from 1, whose attempt begins with the step on the screen; nil where none does.
    public var faultBeginningHere: Int? {
        guard timeline.position > 0, timeline.step != nil, let place = timeline.faultPlaces(startingIn: timeline.position...timeline.position).first
        else { return nil }
        let fault = timeline.fault(inOrder: place)
        return fault + 1
    }
}
