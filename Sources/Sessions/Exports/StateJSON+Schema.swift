// What `export --json` writes, for whoever reads it.
//
// A JSON Schema (draft 2020-12); tests validate what is written against it. `address`, `word` and `register` are hexadecimal
// text. Changes that take something away or give it another meaning change the name in `schema`; new keys do not.

extension StateJSON {
    /// The JSON schema of what `text` gives.
    public static let schema = #"""
        {
         "$schema": "https://json-schema.org/draft/2020-12/schema",
         "title": "kvmtui-state-1",
         "description": "All state of a simulated KVM/ARM host at one step.",
         "type": "object",
         "required": ["schema", "step", "cpu", "kernel", "statistics", "vms", "cpus", "actors", "stage1", "processes", "frames", "swap", "caches", "invalidations", "gathered_pages", "violations"],
         "properties": {
          "schema": {"const": "kvmtui-state-1"},
          "step": {"type": "integer", "description": "Micro-steps made since the start."},
          "cpu": {"type": "object", "required": ["name", "ctr", "instruction_cache", "multiprocessor"], "properties": {
           "name": {"type": "string"}, "ctr": {"$ref": "#/$defs/word"}, "instruction_cache": {"enum": ["PIPT", "VIPT", "VIVT", "reserved"]},
           "multiprocessor": {"type": "boolean"}}},
          "kernel": {"type": "object", "required": ["revision", "behaviours", "pages_allocated", "pages_freed", "vmid_generation", "zero_page"], "properties": {
           "revision": {"type": "string"}, "behaviours": {"type": "array", "items": {"type": "string"}},
           "pages_allocated": {"type": "integer"}, "pages_freed": {"type": "integer"}, "vmid_generation": {"type": "integer"}, "zero_page": {"$ref": "#/$defs/word"}}},
          "statistics": {"type": "object", "description": "Counts since the start.",
           "required": ["faults", "tlb_flushes", "leaves_set", "leaves_cleared", "retries", "messages", "violations"],
           "additionalProperties": {"type": "integer"}},
          "vms": {"type": "array", "items": {"$ref": "#/$defs/vm"}},
          "cpus": {"type": "array", "items": {"type": "object", "required": ["cpu", "tlb_sets", "tlb_ways", "tlb"], "properties": {
           "cpu": {"type": "integer"}, "tlb_sets": {"type": "integer"}, "tlb_ways": {"type": "integer"},
           "tlb": {"type": "array", "description": "Valid entries.", "items": {"type": "object",
            "required": ["vmid", "ipa", "leaf", "level", "descriptor_address", "filled_at", "stale"], "properties": {
            "vmid": {"type": "integer"}, "ipa": {"$ref": "#/$defs/word"}, "leaf": {"$ref": "#/$defs/word"}, "level": {"type": "integer"},
            "descriptor_address": {"$ref": "#/$defs/word"}, "filled_at": {"type": "integer", "description": "The step."},
            "stale": {"type": "boolean", "description": "The tables say something else by now."}}}}}}},
          "actors": {"type": "array", "items": {"type": "object", "required": ["name", "kind", "next", "outcome", "error", "action"], "properties": {
           "name": {"type": "string"}, "kind": {"enum": ["vcpu", "host"]}, "next": {"type": "string", "description": "The micro-step it makes next; idle: none."},
           "outcome": {"type": "string"}, "error": {"type": "integer", "description": "Negated errno, or 0."},
           "action": {"type": ["string", "null"], "description": "What it is doing, in the language of sessions; null: nothing."},
           "vm": {"type": "integer"}, "cpu": {"type": "integer"},
           "memory_cache": {"type": "array", "description": "Pages in reserve, the next to be taken last.", "items": {"$ref": "#/$defs/word"}},
           "vttbr": {"$ref": "#/$defs/word"}, "hsr": {"$ref": "#/$defs/word"}, "hpfar": {"$ref": "#/$defs/word"}, "hxfar": {"$ref": "#/$defs/word"},
           "hpfar_known": {"type": "boolean", "description": "false: UNKNOWN after a permission fault."}, "par": {"$ref": "#/$defs/word"},
           "in_guest": {"type": "boolean"}, "spinning": {"type": "boolean", "description": "It takes the same fault in the same state, and waits for somebody else to change it."},
           "ipa": {"$ref": "#/$defs/word", "description": "Under translation: the access's, or a stage-1 table's."}, "fault_ipa": {"$ref": "#/$defs/word"},
           "value": {"$ref": "#/$defs/word", "description": "What the last access read or wrote."},
           "user_mem_abort": {"type": "object", "description": "Its variables, as the last fault left them.", "required": ["write_fault", "writable", "mmu_seq", "pa", "new_leaf"], "properties": {
            "write_fault": {"type": "boolean"}, "writable": {"type": "boolean"}, "mmu_seq": {"type": "integer"}, "pa": {"$ref": "#/$defs/word"}, "new_leaf": {"$ref": "#/$defs/word"}}},
           "mmio": {"type": "object", "description": "kvm_run's mmio, of the last exit.", "required": ["address", "length", "write", "data"], "properties": {
            "address": {"$ref": "#/$defs/word"}, "length": {"type": "integer"}, "write": {"type": "boolean"}, "data": {"$ref": "#/$defs/word"}}},
           "sctlr": {"$ref": "#/$defs/word"}, "vbar": {"$ref": "#/$defs/word"}, "dfar": {"$ref": "#/$defs/word"}, "ifar": {"$ref": "#/$defs/word"},
           "dfsr": {"$ref": "#/$defs/word"}, "ifsr": {"$ref": "#/$defs/word"}, "spsr_abt": {"$ref": "#/$defs/word"}, "lr_abt": {"$ref": "#/$defs/word"},
           "pc": {"$ref": "#/$defs/word"}, "cpsr": {"$ref": "#/$defs/word"}, "registers": {"type": "array", "items": {"$ref": "#/$defs/word"}}}}},
          "stage1": {"type": "array", "description": "What the guest's own tables map.", "items": {"type": "object",
           "required": ["va", "ipa", "size", "valid", "tables"], "properties": {
           "va": {"$ref": "#/$defs/word"}, "ipa": {"$ref": "#/$defs/word"}, "size": {"$ref": "#/$defs/word"}, "valid": {"type": "boolean"},
           "tables": {"type": "array", "items": {"$ref": "#/$defs/word"}}}}},
          "processes": {"type": "array", "items": {"$ref": "#/$defs/process"}},
          "frames": {"type": "array", "description": "Frames in use.", "items": {"type": "object",
           "required": ["pa", "page_count", "map_count", "stage2_leaves", "flags", "swap_slot", "words"], "properties": {
           "pa": {"$ref": "#/$defs/word"}, "page_count": {"type": "integer"}, "map_count": {"type": "integer"}, "stage2_leaves": {"type": "integer"},
           "flags": {"type": "array", "items": {"enum": ["dirty", "swap-cache", "reserved", "ksm", "poisoned", "free"]}},
           "swap_slot": {"type": ["integer", "null"]}, "words": {"$ref": "#/$defs/words"}}}},
          "swap": {"type": "array", "description": "Slots in use.", "items": {"type": "object", "required": ["slot", "users", "swap_cache", "words"], "properties": {
           "slot": {"type": "integer"}, "users": {"type": "integer"}, "swap_cache": {"$ref": "#/$defs/wordOrNull"}, "words": {"$ref": "#/$defs/words"}}}},
          "caches": {"type": ["object", "null"], "description": "Caches line by line; null: the machine has none, and every access finds the bytes last stored.",
           "required": ["name", "instruction_kind", "walker", "swap", "cpus", "unified", "memory", "writers", "swap_slots"], "properties": {
           "name": {"type": "string"}, "instruction_kind": {"enum": ["PIPT", "VIPT", "VIVT tagged by ASID", "VIVT tagged by ASID and VMID"]},
           "walker": {"enum": ["snoops", "pointOfUnification"]}, "swap": {"enum": ["coherentDMA", "dma", "cpu"]},
           "cpus": {"type": "array", "items": {"type": "object", "required": ["cpu", "instruction", "data"], "properties": {
            "cpu": {"type": "integer"},
            "instruction": {"type": "object", "required": ["size", "sets", "ways", "line_bytes", "ccsidr", "lines"], "properties": {
             "size": {"type": "integer"}, "sets": {"type": "integer"}, "ways": {"type": "integer"}, "line_bytes": {"type": "integer"}, "ccsidr": {"$ref": "#/$defs/word"},
             "lines": {"type": "array", "description": "Valid lines.", "items": {"type": "object",
              "required": ["set", "way", "pa", "va", "asid", "vmid", "filler", "filled_at", "stale", "words"], "properties": {
              "set": {"type": "integer"}, "way": {"type": "integer"}, "pa": {"$ref": "#/$defs/word"}, "va": {"$ref": "#/$defs/word"}, "asid": {"type": "integer"}, "vmid": {"type": "integer"},
              "filler": {"$ref": "#/$defs/requester"}, "filled_at": {"type": "integer", "description": "The step."},
              "stale": {"type": "boolean", "description": "Not the bytes last stored."}, "words": {"$ref": "#/$defs/words"}}}}}},
            "data": {"type": "object", "required": ["size", "sets", "ways", "line_bytes", "ccsidr", "lines"], "properties": {
             "size": {"type": "integer"}, "sets": {"type": "integer"}, "ways": {"type": "integer"}, "line_bytes": {"type": "integer"}, "ccsidr": {"$ref": "#/$defs/word"},
             "lines": {"type": "array", "description": "Valid lines.", "items": {"type": "object", "required": ["set", "way", "pa", "state", "filler", "filled_at", "stale", "words"], "properties": {
              "set": {"type": "integer"}, "way": {"type": "integer"}, "pa": {"$ref": "#/$defs/word"}, "state": {"enum": ["M", "O", "E", "S"], "description": "MOESI."},
              "filler": {"$ref": "#/$defs/requester"}, "filled_at": {"type": "integer"}, "stale": {"type": "boolean"}, "words": {"$ref": "#/$defs/words"}}}}}}}}},
           "unified": {"type": "array", "description": "Lines of L2, the point of unification, 64 bytes each.", "items": {"type": "object",
            "required": ["pa", "dirty", "filler", "stale", "words"], "properties": {
            "pa": {"$ref": "#/$defs/word"}, "dirty": {"type": "boolean"}, "filler": {"$ref": "#/$defs/requester"}, "stale": {"type": "boolean"}, "words": {"$ref": "#/$defs/words"}}}},
           "memory": {"type": "array", "description": "64 bytes of memory, the point of coherency, where it does not hold what was last stored.", "items": {"type": "object",
            "required": ["pa", "words"], "properties": {"pa": {"$ref": "#/$defs/word"}, "words": {"$ref": "#/$defs/words"}}}},
           "writers": {"type": "array", "description": "Who last stored each 4 of 64 bytes, where that was not the host alone.", "items": {"type": "object",
            "required": ["pa", "by"], "properties": {"pa": {"$ref": "#/$defs/word"}, "by": {"type": "array", "items": {"$ref": "#/$defs/requester"}}}}},
           "swap_slots": {"type": "array", "description": "Slots whose bytes are not what was stored: what a device found in memory.", "items": {"type": "object",
            "required": ["slot", "words"], "properties": {"slot": {"type": "integer"}, "words": {"$ref": "#/$defs/words"}}}}}},
          "invalidations": {"type": "array", "description": "Under way: a process's entries have changed, and the notifier has not returned.", "items": {"type": "object",
           "required": ["actor", "process", "start", "end", "since"], "properties": {
           "actor": {"type": "string"}, "process": {"type": "integer"}, "start": {"$ref": "#/$defs/word"}, "end": {"$ref": "#/$defs/word"}, "since": {"type": "integer", "description": "The step."}}}},
          "gathered_pages": {"type": "array", "description": "Unmapped pages, to be let go when the invalidation is over.", "items": {"type": "object",
           "required": ["actor", "pa"], "properties": {"actor": {"type": "string"}, "pa": {"$ref": "#/$defs/word"}}}},
          "violations": {"type": "array", "description": "Checks that broke.", "items": {"type": "object",
           "required": ["rule", "step", "cause", "actor", "vm", "ipa", "pa", "expected", "found", "write", "stale"], "properties": {
           "rule": {"type": "string"}, "step": {"type": "integer"}, "cause": {"type": "integer", "description": "The step that broke it."},
           "actor": {"type": "string"}, "vm": {"type": "integer"}, "ipa": {"$ref": "#/$defs/word"}, "pa": {"$ref": "#/$defs/word"},
           "expected": {"$ref": "#/$defs/word"}, "found": {"$ref": "#/$defs/word"}, "write": {"type": "boolean"},
           "stale": {"type": ["object", "null"], "required": ["access", "source", "right", "wrong", "omission"], "properties": {
            "access": {"enum": ["executed", "read", "walked"]}, "source": {"$ref": "#/$defs/level"},
            "right": {"type": "array", "items": {"$ref": "#/$defs/level"}}, "wrong": {"type": "array", "items": {"$ref": "#/$defs/level"}},
            "omission": {"enum": ["kernel", "guest"]}}}}}}
         },
         "$defs": {
          "word": {"type": "string", "pattern": "^0x[0-9a-f]{1,16}$"},
          "wordOrNull": {"type": ["string", "null"], "pattern": "^0x[0-9a-f]{1,16}$"},
          "requester": {"type": "string", "pattern": "^(host|vm[0-9]+)$"},
          "level": {"enum": ["L1I", "L1D", "PoU", "memory"]},
          "words": {"type": "object", "description": "64-bit words that are not zero, by their offset in the page or line.", "additionalProperties": {"$ref": "#/$defs/word"}},
          "vm": {"type": "object",
           "required": ["vm", "process", "vmid", "vmid_generation", "vttbr", "vtcr", "mmu_lock", "mmu_notifier_seq", "mmu_notifier_count", "srcu_readers", "destroyed", "slots", "tables", "leaves"],
           "properties": {
           "vm": {"type": "integer"}, "process": {"type": "integer"}, "vmid": {"type": "integer"}, "vmid_generation": {"type": "integer"},
           "vttbr": {"$ref": "#/$defs/wordOrNull"}, "vtcr": {"$ref": "#/$defs/word"},
           "mmu_lock": {"type": ["string", "null"], "description": "The actor that holds it."},
           "mmu_notifier_seq": {"type": "integer"}, "mmu_notifier_count": {"type": "integer"}, "srcu_readers": {"type": "integer"},
           "destroyed": {"type": "boolean"},
           "slots": {"type": "array", "items": {"type": "object", "required": ["id", "ipa", "size", "hva", "read_only", "invalid"], "properties": {
            "id": {"type": "integer"}, "ipa": {"$ref": "#/$defs/word"}, "size": {"$ref": "#/$defs/word"}, "hva": {"$ref": "#/$defs/word"},
            "read_only": {"type": "boolean"}, "invalid": {"type": "boolean"}}}},
           "tables": {"type": "array", "description": "Table pages; the level-1 table has two.", "items": {"type": "object",
            "required": ["pa", "level", "page_count", "live_entries", "entries"], "properties": {
            "pa": {"$ref": "#/$defs/word"}, "level": {"enum": [1, 2, 3]}, "page_count": {"type": "integer"}, "live_entries": {"type": "integer"},
            "entries": {"type": "array", "description": "Entries that are not zero.", "items": {"type": "object", "required": ["index", "descriptor"], "properties": {
             "index": {"type": "integer"}, "descriptor": {"$ref": "#/$defs/word"}}}}}}},
           "leaves": {"type": "array", "items": {"type": "object",
            "required": ["ipa", "pa", "size", "level", "descriptor", "s2ap", "xn", "af", "sh", "memattr", "software"], "properties": {
            "ipa": {"$ref": "#/$defs/word"}, "pa": {"$ref": "#/$defs/word"}, "size": {"$ref": "#/$defs/word"}, "level": {"enum": [1, 2, 3]},
            "descriptor": {"$ref": "#/$defs/word"}, "s2ap": {"enum": ["none", "ro", "wo", "rw"], "description": "HAP in ARMv7."},
            "xn": {"type": "integer"}, "af": {"type": "integer"}, "sh": {"type": "integer"}, "memattr": {"type": "integer"}, "software": {"type": "integer"}}}}}},
          "process": {"type": "object", "required": ["process", "name", "vm", "exited", "page_table_lock", "mmap_sem_writer", "mmap_sem_readers", "areas", "entries"], "properties": {
           "page_table_lock": {"type": ["string", "null"], "description": "The actor that holds it."}, "mmap_sem_writer": {"type": ["string", "null"]}, "mmap_sem_readers": {"type": "integer"},
           "process": {"type": "integer"}, "name": {"type": "string"}, "vm": {"type": ["integer", "null"]}, "exited": {"type": "boolean"},
           "areas": {"type": "array", "items": {"type": "object", "required": ["start", "end", "writable", "device"], "properties": {
            "start": {"$ref": "#/$defs/word"}, "end": {"$ref": "#/$defs/word"}, "writable": {"type": "boolean"}, "device": {"$ref": "#/$defs/wordOrNull"}}}},
           "entries": {"type": "array", "description": "Host page-table entries that are not empty.", "items": {"type": "object", "required": ["hva", "state"], "properties": {
            "hva": {"$ref": "#/$defs/word"}, "state": {"enum": ["present", "swapped", "poisoned"]}, "swap_slot": {"type": "integer"},
            "pa": {"$ref": "#/$defs/word"}, "writable": {"type": "boolean"}, "dirty": {"type": "boolean"}, "young": {"type": "boolean"},
            "special": {"type": "boolean", "description": "Without struct page: the zero page or a device."}}}}}}
         }
        }
        """#
}
