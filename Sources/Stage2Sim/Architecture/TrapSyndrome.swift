/// The syndromes of exceptions that are no aborts: what was trapped, in which direction, with which registers (DDI 0487 D24.2.40, DDI 0406C B3.13.6).
enum TrapSyndrome {
    private static let conditions = ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "al"]

    private static func condition(_ word: UInt64) -> [Field] {
        let isValid = word >> 24 & 1 != 0
        return [
            Field("CV", Bits(24), "condition valid") { $0 == 1 ? "COND is valid" : "COND says nothing" },
            Field("COND", Bits(23, 20), "condition of the instruction") { isValid ? conditions[Int($0)] : "not valid" },
        ]
    }

    /// The fields below EC and IL of a class; nil: none are known.
    /// - Parameter isARMv7: HSR, whose register fields have four bits and are named r0 to r15.
    static func fields(_ exceptionClass: UInt8, _ word: UInt64, isARMv7: Bool) -> [Field]? {
        func part(_ high: UInt8, _ low: UInt8) -> UInt64 { Bits(high, low).of(word) }
        @Sendable func register(_ number: UInt64) -> String { isARMv7 ? "r\(number)" : number == 31 ? "xzr" : "x\(number)" }
        let isRead = word & 1 == 1
        func direction(_ read: String, _ write: String) -> Field { Field("Direction", Bits(0), "of the transfer") { $0 == 1 ? read : write } }
        let immediate = Field("imm16", Bits(15, 0), "number in the instruction") { hex($0) }
        switch exceptionClass {
        case 0x01:
            return condition(word)
                + (isARMv7
                    ? [Field("TI", Bits(0), "instruction") { $0 == 1 ? "WFE" : "WFI" }]
                    : [
                        Field("RN", Bits(9, 5), "register of the time-out") { register($0) }, Field("RV", Bits(2), "RN valid") { $0 == 1 ? "RN is valid" : "" },
                        Field("TI", Bits(1, 0), "instruction") { ["WFI", "WFE", "WFIT", "WFET"][Int($0)] },
                    ])
        case 0x03, 0x05, 0x08:
            let coprocessor: UInt64 = exceptionClass == 0x05 ? 14 : exceptionClass == 0x03 ? 15 : 10
            let (opc1, crn, crm, opc2) = (part(16, 14), part(13, 10), part(4, 1), part(19, 17))
            let number = "p\(coprocessor), \(opc1), c\(crn), c\(crm), \(opc2)"
            // VMRS names its register by CRn: FPSID, MVFR1, MVFR0.
            let name =
                coprocessor == 10
                ? [0: "FPSID", 6: "MVFR1", 7: "MVFR0"][crn] : SystemRegisterNames.aarch32(coprocessor: coprocessor, opc1: opc1, crn: crn, crm: crm, opc2: opc2)
            let told = name.map { "\($0) (\(number))" } ?? number
            return condition(word) + [
                Field("Opc2", Bits(19, 17), "of the register"), Field("Opc1", Bits(16, 14), "of the register"), Field("CRn", Bits(13, 10), "of the register"),
                Field("Rt", Bits(isARMv7 ? 8 : 9, 5), "transfer register") { "r\($0)" }, Field("CRm", Bits(4, 1), "of the register"),
                direction("read: MRC, \(told)", "write: MCR, \(told)"),
            ]
        case 0x04, 0x0c:
            let coprocessor: UInt64 = exceptionClass == 0x04 ? 15 : 14
            let (opc1, crm) = (part(19, 16), part(4, 1)), number = "p\(coprocessor), \(opc1), c\(crm)"
            let told = SystemRegisterNames.aarch32Wide(coprocessor: coprocessor, opc1: opc1, crm: crm).map { "\($0) (\(number))" } ?? number
            return condition(word) + [
                Field("Opc1", Bits(19, 16), "of the register"), Field("Rt2", Bits(isARMv7 ? 13 : 14, 10), "second transfer register") { "r\($0)" },
                Field("Rt", Bits(isARMv7 ? 8 : 9, 5), "transfer register") { "r\($0)" }, Field("CRm", Bits(4, 1), "of the register"),
                direction("read: MRRC, \(told)", "write: MCRR, \(told)"),
            ]
        case 0x06:
            return condition(word) + [
                Field("imm8", Bits(19, 12), "offset"), Field("Rn", Bits(isARMv7 ? 8 : 9, 5), "base register") { "r\($0)" },
                Field("Offset", Bits(4), "sign of the offset") { $0 == 1 ? "added" : "subtracted" },
                Field("AM", Bits(3, 1), "addressing mode") {
                    ["unindexed", "post-indexed", "offset", "pre-indexed", "literal", "reserved", "literal", "reserved"][Int($0)]
                },
                direction("read from memory: LDC, p14, c5 (DBGDTRTX)", "write to memory: STC, p14, c5 (DBGDTRRX)"),
            ]
        case 0x07:
            return condition(word)
                + (isARMv7
                    ? [
                        Field("TA", Bits(5), "Advanced SIMD trapped") { $0 == 1 ? "by HCPTR.TASE" : "" },
                        Field("coproc", Bits(3, 0), "coprocessor") { $0 == 10 ? "10: floating point, Advanced SIMD" : "\($0)" },
                    ] : [])
        case 0x0a: return [Field("ISS", HSR.issBits, "instruction") { ["ST64BV", "ST64BV0", "LD64B or ST64B", "ACCDATA_EL1"][Int(min($0, 3))] }]
        case 0x0d: return [Field("BTYPE", Bits(1, 0), "branch type")]
        case 0x11, 0x12, 0x15, 0x16, 0x17: return [immediate]
        case 0x13:
            return isARMv7
                ? []
                : condition(word) + [Field("CCKNOWNPASS", Bits(19), "condition") { $0 == 1 ? "known to have passed, or not conditional" : "COND and CV tell" }]
        case 0x14, 0x18:
            let (op0, op1, crn, crm, op2) = (part(21, 20), part(16, 14), part(13, 10), part(4, 1), part(19, 17))
            let number = SystemRegisterNames.number(op0: op0, op1: op1, crn: crn, crm: crm, op2: op2)
            let name = SystemRegisterNames.aarch64(op0: op0, op1: op1, crn: crn, crm: crm, op2: op2)
            let told = name.map { "\($0) (\(number))" } ?? number
            let rt = part(9, 5), wide = exceptionClass == 0x14
            let instruction =
                op0 == 1
                ? (isRead ? "SYSL \(register(rt)), \(told)" : name == nil ? "SYS \(told), \(register(rt))" : "\(name ?? ""), \(register(rt)) (\(number))")
                : isRead ? "\(wide ? "MRRS" : "MRS") \(register(rt)), \(told)" : "\(wide ? "MSRR" : "MSR") \(told), \(register(rt))"
            return [
                Field("Op0", Bits(21, 20), "of the register"), Field("Op2", Bits(19, 17), "of the register"), Field("Op1", Bits(16, 14), "of the register"),
                Field("CRn", Bits(13, 10), "of the register"), Field("Rt", Bits(9, 5), "transfer register") { register($0) },
                Field("CRm", Bits(4, 1), "of the register"), direction("read: \(instruction)", "write: \(instruction)"),
            ]
        case 0x1a:
            return [
                Field("ERET", Bits(1), "instruction") { $0 == 1 ? "ERETAA or ERETAB" : "ERET" }, Field("ERETA", Bits(0), "key") { $0 == 1 ? "B" : "A" },
            ]
        case 0x1b: return [Field("Rd", Bits(9, 5), "destination of TSTART") { register($0) }]
        case 0x1c:
            return [
                Field("I", Bits(1), "which key") { $0 == 1 ? "a data key" : "an instruction key" }, Field("B", Bits(0), "which key") { $0 == 1 ? "B" : "A" },
            ]
        case 0x1d:
            return [
                Field("SMTC", Bits(2, 0), "why") {
                    ["SME disabled by a control", "illegal in streaming mode", "streaming instruction outside of it", "ZA is off", "ZT0 is off"][
                        Int(min($0, 4))]
                }
            ]
        case 0x1e:
            return [
                Field("S2PTW", Bits(21), "on a stage-2 walk") { $0 == 1 ? "yes" : "no" },
                Field("InD", Bits(20), "kind of access") { $0 == 1 ? "fetch" : "data" },
                Field("GPCSC", Bits(19, 14), "why the granule protection check failed"),
                Field("CM", HSR.cmBits, "cache maintenance") { $0 == 1 ? "yes" : "no" },
                Field("S1PTW", HSR.s1ptwBits, "on a stage-1 walk") { $0 == 1 ? "yes" : "no" },
                Field("WnR", HSR.wnrBits, "write, not read") { $0 == 1 ? "write" : "read" }, Field("xFSC", HSR.fscBits, "fault status", ESR.statusMeaning),
            ]
        case 0x27:
            return [
                Field("MemInst", Bits(24), "instruction") { $0 == 1 ? "set" : "copy" }, Field("isSETG", Bits(23), "sets tags") { $0 == 1 ? "yes" : "no" },
                Field("Options", Bits(22, 19), "options of the instruction"), Field("FromEpilogue", Bits(18), "part") { $0 == 1 ? "epilogue" : "main part" },
                Field("WrongOption", Bits(17), "format of the registers") { $0 == 1 ? "the other option's" : "as the CPU has it" },
                Field("OptionA", Bits(16), "option") { $0 == 1 ? "A" : "B" }, Field("destreg", Bits(14, 10), "destination") { register($0) },
                Field("srcreg", Bits(9, 5), "source") { register($0) }, Field("sizereg", Bits(4, 0), "size") { register($0) },
            ]
        case 0x28, 0x2c:
            let names: [(String, UInt8, String)] = [
                ("IDF", 7, "input denormal"), ("IXF", 4, "inexact"), ("UFF", 3, "underflow"), ("OFF", 2, "overflow"), ("DZF", 1, "division by zero"),
                ("IOF", 0, "invalid operation"),
            ]
            return [Field("TFV", Bits(23), "the flags are valid") { $0 == 1 ? "yes" : "no" }]
                + names.map { name in Field(name.0, Bits(name.1), name.2) { $0 == 1 ? "yes" : "" } }
        case 0x2f:
            let isDefined = word >> 24 & 1 == 0, isTyped = word & 0x3f == 0x11
            return [Field("IDS", Bits(24), "whose syndrome") { $0 == 1 ? "implementation defined" : "the architecture's" }]
                + (isDefined
                    ? [
                        Field("IESB", Bits(13), "taken at an implicit barrier") { $0 == 1 ? "yes" : "no" },
                        Field("AET", Bits(12, 10), "severity") {
                            isTyped
                                ? ["uncontainable", "unrecoverable", "restartable", "recoverable", "reserved", "reserved", "corrected", "reserved"][Int($0)]
                                : "not valid"
                        }, Field("EA", HSR.eaBits, "external abort type"),
                        Field("DFSC", HSR.fscBits, "fault status") { $0 == 0x11 ? "asynchronous SError" : $0 == 0 ? "not categorised" : "reserved" },
                    ] : [Field("ISS", Bits(23, 0), "implementation defined")])
        case 0x30, 0x31: return [Field("IFSC", HSR.fscBits, "fault status") { $0 == 0x22 ? "debug exception" : "reserved" }]
        case 0x32, 0x33:
            return [
                Field("ISV", HSR.isvBits, "EX valid") { $0 == 1 ? "EX is valid" : "EX says nothing" },
                Field("EX", Bits(6), "exclusive") { $0 == 1 ? "a load-exclusive was stepped" : "no load-exclusive" },
                Field("IFSC", HSR.fscBits, "fault status") { $0 == 0x22 ? "debug exception" : "reserved" },
            ]
        case 0x34, 0x35:
            return [
                Field("WPT", Bits(23, 18), "number of the watchpoint"), Field("WPTV", Bits(17), "WPT valid") { $0 == 1 ? "WPT is valid" : "WPT says nothing" },
                Field("WPF", Bits(16), "perhaps false") { $0 == 1 ? "the watched address may not have been accessed" : "" },
                Field("FnP", Bits(15), "FAR not precise") { $0 == 1 ? "FAR is not precise" : "FAR is precise" },
                Field("VNCR", Bits(13), "from VNCR_EL2") { $0 == 1 ? "yes" : "no" },
                Field("FnV", Bits(10), "FAR not valid") { $0 == 1 ? "FAR says nothing" : "FAR is valid" },
                Field("CM", HSR.cmBits, "cache maintenance") { $0 == 1 ? "by a cache maintenance operation" : "not by cache maintenance" },
                Field("WnR", HSR.wnrBits, "write, not read") { $0 == 1 ? "write" : "read" },
                Field("DFSC", HSR.fscBits, "fault status") { $0 == 0x22 ? "debug exception" : "reserved" },
            ]
        case 0x38, 0x3c: return [Field("Comment", Bits(15, 0), "number in the instruction") { hex($0) }]
        default: return nil
        }
    }
}
