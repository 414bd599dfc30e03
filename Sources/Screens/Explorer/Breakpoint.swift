import Sessions
import Stage2Sim

/// Where `c` and `C` stop.
enum Breakpoint: Equatable {
    /// A kind of step.
    case step(MicroStep)
    /// A guest's access to the page at this IPA.
    case page(IPA)
    /// The descriptor at this address is written.
    case entry(PA)
    /// This rule is found broken. With one of these, other broken checks do not stop.
    case rule(Rule)

    /// For a list: what it stops at, in words.
    var words: String {
        switch self {
        case .step(let step): "step \(step.name): \(step.words().title)"
        case .page(let ipa): "an access to the page at IPA \(hex(ipa.rawValue))"
        case .entry(let pa): "the descriptor at PA \(hex(pa.rawValue)) is written"
        case .rule(let rule): "broken check \(rule.name): \(rule.about)"
        }
    }
}

/// The breakpoints, in the order in which they were set, and what is known of where they are met.
struct Breakpoints {
    private(set) var list: [Breakpoint] = []
    /// By branch.
    private var searches: [Int: StepSearch] = [:]

    var isEmpty: Bool { list.isEmpty }
    var steps: Set<MicroStep> { Set(list.compactMap { if case .step(let step) = $0 { step } else { nil } }) }
    var entries: Set<PA> { Set(list.compactMap { if case .entry(let pa) = $0 { pa } else { nil } }) }
    var rules: [Rule] { list.compactMap { if case .rule(let rule) = $0 { rule } else { nil } } }

    /// True: it is set now; false: it was, and is no longer.
    mutating func toggle(_ point: Breakpoint) -> Bool {
        searches = [:]
        if let index = list.firstIndex(of: point) {
            list.remove(at: index)
            return false
        }
        list.append(point)
        return true
    }

    mutating func remove(at index: Int) -> Breakpoint {
        searches = [:]
        return list.remove(at: index)
    }

    mutating func removeAll() { self = Breakpoints() }

    /// A timeline of that number has become another.
    mutating func forget(branch: Int) { searches[branch] = nil }

    private var watch: StepWatch {
        var watch = StepWatch()
        for point in list {
            switch point {
            case .step(let step): watch.insert(step)
            case .page(let ipa): watch.pages.insert(ipa.page.rawValue)
            case .entry(let pa): watch.descriptors.insert(pa.rawValue)
            case .rule: break
            }
        }
        return watch
    }

    /// The steps at which a check that stops is found broken, in order.
    func broken(in timeline: Timeline) -> [Int] {
        let rules = rules
        guard !rules.isEmpty else { return timeline.index.broken.map(Int.init) }
        return timeline.end.machine.world.violations.filter { rules.contains($0.rule) }.map { Int($0.step) }
    }

    /// The next stop after the place on the screen, or the last before it.
    mutating func stop(forward: Bool, timeline: Timeline, branch: Int) -> Int? {
        let here = timeline.position
        let broken = broken(in: timeline)
        var search = searches[branch] ?? StepSearch(watch)
        defer { searches[branch] = search }
        if forward {
            let check = broken.first { $0 > here }
            return search.first(after: here, upTo: check ?? timeline.count, in: timeline) ?? check
        }
        let check = broken.last { $0 < here }
        return search.last(before: here, downTo: check ?? 0, in: timeline) ?? check
    }
}

extension Explorer {
    // MARK: Going to the next one

    mutating func goToStop(forward: Bool) {
        if let stop = breakpoints.stop(forward: forward, timeline: timeline, branch: branch) { return go(to: stop) }
        let nothing = breakpoints.isEmpty && timeline.index.broken.isEmpty
        let rules = breakpoints.rules.isEmpty ? "" : "; only \(breakpoints.rules.map(\.name).joined(separator: ", ")) stops among broken checks"
        say(nothing ? "no breakpoint is set and no check is broken; b sets one" : "none \(forward ? "after" : "before") this step" + rules)
    }

    // MARK: Setting

