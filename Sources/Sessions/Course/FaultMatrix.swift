/// KVM's own selftest of this path, page_fault_test, as sessions: a guest makes each kind of access to a page that is punched out, missing,
/// logged or in a read-only slot, and its tables' page likewise. Its code is not copied; what each case must come to is computed here.
///
/// Of its 65 cases these are all that an ARMv7 guest can make: none by DC ZVA, and the stage-1 access flag kept by software. Where the
/// selftest asks for a walker that manages the flag, the case is run without.
public enum FaultMatrix {
    /// What the guest does, by the selftest's names.
    public enum Access: String, CaseIterable, Sendable {
        /// A load, and one that writes its base register back.
        case read64, ldPreidx = "ld_preidx"
        /// Compare and swap: a load-exclusive and a store-exclusive here.
        case cas
        /// A store, and one that writes its base register back.
        case write64, stPreidx = "st_preidx"
        /// An address translation; a fetch.
        case at, exec

        /// Its instructions: the action's words before and behind the address, whether it writes, whether its fault has a syndrome.
        fileprivate var lines: [(verb: String, value: String, writes: Bool, hasSyndrome: Bool)] {
            switch self {
            case .read64: [("read", "", false, true)]
            case .ldPreidx: [("ldr-wb", "", false, false)]
            case .cas: [("ldrex", "", false, false), ("strex", " 0x55", true, false)]
            case .write64: [("write", " 0x55", true, true), ("read", "", false, true)]
            case .stPreidx: [("str-wb", " 0x55", true, false), ("read", "", false, true)]
            case .at: [("at", "", false, false)]
            case .exec: [("exec", "", false, false)]
            }
        }
    }

    /// Where the page is.
    public enum Group: String, CaseIterable, Sendable {
        /// The VMM has given the data's page back; it and the tables' page are missing; the slots are logged, read-only, or two of these.
        case punched, userfault, log, userfaultLog = "userfault-log", readOnly = "read-only", readOnlyLog = "read-only-log"
        /// The last of them.
        case readOnlyUserfault = "read-only-userfault"

        /// In words.
        public var about: String {
            switch self {
            case .punched: "the data's page is punched out"
            case .userfault: "data and tables are missing, and a thread brings them"
            case .log: "writes to data and tables are logged"
            case .userfaultLog: "data and tables are missing, and writes to them are logged"
            case .readOnly: "data and tables are in read-only slots"
            case .readOnlyLog: "data and tables are in read-only slots that are logged"
            case .readOnlyUserfault: "data and tables are in read-only slots, and missing"
            }
        }

        var isMissing: Bool { [.userfault, .userfaultLog, .readOnlyUserfault].contains(self) }
        var isLogged: Bool { [.log, .userfaultLog, .readOnlyLog].contains(self) }
        var isReadOnly: Bool { [.readOnly, .readOnlyLog, .readOnlyUserfault].contains(self) }
    }

    /// One case.
    public struct Case: Sendable {
        /// Where the page is.
        public let group: Group
        /// What the guest does.
        public let access: Access

        /// "page-fault-read-only-write64": by which its session is opened.
        public var name: String { "page-fault-\(group.rawValue)-\(access.rawValue)" }

        /// What it must come to: userfaults raised, exits for MMIO, whether KVM_RUN ends with -ENOSYS, pages of data in the log.
        public var outcome: Outcome {
            var outcome = Outcome()
            for step in steps {
                outcome.userfaults += step.expects.contains { $0.hasPrefix("userfault ") } ? 1 : 0
                outcome.exits += step.expects.contains("exit mmio") ? 1 : 0
                if step.expects.contains("error -ENOSYS") { outcome.fails = true }
                if step.expects.contains("logged \(FaultMatrix.data)") { outcome.logged = 1 }
            }
            return outcome
        }

