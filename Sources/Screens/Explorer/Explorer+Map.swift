import Sessions
import Stage2Sim

// The map of the VM's address space, over the panes: steps can be made while it is open.

extension Explorer {
    /// Opens the map around `place`, or around the fault.
    mutating func openMap(at place: IPA? = nil) {
        let scene = scene()
        guard let tables = scene.tables else { return say("the VM has no tables any more: it was destroyed", error: true) }
        map = AddressMapScreen(AddressMap(tables, at: (place ?? browsing.place?.ipa ?? scene.ipa).rawValue, around: scene.vm.slots.map(\.range)))
        overlay = .map
    }

    mutating func mapCommand(_ argument: String) {
        guard !argument.isEmpty else { return openMap() }
        guard DecimalAddress(argument[...]) == nil, let ipa = parseNumber(argument), ipa < 1 << 40 else {
            return say("map '\(argument)': \(DecimalAddress(argument[...])?.fits ?? "an IPA of up to 40 bits fits")", error: true)
        }
        openMap(at: IPA(ipa))
    }

    mutating func handleInMap(_ key: Key) -> Reaction {
        // What a key does depends on the cells there are, drawn or not.
        guard mapView(scene()) != nil else {
            overlay = nil
            return .redraw
        }
        switch map!.handle(key) {
        case .stays: break
        case .closes: overlay = nil
        case .shows(let ipa):
            overlay = nil
            show(ipa)
        case .other:
            // Steps, and what needs no pane.
            guard let action = KeyTable.action(for: key) else { return .nothing }
            switch action {
            case .stepOn, .stepBack, .finishFault, .startFault, .nextFault, .previousFault, .nextStop, .previousStop: return perform(action, number: nil)
            case .command, .search: overlay = nil; return perform(.command, number: nil)
            case .help: showHelp()
            default: return .nothing
            }
        }
        return .redraw
    }

    /// Shows the deepest entry on the way to an IPA in the tables.
    mutating func show(_ ipa: IPA, level: Int = 3) {
        browsing = TableBrowsing(place: TablePlace(ipa: ipa, level: level))
        focus = .tables
    }

    /// The map at this step, counted where that has not been done.
    private mutating func mapView(_ scene: Scene) -> AddressMapView? {
        guard var screen = map, let tables = scene.tables else { return nil }
        let regions = scene.vm.slots.map { slot in
            AddressMapView.Region(
                range: slot.range, name: "slot \(slot.id), \(sizeText(slot.size)) at hva \(hex(slot.hva.rawValue))", isReadOnly: slot.readOnly)
        }
        let view = screen.view(
            tables, version: branch << 40 | scene.position, regions: regions, fault: scene.position == 0 ? nil : scene.ipa.rawValue, width: size.width - 2,
            height: size.height - 5, glyphs: glyphs)
        map = screen
        return view
    }

    mutating func drawMap(_ scene: Scene, _ layout: Layout, _ canvas: inout Canvas) {
        let body = Rect(x: 0, y: 1, width: canvas.width, height: canvas.height - 3)
        guard let view = mapView(scene) else {
            canvas.put(1, 1, "the VM has no tables any more: it was destroyed", .dim)
            return
        }
        canvas.draw(in: body) { canvas in
            if surroundings.plain {
                canvas.fill()
                for (row, line) in view.plainLines().prefix(canvas.height).enumerated() { canvas.put(line, row, x: 1) }
            } else {
                canvas.screen("Address-space map  vm\(scene.vm.id)") { view.draw(&$0) }
            }
        }
    }
}

extension Memslot {
    /// The IPAs of the slot.
    var range: Range<UInt64> { ipa.rawValue..<ipa.rawValue + size }
}
