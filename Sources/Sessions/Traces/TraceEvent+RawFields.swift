extension TraceEvent.Fields {
    /// Reads an event whose fields were printed by name and not in the kernel's words.
    ///
    ///     trace-cmd report -R     kvm_guest_fault:  vcpu_pc=0x80008000 hsr=0x82000007 hxfar=0x80008000 ipa=0x80008000
    ///     ftrace, option fields   kvm_guest_fault: ipa=0x80008000 (2147516416) hxfar=…
    ///     perf trace              kvm:kvm_guest_fault(vcpu_pc: 2147516416, hsr: 2181038087, hxfar: 2147516416, ipa: 2147516416)
    ///
    /// A field of 0 that `perf trace` leaves out is 0; anything else that is missing makes this nil.
    init?(kind: TraceEvent.Kind, fieldByField cursor: inout LineCursor) {
        self.init(kind: kind)
        let names = Self.fieldNames(kind)
        guard !names.isEmpty else { return nil }
        let inParentheses = cursor.at > 0 && cursor[cursor.at - 1] == UInt8(ascii: "(")
        var values = [UInt64?](repeating: nil, count: names.count)
        var isNegative = [Bool](repeating: false, count: names.count)
        while let (name, value, negative) = Self.takeField(&cursor, inParentheses, isAccessFault: kind == .accessFault) {
            for (i, known) in names.enumerated() where Self.isNamed(cursor.bytes(name), known) { (values[i], isNegative[i]) = (value, negative) }
        }
        if inParentheses, cursor.byte == UInt8(ascii: ")") { values = values.map { $0 ?? 0 } }
        guard !Self.isMissing(values, kind) else { return nil }
        put(values, isNegative)
    }

    /// The fields' names in the kernel's formats; what one kernel calls otherwise than another behind a bar. Their order is `put`'s.
    private static func fieldNames(_ kind: TraceEvent.Kind) -> [StaticString] {
        switch kind {
        case .guestFault: ["ipa", "hsr", "hxfar", "vcpu_pc"]
        case .unmapRange, .age: ["start", "end"]
        case .unmapPage, .setSPTE, .testAge: ["hva"]
        case .mmio: ["type", "len", "gpa", "val"]
        case .mmioEmulate: ["vcpu_pc", "instr", "cpsr"]
        case .mmioNISV: ["ipa", "esr", "far", "vcpu_pc"]
        case .accessFault: ["ipa"]
        case .entry: ["vcpu_pc"]
        case .exit: ["vcpu_pc", "ret", "esr_ec"]
        case .userspaceExit: ["reason", "errno"]
        case .mark, .lost: []
        }
    }

    /// v3.9's kvm_exit has no more than the PC; some kernels age by one address.
    private static func isMissing(_ values: [UInt64?], _ kind: TraceEvent.Kind) -> Bool {
        switch kind {
        case .exit, .age: values[0] == nil
        default: values.contains { $0 == nil }
        }
    }

    private mutating func put(_ values: [UInt64?], _ isNegative: [Bool]) {
        let v = values.map { $0 ?? 0 }
        switch kind {
        case .guestFault: (first, syndrome, second, third) = (v[0], v[1] & TraceEvent.syndromeMask, v[2], v[3])
        case .unmapRange: (first, second) = (v[0], v[1])
        case .age: (first, second) = (v[0], values[1] ?? v[0])
        case .mmio:
            let directions: [TraceEvent.MMIO.Direction] = [.unsatisfiedRead, .read, .write]
            detail = directions[Int(min(v[0], 2))].rawValue
            (syndrome, first, second) = (v[1] & 0xffff_ffff, v[2], v[3])
        case .mmioEmulate: (first, second, third) = (v[0], v[1], v[2])
        case .mmioNISV: (first, syndrome, second, third) = (v[0], v[1] & TraceEvent.syndromeMask, v[2], v[3])
        case .exit:
            first = v[0]
            syndrome = values[2] == nil ? UInt64(TraceEvent.ecNotSaid) : min(v[2], 0x3f)
            // The class is printed as 0 for anything but a trap.
            let reasons: [TraceEvent.ExitReason] = [.irq, .serror, .trap]
            let reason: TraceEvent.ExitReason = v[2] != 0 ? .trap : v[1] < 3 ? reasons[Int(v[1])] : .other
            detail = (values[1] == nil ? .notSaid : reason).rawValue
        case .userspaceExit:
            // EINTR is 4.
            if isNegative[1] { detail = v[1] == 4 ? TraceEvent.userspaceRestart : TraceEvent.userspaceError }
            syndrome = (isNegative[1] ? v[1] : v[0]) & 0xffff_ffff
        default: first = v[0]
        }
    }

    private static func isNamed(_ name: UnsafeBufferPointer<UInt8>, _ known: StaticString) -> Bool {
        name.elementsEqual(UnsafeBufferPointer(start: known.utf8Start, count: known.utf8CodeUnitCount))
    }

    /// The next `name=value` or `name: value`. A number is hexadecimal with 0x, or with a letter among its digits, or where the kernel
    /// prints the field so without 0x, which is kvm_access_fault's.
    private static func takeField(_ cursor: inout LineCursor, _ inParentheses: Bool, isAccessFault: Bool) -> (Range<Int>, UInt64, negative: Bool)? {
        while LineCursor.isSpace(cursor.byte) || cursor.byte == UInt8(ascii: ",") { cursor.at += 1 }
        let begin = cursor.at
        guard LineCursor.isNameStart(cursor.byte) else { return nil }
        while LineCursor.isNamePart(cursor.byte) { cursor.at += 1 }
        let name = begin..<cursor.at
        guard cursor.takeIf(inParentheses ? UInt8(ascii: ":") : UInt8(ascii: "=")) else { return nil }
        cursor.skipSpaces()
        let negative = cursor.takeIf(UInt8(ascii: "-"))
        let hasPrefix = cursor.byte == 0x30 && cursor[cursor.at + 1] | 0x20 == 0x78
        let start = cursor.at
        guard var value = try? cursor.takeHex() else { return nil }
        let digits = cursor.bytes(start..<cursor.at)
        var other = cursor
        other.skipSpaces()
        let hasBoth = other.takeIf(UInt8(ascii: "("))
        if !hasPrefix, digits.allSatisfy(LineCursor.isDigit), hasBoth || !isAccessFault {
            var decimal = LineCursor(digits)
            guard let number = try? decimal.takeDecimal() else { return nil }
            value = number
        }
        if hasBoth {
            while !other.isAtEnd, other.byte != UInt8(ascii: ")") { other.at += 1 }
            if other.takeIf(UInt8(ascii: ")")) { cursor = other }
        }
        // What follows a number directly makes it something else; in words such as `type=read` no number begins.
        guard cursor.isAtEnd || !LineCursor.isNamePart(cursor.byte) else { return nil }
        return (name, value, negative)
    }
}
