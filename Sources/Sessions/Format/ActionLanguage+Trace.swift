import Stage2Sim

/// The part of the language that sessions made from traces are written in.
///
///     fault hsr 0x93c68005 0x80000000 once pc 0x40000c60 value 0x2a
///     told-unmap 0x80005000 0x1000      told-change 0x80005000      told-age 0x80005000
///     follow-map 0x80200000 0x200000 rw
extension ActionLanguage {
    private static let traceVerbs = hostVerbs.filter { $0.hasPrefix("told-") || $0.hasPrefix("follow-") }

    static func isTraceVerb(_ verb: Substring) -> Bool { verb.hasPrefix("told-") || verb.hasPrefix("follow-") ? traceVerbs.contains(String(verb)) : false }

    /// The words behind the address of a fault that a trace gave.
    static func traceWords(_ access: Access) -> String {
        guard access.faultsOnce else { return "" }
        let own = HSR(rawValue: access.rawHSR)
        return " once" + (access.pc == 0 ? "" : " pc \(hex(UInt64(access.pc)))")
            + (access.va.rawValue == access.ipa.rawValue & 0xffff_ffff ? "" : " va \(hex(access.va.rawValue))")
            + (access.value == 0 ? "" : " value \(hex(access.value))") + (access.width == width(of: own) ? "" : " width \(access.width)")
    }

    /// Bytes of the access that a syndrome tells of; 4 where it does not say.
    private static func width(of hsr: HSR) -> UInt8 { hsr.isv ? 1 << hsr.accessSize : 4 }

    static func traceText(_ a: HostAction, _ place: String) -> String {
        let ipa = hex(a.ipa.rawValue), size = hex(a.size)
        switch a.kind {
        case .toldUnmap: return "told-unmap \(place) \(size)"
        case .toldUnmapPage: return "told-unmap-page \(place)"
        case .toldChange: return "told-change \(place)"
        case .toldAge: return "told-age \(place)"
        case .followMap: return "follow-map \(ipa) \(size)" + (a.count == 1 ? " rw" : "")
        case .followProtect: return "follow-protect \(ipa) \(size)"
        case .followUnmap: return "follow-unmap \(ipa)"
        case .followDeny: return "follow-\(a.count == 1 ? "deny-writes" : a.count == 2 ? "allow-writes" : "deny") \(place)"
        case .followShare: return "follow-share \(place)"
        default: return "told-nothing"
        }
    }

    mutating func traceOptions(_ access: inout Access) throws(Mistake) {
        guard takeIf("once") else { return }
        access.faultsOnce = true
        if takeIf("pc") { access.pc = UInt32(try address("the guest's PC", max: 0xffff_ffff)) }
        if takeIf("va") { access.va = VA(try address("the guest's virtual address", max: 0xffff_ffff)) }
        if takeIf("value") { access.value = try number("the value that is written, or that the device answers") }
        let hsr = HSR(rawValue: access.rawHSR)
        access.width = Self.width(of: hsr)
        if takeIf("width") {
            let word = try take("the bytes of the access: 1, 2, 4 or 8")
            guard let width = UInt8(word.text), [1, 2, 4, 8].contains(width) else {
                throw Mistake(column: word.column, found: "'\(word.text)'", fits: "the bytes of the access: 1, 2, 4 or 8")
            }
            access.width = width
        }
        // A stage-1 walk reads, whatever the access was to do.
        access.kind = TraceScript.kind(hsr)
        if hsr.isv { access.signExtend = hsr.signExtend && access.kind == .read }
        guard access.ipa.rawValue % UInt64(access.width) == 0 || access.kind == .execute else {
            throw Mistake(
                column: words[3].column, found: "\(words[3].text), not aligned to the \(access.width) bytes of the syndrome",
                fits: "an aligned address, or width N")
        }
    }

    mutating func traceCommand(_ verb: Substring, vm: VMNumber) throws(Mistake) -> Command {
        func told(_ kind: HostAction.Kind, _ place: MemoryPlace, size: UInt64 = 4096) -> Command {
            var action = HostAction(kind)
            action.size = size
            return .host(action, place: place, other: nil)
        }
        switch verb {
        case "told-unmap":
            let place = try place(vm: vm)
            return told(.toldUnmap, place, size: try size(default: 4096))
        case "told-unmap-page": return told(.toldUnmapPage, try place(vm: vm))
        case "told-change": return told(.toldChange, try place(vm: vm))
        case "told-age": return told(.toldAge, try place(vm: vm))
        case "follow-deny": return told(.followDeny, try place(vm: vm))
        case "follow-deny-writes", "follow-allow-writes":
            var action = HostAction(.followDeny)
            action.count = verb == "follow-deny-writes" ? 1 : 2
            return .host(action, place: try place(vm: vm), other: nil)
        case "follow-share": return told(.followShare, try place(vm: vm))
        case "told-nothing": return .host(HostAction(.toldNothing), place: nil, other: nil)
        default:
            var action = HostAction(verb == "follow-map" ? .followMap : verb == "follow-protect" ? .followProtect : .followUnmap)
            action.vm = vm
            action.ipa = IPA(try address("an IPA", max: Self.maxIPA))
            if verb != "follow-unmap" { action.size = takeIf("rw") ? 4096 : try size(default: 4096) }
            if verb == "follow-map", takeIf("rw") { action.count = 1 }
            return .host(action, place: nil, other: nil)
        }
    }
}
