import Stage2Sim

/// A translation as text and as JSON.
public struct TranslationReport {
    /// What was tried.
    public let probe: Probe
    /// How it went.
    public let translation: Stage2Translation
    /// How the tables were read.
    public let geometry: Stage2Geometry

    /// - Parameter register: the transfer register, 0 to 15, for the syndrome; nil: the form's own.
    public init(_ probe: Probe, in image: TableImage, register: UInt8? = nil) {
        self.probe = probe
        geometry = image.geometry
        translation = image.translate(probe, register: register)
    }

    private var isARMv8: Bool { geometry.architecture == .armv8 }

    // MARK: JSON

    /// Keys, in this order; those in brackets where they apply:
    /// - `op`, `ipa`, `ok`, `kind` (`ok` or `stage2`), `arch`
    /// - `levels`: of each level `level`, `table`, `index`, `address` (the descriptor's), `descriptor` (null: no memory there), `type`, `meaning`
    /// - [`leaf`: `ipa`, `pa`, `size`, `level`, `descriptor`, `rights`, `s2ap` (`hap` in ARMv7), `xn`, `af`, `sh`, `memattr`, `memory`, `software`,
    ///   with ARMv8 `contiguous`, `dbm`]
    /// - [`pa`]
    /// - [`fault`, `level`, `fsc`, `hsr` (ESR_EL2 in ARMv8, then also `esr`), `ec`, `il`, `s1ptw`, `ea`; for data aborts `isv`, `sas`, `sse`, `srt`, `cm`,
    ///   `wnr`; `hpfar`, `hpfar_known`, `fault_ipa`, `meaning`]
    public func write(to json: inout JSONText) {
        json.object { json in
            json.entry("op", probe.operation.rawValue)
            json.entry("ipa", hex: probe.ipa.rawValue)
            let isFault = if case .fault = translation.end { true } else { false }
            json.entry("ok", !isFault)
            json.entry("kind", isFault ? "stage2" : "ok")
            json.entry("arch", geometry.architecture.rawValue)
            json.entry("levels") { $0.array { json in translation.steps.forEach { write($0, to: &json) } } }
            if let leaf = translation.leaf { json.entry("leaf") { write(leaf, to: &$0) } }
            switch translation.end {
            case .translated(let pa): json.entry("pa", hex: pa.rawValue)
            case .fault(let fault): write(fault, to: &json)
            }
        }
    }

    private func write(_ step: Stage2Translation.Step, to json: inout JSONText) {
        json.object { json in
            json.entry("level", step.level)
            json.entry("table", hex: step.table.rawValue)
            json.entry("index", step.index)
            json.entry("address", hex: step.descriptorAddress.rawValue)
            json.entry("descriptor") { json in
                if let descriptor = step.descriptor { json.value(hex: descriptor.rawValue, digits: 16) } else { json.null() }
            }
            json.entry("type", step.descriptor.map { String(describing: $0.kind(level: step.level, rules: geometry.rules)) } ?? "absent")
            json.entry("meaning", meaning(step))
        }
    }

    private func write(_ leaf: Stage2Translation.Leaf, to json: inout JSONText) {
        let descriptor = leaf.descriptor
        json.object { json in
            json.entry("ipa", hex: leaf.ipa.rawValue)
            json.entry("pa", hex: leaf.pa.rawValue)
            json.entry("size", hex: leaf.size)
            json.entry("level", leaf.level)
            json.entry("descriptor", hex: descriptor.rawValue, digits: 16)
            json.entry("rights", descriptor.rights)
            json.entry(isARMv8 ? "s2ap" : "hap", Int(Stage2Descriptor.hapBits.of(descriptor.rawValue)))
            json.entry("xn", Int(descriptor.executeNever(geometry.rules)))
            json.entry("af", descriptor.accessFlag ? 1 : 0)
            json.entry("sh", Int(geometry.shareability(of: descriptor)))
            json.entry("memattr", Int(Stage2Descriptor.memAttrBits.of(descriptor.rawValue)))
            json.entry("memory", descriptor.memoryType(geometry))
            json.entry("software", Int(Stage2Descriptor.softwareBits.of(descriptor.rawValue)))
            if isARMv8 {
                json.entry("contiguous", Int(Stage2Descriptor.contiguousBits.of(descriptor.rawValue)))
                json.entry("dbm", Int(Stage2Descriptor.dbmBits.of(descriptor.rawValue)))
            }
        }
    }

