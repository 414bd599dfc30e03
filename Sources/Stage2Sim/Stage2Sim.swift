// The simulation core of KVM/ARM's guest-fault path: no terminal, no files, no Foundation.
//
//     Machine         the whole state as one value; start reading here
//     Architecture/   what the ARM ARM defines: addresses, registers, descriptors, the walk, the TLB
//     Caches/         lines of L1, L2 and memory, and what each operation does to them
//     Memory/         pages and frames of simulated physical memory, and storage that copies share
//     Kernel/         what KVM is made of: memory cache, slots, behaviours and revisions, messages
//     Steps/          the micro-steps: what each is and why, and the stepper that makes them
//     Host/           what stands under KVM: host page tables, swap, KSM, other processes
//     Checks/         what must hold after every step

/// The version of the library products and of the program, as semver; CHANGELOG.md says what each brought.
public let libraryVersion = "0.2.0"
