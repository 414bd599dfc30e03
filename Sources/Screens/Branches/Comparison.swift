import Sessions
import Stage2Sim

/// Two branches side by side: the one on the screen, and another at the same step.
struct Comparison {
    let other: Int
    /// Steps that they have in common by where they were typed, and where they really went apart.
    let shared: Int
    let parting: Parting
    var scroll = 0
    /// What differs at a pair of places.
    var cache: (leftPlace: Int, rightPlace: Int, differences: [Difference], left: [StepRecord], right: [StepRecord])?
}

extension Explorer {
    /// `:compare N` and `=`.
    mutating func compare(_ argument: String) {
        guard branches.count > 1 else { return say("there is one branch only; an action at : or the key a makes another") }
        let number: Int
        if argument.isEmpty {
            number = branches[branch].origin?.branch ?? branches.count - 1
        } else {
            guard let typed = Int(argument), branches.indices.contains(typed - 1) else {
                return say("compare '\(argument)': 1 to \(branches.count) fits", error: true)
            }
            number = typed - 1
        }
        guard number != branch, let other = branches[number].timeline else {
            return say("branch \(number + 1) is the one on the screen; compare another: 1 to \(branches.count)", error: true)
        }
        let shared = sharedSteps(branch, number)
        overlay = nil
        lanes = nil
        comparison = Comparison(other: number, shared: shared, parting: timeline.parting(from: other, after: shared))
        followWithOther()
    }

    /// The other one goes where this one has gone.
    mutating func followWithOther() {
        guard let other = comparison?.other else { return }
        branches[other].timeline?.seek(timeline.position)
    }

    /// The keys of the comparison; nil: as without one, and the other branch follows.
    mutating func handleInComparison(_ action: KeyAction) -> Reaction? {
        guard let other = comparison?.other else { return nil }
        switch action {
        case .moveDown: scrollComparison(1)
        case .moveUp: scrollComparison(-1)
        case .pageDown: scrollComparison(10)
        case .pageUp: scrollComparison(-10)
        case .into:
            if case .at(let step) = comparison?.parting { go(to: step) } else { say("they do not go apart") }
        case .nextPane, .previousPane:
            let mine = branch
            show(branch: other)
            compare("\(mine + 1)")
        case .close, .out, .compare: comparison = nil
        default: return nil
        }
        return .redraw
    }

    mutating func scrollComparison(_ lines: Int) {
        guard let scroll = comparison?.scroll else { return }
        comparison?.scroll = max(0, scroll + lines)
    }

    // MARK: Drawing

    mutating func drawComparison(_ layout: Layout, _ canvas: inout Canvas) {
        guard var comparison, let right = branches[comparison.other].timeline else { return }
        if comparison.cache?.leftPlace != timeline.position || comparison.cache?.rightPlace != right.position {
            let ipa = scene().ipa
            let around = max(1, timeline.position - 3)...max(1, timeline.position + 3)
            comparison.cache = (
                timeline.position, right.position,
                Difference.between(timeline.now.machine, right.now.machine, ipa: ipa),
                timeline.count == 0 ? [] : timeline.records(around), right.count == 0 ? [] : right.records(around)
            )
        }
        guard let cache = comparison.cache else { return }
        let body = Rect(x: 0, y: 1, width: size.width, height: size.height - 3)
        canvas.fill(body)
        if !surroundings.plain { canvas.box(body, .focusedBorder) }
        canvas.put(2, body.y, " Compare  branch \(branch + 1) | branch \(comparison.other + 1) ", .focusedBorder, [.bold], width: body.width - 4)
        let inside = body.inset()
        var lines = partingLines(comparison, width: inside.width)
        lines += stepLines(cache.left, cache.right, right, width: inside.width)
        lines.append(Line())
        lines += differenceLines(cache.differences, right, width: inside.width)
        comparison.scroll = min(comparison.scroll, max(0, lines.count - inside.height))
        canvas.draw(in: inside) { canvas in
            for row in 0..<min(inside.height, lines.count - comparison.scroll) { canvas.put(lines[comparison.scroll + row], row) }
        }
        if lines.count > inside.height { canvas.put(endingAt: body.width - 2, body.endY - 1, " j k scroll ", .dim) }
        self.comparison = comparison
    }