    /// `b`: the breakpoint that fits the pane.
    mutating func toggleBreakpoint() {
        switch focus {
        case .tables, .entry:
            guard let address = tablesPane(scene()).view?.current?.address else { return say("no table stands there yet") }
            toggle(.entry(address))
        case .host, .syndrome, .tlb: toggle(.page(scene().ipa.page))
        case .path:
            if let pickedStep, let record = scene().records.first(where: { TimelinePlace(step: $0.position) == pickedStep }) {
                return toggle(.step(record.step))
            }
            fallthrough
        default:
            guard let step = timeline.step else { return say("no step here; move on first, or :break STEP") }
            toggle(.step(step))
        }
    }

    private mutating func toggle(_ point: Breakpoint) {
        if breakpoints.toggle(point) { told(point) } else { say("breakpoint removed: \(point.words)") }
    }

    private mutating func told(_ point: Breakpoint) {
        if case .rule = point {
            return say("c and C now stop at \(breakpoints.rules.map(\.name).joined(separator: ", ")) only, among broken checks; :breaks lists")
        }
        say("breakpoint \(breakpoints.list.count): \(point.words); c goes to the next one")
    }

    /// `:break`.
    mutating func setBreakpoint(_ argument: String) {
        guard !argument.isEmpty else { return showBreakpoints() }
        if argument == "off" {
            breakpoints.removeAll()
            return say("no breakpoints")
        }
        guard let point = breakpoint(argument) else {
            return say(
                "break '\(argument)': "
                    + (DecimalAddress(argument[...])?.fits
                        ?? NearNames.fits(
                            argument, among: Self.breakpointNames, otherwise: "a step's name, a rule's, an IPA, LEVEL:INDEX, pa:ADDRESS or off fits")),
                error: true)
        }
        if breakpoints.list.contains(point) { return say("breakpoint \((breakpoints.list.firstIndex(of: point) ?? 0) + 1) is set already") }
        toggle(point)
    }

    private mutating func breakpoint(_ argument: String) -> Breakpoint? {
        if case .step(let step) = StepName.read(argument, for: .vcpu) { return .step(step) }
        if let rule = Rule.named(argument) { return .rule(rule) }
        guard DecimalAddress(argument[...]) == nil else { return nil }
        if let ipa = parseNumber(argument) { return .page(IPA(ipa).page) }
        let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let number = parseNumber(parts[1]) else { return nil }
        if parts[0] == "pa" { return .entry(PA(number & ~7)) }
        guard let level = parseNumber(parts[0]), let place = tablesPane(scene()).view?.level(Int(clamping: level)),
            let table = place.table, number < UInt64(place.count)
        else { return nil }
        return .entry(table.address(of: Int(number)))
    }

    /// `:delete N`.
    mutating func deleteBreakpoint(_ argument: String) {
        guard let number = Int(argument), breakpoints.list.indices.contains(number - 1) else {
            return say(
                breakpoints.isEmpty ? "no breakpoint is set" : "delete '\(argument)': 1 to \(breakpoints.list.count) fits; :breaks lists them", error: true)
        }
        say("breakpoint removed: \(breakpoints.remove(at: number - 1).words)")
    }

    /// Everything that `:break` takes by name.
    static let breakpointNames = MicroStep.allCases.dropFirst().map(\.name) + Rule.allCases.map(\.name)

    /// What `:break` can be told here: names, and the entries of this walk.
    mutating func breakpointOffers() -> [String] {
        Self.breakpointNames + (tablesPane(scene()).view?.levels ?? []).filter { $0.table != nil }.map { "\($0.level):\($0.index)" }
    }

    var breakpointLines: [Line] {
        var lines: [Line] = []
        for (i, point) in breakpoints.list.enumerated() {
            var line = Line("\(Character(glyphs.breakpoint)) ", .breakpoint)
            line.add("\(i + 1)", .key)
            line.pad(to: 6)
            line.add(point.words)
            lines.append(line)
        }
        if lines.isEmpty { lines.append(Line("none is set", .dim)) }
        let rules = breakpoints.rules
        lines.append(Line())
        lines.append(Line(rules.isEmpty ? "Any broken check stops c and C as well." : "Among broken checks, only these rules stop c and C.", .dim))
        lines.append(Line(":break STEP, RULE, IPA, LEVEL:INDEX or pa:ADDRESS; :delete N; b sets what fits the pane", .dim))
        return lines
    }
}
