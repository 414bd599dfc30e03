// kvm_mmu_topup_memory_cache (virt/kvm/kvm_main.c, 6.1): at least so many pages in reserve, else up to forty.

extension Stepper {
    /// A failure on the way is one only where fewer than `minimum` pages are there by then: false. What was got stays.
    func topUpArm64(minimum: Int) -> Bool {
        guard me.memoryCache.count < minimum else { return true }
        return topUp(minimum: minimum, maximum: MemoryCache.capacity) == 0 || me.memoryCache.count >= minimum
    }
}
