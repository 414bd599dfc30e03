/// The guest's registers, in the parts that an abort or MMIO touches.
public struct GuestRegisters: BitwiseCopyable, Sendable, Equatable {
    /// The processor's mode, as CPSR has it in bits 4 to 0.
    public enum Mode: UInt32, Sendable {
        /// DDI 0406C table B1-1, in the modes that occur here.
        case user = 0x10, supervisor = 0x13, abort = 0x17
    }
    var general = InlineArray<16, UInt32>(repeating: 0)
    /// The address of the instruction that is made.
    public internal(set) var pc: UInt32 = 0x8000
    /// Mode in bits 4:0, T 5, F 6, I 7, A 8, E 9, J 24; IT in 15:10 and 26:25.
    public internal(set) var cpsr: UInt32 = 0x13
    /// SPSR_abt: CPSR as it was when an abort was injected.
    public internal(set) var spsrAbort: UInt32 = 0
    /// LR_abt: where an injected abort returns to, by the rules for its kind.
    public internal(set) var lrAbort: UInt32 = 0
    /// DFAR: the virtual address of an injected data abort.
    public internal(set) var dfar: UInt32 = 0
    /// IFAR: the same for a prefetch abort.
    public internal(set) var ifar: UInt32 = 0
    /// DFSR: the status of an injected data abort.
    public internal(set) var dfsr: UInt32 = 0
    /// IFSR: the same for a prefetch abort.
    public internal(set) var ifsr: UInt32 = 0
    /// SCTLR: TE 30, EE 25, V 13, I 12, C 2. The caches are on.
    public internal(set) var sctlr: UInt32 = 1 << 12 | 1 << 2
    /// SCTLR.C.
    public var dataCacheOn: Bool { sctlr >> 2 & 1 == 1 }
    /// SCTLR.I.
    public var instructionCacheOn: Bool { sctlr >> 12 & 1 == 1 }
    /// VBAR: where the guest's vectors lie.
    public internal(set) var vbar: UInt32 = 0
    /// TTBCR.EAE: the guest uses long descriptors.
    public internal(set) var longDescriptors = false

    /// r0 to r15.
    /// - Precondition: 0 to 15.
    public subscript(register: Int) -> UInt32 { register == 15 ? pc : general[register] }

    public static func == (a: Self, b: Self) -> Bool {
        a.general.indices.allSatisfy { a.general[$0] == b.general[$0] } && a.pc == b.pc && a.cpsr == b.cpsr && a.spsrAbort == b.spsrAbort
            && a.lrAbort == b.lrAbort && a.dfar == b.dfar && a.ifar == b.ifar && a.dfsr == b.dfsr && a.ifsr == b.ifsr
    }
}

/// `kvm_run`'s mmio part, as user space finds it.
public struct MMIOExit: BitwiseCopyable, Sendable, Equatable {
    /// The guest's physical address.
    public var address: IPA = IPA(0)
    /// Bytes: 1, 2 or 4.
    public var length: UInt8 = 0
    /// The guest writes `data`.
    public var isWrite = false
    /// What is written, or what user space answered.
    public var data: UInt64 = 0
}

/// How an action ended.
public enum Outcome: UInt8, Sendable, BitwiseCopyable {
    /// It has not ended.
    case none
    /// As it should.
    case done
    /// The guest got an abort of its own.
    case abortInjected
    /// User space emulated the access.
    case emulated
    /// KVM_RUN failed; the error is in `Actor.error`.
    case failed
    /// The kernel stopped with a BUG.
    case bug
    /// The same fault in the same state, again and again.
    case stuck
    /// The host's own access failed (SIGSEGV, SIGBUS).
    case signal
    /// What was asked for could not be done in this state.
    case refused
}

