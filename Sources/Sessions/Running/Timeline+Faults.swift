import Stage2Sim

// Faults are their actors': where two vCPUs fault at once, each has its own number, steps and end.

extension Timeline {
    /// Whose a fault is.
    public func actor(ofFault number: Int) -> ActorNumber { index.faultActors[number] }

    /// From the step at which the attempt began to the one at which the access had been tried again.
    public func steps(ofFault number: Int) -> ClosedRange<Int> {
        let (start, end) = index.faults[number]
        return Int(start)...max(Int(start), Int(end))
    }

    /// The number of the fault that began as the `place`-th, from 0.
    public func fault(inOrder place: Int) -> Int { faultOrder.map { Int($0[place]) } ?? place }

    /// The faults that begin at one of these steps, by their places in the order in which they begin.
    public func faultPlaces(startingIn steps: ClosedRange<Int>) -> Range<Int> {
        let low = faultPlace(startingFrom: steps.lowerBound)
        return low..<max(low, faultPlace(startingFrom: steps.upperBound + 1))
    }

    private func faultPlace(startingFrom position: Int) -> Int {
        var low = 0, high = index.faults.count
        while low < high {
            let middle = (low + high) / 2
            if Int(index.faults[fault(inOrder: middle)].start) < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The last fault to have begun by then, whoever's it is: its number from 0. Nil before the first.
    public func faultNumber(at position: Int) -> Int? {
        let place = faultPlace(startingFrom: max(position, 1) + 1)
        return place == 0 ? nil : fault(inOrder: place - 1)
    }

    /// The fault that holds the step: that of `actor`, else the one of others that began last.
    public func faultUnderWay(at position: Int, of actor: ActorNumber?) -> Int? {
        var others: Int?
        var place = faultPlace(startingFrom: max(position, 1) + 1) - 1
        // Of each actor one fault at most is under way; the faults of others may be many meanwhile.
        let last = max(0, place - 100_000)
        while place >= last {
            let number = fault(inOrder: place)
            if steps(ofFault: number).contains(max(position, 1)) {
                if actor == nil || self.actor(ofFault: number) == actor { return number }
                if others == nil { others = number }
            }
            place -= 1
        }
        return others
    }

    /// The fault before a step that an actor took last: one that began before it. Nil: none did.
    public func faultNumber(before position: Int, of actor: ActorNumber) -> Int? {
        var place = faultPlace(startingFrom: position) - 1
        while place >= 0 {
            let number = fault(inOrder: place)
            if self.actor(ofFault: number) == actor { return number }
            place -= 1
        }
        return nil
    }

    /// The steps of a fault that its own actor makes; nil: it takes more than `limit` steps, with what others do meanwhile.
    public func ownSteps(ofFault number: Int, limit: Int = 20_000) -> [Int]? {
        let range = steps(ofFault: number), owner = actor(ofFault: number)
        guard range.count <= limit else { return nil }
        var state = state(at: range.lowerBound - 1)
        var own: [Int] = []
        while state.position < range.upperBound, let acts = state.prepare() {
            state.run(limit: 1)
            if acts == owner { own.append(state.position) }
        }
        return own
    }

    /// The steps that belong together around a place: those of a fault, or else of an operation.
    public func episode(at position: Int) -> ClosedRange<Int> {
        let place = max(position, 1)
        if let number = faultUnderWay(at: place, of: position == self.position ? actor : nil) { return steps(ofFault: number) }
        guard let number = operationNumber(at: place) else { return 1...max(1, count) }
        let isOver = place > scriptEnd
        let start = (isOver ? scriptEnd : Int(operationStarts[number])) + 1
        let end = isOver ? count : max(start, number + 1 < operationStarts.count ? Int(operationStarts[number + 1]) : min(count, scriptEnd))
        // Faults in it bound what is shown of the rest.
        let begun = faultPlace(startingFrom: place + 1)
        let before = (max(0, begun - 16)..<begun).map { steps(ofFault: fault(inOrder: $0)).upperBound }.filter { $0 < place }.max()
        let from = before.map { max(start, $0 + 1) } ?? start
        let to = begun < index.faults.count ? min(end, max(place, steps(ofFault: fault(inOrder: begun)).lowerBound - 1)) : end
        return min(from, place)...max(to, place)
    }
}