        /// The session, as YAML.
        public var text: String {
            let kind = group.isMissing ? "userfault: true" : "populated: true"
            let slot = kind + (group.isReadOnly ? ", readonly: true" : "")
            var text = """
                kvmtui: 1
                title: "page_fault_test: \(group.rawValue), \(access.rawValue)"
                about: >-
                  A case of KVM's own selftest of this path, on a later kernel's behaviours: \(group.about).
                chapter: The matrix
                machine:
                  cpu: cortex-a15
                  kernel: v3.9
                  with: [s1ptw-is-write, s1ptw-translation-is-read, read-only-slots, read-only-writes-exit, dirty-log]
                  without: [b11-isv0-is-write]
                  memory:
                    - { ipa: 0x80100000, size: 64K, hva: 0x76000000, \(slot) }
                    - { ipa: 0x80200000, size: 64K, hva: 0x77000000, \(slot) }
                  stage1:
                    - { va: 0x1000, ipa: \(FaultMatrix.data), tables: [\(FaultMatrix.table)] }
                steps:

                """
            for step in steps {
                text += "  - \(step.actor): \(step.action)\n    note: \(step.note)\n"
                if !step.expects.isEmpty { text += "    expect: [\(step.expects.joined(separator: ", "))]\n" }
            }
            return text
        }

        private struct Step {
            var actor: String
            var action: String
            var note: String
            var expects: [String] = []
        }

        /// What happens, and what must come of each step.
        private var steps: [Step] {
            var steps: [Step] = []
            if group == .punched {
                steps.append(Step(actor: "vmm", action: "write \(FaultMatrix.data) 0x77", note: "The data's page has bytes."))
                steps.append(Step(actor: "vmm", action: "dontneed \(FaultMatrix.data)", note: "And is punched out.", expects: ["done"]))
            }
            if group.isLogged {
                for slot in ["0x80100000", "0x80200000"] {
                    steps.append(Step(actor: "vmm", action: "dirty-log on \(slot)", note: "Writes to this slot are logged from here on.", expects: ["done"]))
                }
            }
            var table = !group.isMissing, data = !group.isMissing, value = "0x0", wrote = false, ended = false
            for line in access.lines where !ended {
                let exits = group.isReadOnly && line.writes
                var missing: [String] = []
                if !table { missing.append(FaultMatrix.table) }
                if access != .at, !data, !exits { missing.append(FaultMatrix.data) }
                steps.append(Step(actor: "vcpu0", action: "\(line.verb) va:0x1000\(line.value)", note: "The guest's access."))
                for page in missing {
                    steps[steps.count - 1].expects = ["waiting", "userfaults 1", "userfault \(page)"]
                    let isTable = page == FaultMatrix.table
                    steps.append(
                        Step(
                            actor: "vmm", action: "userfault-copy \(page)" + (isTable ? "" : " 0x33"),
                            note: isTable ? "The page of the guest's tables is brought." : "The data's page is brought.", expects: ["done"]))
                    steps.append(Step(actor: "vcpu0", action: "continue", note: "It goes on."))
                    if isTable { table = true } else { data = true; value = "0x33" }
                }
                var expects = missing.isEmpty ? ["userfaults 0"] : []
                if exits {
                    expects.append(line.hasSyndrome ? "exit mmio" : "error -ENOSYS")
                    ended = !line.hasSyndrome
                } else {
                    if line.writes { (wrote, value) = (true, "0x55") }
                    expects += ["done", "value \(access == .at ? FaultMatrix.data : line.writes ? "0" : value)"]
                    if line.writes { expects.removeLast() }
                }
                steps[steps.count - 1].expects = expects + ["no broken"]
            }
            guard group.isLogged else { return steps }
            steps[steps.count - 1].expects += [wrote ? "logged \(FaultMatrix.data)" : "unlogged \(FaultMatrix.data)", "unlogged \(FaultMatrix.table)"]
            steps.append(
                Step(actor: "vmm", action: "dirty-log get 0x80100000", note: "The log is read and cleared.", expects: ["done", "value \(wrote ? 1 : 0)"]))
            return steps
        }
    }

    /// What a case must come to.
    public struct Outcome: Sendable, Equatable {
        /// Userfaults raised; exits for MMIO; pages of data in the log.
        public var userfaults = 0, exits = 0, logged = 0
        /// KVM_RUN ends with -ENOSYS.
        public var fails = false
        /// Nothing of all that.
        public init() {}
    }

    fileprivate static let data = "0x80101000", table = "0x80200000"

    /// Every case, group by group.
    public static let all: [Case] = Group.allCases.flatMap { group in
        // What has no event at all is left out by the selftest too: a fetch of punched-out code is nobody's case.
        Access.allCases.filter { group != .punched || $0 != .exec }.map { Case(group: group, access: $0) }
    }

    /// The session of the case called `name`; nil: none is.
    public static func text(of name: String) -> String? { all.first { $0.name == name }?.text }
}