/// Whoever acts: a vCPU, or a thread of the host. A program counter over micro-steps, and the local variables of the
/// routines that it is in.
public struct Actor: BitwiseCopyable, Sendable {
    /// What acts.
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        /// A virtual CPU; a thread of the host.
        case vcpu, host
    }

    /// Its number in `Machine.actors`.
    public internal(set) var id: ActorNumber
    /// A vCPU, or a thread of the host.
    public let kind: Kind
    /// For a vCPU: its VM, its number there, the physical CPU it runs on.
    public internal(set) var vm: VMNumber = 0
    /// A vCPU's number in its VM.
    public internal(set) var index: UInt8 = 0
    /// The physical CPU that it runs on.
    public internal(set) var cpu: CPUNumber = 0

    /// The step that it makes next; `idle` with nothing to do.
    public internal(set) var next: MicroStep = .idle
    /// What it was told to do last.
    public internal(set) var action: Action = .host(HostAction(.exhaustVMIDs))
    /// How that ended.
    public internal(set) var outcome: Outcome = .none
    /// A negative error number, where KVM_RUN failed; 0.
    public internal(set) var error: Int32 = 0
    /// Where the routines under way return to, a byte each, the innermost lowest; at most eight.
    var stack: UInt64 = 0

    // The access.
    /// The vCPU runs guest code; false: KVM_RUN has still to enter the guest.
    public internal(set) var inGuest = false
    /// The guest's registers.
    public internal(set) var registers = GuestRegisters()
    /// What an abort left in an AArch64 guest's EL1.
    public internal(set) var el1 = EL1Registers()
    /// The vCPU's pages for tables.
    public internal(set) var memoryCache = MemoryCache()
    /// VTTBR as this vCPU was entered with it.
    public internal(set) var vttbr = VTTBR(rawValue: 0)
    /// The guest's access under way, or the last one.
    public internal(set) var access = Access(.read, IPA(0))
    /// Of an access of two words: the one under way, 0 or 1.
    var word: UInt8 = 0
    /// Where the word under way lies.
    @inline(__always) var accessVA: VA { access.va + UInt64(word) << 2 }
    @inline(__always) var accessIPA: IPA { access.ipa + UInt64(word) << 2 }
    /// The bytes of the word under way, or of the whole access.
    @inline(__always) var accessWidth: UInt8 { access.isTwoWords ? 4 : access.width }
    @inline(__always) var accessValue: UInt64 { access.isTwoWords ? access.value >> (UInt64(word) << 5) & 0xffff_ffff : access.value }
    /// The IPA under translation: the access's own, or a stage-1 table's page.
    public internal(set) var ipa = IPA(0)
    /// Stage-1 tables still to be read; 0: none.
    var stage1Left = 0
    /// The access under way is the CPU's own, to the guest's page tables.
    public internal(set) var readingStage1 = false
    /// The walker writes that table: it sets the access flag.
    var writesStage1 = false
    /// The stage-2 table that the walk is at.
    public internal(set) var table = PA(0)
    /// What it has read there.
    public internal(set) var descriptor = Stage2Descriptor(0)
    /// The level of it, 1 to 3.
    public internal(set) var level: UInt8 = 0
    /// The VM's `translationEpoch` when the translation began.
    var translationEpoch: UInt32 = 0
    /// What the access read.
    public internal(set) var value: UInt64 = 0
    /// How the walk failed.
    public internal(set) var faultStatus = FaultStatus(rawValue: 0)

    // The trap.
    /// The syndrome of its last trap.
    public internal(set) var hsr = HSR(rawValue: 0)
    /// The page of the faulting IPA; see `hpfarKnown`.
    public internal(set) var hpfar = HPFAR(rawValue: 0)
    /// False: HPFAR is UNKNOWN, as after a permission fault.
    public internal(set) var hpfarKnown = false
    /// HDFAR or HIFAR, 32 bits; FAR_EL2: the guest's virtual address.
    public internal(set) var hxfar: UInt64 = 0
    /// PAR: of the guest's own translation, or of the Hyp entry's.
    public internal(set) var par: UInt64 = 0
    /// What the guest's own last translation left in PAR; whether it has still to be read; the step that wrote over it.
    var guestPAR: UInt64 = 0
    var holdsPAR = false
    var parLostAt: UInt32 = 0
    /// The IPA that KVM goes on with.
    public internal(set) var faultIPA = IPA(0)
    /// It is inside srcu_read_lock, and must leave it whatever is switched meanwhile.
    public internal(set) var inSRCU = false

    // user_mem_abort.
    /// Where the slot stood when it was last looked up, as a hint; and what it said then, since it may have gone.
    var slotIndex = 0
    var slotReadOnly = false
    var slotUserAllocated = true
    /// What `kvm_is_write_fault` came to.
    public internal(set) var writeFault = false
    /// What `gfn_to_pfn_prot` said of the host's page.
    public internal(set) var writable = false
    /// mmu_notifier_seq as the fault noted it.
    public internal(set) var sampledSequence: UInt32 = 0
    /// Without smp_rmb, the load of the sequence may come late: told to, and still to do.
    public var defersSequence = false
    var sequencePending = false
    /// What it would have noted in time, where the load came late.
    public internal(set) var earlySequence: UInt32 = 0
    /// The frame that is to be mapped.
    public internal(set) var pfn = PFN(0)
    /// The descriptor that was built.
    public internal(set) var newLeaf = Stage2Descriptor(0)
    /// What the abort handler returns: 1 on with the guest, 0 to user space, negative an error.
    public internal(set) var abortResult: Int32 = 0
    /// The page in the process, of the host's fault under way.
    public internal(set) var hostPage = HVA(0)
    var hostWrite = false
    /// Its process.
    public internal(set) var hostProcess: ProcessNumber = 0
    var hostResult: Int32 = 0
    /// The entry for which the host's fault was taken.
    var faultEntry = HostEntry.none
    /// What user space is asked to emulate.
    public internal(set) var mmio = MMIOExit()
    /// How often the VM had been restored at that exit.
    var restores: UInt32 = 0

    // The other routines' local variables, a group each: see ActorLocals.swift.
    var tables = TableLocals()
    var set = SetPTELocals()
    var unmap = UnmapLocals()
    var pgtable = PgtableLocals()
    var stackCache = StackCache()
    var notifier = NotifierLocals()
    var copy = CopyLocals()
    var merge = MergeLocals()
    var fork = ForkLocals()
    var aging = AgingLocals()
    /// The frame that reclaim, or a memory error, is about.
    public internal(set) var reclaimPFN = PFN(0)
    /// What the thread was told to do last.
    public internal(set) var hostAction = HostAction(.poison)

    // Progress.
    var lastFault = LastFault()
    var brokenWalk = BrokenWalk()
    /// It took the same fault again in the same state, and waits for somebody else to change it.
    public internal(set) var isSpinning = false
    /// The step at which the attempt under way began: where its fault, if it takes one, starts.
    public internal(set) var attemptStart: UInt32 = 0

    init(vcpu index: UInt8, vm: VMNumber, cpu: CPUNumber, id: ActorNumber) {
        self.id = id
        kind = .vcpu
        self.vm = vm
        self.index = index
        self.cpu = cpu
    }

    init(host id: ActorNumber) {
        self.id = id
        kind = .host
    }

    /// It has nothing to do, and can be given something.
    public var isIdle: Bool { next == .idle }
    /// The leaf that stage2_set_pte was called with, as it was built.
    public var builtLeaf: Stage2Descriptor { self.set.leaf }

    @inline(__always) mutating func call(_ routine: MicroStep, then back: MicroStep) {
        assert(stack >> 56 == 0, "routines nest at most eight deep")
        stack = stack << 8 | UInt64(back.rawValue)
        next = routine
    }

    @inline(__always) mutating func returnToCaller() {
        next = MicroStep(returning: stack)
        stack >>= 8
    }
}