    private func partingLines(_ comparison: Comparison, width: Int) -> [Line] {
        var line = Line(" ")
        switch comparison.parting {
        case .at(let step):
            line.add("The same up to step \(step - 1), apart from step \(step) on", .heading)
            line.add("  Enter goes there", .dim)
        case .never: line.add("The same in every step, to the end", .heading)
        case .notWithin(let steps): line.add("The same up to step \(steps) at least", .heading)
        }
        return [line]
    }

    /// The steps around the place, left and right, with a mark between those that differ.
    private func stepLines(_ left: [StepRecord], _ right: [StepRecord], _ other: Timeline, width: Int) -> [Line] {
        let half = (width - 11) / 2
        var heads = Line(" step  ", .label)
        heads.add(TextLayout.fit("\(branch + 1) \(branches[branch].title)", width: half, glyphs: glyphs), .note)
        heads.add("   ")
        heads.add(TextLayout.fit("\((comparison?.other ?? 0) + 1) \(branches[comparison?.other ?? 0].title)", width: half, glyphs: glyphs), .note)
        // What runs on either side, as it is at this place.
        let kernels = [timeline, other].map { KernelInForce($0.now.machine).text(minus: String(Character(glyphs.minus)), width: half) }
        var inForce = Line("       ")
        inForce.add(TextLayout.fit(kernels[0], width: half, glyphs: glyphs), .value)
        inForce.add(kernels[0] == kernels[1] ? "   " : " \(Character(glyphs.notEqual)) ", .changed)
        inForce.add(kernels[1], kernels[0] == kernels[1] ? .value : .changed)
        var lines = [heads, inForce]
        let first = max(1, timeline.position - 3)
        for position in first...max(first, timeline.position + 3) {
            let a = left.first { $0.position == position }, b = right.first { $0.position == position }
            if a == nil, b == nil { continue }
            let same = a?.actor == b?.actor && a?.step == b?.step && a?.text == b?.text
            let isHere = position == timeline.position
            var line = Line(isHere ? "\(Character(glyphs.current))" : " ", isHere ? .current : .plain)
            line.add(TextLayout.fit("\(position)", width: 6), .label)
            for (i, record) in [a, b].enumerated() {
                let machine = i == 0 ? timeline.now.machine : other.now.machine
                let text =
                    record.map {
                        "\(machine.name(of: $0.actor)): \($0.words.line($0.text))"
                    } ?? "over"
                let isBroken = record?.text.hasPrefix("BROKEN") ?? false
                line.add(
                    TextLayout.fit(text, width: half, glyphs: glyphs),
                    isBroken && position <= timeline.position
                        ? .broken : record == nil ? .dim : isHere ? .current : position < timeline.position ? .done : .upcoming)
                if i == 0 { line.add(same ? "   " : " \(Character(glyphs.notEqual)) ", .changed) }
            }
            lines.append(line)
        }
        if other.count < timeline.position { lines.append(Line("       branch \((comparison?.other ?? 0) + 1) is over after step \(other.count)", .dim)) }
        return lines
    }

    private func differenceLines(_ differences: [Difference], _ right: Timeline, width: Int) -> [Line] {
        let place = right.position == timeline.position ? "after step \(timeline.position)" : "after steps \(timeline.position) and \(right.position)"
        var lines = [Line(differences.isEmpty ? " Nothing differs \(place)" : " What differs \(place)", .heading)]
        let name = min(30, max(18, width / 4))
        let half = (width - name - 6) / 2
        var group = ""
        for difference in differences {
            var line = Line()
            if difference.left.isEmpty, difference.right.isEmpty {
                line.add("  \(difference.name)", .dim)
            } else {
                if difference.group != group {
                    lines.append(Line("  \(difference.group)", .label))
                    group = difference.group
                }
                line.add("    " + TextLayout.fit(difference.name, width: name - 2, glyphs: glyphs), .plain)
                line.add(TextLayout.fit(difference.left, width: half, glyphs: glyphs), .value)
                line.add(" \(Character(glyphs.notEqual)) ", .changed)
                line.add(difference.right, .changed)
            }
            lines.append(line)
        }
        return lines
    }
}
