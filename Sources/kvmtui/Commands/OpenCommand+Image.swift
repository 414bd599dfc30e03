import Foundation
import Sessions

extension OpenCommand {
    /// Whether it is an ELF image, told by content, as `walk` does. Options that are for the other kind are refused.
    func isImage(_ input: Input, named session: String) throws -> Bool {
        guard input.kind.isImage else {
            try tables.refuse(for: session)
            return false
        }
        guard behaviours.isEmpty, trace.choosing(vm).firstGiven == nil else {
            throw BadValue("--kernel, --with, --without, --memory, --granule, --vm", session, "a session: an image is one instant, and nothing runs in it")
        }
        return true
    }

    /// The map of leaves in the folder of a VM in debugfs. nil: it is something else.
    func leaves(inFolder session: String) throws -> LeafMap? {
        var isFolder: ObjCBool = false
        guard tables.base.isEmpty, FileManager.default.fileExists(atPath: session, isDirectory: &isFolder), isFolder.boolValue,
            FileManager.default.fileExists(atPath: session + "/stage2_page_tables")
        else { return nil }
        return try PTDumpText.read(folder: session)
    }

    /// The map of leaves in a text of Linux's stage-2 dump. nil: it is something else.
    func leaves(_ input: Input) throws -> LeafMap? { input.kind == .ptdump && tables.base.isEmpty ? try PTDumpText.read(input.source) : nil }
}
