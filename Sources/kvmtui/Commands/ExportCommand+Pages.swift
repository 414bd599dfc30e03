import Pages
import Sessions
import Stage2Sim

extension ExportCommand {
    /// A session as a web page, as a handout, as slides.
    func makePage(_ input: Input) throws {
        let opened = try SessionFiles.open(input, trace)
        let timeline = Timeline(opened.session, firstRun: opened.run)
        if let error = InputError.all(timeline.end.problems) { throw error }
        try judgeSteps(timeline)
        if let markdown { return try write(Handout(timeline, steps: steps(of: timeline)).markdown, to: markdown) }
        if let tikz {
            guard let slides = Slides(timeline, each: each.flatMap(Slides.Unit.init) ?? .note, steps: steps(of: timeline)) else {
                let start = from ?? 0
                throw BadValue("--tikz", "more than \(Slides.most) overlays", "at most \(Slides.most): --from \(start) --to \(start + Slides.most) would fit")
            }
            return try write(slides.tikz, to: tikz)
        }
        let page: LessonPage
        do throws(LessonPage.TooLong) { page = try LessonPage(timeline, steps: steps(of: timeline)) } catch {
            let found = error.bytes.map { "\($0) bytes" } ?? "\(error.places) steps"
            throw BadValue(
                "--html", found,
                "at most \(LessonPage.mostPlaces) steps in \(LessonPage.mostBytes >> 20) MiB: --from \(error.fits.lowerBound) --to \(error.fits.upperBound) would fit"
            )
        }
        try write(page.html, to: html ?? "-")
    }

    /// The steps between --from and --to; all by default.
    private func steps(of timeline: Timeline) -> ClosedRange<Int> { min(from ?? 0, timeline.count)...min(to ?? timeline.count, timeline.count) }

    private func judgeSteps(_ timeline: Timeline) throws {
        for (name, value) in [("--from", from), ("--to", to)] {
            if let value, value > timeline.count { throw BadValue(name, String(value), "a step of the session, 0 to \(timeline.count)") }
        }
    }

    /// Writes a whole file or none.
    func write(_ text: String, to path: String) throws {
        do throws(TerminalError) { try TextFile.write(text, to: path) } catch {
            CommandIO.complain(error)
            throw CommandIO.failed
        }
    }
}
