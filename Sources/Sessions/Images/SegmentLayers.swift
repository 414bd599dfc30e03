/// Segments laid over one another in the order of the file, and what is to be seen from above.
///
/// Files whose segments overlap are rare and not wrong as such; that one wins silently would be. The cost is that of
/// sorting, however the segments lie: a hostile file may have a million of them.
struct SegmentLayers {
    static let overlapsKept = 20

    private let segments: [PhysicalImage.Segment]
    /// Segments that have begun and may not have ended: a binary heap with the one latest in the file on top.
    private var open: [Int] = []
    private(set) var overlaps: [PhysicalOverlap] = []
    private(set) var overlapCount = 0

    init(_ segments: [PhysicalImage.Segment]) {
        self.segments = segments
    }

    /// Disjoint segments in address order.
    mutating func flattened() -> [PhysicalImage.Segment] {
        let order = segments.indices.filter { segments[$0].start < segments[$0].end }
            .sorted { (segments[$0].start, $0) < (segments[$1].start, $1) }
        var result: [PhysicalImage.Segment] = []
        result.reserveCapacity(order.count)
        var next = 0
        var place: UInt64 = 0
        while next < order.count || !open.isEmpty {
            while let top = open.first, segments[top].end <= place { removeTop() }
            guard let top = open.first else {
                guard next < order.count else { break }
                place = segments[order[next]].start
                insert(order[next])
                next += 1
                continue
            }
            if next < order.count, segments[order[next]].start == place {
                tell(top, order[next], place)
                insert(order[next])
                next += 1
                continue
            }
            let end = next < order.count ? min(segments[top].end, segments[order[next]].start) : segments[top].end
            result.append(part(of: segments[top], from: place, to: end))
            place = end
        }
        return result
    }

    private func part(of segment: PhysicalImage.Segment, from start: UInt64, to end: UInt64) -> PhysicalImage.Segment {
        let skipped = start - segment.start
        let fileLeft = skipped < UInt64(segment.fileCount) ? UInt64(segment.fileCount) - skipped : 0
        let count = Int(min(fileLeft, end - start))
        return PhysicalImage.Segment(
            start: start, end: end, fileStart: count > 0 ? segment.fileStart + Int(skipped) : 0, fileCount: count)
    }

    private mutating func tell(_ one: Int, _ other: Int, _ address: UInt64) {
        overlapCount += 1
        guard overlaps.count < Self.overlapsKept else { return }
        overlaps.append(PhysicalOverlap(earlier: min(one, other), later: max(one, other), address: address))
    }

    private mutating func insert(_ segment: Int) {
        open.append(segment)
        var at = open.count - 1
        while at > 0, open[(at - 1) / 2] < open[at] {
            open.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private mutating func removeTop() {
        open.swapAt(0, open.count - 1)
        open.removeLast()
        var at = 0
        while true {
            var largest = at
            for child in [2 * at + 1, 2 * at + 2] where child < open.count && open[child] > open[largest] {
                largest = child
            }
            if largest == at { return }
            open.swapAt(at, largest)
            at = largest
        }
    }
}
