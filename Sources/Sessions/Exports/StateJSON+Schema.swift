// What `export --json` writes, for whoever reads it.
//
// A JSON Schema (draft 2020-12); tests validate what is written against it. `address`, `word` and `register` are hexadecimal
// text. Changes that take something away or give it another meaning change the name in `schema`; new keys do not.

extension StateJSON {
    public static let schema = #"""
        {
         "$schema": "https://json-schema.org/draft/2020-12/schema",
         "title": "kvmtui-state-1",
         "description": "All state of a simulated KVM/ARM host at one step.",
         "type": "object",
         "required": ["schema", "step", "cpu", "kernel", "statistics", "vms", "cpus", "actors", "stage1", "processes", "frames", "swap", "violations"],
         "properties": {
          "schema": {"const": "kvmtui-state-1"},
          "step": {"type": "integer", "description": "Micro-steps made since the start."},
          "cpu": {"type": "object", "required": ["name", "ctr", "instruction_cache", "multiprocessor"], "properties": {
           "name": {"type": "string"}, "ctr": {"$ref": "#/$defs/word"}, "instruction_cache": {"enum": ["PIPT", "VIPT", "VIVT", "reserved"]},
           "multiprocessor": {"type": "boolean"}}},
          "kernel": {"type": "object", "required": ["revision", "behaviours", "pages_allocated", "pages_freed", "vmid_generation"], "properties": {
           "revision": {"type": "string"}, "behaviours": {"type": "array", "items": {"type": "string"}},
           "pages_allocated": {"type": "integer"}, "pages_freed": {"type": "integer"}, "vmid_generation": {"type": "integer"}}},
          "statistics": {"type": "object", "description": "Counts since the start.",
           "required": ["faults", "tlb_flushes", "leaves_set", "leaves_cleared", "retries", "messages", "violations"],
           "additionalProperties": {"type": "integer"}},
          "vms": {"type": "array", "items": {"$ref": "#/$defs/vm"}},
          "cpus": {"type": "array", "items": {"type": "object", "required": ["cpu", "tlb_sets", "tlb_ways", "tlb"], "properties": {
           "cpu": {"type": "integer"}, "tlb_sets": {"type": "integer"}, "tlb_ways": {"type": "integer"},
           "tlb": {"type": "array", "description": "Valid entries.", "items": {"type": "object",
            "required": ["vmid", "ipa", "leaf", "level", "descriptor_address", "filled_at"], "properties": {
            "vmid": {"type": "integer"}, "ipa": {"$ref": "#/$defs/word"}, "leaf": {"$ref": "#/$defs/word"}, "level": {"type": "integer"},
            "descriptor_address": {"$ref": "#/$defs/word"}, "filled_at": {"type": "integer", "description": "The step."}}}}}}},
          "actors": {"type": "array", "items": {"type": "object", "required": ["name", "kind", "next", "outcome", "error"], "properties": {
           "name": {"type": "string"}, "kind": {"enum": ["vcpu", "host"]}, "next": {"type": "string", "description": "The micro-step it makes next; idle: none."},
           "outcome": {"type": "string"}, "error": {"type": "integer", "description": "Negated errno, or 0."},
           "vm": {"type": "integer"}, "cpu": {"type": "integer"},
           "memory_cache": {"type": "array", "description": "Pages in reserve, the next to be taken last.", "items": {"$ref": "#/$defs/word"}},
           "vttbr": {"$ref": "#/$defs/word"}, "hsr": {"$ref": "#/$defs/word"}, "hpfar": {"$ref": "#/$defs/word"}, "hxfar": {"$ref": "#/$defs/word"},
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
          "violations": {"type": "array", "description": "Checks that broke.", "items": {"type": "object",
           "required": ["rule", "step", "cause", "actor", "vm", "ipa", "pa", "expected", "found", "write"], "properties": {
           "rule": {"type": "string"}, "step": {"type": "integer"}, "cause": {"type": "integer", "description": "The step that broke it."},
           "actor": {"type": "string"}, "vm": {"type": "integer"}, "ipa": {"$ref": "#/$defs/word"}, "pa": {"$ref": "#/$defs/word"},
           "expected": {"$ref": "#/$defs/word"}, "found": {"$ref": "#/$defs/word"}, "write": {"type": "boolean"}}}}
         },
         "$defs": {
          "word": {"type": "string", "pattern": "^0x[0-9a-f]{1,16}$"},
          "wordOrNull": {"type": ["string", "null"], "pattern": "^0x[0-9a-f]{1,16}$"},
          "words": {"type": "object", "description": "64-bit words that are not zero, by their offset in the page.", "additionalProperties": {"$ref": "#/$defs/word"}},
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
          "process": {"type": "object", "required": ["process", "name", "vm", "exited", "areas", "entries"], "properties": {
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
