import Stage2Sim
import Yams

extension SessionReader {
    /// What a machine with v6.1 cannot have yet is refused, each with its place: it would run by the 32-bit port's rules.
    func limitArm64(_ configuration: MachineConfiguration, _ entries: [(key: String, keyNode: Node, value: Node)]) {
        func node(_ key: String) -> Node? { entries.first { $0.key == key }?.value }
        for key in ["caches", "stage1", "tlb-conflict"] {
            if let node = node(key) { findings.add(fail(node, "\(key) with kernel v6.1", fits: "v3.9 or v4, whose rules for them are here")) }
        }
        for key in ["memory", "vms"] {
            guard let node = node(key) else { continue }
            for special in ["device", "driver", "userfault", "user-alloc"] where Self.hasKey(special, node) {
                findings.add(fail(node, "memory with \(special): and kernel v6.1", fits: "memory that is populated, unmapped, readonly or untouched"))
            }
        }
        for behaviour in configuration.behaviours.symmetricDifference(Revision.v61.behaviours).list where !Revision.v61.decides(behaviour) {
            let decided = Behaviour.allCases.filter(Revision.v61.decides).map(\.name)
            if let node = node("without") ?? node("with") {
                findings.add(fail(node, "\(behaviour.name), which v6.1 does not decide", fits: decided.joined(separator: ", ")))
            }
        }
    }

    /// Whether a mapping in the node, or below it, has that key.
    private static func hasKey(_ key: String, _ node: Node) -> Bool {
        switch node {
        case .mapping(let mapping): mapping.contains { $0.key.string == key || hasKey(key, $0.value) }
        case .sequence(let sequence): sequence.contains { hasKey(key, $0) }
        default: false
        }
    }
}
