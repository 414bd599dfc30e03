import Stage2Sim

/// The tables of an image as JSON, one VM's: `schema` (`kvmtui-tables-1`), `name`, `arch`, `geometry` (`ipa_bits`, `start_level`, `root`, `root_entries`,
/// `concatenated_tables`, `granule`, `vmid`, `vmid_bits`), `tables` (`pa`, `level`, `present`: whether the image has all of it) and `leaves` as in a machine's state.
public struct ImageJSON {
    private let image: TableImage
    /// The tables of an image; nothing is read before it is written.
    public init(_ image: TableImage) { self.image = image }

    /// Writes it piece by piece: an image may have more leaves than fit into memory as text.
    public func write(to sink: (String) throws -> Void) rethrows {
        var head = JSONText()
        let geometry = image.geometry
        head.object { json in
            json.entry("ipa_bits", geometry.ipaBits)
            json.entry("start_level", geometry.startLevel)
            json.entry("root", hex: geometry.root.rawValue)
            json.entry("root_entries", geometry.rootEntries)
            json.entry("concatenated_tables", geometry.concatenatedTables)
            json.entry("granule", Int(geometry.granule))
            json.entry("vmid", Int(geometry.vmid))
            json.entry("vmid_bits", geometry.vmidBits)
        }
        var name = JSONText()
        name.value(image.name)
        try sink(
            "{\"schema\": \"kvmtui-tables-1\",\n \"name\": \(name.text),\n \"arch\": \"\(geometry.architecture.rawValue)\",\n \"geometry\": \(head.text),\n \"tables\": ["
        )
        let missing = Set(image.missingTables)
        var comma = "\n  "
        for table in image.tables() {
            var line = JSONText()
            line.object { json in
                json.entry("pa", hex: table.address.rawValue)
                json.entry("level", table.level)
                json.entry("present", !missing.contains(table))
            }
            try sink(comma + line.text)
            comma = ",\n  "
        }
        try sink("],\n \"leaves\": [")
        comma = "\n  "
        for leaf in image.leaves() {
            var line = JSONText()
            StateJSON.write(leaf, geometry.rules, sh: geometry.shareability(of: leaf.descriptor), to: &line)
            try sink(comma + line.text)
            comma = ",\n  "
        }
        try sink("]}\n")
    }
}
