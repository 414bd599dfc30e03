import Stage2Sim

/// A value of HSR, and what it says. It is one that the CPU gives for some access and table, put together by the core's own `HSR`.
enum DecodeProblem {
    static func make(_ seed: UInt64, _ random: inout QuizRandom) -> Problem? {
        let kinds: [FaultStatus.Kind] = [.translation, .translation, .permission, .accessFlag]
        let status = FaultStatus(rawValue: random.one(of: kinds).rawValue | UInt8(1 + random.number(below: 3)))
        let walk = random.isTrue(oneIn: 6)
        let hsr: HSR
        switch random.number(below: 6) {
        case 0: hsr = .instructionAbort(status, stage1Walk: walk)
        case 1: hsr = .dataAbort(status, write: random.isTrue(), syndrome: nil, stage1Walk: walk)
        case 2 where !walk: hsr = .dataAbort(status, write: true, syndrome: nil, cacheMaintenance: true)
        default:
            // A fault on a stage-1 walk has no syndrome.
            let write = random.isTrue()
            let syndrome = AccessSyndrome(
                size: UInt8(random.number(below: 3)), signExtend: false, register: UInt8(random.number(below: 13)), wide: !random.isTrue(oneIn: 4))
            hsr = .dataAbort(status, write: write, syndrome: walk ? nil : syndrome, stage1Walk: walk)
        }
        let answer = Self.meaning(hsr)
        var wrong: [(String, String)] = []
        func flipped(_ bits: UInt32, _ mistake: String) { wrong.append((meaning(HSR(rawValue: hsr.rawValue ^ bits)), mistake)) }
        if hsr.isInstructionAbort {
            wrong.append((meaning(HSR(rawValue: hsr.rawValue ^ 4 << 26)), "EC, bits 31:26, is 0x20 and not 0x24: a prefetch abort"))
        } else {
            flipped(1 << 6, "WnR, bit 6, is 1 for a write and 0 for a read, whatever ISV says")
            if hsr.isv {
                wrong.append((meaning(HSR(rawValue: hsr.rawValue & ~(0x1ff << 16))), "ISV, bit 24, is 1: SAS and SRT are valid"))
                wrong.append((meaning(HSR(rawValue: hsr.rawValue & ~0xf0000 | UInt32((hsr.transferRegister + 1) % 13) << 16)), "SRT is bits 19:16"))
                flipped(3 << 22 & (hsr.accessSize == 0 ? 1 << 22 : hsr.accessSize == 1 ? 3 << 22 : 2 << 22), "SAS, bits 23:22: 0 byte, 1 halfword, 2 word")
            } else {
                wrong.append((meaning(HSR(rawValue: hsr.rawValue & ~(1 << 8) | 1 << 24)), "ISV, bit 24, is 0: SAS and SRT say nothing"))
            }
            wrong.append((meaning(HSR(rawValue: hsr.rawValue ^ 4 << 26)), "EC, bits 31:26, is 0x24 and not 0x20: a data abort"))
        }
        let level = hsr.faultStatus.level
        let shifted = FaultStatus(rawValue: hsr.faultStatus.kind!.rawValue | (level == 3 ? 2 : level + 1))
        wrong.append((meaning(HSR(rawValue: hsr.rawValue & ~0x3f | UInt32(shifted.rawValue))), "the level is FSC[1:0]"))
        for kind in [FaultStatus.Kind.translation, .accessFlag, .permission] where kind != hsr.faultStatus.kind {
            wrong.append(
                (
                    meaning(HSR(rawValue: hsr.rawValue & ~0x3f | UInt32(kind.rawValue | level))),
                    "FSC[5:2] is 1 for a translation fault, 2 for an access flag fault, 3 for a permission fault"
                ))
        }
        flipped(1 << 7, "S1PTW, bit 7, is 1 where the fault was taken on a stage-1 table walk")
        let fields = hsr.fields.map { field in
            "\(field.name) \(field.digits(in: UInt64(hsr.rawValue)))\(field.meaning(in: UInt64(hsr.rawValue)).isEmpty ? "" : ": " + field.meaning(in: UInt64(hsr.rawValue)))"
        }
        return Problem(
            .decode, seed: seed, text: ["A guest has trapped to Hyp mode on ARMv7, and HSR is \(hex(UInt64(hsr.rawValue), digits: 8))."],
            question: "What does it say?", answer: answer, wrong: wrong, why: fields.joined(separator: "; ") + ".", random: &random)
    }

    /// What an abort's syndrome says, in a line.
    static func meaning(_ hsr: HSR) -> String {
        let fault = "\(hsr.faultStatus.kind?.name ?? "other fault"), level \(hsr.faultStatus.level)" + (hsr.isStage1Walk ? ", on a stage-1 table walk" : "")
        if hsr.isInstructionAbort { return "prefetch abort: \(fault)" }
        let access = hsr.isCacheMaintenance ? "cache maintenance" : hsr.isWrite ? "write" : "read"
        guard hsr.isv else { return "data abort: \(access), no syndrome: \(fault)" }
        let size = ["byte", "halfword", "word", "reserved size"][Int(hsr.accessSize)]
        return "data abort: \(access) of a \(size), r\(hsr.transferRegister): \(fault)"
    }
}
