import Sessions

extension OpenCommand {
    /// Whether it is an ELF image, told by content, as `walk` does. Options that are for the other kind are refused.
    func isImage(_ input: Input, named session: String) throws -> Bool {
        guard input.kind.isImage else {
            guard tables.isEmpty else {
                throw BadValue("--vttbr, --vtcr, --hcr, --arch, --ram", session, "an ELF image of physical memory: they are for images")
            }
            return false
        }
        guard behaviours.isEmpty, trace.choosing(vm).firstGiven == nil else {
            throw BadValue("--kernel, --with, --without, --memory, --granule, --vm", session, "a session: an image is one instant, and nothing runs in it")
        }
        return true
    }
}
