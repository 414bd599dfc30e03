/// One stage-2 translation from VTTBR to its end, every level told.
public struct Stage2Translation: Sendable {
    /// What was found at one level.
    public struct Step: Hashable, Sendable {
        /// The level of the table that was read.
        public var level: Int
        /// Where the table lies.
        public var table: PA
        /// The entry's number in the table.
        public var index: Int
        /// Where the descriptor was read, 8 bytes.
        public var descriptorAddress: PA
        /// nil: there is no memory.
        public var descriptor: Stage2Descriptor?
    }

    /// The page or block that the walk found.
    public struct Leaf: Hashable, Sendable {
        /// Where it begins.
        public var ipa: IPA
        /// What the IPA translates to.
        public var pa: PA
        /// In bytes.
        public var size: UInt64
        /// The level of the leaf, 1 to 3.
        public var level: Int
        /// The leaf.
        public var descriptor: Stage2Descriptor

        /// - Parameters:
        ///   - size: bytes that the leaf maps.
        public init(ipa: IPA, pa: PA, size: UInt64, level: Int, descriptor: Stage2Descriptor) {
            (self.ipa, self.pa, self.size, self.level, self.descriptor) = (ipa, pa, size, level, descriptor)
        }
    }

    /// A fault, and what the CPU says of it.
    public struct Fault: Hashable, Sendable {
        /// What a CPU reports in its syndrome.
        public var status: FaultStatus
        /// HSR, or ESR_EL2.
        public var syndrome: UInt64
        /// HPFAR, or HPFAR_EL2.
        public var hpfar: UInt64
        /// False: HPFAR is UNKNOWN by the architecture (a permission fault on the guest's own access;
        /// ARMv8: an external abort on the walk too); CPUs do fill it in.
        public var isHPFARKnown: Bool
    }

    /// How a walk ends.
    public enum End: Hashable, Sendable {
        /// The address that the IPA translates to.
        case translated(PA)
        /// No translation, or no right.
        case fault(Fault)
    }

    /// What was asked for.
    public let ipa: IPA
    /// For which access: it decides about the rights.
    public let access: Access
    /// Not the access itself, but a stage-1 walk's read of a descriptor at `ipa`.
    public let isStage1Walk: Bool
    /// The tables that were read, in order.
    public let steps: [Step]
    /// Also there where the leaf refuses the access.
    public let leaf: Leaf?
    /// How it ended.
    public let end: End

    /// Walks.
    /// - Parameters:
    ///   - ipa: any number; beyond the IPA size it faults.
    ///   - access: what is done there; its own IPA is not looked at.
    ///   - memory: the 64-bit word at a physical address; nil where there is no memory, which ends the walk in an external abort.
    public static func walk(
        _ geometry: Stage2Geometry, ipa: IPA, access: Access, isStage1Walk: Bool = false, memory: (PA) -> UInt64?
    ) -> Stage2Translation {
        var steps: [Step] = []
        var leaf: Leaf?
        // On ARMv7 maintenance by address needs no right.
        let asksNothing = access.form == .cacheMaintenance && geometry.architecture == .armv7
        let outcome = follow(geometry, ipa, isStage1Walk ? .read : asksNothing ? nil : access.kind, isStage1Walk, memory, &steps, &leaf)
        let end: End =
            switch outcome {
            case .success(let pa): .translated(pa)
            case .failure(let stop): .fault(Fault(stop.status, ipa, access, isStage1Walk, geometry))
            }
        return Stage2Translation(ipa: ipa, access: access, isStage1Walk: isStage1Walk, steps: steps, leaf: leaf, end: end)
    }

    private struct Stop: Error { var status: FaultStatus }

