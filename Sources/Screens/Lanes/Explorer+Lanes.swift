import Sessions
import Stage2Sim

// The timeline over the whole screen: its keys.

extension Explorer {
    mutating func openLanes() {
        guard timeline.count > 0 else { return say("the session has no steps") }
        overlay = nil
        lanes = LanesView(cursor: timeline.place.stop > 0 ? timeline.position : max(1, timeline.position), stop: timeline.place.stop)
    }

    /// Columns that the lanes have, and the first of them on the screen.
    var laneWidth: Int { max(1, size.width - laneStart - 2) }
    var laneStart: Int { laneNames.map { CharacterWidth.of($0) }.max().map { max(6, $0) + 2 } ?? 8 }
    private var laneNames: [String] { timeline.now.machine.actors.indices.map { timeline.now.machine.name(of: $0) } }

    mutating func settledLanes() -> LanesView {
        var view = lanes ?? LanesView()
        view.settle(count: timeline.count, width: laneWidth)
        let frame = LaneColumns.Frame(branch: branch, count: timeline.count, first: view.first, perColumn: view.perColumn, width: laneWidth)
        if view.columns?.frame != frame { view.columns = LaneColumns(timeline, frame) }
        lanes = view
        return view
    }

    /// Actors that do something in this session, and every vCPU.
    var activeActors: [ActorNumber] {
        let machine = timeline.now.machine
        return machine.actors.indices.filter { machine.actors[$0].kind == .vcpu || !timeline.summary.marks(of: $0, in: 1...max(1, timeline.count)).isEmpty }
    }

    mutating func handleInLanes(_ action: KeyAction, number: Int?) -> Reaction {
        var view = settledLanes()
        let (cursor, stop) = (view.cursor, view.stop)
        view.stop = 0
        let page = view.perColumn * max(1, laneWidth / 2)
        switch action {
        case .stepOn, .stepBack, .nextPane, .previousPane:
            let isOn = action == .stepOn || action == .nextPane
            guard view.perColumn == 1, number == nil else {
                let steps = view.perColumn * max(1, min(number ?? 1, timeline.count))
                view.cursor += isOn ? steps : -steps
                break
            }
            // Step by step, operations that make none are stops here too.
            let here = TimelinePlace(step: cursor, stop: stop)
            let next = isOn ? timeline.place(after: here) : timeline.place(before: here)
            (view.cursor, view.stop) = next == TimelinePlace(step: 0) ? (cursor, stop) : (next.step, next.stop)
        case .pageDown: view.cursor += page
        case .pageUp: view.cursor -= page
        case .moveDown: (view.firstLane, view.stop) = (min(view.firstLane + 1, max(0, activeActors.count - 1)), stop)
        case .moveUp: (view.firstLane, view.stop) = (max(0, view.firstLane - 1), stop)
        case .first, .goTo: view.cursor = number ?? 1
        case .last: view.cursor = timeline.count
        case .nextFault, .finishFault: view.cursor = faultStart(after: view.cursor) ?? view.cursor
        case .previousFault, .startFault: view.cursor = faultStart(before: view.cursor) ?? view.cursor
        case .nextStop: view.cursor = breakpoints.broken(in: timeline).first { $0 > view.cursor } ?? view.cursor
        case .previousStop: view.cursor = breakpoints.broken(in: timeline).last { $0 < view.cursor } ?? view.cursor
        case .more, .less, .zoom:
            view.stop = stop
            if action == .zoom {
                view.perColumn = view.perColumn == 1 ? 0 : 1
            } else {
                view.zoom(in: action == .more, count: timeline.count, width: laneWidth)
            }
        case .into:
            go(to: stop > 0 && view.perColumn == 1 ? TimelinePlace(step: cursor, stop: stop) : TimelinePlace(step: laneTarget(view.cursor, view).step))
            lanes = nil
            return .redraw
        case .lanes, .out, .close:
            lanes = nil
            return .redraw
        case .actors:
            lanes = nil
            showActors()
            return .redraw
        case .command: prompt = Prompt(kind: .command)
        case .help: showHelp()
        case .quit: return .quit
        default:
            say("that key does nothing in the timeline; \(KeyTable.shown(.help)) lists its keys")
            return .redraw
        }
        lanes = view
        return .redraw
    }

    private func faultStart(after position: Int) -> Int? {
        let next = LaneColumns.faults(timeline, 1...max(1, position)).upperBound
        return next < timeline.index.faults.count ? timeline.steps(ofFault: timeline.fault(inOrder: next)).lowerBound : nil
    }

    private func faultStart(before position: Int) -> Int? {
        guard position > 1 else { return nil }
        let count = LaneColumns.faults(timeline, 1...(position - 1)).upperBound
        return count > 0 ? timeline.steps(ofFault: timeline.fault(inOrder: count - 1)).lowerBound : nil
    }

    /// Where Enter goes from the cursor: in its column, a broken check before a fault before the column's first step.
    func laneTarget(_ cursor: Int, _ view: LanesView) -> (step: Int, why: String) {
        let column = view.perColumn == 1 ? 0 : (cursor - view.first) / max(1, view.perColumn)
        let start = view.perColumn == 1 ? cursor : view.first + column * view.perColumn
        let steps = start...max(start, min(start + view.perColumn - 1, timeline.count))
        if let broken = timeline.index.broken.first(where: { steps.contains(Int($0)) }) { return (Int(broken), "a check breaks") }
        if let place = LaneColumns.faults(timeline, steps).first {
            let fault = timeline.fault(inOrder: place)
            return (timeline.steps(ofFault: fault).lowerBound, "fault \(fault + 1) begins")
        }
        return (cursor, "")
    }

    mutating func handleInLanes(_ mouse: Mouse) -> Reaction {
        var view = settledLanes()
        switch mouse.action {
        case .wheelUp: view.zoom(in: true, count: timeline.count, width: laneWidth)
        case .wheelDown: view.zoom(in: false, count: timeline.count, width: laneWidth)
        case .click:
            let column = mouse.x - laneStart - 1
            guard let frame = view.columns?.frame, (0..<frame.used).contains(column), mouse.y > 0, mouse.y < size.height - 2 else { return .nothing }
            go(to: laneTarget(frame.steps(of: column).lowerBound, view).step)
            lanes = nil
            return .redraw
        }
        lanes = view
        return .redraw
    }
}
