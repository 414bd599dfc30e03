import Stage2Sim

extension LogDecoding {
    /// What KVM's messages about an access that it cannot emulate say: `{ Op0( 3), Op1( 0), CRn( 5), CRm( 3), Op2( 0), func_read }`, on 32-bit hosts
    /// without Op0, and on older ones in a line of its own behind the one that says CP14 or CP15.
    struct TrappedAccess {
        private(set) var coprocessor: UInt64 = 15

        /// Takes in a line; nil: it names no such access.
        mutating func read(_ line: [UInt8]) -> String? {
            for number in [10, 14, 15] as [UInt64] where line.firstRange(of: Array("CP\(number)".utf8)) != nil { coprocessor = number }
            let isRead = line.firstRange(of: Array("func_read".utf8)) != nil, isWrite = line.firstRange(of: Array("func_write".utf8)) != nil
            guard isRead || isWrite, let op1 = field("Op1(", line), let crm = field("CRm(", line), let op2 = field("Op2(", line) else { return nil }
            let direction = isRead ? "a read of" : "a write to", crn = field("CRn(", line)
            if let op0 = field("Op0(", line), let crn {
                let number = SystemRegisterNames.number(op0: op0, op1: op1, crn: crn, crm: crm, op2: op2)
                let name = SystemRegisterNames.aarch64(op0: op0, op1: op1, crn: crn, crm: crm, op2: op2)
                return "\(direction) \(name.map { "\($0) (\(number))" } ?? number), which this KVM does not emulate: the guest gets an undefined instruction"
            }
            let place = "CP\(coprocessor) opc1 \(op1), \(crn.map { "CRn c\($0), " } ?? "")CRm c\(crm), opc2 \(op2)"
            let name = crn.flatMap { SystemRegisterNames.aarch32(coprocessor: coprocessor, opc1: op1, crn: $0, crm: crm, opc2: op2) }
            return "\(direction) \(name.map { "\($0) (\(place))" } ?? place), which this KVM does not emulate: the guest gets an undefined instruction"
        }

        /// The number, of two digits at most, between a name's parenthesis and the closing one.
        private func field(_ name: String, _ line: [UInt8]) -> UInt64? {
            guard let place = line.firstRange(of: Array(name.utf8)) else { return nil }
            let digits = line[place.upperBound...].prefix(4).drop { $0 == 0x20 }.prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard !digits.isEmpty, digits.endIndex < line.count, line[digits.endIndex] == UInt8(ascii: ")") else { return nil }
            return UInt64(String(decoding: digits, as: UTF8.self))
        }
    }

    /// Where the kernel prints a syndrome without its name: `Unhandled fault: alignment fault (0x92000021)`, `SError Interrupt on CPU0, code 0x…`,
    /// `Internal error: synchronous external abort: 96000010 [#1]`. The place behind which the number stands.
    static func namelessSyndrome(_ line: [UInt8]) -> Int? {
        for (said, before) in [("fault: ", " ("), ("SError Interrupt", "code "), ("Internal error: synchronous external abort", "abort: ")] {
            guard let place = line.firstRange(of: Array(said.utf8)),
                let number = line[place.lowerBound...].firstRange(of: Array(before.utf8))
            else { continue }
            return number.upperBound
        }
        return nil
    }
}
