import Stage2Sim

/// The steps of a timeline that a watch wants, looked for between far keyframes. What has been run through once is remembered,
/// so that going on, back, and past what never comes costs its time once.
public struct StepSearch {
    /// What is looked for.
    public let watch: StepWatch
    /// The wanted steps of a whole stretch between two far keyframes, by the number of the keyframe.
    private var known: [Int: [UInt32]] = [:]
    /// The keyframes' places, which change where a timeline has grown.
    private var places: [Int] = []

    /// Looks for steps that a watch would stop at.
    public init(_ watch: StepWatch) { self.watch = watch }

    /// The first place after `position` and up to `last` at which a wanted step has just been made.
    public mutating func first(after position: Int, upTo last: Int, in timeline: Timeline) -> Int? {
        guard !watch.isEmpty, position < last else { return nil }
        agree(timeline)
        var stretch = places.lastIndex { $0 <= position } ?? 0
        if known[stretch] == nil, timeline.position == position {
            // From here, which is nearer than the keyframe; the stretch is left unknown.
            var simulation = timeline.now
            var hits: [UInt32] = []
            simulation.run(until: min(last, end(stretch, timeline)), watching: watch, stoppingAtFirst: true, hits: &hits)
            if let hit = hits.first { return Int(hit) }
            stretch += 1
        }
        while stretch < places.count, places[stretch] < last {
            if let hit = hits(stretch, timeline).first(where: { $0 > position }) { return Int(hit) <= last ? Int(hit) : nil }
            stretch += 1
        }
        return nil
    }

    /// The last place before `position` and from `first` on at which a wanted step has just been made.
    public mutating func last(before position: Int, downTo first: Int, in timeline: Timeline) -> Int? {
        guard !watch.isEmpty, position > first else { return nil }
        agree(timeline)
        for stretch in places.indices.reversed() where places[stretch] < position {
            guard end(stretch, timeline) >= first else { return nil }
            let hits = hits(stretch, timeline)
            // They are in order: the last below is found by halving.
            var low = 0, high = hits.count
            while low < high {
                let middle = (low + high) / 2
                if hits[middle] < position { low = middle + 1 } else { high = middle }
            }
            if low > 0 { return Int(hits[low - 1]) >= first ? Int(hits[low - 1]) : nil }
        }
        return nil
    }

    private mutating func agree(_ timeline: Timeline) {
        let now = timeline.far.map(\.position)
        guard now != places else { return }
        places = now
        known = [:]
    }

    private func end(_ stretch: Int, _ timeline: Timeline) -> Int { stretch + 1 < places.count ? places[stretch + 1] : timeline.count }

    private mutating func hits(_ stretch: Int, _ timeline: Timeline) -> [UInt32] {
        if let hits = known[stretch] { return hits }
        var simulation = timeline.far[stretch]
        var hits: [UInt32] = []
        simulation.run(until: end(stretch, timeline), watching: watch, stoppingAtFirst: false, hits: &hits)
        known[stretch] = hits
        return hits
    }
}
