import Sessions
import Stage2Sim

extension ImageExplorer {
    static let commands: [ExplorerCommand] =
        [
            .init(
                name: "walk", usage: "walk 0x80001000 write",
                help: "translate: \(ProbeOperation.allCases.prefix(3).map(\.rawValue).joined(separator: ", ")), read8, walk …"),
            .init(name: "goto", usage: "goto IPA", help: "the deepest entry on the way to an IPA"),
        ] + ExplorerCommand.all.filter { ["map", "names", "glossary", "copy", "diagram", "screenshot", "help", "quit"].contains($0.name) }

    /// nil: no prompt is open.
    mutating func handleInPrompt(_ key: Key) -> Reaction? {
        guard var line = prompt else { return nil }
        // Only one of them, so that its text is not copied at each key.
        prompt = nil
        let files = surroundings.files
        let outcome = line.handle(key, history: history) { text in
            let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            if ["screenshot", "screenshot!", "diagram", "diagram!"].contains(words[0]), words.count > 1 { return files(words.last ?? "") }
            if words[0] == "glossary", words.count > 1 { return Glossary.terms.map(\.name).filter { $0.hasPrefix(words.last ?? "") } }
            let all = words.count <= 1 ? Self.commands.map(\.name) : words[0] == "walk" && words.count == 3 ? ProbeOperation.allCases.map(\.rawValue) : []
            return all.filter { $0.hasPrefix(words.last ?? "") }
        }
        prompt = line
        switch outcome {
        case .editing: break
        case .ignored: return .nothing
        case .closed: prompt = nil
        case .entered(let text):
            prompt = nil
            guard line.kind == .search else { return run(text) }
            if !text.isEmpty { lastSearch = text; found = nil }
            search(forward: true)
        }
        return .redraw
    }

    mutating func run(_ text: String) -> Reaction {
        guard let (name, argument, command) = command(in: text, among: Self.commands) else { return .redraw }
        switch name {
        case "quit": return .quit
        case "help": showHelp()
        case "walk": walk(argument)
        case "goto": if let ipa = address(argument, "goto") { pick(TablePlace(ipa: ipa, level: 3)) }
        case "map": if argument.isEmpty { openMap(at: nil) } else if let ipa = address(argument, "map") { openMap(at: ipa) }
        case "names": showNames(argument)
        case "glossary": showGlossary(argument)
        case "copy": showCopies()
        case "diagram": diagram(argument, as: command)
        case "screenshot": screenshot(argument, as: command)
        default: break
        }
        return .redraw
    }

    // MARK: Lists

    mutating func showHelp() {
        func keys(_ actions: KeyAction...) -> String { actions.map { KeyTable.shown($0) }.filter { !$0.isEmpty }.joined(separator: " ") }
        let scroll = [(key: keys(.moveDown, .moveUp), text: "scroll"), (key: keys(.into), text: "over the whole screen")]
        let browse: [(key: String, text: String)] = [
            (keys(.moveDown, .moveUp), "pick an entry"), ("→ " + keys(.into), "into the table, or unfold empty entries"), ("← " + keys(.out), "out again"),
            (keys(.firstRow, .lastRow), "first, last entry"), (keys(.search), "search this table"), (keys(.names), "every name of the place"),
            (keys(.map), "map of the address space"),
        ]
        show(
            .help(
                here: ("Here: pane \(focus.rawValue), \(focus.title)", focus == .tables ? browse : scroll),
                KeyTable.bindings.filter { Self.actions.contains($0.action) && ($0.action != .refresh || refresh != nil) },
                marks: [(glyphs.current, "the picked entry"), (glyphs.folded, "the way to it"), (glyphs.ellipsis, "entries left out; Enter shows them")],
                commands: Self.commands))
    }

    mutating func showGlossary(_ word: String) {
        var text = ""
        if let rect = layout.rect(of: focus)?.inset() {
            let content = content(of: focus, width: rect.width, height: rect.height)
            text = content.lines.dropFirst(firstLine(focus, content, height: rect.height)).prefix(rect.height).map(\.text).joined(separator: " ")
        }
        if let sheet = ListSheet.glossary(word, here: ("In pane \(focus.rawValue), \(focus.title)", text)) { return show(sheet) }
        let fits = NearNames.fits(word, among: Glossary.terms.flatMap(\.names), otherwise: "\(KeyTable.shown(.glossary)) lists the words that are")
        say("'\(DisplayText(word, limit: 40).text)' is not in the glossary; \(fits)", error: true)
    }

    /// What can be copied from here.
    mutating func showCopies() {
        let view = view
        var rows = [(what: "IPA at hand", text: hex(picked.rawValue))]
        if let level = view.current {
            if let address = level.address { rows.append(("entry's address", hex(address.rawValue))) }
            if let descriptor = level.descriptor { rows.append(("descriptor", hex(descriptor.rawValue, digits: 16))) }
        }
        rows.append(("VTTBR", hex(image.registers.vttbr, digits: 16)))
        rows.append(("VTCR", hex(image.registers.vtcr, digits: 8)))
        rows.append(("walk, in words", TranslationReport(shownProbe, in: image).text.trimmed))
        show(.copies(rows))
    }

