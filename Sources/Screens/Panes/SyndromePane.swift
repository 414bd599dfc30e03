import Stage2Sim

/// The registers that a trap leaves: HSR field by field, HPFAR, HDFAR or HIFAR, PAR.
struct SyndromePane {
    static func content(_ scene: Scene, glyphs: Glyphs, width: Int) -> PaneContent {
        let vcpu = scene.vcpu
        guard scene.now.world.statistics.faults > 0, vcpu.hsr.rawValue != 0 else {
            var line = Line("no trap yet: the registers are filled when the guest faults", .dim)
            line.continuesAt = 0
            return PaneContent("Syndrome" + scene.vcpuName, [line], margin: 1)
        }
        var lines: [Line] = []
        let world = scene.now.world, is64 = world.revision == .v61
        var hsr = Line(is64 ? "ESR_EL2   " : "HSR   ", .label)
        hsr.add(hex(UInt64(vcpu.hsr.rawValue), digits: 8), scene.changes.hsr ? .changed : .value)
        if scene.changes.hsr { hsr.add(" *", .changed) }
        hsr.changed = scene.changes.hsr
        lines.append(hsr)
        let fields = is64 ? ESR(rawValue: UInt64(vcpu.hsr.rawValue)).fields : vcpu.hsr.fields
        for field in fields {
            let value = field.value(in: UInt64(vcpu.hsr.rawValue))
            // Bits that are 0 and say nothing then are left out.
            if value == 0, ["EA", "CM", "S1PTW", "SSE"].contains(field.name) { continue }
            var line = Line("  " + field.name, .label)
            line.pad(to: 8)
            line.add(field.digits(in: UInt64(vcpu.hsr.rawValue)), .value)
            line.pad(to: width < 40 ? 14 : 16)
            var meaning = field.meaning(in: UInt64(vcpu.hsr.rawValue))
            // The level must be in sight; that it is a fault's status, the field's name says.
            if field.name == "FSC", line.width + CharacterWidth.of(meaning) >= width, let word = meaning.firstRange(of: " fault,") {
                meaning.replaceSubrange(word, with: ",")
            }
            line.continuesAt = line.width
            line.add(meaning, .plain)
            line.changed = scene.changes.hsr
            lines.append(line)
        }
        var hpfar = Line(is64 ? "HPFAR_EL2 " : "HPFAR ", .label)
        if vcpu.hpfarKnown || scene.step == .storeHPFAR || vcpu.next.rawValue > MicroStep.storeHPFAR.rawValue {
            hpfar.add(hex(UInt64(vcpu.hpfar.rawValue), digits: 8), scene.changes.hpfar ? .changed : .value)
            hpfar.add("  IPA \(hex(vcpu.hpfar.ipa.rawValue))", .plain)
        } else {
            hpfar.add("UNKNOWN", .stale)
            hpfar.add("  after a permission fault", .plain)
        }
        if scene.changes.hpfar { hpfar.add(" *", .changed) }
        hpfar.changed = scene.changes.hpfar
        lines.append(hpfar)
        var far = Line(is64 ? "FAR_EL2   " : vcpu.hsr.isInstructionAbort ? "HIFAR " : "HDFAR ", .label)
        far.add(hex(vcpu.hxfar, digits: is64 ? 10 : 8), scene.changes.hxfar ? .changed : .value)
        far.add("  the faulting VA", .dim)
        if scene.changes.hxfar { far.add(" *", .changed) }
        far.changed = scene.changes.hxfar
        lines.append(far)
        if scene.changes.par || vcpu.par != 0 {
            var par = Line(is64 ? "PAR_EL1   " : "PAR   ", .label)
            par.add(hex(vcpu.par, digits: 10), scene.changes.par ? .changed : .value)
            par.add(vcpu.par & 1 == 1 ? "  F: failed" : is64 ? "  from AT S1E1R" : "  from ATS1CPR", .dim)
            if scene.changes.par { par.add(" *", .changed) }
            par.changed = scene.changes.par
            lines.append(par)
        }
        return PaneContent("Syndrome" + scene.vcpuName, lines, margin: 1)
    }
}
