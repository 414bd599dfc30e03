extension TraceEvent.Fields {
    /// Reads an event's own text, from the cursor on, as the kernel prints it.
    ///
    /// The formats are those of `arch/arm/kvm/trace.h` (v3.9 to v5.6), `virt/kvm/arm/trace.h` and
    /// `arch/arm64/kvm/trace_arm.h` (to v6.12), and `include/trace/events/kvm.h`. Numbers are padded to a width
    /// that differs from one to the other, so any width is read; what follows the last field is left alone, because
    /// later kernels add fields there.
    ///
    /// - Returns: nil for a mark that is not the VMM's.
    init?(kind: TraceEvent.Kind, reading cursor: inout LineCursor) throws(LineFault) {
        self.init(kind: kind)
        switch kind {
        case .guestFault: try readGuestFault(&cursor)
        case .unmapRange: try readRange(&cursor, after: "mmu notifier unmap range:")
        case .unmapPage: try readOne(&cursor, after: "mmu notifier unmap hva:")
        case .setSPTE: try readOne(&cursor, after: "mmu notifier set pte hva:")
        case .age: try readRange(&cursor, after: "mmu notifier age hva:")
        case .testAge: try readOne(&cursor, after: "mmu notifier test age hva:")
        case .mmio: try readMMIO(&cursor)
        case .mmioEmulate:
            try readOne(&cursor, after: "Emulate MMIO at:")
            second = try number(&cursor, after: "(instr:")
            third = try number(&cursor, after: ", cpsr:")
        case .mmioNISV:
            first = try number(&cursor, after: "ipa ")
            syndrome = try readSyndrome(&cursor, after: ", esr ")
            second = try number(&cursor, after: ", far ")
            third = try number(&cursor, after: ", pc ")
        case .accessFault: try readOne(&cursor, after: "IPA:")
        case .entry:
            try Self.skipTraceCmdComplaints(&cursor)
            try readOne(&cursor, after: "PC:")
        case .exit: try readExit(&cursor)
        case .userspaceExit: try readUserspaceExit(&cursor)
        case .mark, .lost: return nil  // read by the parser, which has the line's place in the file
        }
        guard cursor.isAtEnd || !LineCursor.isNamePart(cursor.byte) else {
            throw cursor.fault("the end of the number")
        }
    }

    /// `ipa 0x80000000, hsr 0x93c68005, hxfar 0x80000000, pc 0x00000040000c60`, or v3.9's
    /// `guest fault at PC 0x00008000 (hxfar 0x80001004, ipa      0x80001000, hsr 0x93830007`, which has no
    /// closing parenthesis.
    private mutating func readGuestFault(_ cursor: inout LineCursor) throws(LineFault) {
        cursor.skipSpaces()
        if cursor.isAt("guest fault") {
            detail = TraceEvent.v39Fault
            third = try number(&cursor, after: "guest fault at PC ")
            second = try number(&cursor, after: "(hxfar ")
            first = try number(&cursor, after: ", ipa ")
            syndrome = try readSyndrome(&cursor, after: ", hsr ")
        } else {
            first = try number(&cursor, after: "ipa ")
            syndrome = try readSyndrome(&cursor, after: ", hsr ")
            second = try number(&cursor, after: ", hxfar ")
            third = try number(&cursor, after: ", pc ")
        }
    }

    private mutating func readOne(_ cursor: inout LineCursor, after text: StaticString) throws(LineFault) {
        first = try number(&cursor, after: text)
    }

    /// `FIRST -- SECOND`. x86 prints one dash for ages, and some kernels only the first address.
    private mutating func readRange(_ cursor: inout LineCursor, after text: StaticString) throws(LineFault) {
        first = try number(&cursor, after: text)
        second = first
        cursor.skipSpaces()
        if kind == .age, cursor.isAtEnd { return }
        try cursor.take("-")
        _ = cursor.takeIf(UInt8(ascii: "-"))
        second = try number(&cursor, after: "")
    }

    /// `mmio write len 8 gpa 0x180002000 val 0x78`.
    private mutating func readMMIO(_ cursor: inout LineCursor) throws(LineFault) {
        try cursor.take("mmio ")
        let direction: TraceEvent.MMIO.Direction
        if cursor.isAt("unsatisfied-read ") {
            direction = .unsatisfiedRead
            cursor.at += 17
        } else if cursor.isAt("read ") {
            direction = .read
            cursor.at += 5
        } else if cursor.isAt("write ") {
            direction = .write
            cursor.at += 6
        } else {
            throw cursor.fault("`read`, `write` or `unsatisfied-read`")
        }
        detail = direction.rawValue
        try cursor.take("len ")
        let begin = cursor.at
        let length = try cursor.takeDecimal()
        guard length <= UInt32.max else {
            cursor.at = begin
            throw cursor.fault("a length of 32 bits")
        }
        syndrome = length
        first = try number(&cursor, after: "gpa ")
        second = try number(&cursor, after: "val ")
    }

    /// `TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x0000000040000c60`; v3.9 only `PC: 0x00008000`.
    private mutating func readExit(_ cursor: inout LineCursor) throws(LineFault) {
        try Self.skipTraceCmdComplaints(&cursor)
        cursor.skipSpaces()
        var reason = TraceEvent.ExitReason.notSaid
        syndrome = UInt64(TraceEvent.ecNotSaid)
        if !cursor.isAt("PC:"), !cursor.isAt("HSR_EC:") {
            let begin = cursor.at
            while !cursor.isAtEnd, cursor.byte != UInt8(ascii: ":") { cursor.at += 1 }
            guard cursor.at > begin, !cursor.isAtEnd else {
                cursor.at = begin
                throw cursor.fault("why the guest was left, or `PC:`")
            }
            reason = Self.exitReason(cursor.bytes(begin..<cursor.at))
            cursor.at += 1
            cursor.skipSpaces()
        }
        detail = reason.rawValue
        if cursor.isAt("HSR_EC:") {
            let ec = try number(&cursor, after: "HSR_EC:")
            guard ec <= 0x3f else {
                cursor.at -= lastNumberWidth
                throw cursor.fault("an exception class of 6 bits")
            }
            syndrome = ec
            // The class's name in parentheses may be missing: 32-bit kernels of 2014 had none.
            guard let next = cursor.find("PC:") else {
                cursor.at = cursor.count
                throw cursor.fault("`PC:` after the exception class")
            }
            cursor.at = next
        }
        first = try number(&cursor, after: "PC:")
    }

    private static func exitReason(_ word: UnsafeBufferPointer<UInt8>) -> TraceEvent.ExitReason {
        if word.elementsEqual("TRAP".utf8) { return .trap }
        if word.elementsEqual("IRQ".utf8) { return .irq }
        if word.elementsEqual("SERROR".utf8) { return .serror }
        if word.elementsEqual("HYP_GONE".utf8) { return .hypGone }
        return .other
    }

    /// `reason KVM_EXIT_MMIO (6)`, `reason restart (4)`, `reason error (14)`.
    private mutating func readUserspaceExit(_ cursor: inout LineCursor) throws(LineFault) {
        try cursor.take("reason ")
        if cursor.isAt("restart ") {
            detail = TraceEvent.userspaceRestart
        } else if cursor.isAt("error ") {
            detail = TraceEvent.userspaceError
        }
        // An exit that the kernel's table does not name is printed as a number.
        while !cursor.isAtEnd, !LineCursor.isSpace(cursor.byte) { cursor.at += 1 }
        try cursor.take("(")
        let begin = cursor.at
        let value = try cursor.takeDecimal()
        guard value < UInt64(UInt32.max) else {
            cursor.at = begin
            throw cursor.fault("a reason or error number")
        }
        try cursor.take(")")
        syndrome = value
    }

    private mutating func readSyndrome(_ cursor: inout LineCursor, after text: StaticString) throws(LineFault) -> UInt64 {
        let value = try number(&cursor, after: text)
        guard value & ~TraceEvent.syndromeMask == 0 else {
            cursor.at -= lastNumberWidth
            throw cursor.fault("a syndrome of at most 48 bits")
        }
        return value
    }

    @inline(__always)
    private mutating func number(_ cursor: inout LineCursor, after text: StaticString) throws(LineFault) -> UInt64 {
        if text.utf8CodeUnitCount > 0 { try cursor.take(text) }
        cursor.skipSpaces()
        let begin = cursor.at
        let value = try cursor.takeHex()
        lastNumberWidth = cursor.at - begin
        return value
    }

    /// `trace-cmd report` without -N lets its x86 plugin print these events, which complains about the fields that
    /// arm does not have, and then prints them: `CAN'T FIND FIELD "vcpu_id"<CANT FIND FIELD rip>PC: …`.
    private static func skipTraceCmdComplaints(_ cursor: inout LineCursor) throws(LineFault) {
        while true {
            cursor.skipSpaces()
            if cursor.isAt("CAN'T FIND FIELD \"") {
                cursor.at += 18
                while !cursor.isAtEnd, cursor.byte != UInt8(ascii: "\"") { cursor.at += 1 }
            } else if cursor.isAt("<CANT FIND FIELD ") {
                while !cursor.isAtEnd, cursor.byte != UInt8(ascii: ">") { cursor.at += 1 }
            } else {
                return
            }
            guard !cursor.isAtEnd else { throw cursor.fault("the rest of trace-cmd's complaint, then the event") }
            cursor.at += 1
        }
    }
}
