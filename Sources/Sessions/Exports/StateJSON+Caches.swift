import Stage2Sim

// The caches: every line there is, and where memory is not what was last stored.

extension StateJSON {
    func writeCaches(to json: inout JSONText) {
        guard let caches = world.caches else { return json.null() }
        let configuration = caches.configuration
        json.object { json in
            json.entry("name", configuration.name)
            json.entry("instruction_kind", configuration.instructionKind.name)
            json.entry("walker", String(describing: configuration.walker))
            json.entry("swap", String(describing: configuration.swap))
            json.entry("cpus") { $0.array { json in caches.cpus.enumerated().forEach { writeCore($0.element, $0.offset, configuration, to: &json) } } }
            json.entry("unified") {
                $0.array { json in
                    caches.forEachUnifiedLine { pa, line in
                        json.object { json in
                            json.entry("pa", hex: pa.rawValue)
                            json.entry("dirty", line.isDirty)
                            json.entry("filler", name(of: line.filler))
                            json.entry("stale", world.isStale(line, at: pa))
                            json.entry("words") { write(line.bytes, length: 64, to: &$0) }
                        }
                    }
                }
            }
            json.entry("memory") {
                $0.array { json in
                    world.forEachMemoryApart { pa, bytes in
                        json.object { json in
                            json.entry("pa", hex: pa.rawValue)
                            json.entry("words") { write(bytes, length: 64, to: &$0) }
                        }
                    }
                }
            }
            json.entry("writers") {
                $0.array { json in
                    caches.forEachWriter { pa, writers in
                        json.object { json in
                            json.entry("pa", hex: pa.rawValue)
                            json.entry("by") { $0.array { json in writers.forEach { json.value(name(of: $0)) } } }
                        }
                    }
                }
            }
            json.entry("swap_slots") {
                $0.array { json in
                    for (slot, words) in caches.wrongSwapSlots {
                        json.object { json in
                            json.entry("slot", slot)
                            json.entry("words") { json in
                                json.object { json in
                                    for (i, word) in words.enumerated() where word != 0 { json.entry("0x" + String(i << 3, radix: 16), hex: word) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func writeCore(_ core: CoreCaches, _ number: Int, _ configuration: CacheConfiguration, to json: inout JSONText) {
        json.object { json in
            json.entry("cpu", number)
            json.entry("instruction") { json in
                json.object { json in
                    write(core.instruction.geometry, configuration.instructionCCSIDR, to: &json)
                    json.entry("lines") {
                        $0.array { json in
                            core.instruction.forEachLine { set, way, line in
                                json.object { json in
                                    json.entry("set", set)
                                    json.entry("way", way)
                                    json.entry("pa", hex: line.pa.rawValue)
                                    json.entry("va", hex: line.va.rawValue)
                                    json.entry("asid", Int(line.asid))
                                    json.entry("vmid", Int(line.vmid))
                                    write(
                                        line.bytes, length: configuration.instruction.lineBytes, line.filler, line.filledAt, stale: world.isStale(line),
                                        to: &json)
                                }
                            }
                        }
                    }
                }
            }
            json.entry("data") { json in
                json.object { json in
                    write(core.data.geometry, configuration.dataCCSIDR, to: &json)
                    json.entry("lines") {
                        $0.array { json in
                            core.data.forEachLine { set, way, line in
                                json.object { json in
                                    json.entry("set", set)
                                    json.entry("way", way)
                                    json.entry("pa", hex: line.pa.rawValue)
                                    json.entry("state", line.state)
                                    write(line.bytes, length: configuration.data.lineBytes, line.filler, line.filledAt, stale: world.isStale(line), to: &json)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func write(_ geometry: CacheGeometry, _ ccsidr: UInt32, to json: inout JSONText) {
        json.entry("size", geometry.size)
        json.entry("sets", geometry.sets)
        json.entry("ways", geometry.ways)
        json.entry("line_bytes", geometry.lineBytes)
        json.entry("ccsidr", hex: UInt64(ccsidr), digits: 8)
    }

    private func write(_ bytes: LineBytes, length: Int, _ filler: Requester, _ filledAt: UInt32, stale: Bool, to json: inout JSONText) {
        json.entry("filler", name(of: filler))
        json.entry("filled_at", Int(filledAt))
        json.entry("stale", stale)
        json.entry("words") { write(bytes, length: length, to: &$0) }
    }

    /// The words of a line that are not zero, by their offset in it.
    private func write(_ bytes: LineBytes, length: Int, to json: inout JSONText) {
        json.object { json in
            for i in 0..<length >> 3 where bytes[i] != 0 { json.entry("0x" + String(i << 3, radix: 16), hex: bytes[i]) }
        }
    }

    /// "host", or the VM whose guest it is.
    private func name(of requester: Requester) -> String { requester.vm.map { "vm\($0)" } ?? "host" }

    /// What a broken check on stale bytes knows.
    func write(_ stale: StaleBytes, to json: inout JSONText) {
        json.object { json in
            json.entry("access", String(describing: stale.access))
            json.entry("source", stale.source.name)
            json.entry("right") { write(stale.right, to: &$0) }
            json.entry("wrong") { write(stale.wrong, to: &$0) }
            json.entry("omission", String(describing: stale.omission))
        }
    }

    private func write(_ levels: CacheLevels, to json: inout JSONText) {
        json.array { json in for level in CacheLevel.allCases where levels.contains(CacheLevels(level)) { json.value(level.name) } }
    }
}
