import Sessions
import Stage2Sim

/// Two branches side by side: the one on the screen, and another at the step beside it, by operation and step.
struct Comparison {
    let other: Int
    /// Steps that they have in common by where they were typed, and where they really went apart.
    let shared: Int
    let parting: Parting
    /// What of the other stands beside what.
    var alignment: TimelineAlignment
    var scroll = 0
    /// What differs at a pair of places.
    var cache: (leftPlace: Int, rightPlace: Int, differences: [Difference], rows: [(left: StepRecord?, right: StepRecord?)])?
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
        comparison = Comparison(
            other: number, shared: shared, parting: timeline.parting(from: other, after: shared), alignment: TimelineAlignment(timeline, other))
        followWithOther()
    }

    /// The other one goes where this one has gone.
    mutating func followWithOther() {
        guard let other = comparison?.other, let right = branches[other].timeline,
            let place = comparison?.alignment.place(beside: timeline.position, timeline, right)
        else { return }
        branches[other].timeline?.seek(place)
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
            let pairs = comparison.alignment.rows(around: timeline.position, 3, timeline, right)
            func records(_ steps: [Int], _ of: Timeline) -> [Int: StepRecord] {
                guard let first = steps.min(), let last = steps.max() else { return [:] }
                return Dictionary(of.records(first...min(last, first + 200)).map { ($0.position, $0) }, uniquingKeysWith: { one, _ in one })
            }
            let ours = records(pairs.compactMap(\.left), timeline), theirs = records(pairs.compactMap(\.right), right)
            comparison.cache = (
                timeline.position, right.position, Difference.between(timeline.now.machine, right.now.machine, ipa: ipa),
                pairs.map { (left: $0.left.flatMap { ours[$0] }, right: $0.right.flatMap { theirs[$0] }) }
            )
        }
        guard let cache = comparison.cache else { return }
        let body = Rect(x: 0, y: 1, width: size.width, height: size.height - 3)
        canvas.fill(body)
        if !surroundings.plain { canvas.box(body, .focusedBorder) }
        canvas.put(2, body.y, " Compare  branch \(branch + 1) | branch \(comparison.other + 1) ", .focusedBorder, [.bold], width: body.width - 4)
        let inside = body.inset()
        var lines = partingLines(comparison, width: inside.width)
        lines += stepLines(cache.rows, right, width: inside.width)
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

    /// The steps around the place, left and right, each with its number, and a mark between those that differ.
    private func stepLines(_ rows: [(left: StepRecord?, right: StepRecord?)], _ other: Timeline, width: Int) -> [Line] {
        let half = (width - 17) / 2
        var heads = Line(" step  ", .label)
        heads.add(TextLayout.fit("\(branch + 1) \(branches[branch].title)", width: half, glyphs: glyphs), .note)
        heads.add("   step  ", .label)
        heads.add(TextLayout.fit("\((comparison?.other ?? 0) + 1) \(branches[comparison?.other ?? 0].title)", width: half, glyphs: glyphs), .note)
        // What runs on either side, as it is at this place.
        let kernels = [timeline, other].map { KernelInForce($0.now.machine).text(minus: String(Character(glyphs.minus)), width: half) }
        var inForce = Line("       ")
        inForce.add(TextLayout.fit(kernels[0], width: half, glyphs: glyphs), .value)
        inForce.add((kernels[0] == kernels[1] ? "   " : " \(Character(glyphs.notEqual)) ") + "      ", .changed)
        inForce.add(kernels[1], kernels[0] == kernels[1] ? .value : .changed)
        var lines = [heads, inForce]
        for row in rows {
            let same = row.left?.actor == row.right?.actor && row.left?.step == row.right?.step && row.left?.text == row.right?.text
            let isHere = row.left?.position == timeline.position
            var line = Line(isHere ? "\(Character(glyphs.current))" : " ", isHere ? .current : .plain)
            for (i, record) in [row.left, row.right].enumerated() {
                let position = i == 0 ? timeline.position : other.position
                let machine = i == 0 ? timeline.now.machine : other.now.machine
                let text =
                    record.map {
                        "\(machine.name(of: $0.actor)): \($0.words.line($0.text))"
                    } ?? "not here"
                let isBroken = record?.text.hasPrefix("BROKEN") ?? false
                line.add(TextLayout.fit(record.map { "\($0.position)" } ?? "", width: 6), .label)
                line.add(
                    TextLayout.fit(text, width: half, glyphs: glyphs),
                    isBroken && (record?.position ?? 0) <= position
                        ? .broken : record == nil ? .dim : isHere ? .current : (record?.position ?? 0) <= position ? .done : .upcoming)
                if i == 0 { line.add(same ? "   " : " \(Character(glyphs.notEqual)) ", .changed) }
            }
            lines.append(line)
        }
        if other.position == other.count, timeline.position < timeline.count || other.count < timeline.count {
            lines.append(Line("       branch \((comparison?.other ?? 0) + 1) is over after step \(other.count)", .dim))
        }
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
