import Stage2Sim

/// The small language of actions: the same in session files, at the `:` prompt and on the command line.
///
///     read 0x80001000 byte signed r5      write 0x80001000 0x2a half      exec 0x80001000 thumb
///     ldm, ldrd, ldrex, ldr-wb ADDR       stm, strd, strex, str-wb ADDR VALUE
///     swap-out 0x80001000                 merge 0x80001000 vm1:0x80001000
///     dccmvau 0x80001040                  evict 0x80001040 dcache cpu 1
public struct ActionLanguage {
    /// A word and its column in the line, from 1.
    struct Word {
        let text: Substring
        let column: Int
    }

    /// What is wrong in a line of the language.
    public struct Mistake: Error, Sendable, Equatable {
        /// From 1, in the text of the action.
        public let column: Int
        /// What stands there.
        public let found: String
        /// What would fit.
        public let fits: String
    }

    private(set) var words: [Word] = []
    private var next = 0
    private var hvaEnd: UInt64 = 1 << 32
    /// The guest is an AArch64 one, the kernel v6.1.
    private(set) var isArm64 = false
    let length: Int

    private init(_ text: String) {
        length = text.count
        words.reserveCapacity(4)
        // By bytes where every byte is a character: sessions of a hundred thousand lines pass through here.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            splitByCharacters(text)
            return
        }
        var start: String.Index?
        var index = text.startIndex
        var column = 1
        while index < text.endIndex {
            let byte = text.utf8[index]
            if byte == 0x20 || byte == 0x2c || byte == 0x09 || byte == 0x0a || byte == 0x0d {
                if let from = start { add(text[from..<index], endingBefore: column) }
                start = nil
            } else if start == nil {
                start = index
            }
            index = text.utf8.index(after: index)
            column += 1
        }
        if let from = start { add(text[from...], endingBefore: column) }
    }

    private mutating func add(_ text: Substring, endingBefore column: Int) {
        words.append(Word(text: text, column: column - text.utf8.count))
    }

    private mutating func splitByCharacters(_ text: String) {
        var column = 1
        for word in text.split(omittingEmptySubsequences: false, whereSeparator: { $0.isWhitespace || $0 == "," }) {
            if !word.isEmpty { words.append(Word(text: word, column: column)) }
            column += word.count + 1
        }
    }

    /// The command that `text` tells an actor of `kind` to do.
    ///
    /// - Parameters:
    ///   - hvaEnd: what a slot's address in its VMM is below: 4 GiB, or more on a host of 64 bits.
    ///   - arm64: the machine runs v6.1, its guest is an AArch64 one.
    public static func parse(_ text: String, for kind: Actor.Kind, vm: VMNumber = 0, hvaEnd: UInt64 = 1 << 32, arm64: Bool = false) throws(Mistake) -> Command {
        var parser = ActionLanguage(text)
        parser.hvaEnd = hvaEnd
        parser.isArm64 = arm64
        let command = kind == .vcpu ? try parser.guestCommand() : try parser.hostCommand(vm: vm)
        if let word = parser.peek { throw Mistake(column: word.column, found: "'\(word.text)'", fits: "nothing more fits here") }
        return arm64 ? try parser.checkedForArm64(command) : command
    }

    // MARK: Words

    var peek: Word? { next < words.count ? words[next] : nil }

    mutating func take(_ fits: @autoclosure () -> String) throws(Mistake) -> Word {
        guard next < words.count else { throw Mistake(column: length + 1, found: "the end", fits: fits()) }
        next += 1
        return words[next - 1]
    }

    mutating func takeIf(_ text: String) -> Bool {
        guard peek?.text == text[...] else { return false }
        next += 1
        return true
    }

    mutating func number(_ what: String, max: UInt64 = .max) throws(Mistake) -> UInt64 {
        let word = try take(what)
        guard let value = parseNumber(word.text) else { throw Mistake(column: word.column, found: "'\(word.text)'", fits: "\(what), such as 0x80001000") }
        guard value <= max else { throw Mistake(column: word.column, found: "\(word.text)", fits: "\(what) up to \(hex(max))") }
        return value
    }

    /// The same for an address, which is not taken in decimal.
    mutating func address(_ what: String, max: UInt64 = .max) throws(Mistake) -> UInt64 {
        if let word = peek { try refuseDecimal(word.text, at: word.column) }
        return try number(what, max: max)
    }

    func refuseDecimal(_ text: Substring, at column: Int) throws(Mistake) {
        guard let meant = DecimalAddress(text) else { return }
        throw Mistake(column: column, found: meant.found, fits: meant.fits)
    }

    // MARK: The guest

    static let maxIPA: UInt64 = (1 << 40) - 1

    private mutating func guestCommand() throws(Mistake) -> Command {
        let verb = try take("an action, such as read 0x80001000; kvmtui format lists them")
        if isArm64, let form = Self.arm64Verbs.first(where: { $0.verb == verb.text }) { return .access(try access(form.kind, form.form, width: 8)) }
        switch verb.text {
        case "read": return .access(try options(for: try access(.read, width: isArm64 ? 8 : 4)))
        case "write": return .access(try options(for: try access(.write, width: isArm64 ? 8 : 4)))
        case "exec": return .access(try options(for: try access(.execute)))
        case "ldm" where !isArm64: return .access(try access(.read, .multiple, width: 8))
        case "ldrd" where !isArm64: return .access(try access(.read, .double, width: 8))
        case "ldrex" where !isArm64: return .access(try access(.read, .exclusive))
        case "ldr-wb": return .access(try access(.read, .writeBack))
        case "stm" where !isArm64: return .access(try access(.write, .multiple, width: 8))
        case "strd" where !isArm64: return .access(try access(.write, .double, width: 8))
        case "strex" where !isArm64: return .access(try access(.write, .exclusive))
        case "str-wb": return .access(try access(.write, .writeBack))
        case "cache-op": return .access(try access(.write, .cacheMaintenance, width: 4, takesValue: false))
        case "fault":
            let word = try take("hsr VALUE ADDRESS")
            guard word.text == "hsr" else { throw Mistake(column: word.column, found: "'\(word.text)'", fits: "hsr VALUE ADDRESS") }
            let raw = UInt32(try number("the HSR value", max: 0xffff_ffff))
            let hsr = HSR(rawValue: raw)
            var access = try access(hsr.isInstructionAbort ? .execute : hsr.isWrite ? .write : .read, takesValue: false)
            access.rawHSR = raw
            if hsr.isv { access.register = hsr.transferRegister }
            try traceOptions(&access)
            return .access(access)
        case "at": return .access(try access(.write, .translation, takesValue: false))
        case "par":
            var access = Access(.read, IPA(0), form: .readPAR)
            if let word = peek {
                guard word.text.first == "r", let register = UInt8(word.text.dropFirst()), register < 15 else {
                    throw Mistake(column: word.column, found: "'\(word.text)'", fits: "r0 to r14")
                }
                next += 1
                access.register = register
            }
            return .access(access)
        case "vcpu-init": return .access(Access(.read, IPA(0), form: .vcpuInit))
        case "continue": return .proceed
        default:
            if let access = try guestCacheCommand(verb) { return .access(access) }
            throw Mistake(
                column: verb.column, found: "'\(verb.text)'",
                fits: wrongSide(verb, Self.hostVerbs, "a host thread's") ?? Self.verbs(Self.guestVerbs, near: verb.text))
        }
    }

    mutating func access(_ kind: AccessKind, _ form: Access.Form = .plain, width: UInt8 = 4, takesValue: Bool? = nil) throws(Mistake) -> Access {
        guard let word = peek else { throw Mistake(column: length + 1, found: "the end", fits: "an address, such as 0x80001000 or va:0x1000") }
        var access: Access
        if word.text.hasPrefix("va:") {
            next += 1
            try refuseDecimal(word.text.dropFirst(3), at: word.column + 3)
            guard let va = parseNumber(word.text.dropFirst(3)), va < 1 << 32 else {
                throw Mistake(column: word.column, found: "'\(word.text)'", fits: "a 32-bit virtual address, such as va:0x1000")
            }
            access = Access(kind, va: VA(va), form: form, width: width)
        } else {
            try refuseDecimal(word.text, at: word.column)
            guard let ipa = parseNumber(word.text) else {
                throw Mistake(column: word.column, found: "'\(word.text)'", fits: "an address, such as 0x80001000 or va:0x1000")
            }
            guard ipa <= Self.maxIPA else {
                throw Mistake(column: word.column, found: "\(word.text), beyond 40 bits", fits: "an IPA up to \(hex(Self.maxIPA))")
            }
            next += 1
            access = Access(kind, IPA(ipa), form: form, width: width)
        }
        if isArm64 { access = arm64(access) }
        if takesValue ?? (kind == .write) { access.value = try number("the value to write") }
        return access
    }

    private mutating func options(for access: Access) throws(Mistake) -> Access {
        var access = access
        if access.kind == .execute { access.register = 0 }
        while let word = peek {
            next += 1
            switch word.text {
            case "byte" where access.kind != .execute: access.width = 1
            case "half" where access.kind != .execute: access.width = 2
            case "word" where access.kind != .execute: access.width = 4
            case "signed" where access.kind == .read: access.signExtend = true
            case "thumb" where !isArm64:
                access.thumb = true
                if access.kind == .execute { access.width = 2 }
            case "device" where access.kind == .read: access.value = try number("what the device answers")
            case "asid": access.asid = UInt8(try number("the ASID", max: 255))
            default:
                if isArm64, access.kind != .execute, let register = Self.arm64Register(word.text) {
                    access.register = register
                } else if !isArm64, access.kind != .execute, word.text.first == "r", let register = UInt8(word.text.dropFirst()), register < 16 {
                    access.register = register
                } else {
                    let fits =
                        isArm64
                        ? access.kind == .execute
                            ? "the end" : "byte, half, word, \(access.kind == .read ? "signed, device VALUE, " : "")x0 to x30 or xzr"
                        : access.kind == .execute
                            ? "thumb, asid N"
                            : access.kind == .read
                                ? "byte, half, word, signed, thumb, r0 to r15, asid N, device VALUE" : "byte, half, word, thumb, r0 to r15, asid N"
                    throw Mistake(column: word.column, found: "'\(word.text)'", fits: fits)
                }
            }
        }
        if !access.throughStage1, access.ipa.rawValue % UInt64(access.width) != 0 {
            throw Mistake(column: words[1].column, found: "\(words[1].text), not aligned to \(access.width) bytes", fits: "an aligned address")
        }
        if access.kind == .write { access.value &= access.width == 8 ? ~0 : (1 << (UInt64(access.width) * 8)) - 1 }
        return access
    }

    // MARK: The host

    mutating func place(vm: VMNumber) throws(Mistake) -> MemoryPlace {
        let fits = "an IPA, vm1:IPA, hva:ADDRESS or other:ADDRESS"
        let word = try take(fits)
        let parts = word.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let value = parseNumber(parts.last!) else { throw Mistake(column: word.column, found: "'\(word.text)'", fits: fits) }
        try refuseDecimal(parts.last!, at: word.column + word.text.count - parts.last!.count)
        guard parts.count == 2 else {
            guard value <= Self.maxIPA else {
                throw Mistake(column: word.column, found: "\(word.text), beyond 40 bits", fits: "an IPA up to \(hex(Self.maxIPA))")
            }
            return .ipa(value, vm: vm)
        }
        switch parts[0] {
        case "ipa": return .ipa(value, vm: vm)
        case "hva": return .hva(value, process: "vmm\(vm)")
        case let name where VMNumber(named: name) != nil: return .ipa(value, vm: VMNumber(named: name)!)
        case "": throw Mistake(column: word.column, found: "'\(word.text)'", fits: fits)
        case let name: return .hva(value, process: String(name))
        }
    }

    private mutating func vmNumber(default vm: VMNumber) throws(Mistake) -> VMNumber {
        guard let word = peek else { return vm }
        next += 1
        guard let number = VMNumber(named: word.text) else {
            throw Mistake(column: word.column, found: "'\(word.text)'", fits: "vm0, vm1 or nothing")
        }
        return number
    }

    mutating func size(default value: UInt64?) throws(Mistake) -> UInt64 {
        if peek == nil, let value { return value }
        let column = peek?.column ?? length + 1
        let size = try number("a size, such as 4K or 0x1000")
        guard size > 0, size % 4096 == 0, size <= 1 << 40 else {
            throw Mistake(column: column, found: hex(size), fits: "a multiple of 4K, up to 1 TiB")
        }
        return size
    }

    private mutating func hostCommand(vm: VMNumber) throws(Mistake) -> Command {
        let verb = try take("an action, such as swap-out 0x80001000; kvmtui format lists them")
        func simple(_ kind: HostAction.Kind, _ place: MemoryPlace?) -> Command { .host(HostAction(kind), place: place, other: nil) }
        switch verb.text {
        case "swap-out": return simple(.swapOut, try place(vm: vm))
        case "read": return simple(.processRead, try place(vm: vm))
        case "write":
            let place = try place(vm: vm)
            var action = HostAction(.processWrite)
            action.value = try number("the value to write", max: 0xffff_ffff)
            return .host(action, place: place, other: nil)
        case "fork": return simple(.fork, .hva(0, process: try processName(default: "vmm\(vm)")))
        case "exit": return simple(.exit, .hva(0, process: try processName(default: "child")))
        case "merge":
            let given = try place(vm: vm)
            return .host(HostAction(.ksmMerge), place: given, other: try place(vm: vm))
        case "dontneed", "munmap":
            let place = try place(vm: vm)
            var action = HostAction(verb.text == "munmap" ? .munmap : .madviseDontneed)
            action.size = try size(default: 4096)
            return .host(action, place: place, other: nil)
        case "mprotect":
            let place = try place(vm: vm)
            let size = try size(default: nil)
            let word = try take("ro or rw")
            guard word.text == "ro" || word.text == "rw" else { throw Mistake(column: word.column, found: "'\(word.text)'", fits: "ro or rw") }
            var action = HostAction(word.text == "ro" ? .mprotectReadOnly : .mprotectReadWrite)
            action.size = size
            return .host(action, place: place, other: nil)
        case "slot-add":
            var action = HostAction(.slotAdd)
            action.vm = vm
            // Beyond 40 bits too: whether that is refused is the kernel's to say.
            action.ipa = IPA(try address("the slot's IPA", max: 1 << 44 - 1))
            action.size = try size(default: nil)
            action.hva = HVA(try address("the slot's address in the VMM", max: hvaEnd - 1))
            if takeIf("readonly") { action.count = 1 }
            if takeIf("mapped") { action.value = 1 }
            return .host(action, place: nil, other: nil)
        case "slot-delete":
            var action = HostAction(.slotDelete)
            action.vm = vm
            action.ipa = IPA(try address("an IPA in the slot", max: Self.maxIPA))
            return .host(action, place: nil, other: nil)
        case "dirty-log":
            let word = try take("on, get or off")
            let kinds: [Substring: HostAction.Kind] = ["on": .logStart, "get": .logGet, "off": .logStop]
            guard let kind = kinds[word.text] else { throw Mistake(column: word.column, found: "'\(word.text)'", fits: "on, get or off") }
            var action = HostAction(kind)
            action.vm = vm
            action.ipa = IPA(try address("an IPA in the slot", max: Self.maxIPA))
            return .host(action, place: nil, other: nil)
        case "userfault-copy":
            let place = try place(vm: vm)
            var action = HostAction(.userfaultCopy)
            if peek != nil { action.value = try number("the value in the page", max: 0xffff_ffff) }
            return .host(action, place: place, other: nil)
        case "vm-create":
            var action = HostAction(.vmCreate)
            action.ipa = IPA(try address("the IPA of its memory", max: Self.maxIPA))
            action.size = try size(default: nil)
            action.hva = HVA(try address("its address in the VMM", max: 0xffff_ffff))
            return .host(action, place: nil, other: nil)
        case "vm-destroy":
            var action = HostAction(.vmDestroy)
            action.vm = try vmNumber(default: vm)
            return .host(action, place: nil, other: nil)
        case "alloc-pgd":
            var action = HostAction(.levelOneAgain)
            action.vm = try vmNumber(default: vm)
            return .host(action, place: nil, other: nil)
        case "poison": return simple(.poison, try place(vm: vm))
        case "fail-alloc":
            var action = HostAction(.failAllocations)
            action.count = takeIf("off") ? -1 : Int32(try number("how many pages are still got, or off", max: 1 << 20))
            return .host(action, place: nil, other: nil)
        case "ioremap", "unmap-range":
            var action = HostAction(verb.text == "ioremap" ? .ioremap : .unmapRange)
            action.vm = vm
            action.ipa = IPA(try address("an IPA", max: Self.maxIPA))
            if action.kind == .ioremap { action.pa = PA(try address("the device's physical address", max: Self.maxIPA)) }
            action.size = try size(default: action.kind == .ioremap ? 4096 : nil)
            return .host(action, place: nil, other: nil)
        case "exhaust-vmids": return simple(.exhaustVMIDs, nil)
        case "save-restore":
            var action = HostAction(.saveRestore)
            action.vm = try vmNumber(default: vm)
            return .host(action, place: nil, other: nil)
        case "stage1-unmap":
            var action = HostAction(.stage1Unmap)
            action.hva = HVA(try address("a guest virtual address", max: 0xffff_ffff))
            return .host(action, place: nil, other: nil)
        case "continue": return .proceed
        case let word where Self.isTraceVerb(word): return try traceCommand(word, vm: vm)
        default:
            if let command = try hostCacheCommand(verb, vm: vm) { return command }
            throw Mistake(
                column: verb.column, found: "'\(verb.text)'", fits: wrongSide(verb, Self.guestVerbs, "a vCPU's") ?? Self.verbs(Self.hostVerbs, near: verb.text))
        }
    }

    /// A word that is an action of the other kind of actor.
    private func wrongSide(_ verb: Word, _ others: [String], _ whose: String) -> String? {
        others.contains(String(verb.text)) ? "\(verb.text) is \(whose) action" : nil
    }

    private mutating func processName(default name: String) throws(Mistake) -> String {
        guard let word = peek else { return name }
        next += 1
        return String(word.text)
    }
}

extension VMNumber {
    /// "vm0", "vm1", …: the VM of that name; nil for any other word.
    init?(named word: Substring) {
        guard word.hasPrefix("vm"), let number = Int(word.dropFirst(2)) else { return nil }
        self.init(after: number)
    }
}