    private static func follow(
        _ geometry: Stage2Geometry, _ ipa: IPA, _ wanted: AccessKind?, _ isStage1Walk: Bool, _ memory: (PA) -> UInt64?, _ steps: inout [Step],
        _ leaf: inout Leaf?
    ) -> Result<PA, Stop> {
        // Where the walk cannot begin the fault has the first level that there is: 1 in ARMv7, 0 in ARMv8.
        let first = geometry.architecture == .armv7 ? 1 : 0
        guard geometry.mismatch == nil, ipa.rawValue < geometry.ipaEnd else { return .failure(Stop(status: FaultStatus(.translation, walkLevel: first))) }
        guard geometry.root.rawValue >> UInt64(geometry.rules.outputBits) == 0 else {
            return .failure(Stop(status: FaultStatus(.addressSize, walkLevel: first)))
        }
        var table = geometry.root
        var level = geometry.startLevel
        while true {
            let index = Stage2Walk.index(ipa, level: level, granuleBits: geometry.granuleBits, entries: geometry.entries(level: level))
            let address = PA(table.rawValue + UInt64(index) << 3)
            let descriptor = memory(address).map { Stage2Descriptor($0) }
            steps.append(Step(level: level, table: table, index: index, descriptorAddress: address, descriptor: descriptor))
            guard let descriptor else { return .failure(Stop(status: FaultStatus(.externalOnWalk, walkLevel: level))) }
            switch Stage2Walk.next(descriptor, level: level, rules: geometry.rules) {
            case .table(let next):
                table = next
                level += 1
            case .fault(let status): return .failure(Stop(status: status))
            case .leaf(let found):
                let pa = Stage2Walk.output(found, ipa, level: level, rules: geometry.rules, granuleBits: geometry.granuleBits)
                let size = geometry.span(level: level)
                leaf = Leaf(ipa: IPA(ipa.rawValue & ~(size - 1)), pa: PA(pa.rawValue & ~(size - 1)), size: size, level: level, descriptor: found)
                let isRefused = isStage1Walk && geometry.protectsTableWalks && found.isDeviceMemory
                guard wanted.map({ Stage2Walk.permits(found, $0, rules: geometry.rules) }) ?? true, !isRefused else {
                    return .failure(Stop(status: FaultStatus(.permission, walkLevel: level)))
                }
                return .success(pa)
            }
        }
    }
}

extension Stage2Translation.Fault {
    fileprivate init(_ status: FaultStatus, _ ipa: IPA, _ access: Access, _ isStage1Walk: Bool, _ geometry: Stage2Geometry) {
        self.status = status
        // On a stage-1 walk too WnR tells the instruction, not the walker's read.
        let write = access.kind == .write
        let isMaintenance = access.form == .cacheMaintenance
        switch geometry.architecture {
        case .armv7:
            let hsr: HSR =
                access.kind == .execute
                ? .instructionAbort(status, stage1Walk: isStage1Walk)
                : .dataAbort(
                    status, write: write, syndrome: isStage1Walk ? nil : access.syndrome, stage1Walk: isStage1Walk, cacheMaintenance: isMaintenance)
            syndrome = UInt64(hsr.rawValue)
            hpfar = UInt64(HPFAR(faulting: ipa).rawValue)
        case .armv8:
            let esr: ESR =
                access.kind == .execute
                ? .instructionAbort(status, stage1Walk: isStage1Walk)
                : .dataAbort(
                    status, write: write, syndrome: isStage1Walk ? nil : access.syndromeOfAArch64, stage1Walk: isStage1Walk,
                    cacheMaintenance: isMaintenance)
            syndrome = esr.rawValue
            hpfar = HPFAREL2(faulting: ipa).rawValue
        }
        isHPFARKnown =
            switch status.walkKind {
            case .permission: isStage1Walk
            case .externalOnWalk: geometry.architecture == .armv7
            default: true
            }
    }
}

extension Access {
    /// The syndrome that an AArch64 guest's CPU gives: as ARMv7's, but that one register has up to 64 bits.
    public var syndromeOfAArch64: AccessSyndrome? {
        guard kind != .execute, form == .plain || form == .double else { return nil }
        let size: UInt8 = width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3
        return AccessSyndrome(size: size, signExtend: signExtend, register: register, wide: true)
    }
}
