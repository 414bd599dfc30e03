import Stage2Sim

// Commands written as lines of the language.

extension ActionLanguage {
    /// The command as a line of the language; nil for what is not an action.
    public static func text(of command: Command) -> String? {
        switch command {
        case .access(let access): guestText(access)
        case .host(let action, .hva(_, let process)?, _) where action.kind == .fork: "fork" + (process == "vmm0" ? "" : " \(process)")
        case .host(let action, .hva(_, let process)?, _) where action.kind == .exit: "exit" + (process == "child" ? "" : " \(process)")
        case .host(let action, let place, let other): hostText(action, place.map(text) ?? "", other.map(text) ?? "")
        case .proceed: "continue"
        case .switches: nil
        }
    }

    private static func text(_ place: MemoryPlace) -> String {
        switch place {
        case .ipa(let ipa, 0): hex(ipa)
        case .ipa(let ipa, let vm): "vm\(vm):\(hex(ipa))"
        case .hva(let hva, "vmm0"): "hva:\(hex(hva))"
        case .hva(let hva, let process): "\(process):\(hex(hva))"
        }
    }

    private static func guestText(_ access: Access) -> String {
        let place = access.throughStage1 ? "va:" + hex(access.va.rawValue) : hex(access.ipa.rawValue)
        if access.rawHSR != 0 { return "fault hsr \(hex(UInt64(access.rawHSR))) \(place)" + traceWords(access) }
        let load = access.kind == .read
        let value = load ? "" : " \(hex(access.value))"
        switch access.form {
        case .multiple where access.isAArch64: return (load ? "ldp " : "stp ") + place + value
        case .exclusive where access.isAArch64: return (load ? "ldxr " : "stxr ") + place + value
        case .multiple: return (load ? "ldm " : "stm ") + place + value
        case .double: return (load ? "ldrd " : "strd ") + place + value
        case .exclusive: return (load ? "ldrex " : "strex ") + place + value
        case .writeBack: return (load ? "ldr-wb " : "str-wb ") + place + value
        case .cacheMaintenance: return maintenanceText(access, place)
        case .translation: return "at " + place
        case .readPAR: return "par" + (access.register == 3 ? "" : " r\(access.register)")
        case .vcpuInit: return "vcpu-init"
        case .plain: break
        }
        if access.kind == .execute { return "exec \(place)" + (access.thumb ? " thumb" : "") + asidText(access.asid) }
        var words = (load ? "read " : "write ") + place + value
        if access.width < 4 { words += access.width == 1 ? " byte" : " half" }
        if access.isAArch64, access.width == 4 { words += " word" }
        if access.signExtend { words += " signed" }
        if access.thumb { words += " thumb" }
        if access.isAArch64 {
            if access.register != (load ? 6 : 5) { words += access.register == 31 ? " xzr" : " x\(access.register)" }
        } else if access.register != 3 {
            words += " r\(access.register)"
        }
        if load, access.value != 0 { words += " device \(hex(access.value))" }
        return words + asidText(access.asid)
    }

    private static func hostText(_ a: HostAction, _ place: String, _ other: String) -> String {
        let size = hex(a.size)
        switch a.kind {
        case .swapOut: return "swap-out \(place)"
        case .processRead: return "read \(place)"
        case .processWrite: return "write \(place) \(hex(a.value))"
        case .fork: return "fork"
        case .exit: return "exit"
        case .ksmMerge: return "merge \(place) \(other)"
        case .madviseDontneed: return "dontneed \(place) \(size)"
        case .munmap: return "munmap \(place) \(size)"
        case .mprotectReadOnly: return "mprotect \(place) \(size) ro"
        case .mprotectReadWrite: return "mprotect \(place) \(size) rw"
        case .slotAdd:
            return "slot-add \(hex(a.ipa.rawValue)) \(size) \(hex(a.hva.rawValue))" + (a.count == 1 ? " readonly" : "") + (a.value == 1 ? " mapped" : "")
        case .slotDelete: return "slot-delete \(hex(a.ipa.rawValue))"
        case .vmCreate: return "vm-create \(hex(a.ipa.rawValue)) \(size) \(hex(a.hva.rawValue))"
        case .logStart: return "dirty-log on \(hex(a.ipa.rawValue))"
        case .logGet: return "dirty-log get \(hex(a.ipa.rawValue))"
        case .logStop: return "dirty-log off \(hex(a.ipa.rawValue))"
        case .userfaultCopy: return "userfault-copy \(place)" + (a.value == 0 ? "" : " \(hex(a.value))")
        case .vmDestroy: return "vm-destroy vm\(a.vm)"
        case .poison: return "poison \(place)"
        case .failAllocations: return "fail-alloc " + (a.count < 0 ? "off" : String(a.count))
        case .ioremap: return "ioremap \(hex(a.ipa.rawValue)) \(hex(a.pa.rawValue)) \(size)"
        case .unmapRange: return "unmap-range \(hex(a.ipa.rawValue)) \(size)"
        case .exhaustVMIDs: return "exhaust-vmids"
        case .saveRestore: return "save-restore vm\(a.vm)"
        case .stage1Unmap: return "stage1-unmap \(hex(a.hva.rawValue))"
        case .levelOneAgain: return "alloc-pgd vm\(a.vm)"
        case .toldUnmap, .toldUnmapPage, .toldChange, .toldAge, .toldNothing, .followMap, .followProtect, .followUnmap, .followDeny, .followShare:
            return traceText(a, place)
        case .deviceRead, .deviceWrite, .evictLines, .prefetchLines, .maintainCaches: return hostCacheText(a, place)
        }
    }
}
