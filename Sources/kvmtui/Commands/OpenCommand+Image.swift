import Sessions

extension OpenCommand {
    /// Whether it is an ELF image, told by content, as `walk` does. Options that are for the other kind are refused.
    func isImage(_ source: ByteSource, named session: String) throws -> Bool {
        let prefix = try? source.peek()
        guard let prefix, !tables.base.isEmpty || InputKind.detect(prefix).isImage else {
            guard tables.isEmpty else {
                throw BadValue("--vttbr, --vtcr, --hcr, --arch, --ram", session, "an image of physical memory: they are for images")
            }
            return false
        }
        guard behaviours.isEmpty, trace.memory.isEmpty else {
            throw BadValue("--kernel, --with, --without, --memory", session, "a session: an image is one instant, and nothing runs in it")
        }
        return true
    }
}
