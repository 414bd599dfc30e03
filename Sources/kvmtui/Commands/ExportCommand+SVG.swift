import Sessions
import Stage2Sim

extension ExportCommand {
    /// The tables of a session's VM at a step, the fault at hand emphasised.
    func draw(_ path: String) throws {
        let wanted = try focus()
        let timeline = try drawnTimeline(path)
        let drawing = try timeline.drawing(vm: vm, focus: wanted)
        try write(drawing)
    }

    func draw(_ image: TableImage) throws {
        try write(TableDrawing(image, focus: try focus() ?? image.firstMapped, title: DisplayText(image.name, limit: 80).text, subtitle: image.geometry.summary))
    }

    private func focus() throws -> IPA? { try ipa.map { IPA(try BadValue.number($0, "--ipa")) } }

    private func drawnTimeline(_ path: String) throws -> Timeline {
        var timeline = Timeline(try SessionFiles.load(path))
        if let at, at > timeline.count { throw BadValue("--at", String(at), "a step of the session, 0 to \(timeline.count)") }
        timeline.seek(at ?? timeline.count)
        return timeline
    }

    private func write(_ drawing: TableDrawing) throws {
        guard let svg, svg != "-" else { return try CommandIO.output(drawing.svg) }
        do throws(TerminalError) { try TextFile.write(drawing.svg, to: svg) } catch {
            CommandIO.complain(error)
            throw CommandIO.failed
        }
    }
}
