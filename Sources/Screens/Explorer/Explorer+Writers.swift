import Sessions
import Stage2Sim

// Who set the entry at hand: a line in its pane, and a key that goes there.

extension Explorer {
    /// Steps that may be made again for a line that nobody asked for.
    private static let cheap = 20_000

    /// The line for the entry pane. Where an entry is picked, it may cost a stretch of the session; else only what is near.
    mutating func writerLine(_ view: TableView) -> Line? {
        guard let level = view.current, let address = level.address, view.marks.written[address.rawValue] == nil else { return nil }
        let key = WriterKey(address: address, isPicked: view.isPicked)
        if let known = writerLines[key] { return known }
        let line = findWriter(of: address, isPicked: view.isPicked)
        writerLines[key] = line
        return line
    }

    private mutating func findWriter(of address: PA, isPicked: Bool) -> Line {
        var line = Line(" by  ", .label)
        line.continuesAt = 5
        switch timeline.writer(of: address, upTo: timeline.position, limit: isPicked ? .max : Self.cheap) {
        case .step(let write):
            line.add("step \(write.step)", .value)
            line.add(", " + words(write), .plain)
            line.add("; \(KeyTable.shown(.writer)) goes there", .dim)
        case .nobody: line.add("nobody: not written since the page was handed out", .dim)
        case .unknown: line.add("a step long before; \(KeyTable.shown(.writer)) goes there", .dim)
        }
        return line
    }

    mutating func entryContent(_ scene: Scene, width: Int, height: Int) -> PaneContent {
        guard let view = tablesPane(scene).view else { return PaneContent("Entry", [Line("no table", .dim)]) }
        // A walk may read what no table of the VM's is any more.
        if !view.isPicked, let read = scene.changes.lastRead, !view.levels.contains(where: { $0.address == read.address }) {
            return EntryView(view: view, cutsNothing: readsNarrow).content(
                read: read.value, at: read.address, level: read.level, in: scene.now.world, width: width, height: height)
        }
        let history = builtLines(scene) + (writerLine(view).map { [$0] } ?? [])
        return EntryView(view: view, history: history, breakpoints: breakpoints.entries, cutsNothing: readsNarrow).content(width: width, height: height)
    }

    /// What was built and what is stored, where the way of storing changed it.
    private func builtLines(_ scene: Scene) -> [Line] {
        guard scene.step == .writeLeaf, let actor = scene.acting else { return [] }
        let built = scene.now.actors[actor].builtLeaf.rawValue
        guard let stored = scene.changes.descriptors.values.first?.new, stored != built else { return [] }
        var line = Line(" built  \(hex(built, digits: 10)), ", .changed)
        line.add("stored \(hex(stored, digits: 10)) *", .changed)
        line.continuesAt = 1
        line.changed = true
        return [line]
    }

    /// "vcpu0, fault 2: write the leaf".
    private func words(_ write: DescriptorWrite) -> String {
        var text = timeline.now.machine.name(of: write.actor)
        if let number = timeline.faultUnderWay(at: write.step, of: write.actor), timeline.actor(ofFault: number) == write.actor {
            text += ", fault \(number + 1)"
        }
        return "\(text): \(write.microStep.words(in: timeline.now.machine).title)" + (write.new == 0 ? ", which cleared it" : "")
    }

    /// To the step that wrote the entry at hand; from there, to the one before it. The entry stays picked.
    mutating func goToWriter() {
        guard let view = tablesPane(scene()).view, let level = view.current, let address = level.address else {
            return say("there is no entry here", error: true)
        }
        let isHere = view.marks.written[address.rawValue] != nil
        switch timeline.writer(of: address, upTo: timeline.position - (isHere ? 1 : 0)) {
        case .step(let write):
            browsing.place = TablePlace(ipa: view.ipa(of: level.index, in: level), level: level.level)
            go(to: write.step)
            say("step \(write.step), \(words(write)); \(KeyTable.shown(.writer)) goes on to whoever wrote it before")
        case .nobody: say("nobody wrote this entry before\(isHere ? " this step" : ""), since its page was handed out")
        case .unknown: say("not found", error: true)
        }
    }
}
