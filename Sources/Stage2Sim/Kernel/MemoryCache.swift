/// A vCPU's pages in reserve for new tables (`kvm_mmu_memory_cache`): up to 40, last in, first out. Filled where the
/// allocator may sleep, emptied where it may not.
public struct MemoryCache: BitwiseCopyable, Sendable {
    /// KVM_NR_MEM_OBJS.
    public static let capacity = 40

    private var objects = InlineArray<40, UInt64>(repeating: 0)
    /// How many pages it holds, 0 to 40.
    public private(set) var count = 0

    init() {}

    /// The page in slot `index`, 0 to `count` - 1.
    public subscript(index: Int) -> PA { PA(objects[index]) }

    @inline(__always) mutating func push(_ page: PA) {
        objects[count] = page.rawValue
        count += 1
    }

    /// The page put in last, or nil where there is none left (the kernel's BUG).
    @inline(__always) mutating func pop() -> PA? {
        guard count > 0 else { return nil }
        count -= 1
        return PA(objects[count])
    }
}
