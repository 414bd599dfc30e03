import Sessions

extension OpenCommand {
    /// The tables of an ELF image; nil: it is none. Told apart by content, as `walk` does.
    func image() throws -> TableImage? {
        let path = try SessionFiles.path(of: session)
        guard path != "-", let bytes = try? ByteSource(path: path).peek(), InputKind.detect(bytes) == .elf else {
            guard tables.isEmpty else { throw BadValue("--vttbr, --vtcr, --hcr, --arch, --ram", session, "an ELF image of physical memory: they are for images") }
            return nil
        }
        guard behaviours.isEmpty, trace.memory.isEmpty else { throw BadValue("--kernel, --with, --without, --memory", session, "a session: an image is one instant, and nothing runs in it") }
        return try tables.open(path)
    }
}
