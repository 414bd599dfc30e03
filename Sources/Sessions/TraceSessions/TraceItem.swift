import Stage2Sim

/// One operation of a session made from a trace, in a few bytes: the words and the command are made when somebody asks.
struct TraceItem: BitwiseCopyable, Sendable {
    enum Act: UInt8, BitwiseCopyable, Sendable {
        case fault
        /// A fault beyond the 40 bits of IPA.
        case beyond
        /// A line that is told and not followed: it would take more memory or time than a trace may.
        case notFollowed
        case unmap, unmapPage, change, age
        case mapReadOnly, mapWritable, protect, takeAway, deny, share, own, allow
        /// Only writes are refused, or no longer.
        case denyWrites, allowWrites
        case slotAdd, slotDelete
    }

    /// Why the simulation would have done something else, as far as the trace lets it be guessed.
    enum Cause: UInt8, BitwiseCopyable, Sendable {
        case none
        /// Another vCPU's fault on the page was under way.
        case race
        /// A notifier ran between this fault and the one before: KVM gave that one up.
        case retried
        case lost
        /// The host mapped a block of 2 MiB.
        case block
        /// The host mapped a block of 1 GiB, of which one page is followed.
        case gigabyte
        /// The block that khugepaged made of pages.
        case collapsed
        /// The rest of a page of the host's, which is larger than 4 KiB.
        case granule
        /// The host's tables stand for other stretches, its pages not being of 4 KiB.
        case otherTables
        /// The tables stood before the trace began.
        case stoodBefore
        /// The host's KVM has no change_pte: a copy takes the leaf away.
        case noChangePTE
        /// The host's tables begin at another level.
        case startLevel
        /// Tables stood on the host that do not stand here, or the other way round.
        case tablesStand, tablesGone
        /// The level is that of the stage-1 walk on which the CPU faulted.
        case stage1Level
        /// The host had taken the right to write away.
        case protected
        /// The host had taken the page away without a line.
        case unmapped
        /// The host had mapped the page without a line.
        case mapped
        case accessFlag
        /// An execute-never page of newer kernels.
        case executeNever
        case readDenied
        case unsupported
        /// The host was going to copy, or not to copy.
        case shared, owned
        /// A notifier's line in the fault may be the page's copy; the slot's HVA, which would tell, is unknown.
        case perhapsCopied
        case denied
    }

    struct Flags: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt8
        static let afterLoss = Flags(rawValue: 1)
        /// The copy on write is among the steps of the fault itself.
        static let copies = Flags(rawValue: 2)
        /// v3.9 refuses the fault; the host did not.
        static let refused = Flags(rawValue: 4)
        static let emulated = Flags(rawValue: 8)
        /// Only a part of a range has leaves; the rest is not passed page by page.
        static let part = Flags(rawValue: 16)
        /// The host may have mapped a block; no line says.
        static let mayBeBlock = Flags(rawValue: 32)
        /// khugepaged gathered pages into one.
        static let gathers = Flags(rawValue: 64)
    }

    /// `predicted` where the access would have been permitted, and where nothing was compared.
    static let permitted: UInt8 = 0xfe, notCompared: UInt8 = 0xff

    var event: UInt32
    var act: Act
    var cause = Cause.none
    /// The fault status that a walk of the simulated tables gave before.
    var predicted = notCompared
    var flags: Flags = []
    /// For `slotAdd` and `slotDelete`: the number of the change. Of what is only told: 0.
    var ipa: UInt64
    var pages: UInt32 = 1
    /// The number of the vCPU among all VMs', or of the host's thread.
    var actor: UInt8 = 0
    var vm: UInt8 = 0
}
