import Sessions
import Stage2Sim

/// A VM's tables at a step: the way of the fault, or the place picked by hand.
struct TablesPane {
    /// nil: the VM has no tables.
    let view: TableView?
    let title: String

    init(_ scene: Scene, glyphs: Glyphs, browsing: TableBrowsing) {
        guard let source = scene.tables else {
            view = nil
            title = "Stage-2 tables"
            return
        }
        var header = Line(scene.now.world.revision == .v61 ? " VTTBR_EL2 " : " VTTBR ", .label)
        header.add(grouped(scene.vcpu.vttbr.rawValue, digits: 16), scene.changes.vttbr ? .changed : .value)
        if scene.changes.vttbr { header.add("*", .changed) }
        header.add("  VMID \(scene.vm.vmid)", .value)
        view = TableView(
            source, glyphs: glyphs, browsing: browsing, followed: scene.ipa,
            marks: TableMarks(written: scene.changes.descriptors, read: scene.changes.readDescriptors), header: [header])
        title =
            "Stage-2 tables  \(scene.hasVMs ? "vm\(scene.vm.id)  " : "")\(browsing.place == nil ? "" : "picked: ")IPA \(grouped((browsing.place?.ipa ?? scene.ipa).rawValue, digits: 10))"
    }

    func content(width: Int, height: Int) -> PaneContent {
        guard let view else { return PaneContent(title, [Line("the VM has no tables any more: it was destroyed", .dim)]) }
        return PaneContent(title, width >= 66 && height >= 6 ? view.sideBySide(width: width, height: height) : view.stacked(height: height))
    }
}

extension Scene {
    /// The tables of the VM at hand; nil: it has none any more.
    var tables: MachineTables? { MachineTables(now.world, vm: vm.id) }
}
