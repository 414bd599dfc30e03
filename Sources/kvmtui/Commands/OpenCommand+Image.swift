import Foundation
import Sessions

extension OpenCommand {
    /// Whether it is an ELF image, told by content, as `walk` does. Options that are for the other kind are refused.
    func isImage(_ source: ByteSource, named session: String) throws -> Bool {
        let prefix = try? source.peek()
        guard let prefix, !tables.base.isEmpty || InputKind.detect(prefix).isImage else {
            try tables.refuse(for: session)
            return false
        }
        guard behaviours.isEmpty, trace.memory.isEmpty else {
            throw BadValue("--kernel, --with, --without, --memory", session, "a session: an image is one instant, and nothing runs in it")
        }
        return true
    }

    /// The map of leaves in a stage-2 dump of Linux's: a text, or the folder of a VM in debugfs. nil: it is something else.
    func leaves(_ session: String) throws -> LeafMap? {
        guard tables.base.isEmpty else { return nil }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: session, isDirectory: &isFolder), isFolder.boolValue {
            guard FileManager.default.fileExists(atPath: session + "/stage2_page_tables") else { return nil }
            return try PTDumpText.read(folder: session)
        }
        // Standard input can be looked at once.
        guard !SessionFiles.isStandardInput(session), let source = try? FoundSession.named(session).source(), InputKind.detect(try source.peek()) == .ptdump
        else {
            return nil
        }
        return try PTDumpText.read(source)
    }
}
