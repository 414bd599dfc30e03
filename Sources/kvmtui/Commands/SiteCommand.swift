import ArgumentParser
import Foundation
import Pages
import Screens
import Sessions

struct SiteCommand: ParsableCommand {
    static let configuration = CommandConfiguration.command(
        "site", abstract: "Write the course as a site of static files.",
        discussion: """
            A page for every session, as export --html makes it, an index by chapters that can be searched, the review, the glossary, behaviours, \
            incidents and the session language. The files ask no server for anything, and open from the folder. Files of the same names are replaced, \
            each whole or not at all; others in the folder stay.
            """,
        examples: [Example("kvmtui site course --chapter 9", "its ninth chapter in the folder course; without --chapter, all of it")])

    @Argument(help: ArgumentHelp("The folder; it is made where it is not there.", valueName: "folder"), completion: .directory)
    var folder: String

    @Option(help: ArgumentHelp("Only the sessions of a chapter, by its number.", valueName: "number"))
    var chapter: Int?

    func validate() throws {
        if let chapter, !Course.chapters.indices.contains(chapter - 1) {
            throw ValidationError("--chapter: found \(chapter), expected 1 to \(Course.chapters.count).")
        }
    }

    func run() throws {
        try CommandIO.reporting {
            let title = chapter.map { Course.chapters[$0 - 1] }
            let entries = SessionDesk.shippedEntries().filter { title == nil || $0.session?.chapter == title }
            for entry in entries where entry.session == nil { CommandIO.complain("\(DisplayText(entry.name, limit: 80).text) is left out: \(entry.problem)") }
            let site = CourseSite(entries.compactMap { entry in entry.session.map { .init(name: entry.name, session: $0) } })
            try make("\(folder)/sessions")
            var count = 0
            let bar = ProgressBar()
            Interrupt.watch()
            defer {
                bar.clear()
                Interrupt.ignore()
            }
            let order = site.order
            for (number, name) in order.enumerated() {
                guard !Interrupt.wasSeen else { throw ExitCode(Interrupt.exitStatus) }
                bar.show(RunProgress(steps: number, begun: number + 1, operations: order.count), name)
                guard let page = site.page(of: name) else { continue }
                try write(page)
                count += 1
            }
            // Last: what leads to the pages comes when they are there.
            for file in site.guides { try write(file) }
            bar.clear()
            var output = StandardOutput()
            output.line("\(count) sessions and \(site.guides.count) other pages in \(DisplayText(folder, limit: 200).text), beginning with index.html")
            try output.flush()
        }
    }

    private func make(_ folder: String) throws {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            CommandIO.complain("\(DisplayText(folder, limit: 200).text): cannot be made: \(String(cString: strerror(errno)))")
            throw CommandIO.failed
        }
    }

    private func write(_ file: CourseSite.File) throws {
        do throws(TerminalError) { try TextFile.write(file.text, to: "\(folder)/\(file.path)") } catch {
            CommandIO.complain(error)
            throw CommandIO.failed
        }
    }
}