    /// An IPA that the tables could translate, or a message.
    private mutating func address(_ text: String, _ what: String) -> IPA? {
        guard DecimalAddress(text[...]) == nil, let number = parseNumber(text), number < image.geometry.ipaEnd else {
            say("\(what) '\(text)': \(DecimalAddress(text[...])?.fits ?? "an IPA of up to \(image.geometry.ipaBits) bits fits")", error: true)
            return nil
        }
        return IPA(number)
    }

    private mutating func walk(_ text: String) {
        let words = text.split(separator: " ")
        let names = ProbeOperation.allCases.map(\.rawValue).joined(separator: " ")
        // An IPA beyond the tables' size is worth a walk too: it faults.
        if let first = words.first, let meant = DecimalAddress(first) { return say("walk '\(first)': \(meant.fits)", error: true) }
        guard let first = words.first, words.count <= 2, let ipa = parseNumber(String(first)) else { return say("walk IPA [\(names)]", error: true) }
        guard let operation = words.count < 2 ? .read : ProbeOperation(rawValue: String(words[1])) else {
            return say("walk … '\(words[1])': one of \(names) fits", error: true)
        }
        if ipa < image.geometry.ipaEnd { pick(TablePlace(ipa: IPA(ipa), level: 3)) }
        probe = Probe(operation, IPA(ipa))
        focus = .walk
    }

    private mutating func diagram(_ path: String, as command: String) {
        guard path.hasSuffix(".svg") else { return say("diagram FILE, ending in .svg", error: true) }
        let drawing = TableDrawing(image, focus: probe?.ipa ?? picked, title: DisplayText(image.name, limit: 80).text, subtitle: image.geometry.summary)
        message = surroundings.write(drawing.svg, as: command, to: path)
    }

    // MARK: Names

    /// `:names`, or the key: of what is named, or of the picked entry.
    mutating func showNames(_ argument: String) {
        var query = PlaceQuery(.ipa, picked.rawValue)
        if !argument.isEmpty {
            if let problem = PlaceQuery.decimal(argument) { return say("names '\(argument)': \(problem)", error: true) }
            guard let asked = PlaceQuery(argument), asked.kind != .hva, asked.kind != .va else {
                return say("names '\(argument)': ipa or pfn and a number, or a number alone fits; an image knows no virtual addresses", error: true)
            }
            query = asked
        }
        let lines = image.names(of: query)
        guard !lines.isEmpty else { return say("\(hex(query.value)) is no IPA and no frame of these tables", error: true) }
        names = NamesSheet(title: "Names of \(query.kind.map { $0.rawValue.uppercased() + " " } ?? "")\(hex(query.value))", lines: lines)
        overlay = .names
        overlayScroll = 0
    }

    /// j, k and Enter while names are shown. False: the key means something else.
    mutating func performInNames(_ action: KeyAction) -> Bool {
        guard var sheet = names else { return false }
        switch sheet.handle(action) {
        case .other: return false
        case .stays: overlayScroll = sheet.scroll(overlayScroll, height: size.height)
        case .shows(let ipa, let level):
            overlay = nil
            overlayScroll = 0
            focus = .tables
            pick(TablePlace(ipa: ipa, level: level))
        }
        names = sheet
        return true
    }

    // MARK: The map

    mutating func openMap(at place: IPA?) {
        map = AddressMapScreen(AddressMap(image, at: (place ?? picked).rawValue, around: []))
        overlay = .map
    }

    private mutating func mapView() -> AddressMapView? {
        guard var screen = map else { return nil }
        let view = screen.view(image, version: 0, regions: [], fault: nil, width: size.width - 2, height: size.height - 5, glyphs: glyphs)
        map = screen
        return view
    }

    mutating func handleInMap(_ key: Key) -> Reaction {
        guard mapView() != nil else { return .nothing }
        switch map!.handle(key) {
        case .stays: break
        case .closes: overlay = nil
        case .shows(let ipa):
            overlay = nil
            focus = .tables
            pick(TablePlace(ipa: ipa, level: 3))
        case .other:
            switch KeyTable.action(for: key) {
            case .command:
                overlay = nil
                prompt = Prompt(kind: .command)
            case .help: showHelp()
            default: return .nothing
            }
        }
        return .redraw
    }

    mutating func drawMap(_ canvas: inout Canvas) {
        guard let view = mapView() else { return }
        let body = Rect(x: 0, y: 1, width: canvas.width, height: canvas.height - 3)
        canvas.draw(in: body) { canvas in
            if surroundings.plain {
                canvas.fill()
                for (row, line) in view.plainLines().prefix(canvas.height).enumerated() { canvas.put(line, row, x: 1) }
            } else {
                canvas.screen("Address-space map  \(image.geometry.ipaBits)-bit IPA") { view.draw(&$0) }
            }
        }
    }
}
