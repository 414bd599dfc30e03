import Sessions
import Stage2Sim

extension ExportCommand {
    /// The tables of a session's VM at a step, the fault at hand emphasised.
    func draw(_ input: Input, at: Int?) throws {
        let wanted = try focus()
        let timeline = try drawnTimeline(input, at: at)
        let drawing = try timeline.drawing(vm: vm, focus: wanted)
        try write(drawing)
    }

    func draw(_ image: TableImage) throws {
        try write(
            TableDrawing(image, focus: try focus() ?? image.firstMapped, title: DisplayText(image.name, limit: 80).text, subtitle: image.geometry.summary))
    }

    private func focus() throws -> IPA? { try ipa.map { IPA(try BadValue.number($0, "--ipa")) } }

    private func drawnTimeline(_ input: Input, at: Int?) throws -> Timeline {
        let opened = try SessionFiles.open(input, trace)
        var timeline = Timeline(opened.session, firstRun: opened.run)
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
