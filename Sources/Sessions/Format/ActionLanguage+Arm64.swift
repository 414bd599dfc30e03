import Stage2Sim

// What an AArch64 guest and the host of v6.1 can be told.

extension ActionLanguage {
    /// The load and store of the instruction forms that give no syndrome, by their AArch64 names.
    static let arm64Verbs: [(verb: String, kind: AccessKind, form: Access.Form)] = [
        ("ldp", .read, .multiple), ("stp", .write, .multiple), ("ldxr", .read, .exclusive), ("stxr", .write, .exclusive),
        ("ldr-wb", .read, .writeBack), ("str-wb", .write, .writeBack),
    ]

    /// What v6.1's host can be told so far. The others' routines are those of the 32-bit port's time, and would tell it wrongly.
    static let arm64HostKinds: Set<HostAction.Kind> = [.processRead, .processWrite, .fork, .exit, .madviseDontneed, .failAllocations]

    /// The access of an AArch64 guest: 8 bytes unless the action says otherwise; x6 is loaded, x5 stored.
    func arm64(_ access: Access) -> Access {
        var access = access
        access.isAArch64 = true
        access.register = access.kind == .execute ? 0 : access.kind == .read ? 6 : 5
        return access
    }

    /// x0 to x30 or xzr, w0 to w30 or wzr; nil for what is no register of AArch64.
    static func arm64Register(_ word: Substring) -> UInt8? {
        guard let first = word.first, first == "x" || first == "w" else { return nil }
        if word.dropFirst() == "zr" { return 31 }
        guard let number = UInt8(word.dropFirst()), number < 31 else { return nil }
        return number
    }

    /// The command, if this kernel's machine can be told it.
    func checkedForArm64(_ command: Command) throws(Mistake) -> Command {
        let word = words.first ?? Word(text: "", column: 1)
        switch command {
        case .access(let access)
        where access.rawHSR != 0 || access.operation != .none || access.thumb
            || ![.plain, .multiple, .exclusive, .writeBack, .cacheMaintenance].contains(access.form):
            throw Mistake(
                column: word.column, found: "'\(word.text)'",
                fits: "of an AArch64 guest: read, write, exec, ldp, stp, ldxr, stxr, ldr-wb, str-wb, cache-op")
        case .host(let action, _, _) where !Self.arm64HostKinds.contains(action.kind):
            throw Mistake(
                column: word.column, found: "'\(word.text)', which v6.1 cannot be told yet", fits: "read, write, fork, exit, dontneed, fail-alloc")
        default: return command
        }
    }
}
