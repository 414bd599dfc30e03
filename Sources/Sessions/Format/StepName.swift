import Stage2Sim

/// A micro-step as people name it: by its name, or by the label that stands for it on the screen.
public enum StepName: Sendable {
    case step(MicroStep)
    /// A label that several steps have.
    case several([MicroStep])
    /// What would fit.
    case unknown(fits: String)

    /// - Parameter kind: who is to make it, where that is known. A label that several steps have is a vCPU's own one, if there is just one of them.
    public static func read(_ text: String, for kind: Actor.Kind? = nil) -> StepName {
        if let step = MicroStep.named(text), step != .idle { return .step(step) }
        let label = folded(text)
        if let step = named.first(where: { folded($0.name) == label }) { return .step(step) }
        let labelled = named.filter { folded($0.text().title) == label || folded("\($0.text().function): \($0.text().title)") == label }
        let own = kind == .vcpu ? labelled.filter { pathOfVCPU.contains($0.text().function) || $0.text().side == .guest || $0.text().side == .cpu } : []
        if let only = labelled.count == 1 ? labelled[0] : own.count == 1 ? own[0] : nil { return .step(only) }
        if labelled.count > 1 { return .several(labelled) }
        return .unknown(
            fits: NearNames.fits(
                text, among: named.map(\.name) + named.map { $0.text().title }, otherwise: "a step's name, such as sampleNotifierSeq; kvmtui format lists them")
        )
    }

    /// The functions that a fault goes through itself, without what the host does meanwhile.
    private static let pathOfVCPU: Set<String> = ["guest_trap", "kvm_handle_guest_abort", "io_mem_abort", "user_mem_abort", "stage2_set_pte"]

    private static let named = MicroStep.allCases.filter { $0 != .idle }

    /// Without capitals, and without what ends a label on the screen.
    private static func folded(_ text: String) -> String {
        var label = text.lowercased().trimmingBlanks
        while let last = label.last, last == "?" || last == ":" || last == " " { label.removeLast() }
        return label
    }
}

extension String {
    /// Without blanks at either end.
    fileprivate var trimmingBlanks: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
