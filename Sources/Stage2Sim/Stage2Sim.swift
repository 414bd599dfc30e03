/// The simulation core of KVM/ARM's guest-fault path: no terminal, no files, no Foundation.
///
/// `Machine` is the whole state as one value; `Machine.step` makes one micro-step of one actor and delivers its effects.
/// `MicroStep.info` says what each is, and why. Start at `Machine`.
public enum Stage2Sim {}