    private func write(_ fault: Stage2Translation.Fault, to json: inout JSONText) {
        let syndrome = fault.syndrome
        json.entry("fault", fault.status.walkKind.map(Self.name) ?? "other")
        json.entry("level", fault.status.walk?.level ?? Int(fault.status.level))
        json.entry("fsc", Int(fault.status.rawValue))
        json.entry("hsr", hex: syndrome, digits: 8)
        if isARMv8 { json.entry("esr", hex: syndrome, digits: 8) }
        func number(_ key: String, _ bits: Bits) { json.entry(key, Int(bits.of(syndrome))) }
        json.entry("ec", hex: HSR.ecBits.of(syndrome))
        number("il", HSR.ilBits)
        if probe.operation != .exec {
            number("isv", HSR.isvBits)
            number("sas", HSR.sasBits)
            number("sse", HSR.sseBits)
            number("srt", isARMv8 ? ESR.srtBits : HSR.srtBits)
            number("cm", HSR.cmBits)
            number("wnr", HSR.wnrBits)
        }
        number("ea", HSR.eaBits)
        number("s1ptw", HSR.s1ptwBits)
        json.entry("hpfar", hex: fault.hpfar, digits: 8)
        json.entry("hpfar_known", fault.isHPFARKnown)
        json.entry("fault_ipa", hex: probe.ipa.rawValue)
        json.entry("meaning", reason(fault))
    }

    /// The kind of a fault as the judge names it.
    static func name(_ kind: FaultStatus.Kind) -> String {
        switch kind {
        case .addressSize: "address_size"
        case .translation: "translation"
        case .accessFlag: "access_flag"
        case .permission: "permission"
        case .externalOnWalk: "external_on_walk"
        case .parityOnWalk: "parity_on_walk"
        }
    }

    // MARK: Text

    /// Several lines: the access, a line for each level, the end.
    public var text: String {
        var lines = ["\(probe.operation.rawValue) \(hex(probe.ipa.rawValue, digits: 10))  (\(probe.operation.about))"]
        let width = translation.steps.map { String($0.index).count }.max() ?? 0
        for step in translation.steps {
            let index = String(step.index)
            lines.append(
                "  level \(step.level)  table \(hex(step.table.rawValue, digits: 10))[\(index)]\(String(repeating: " ", count: width - index.count))  \(step.descriptor.map { hex($0.rawValue, digits: 16) } ?? "                --")  \(meaning(step))"
            )
        }
        switch translation.end {
        case .translated(let pa):
            let leaf = translation.leaf!
            lines.append(
                "  PA \(hex(pa.rawValue, digits: 10))  \(leaf.descriptor.rights), \(leaf.descriptor.memoryType(geometry)), a \(Self.size(leaf.size)) leaf of level \(leaf.level)"
            )
        case .fault(let fault):
            let names = isARMv8 ? ("ESR_EL2", "HPFAR_EL2") : ("HSR", "HPFAR")
            lines.append("  \(fault.status.walkMeaning): \(reason(fault))")
            let unknown = fault.isHPFARKnown ? "" : "  (UNKNOWN by the architecture after such a fault)"
            lines.append("  \(names.0) \(hex(fault.syndrome, digits: 8))  \(names.1) \(hex(fault.hpfar, digits: 8))\(unknown)")
        }
        return lines.joined(separator: "\n")
    }

    private func meaning(_ step: Stage2Translation.Step) -> String {
        step.descriptor?.summary(level: step.level, geometry) ?? "no memory there"
    }

    private func reason(_ fault: Stage2Translation.Fault) -> String {
        switch fault.status.walkKind {
        case .translation where translation.steps.isEmpty: geometry.mismatch ?? "the IPA has more than \(geometry.ipaBits) bits"
        case .translation: "nothing is mapped there"
        case .accessFlag: "the leaf's access flag is clear"
        case .permission where translation.isStage1Walk && geometry.protectsTableWalks && (translation.leaf?.descriptor.isDeviceMemory ?? false):
            "HCR.PTW: a stage-1 walk may not read Device memory"
        case .permission: "the leaf does not permit \(wish)"
        case .externalOnWalk: "the image has no memory at \(hex(translation.steps.last?.descriptorAddress.rawValue ?? 0, digits: 10))"
        case .addressSize: "the address has more than \(geometry.rules.outputBits) bits"
        default: fault.status.walkMeaning
        }
    }

    private var wish: String {
        switch translation.isStage1Walk ? .read : translation.access.kind {
        case .read: "a read"
        case .write: "a write"
        case .execute: "a fetch"
        }
    }

    static func size(_ bytes: UInt64) -> String {
        var (value, units) = (bytes >> 10, ["KiB", "MiB", "GiB", "TiB"])
        while value & 1023 == 0, value > 0, units.count > 1 {
            value >>= 10
            units.removeFirst()
        }
        return "\(value) \(units[0])"
    }
}
