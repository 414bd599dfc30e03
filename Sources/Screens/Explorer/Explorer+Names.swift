import Sessions
import Stage2Sim

// Every name of a place, over the panes; Enter goes there in the tables.

extension Explorer {
    /// `:names`, or the key: of what is named, of the picked entry, or of the fault's page.
    mutating func showNames(_ argument: String) {
        let scene = scene()
        var query = PlaceQuery(.ipa, scene.ipa.rawValue)
        if !argument.isEmpty {
            if let problem = PlaceQuery.decimal(argument) { return say("names '\(argument)': \(problem)", error: true) }
            guard let asked = PlaceQuery(argument) else {
                return say("names '\(argument)': ipa, pfn, hva or va and a number, or a number alone fits", error: true)
            }
            query = asked
        } else if let view = tablesPane(scene).view, view.isPicked, let level = view.current {
            query.value = view.ipa(of: level.index, in: level).rawValue
        }
        let names = PlaceNames(query, in: scene.now.world, vm: scene.vm.id)
        guard !names.lines.isEmpty else { return say("\(hex(query.value)) is no IPA, frame, HVA or VA of this machine", error: true) }
        self.names = NamesSheet(title: "Names of \(query.kind.map { $0.rawValue.uppercased() + " " } ?? "")\(hex(query.value))", lines: names.lines)
        overlay = .names
        overlayScroll = 0
    }

    /// j, k and Enter while names are shown. False: the key means something else.
    mutating func moveAmongNames(_ action: KeyAction) -> Bool {
        guard var sheet = names else { return false }
        switch sheet.handle(action) {
        case .other: return false
        case .stays: overlayScroll = sheet.scroll(overlayScroll, height: size.height)
        case .shows(let ipa, let level):
            overlay = nil
            overlayScroll = 0
            show(ipa, level: level)
        }
        names = sheet
        return true
    }
}
