import Sessions
import Stage2Sim
import Testing

/// The cases that the golden files do not reach: what the rules say there, command by command.
@Suite struct TablesScriptTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let about: String
        let script: String
        /// Lines that must be in the output, in this order.
        let expected: [String]
        var absent: [String] = []
        var revision = Revision.v39
        var reuse = KernelPages.Reuse.never
        var base = PA(0x8000_0000)
        var testDescription: String { about }
    }

    static let cases: [Case] = [
        // The cache.
        Case(
            about: "a failed top-up keeps what it got, and nothing is mapped",
            script: "fail 5\nmap 0x80000000 1 rw\ndump",
            expected: [
                "map 0x80000000 -> -12", "memcache nobjs=5", "tables total=2 pgd_pages=2 l2=0 l3=0 leaves=0", "alloc pages=7 freed=0 next_pa=0x80007000",
            ]),
        Case(
            about: "what a failed top-up got serves the next fault, though the allocator still fails",
            script: "fail 5\nmap 0x80000000 1 rw\nmap 0x80000000 1 rw\ndump",
            expected: ["map 0x80000000 -> -12", "L1 table=0x80000000 index=2 desc=0x0000000080006003", "memcache nobjs=3"]),
        Case(
            about: "one page got is not enough for the next",
            script: "fail 1\nmap 0x80000000 1 rw\nmap 0x80000000 1 rw\nfail -1\nmap 0x80000000 1 rw\ndump",
            expected: ["map 0x80000000 -> -12", "map 0x80000000 -> -12", "memcache nobjs=38", "alloc pages=42 freed=0 next_pa=0x8002a000"]),
        Case(
            about: "top-up does nothing while the minimum is there",
            script: "topup 2 40\ntopup 40 40\ntopup 0 40\nfail 0\ntopup 2 40\nfreecache\ntopup 0 40\ntopup 1 40",
            expected: [
                "topup 2 40 -> 0 nobjs=40", "topup 40 40 -> 0 nobjs=40", "topup 0 40 -> 0 nobjs=40", "topup 2 40 -> 0 nobjs=40",
                "topup 0 40 -> 0 nobjs=0", "topup 1 40 -> -12 nobjs=0",
            ]),
        Case(
            about: "a maximum below the minimum fills to the maximum and is content",
            script: "topup 10 5\ntopup 10 5", expected: ["topup 10 5 -> 0 nobjs=5", "topup 10 5 -> 0 nobjs=5"]),
        Case(
            about: "freed cache pages come again, the first one got first",
            script: "topup 2 40\nfreecache\nmap 0x80000000 1 rw\ndump",
            expected: ["L1 table=0x80000000 index=2 desc=0x0000000080029003", "alloc pages=82 freed=40 next_pa=0x8002a000"], reuse: .lastFreedFirst),
        // Unmap.
        Case(
            about: "unmap flushes for every page, mapped or not; the last part of a page is a page",
            script: "unmap 0x80000000 0x2001\nunmap 0x80000000 1\nunmap 0x80000000 0\ndump", expected: ["tlb_flushes=4"]),
        Case(
            about: "unmap takes a page by any address in it",
            script: "map 0x80001000 1 rw\nunmap 0x80001abc 1\ndump", expected: ["tables total=2 pgd_pages=2 l2=0 l3=0 leaves=0", "tlb_flushes=1"]),
        Case(
            about: "an emptied level-3 table leaves its neighbour, and the level-2 table",
            script: "map 0x80000000 1 rw\nmap 0x80200000 2 rw\nunmap 0x80000000 0x1000\ndump",
            expected: [
                "L2 table=0x80029000 index=1 desc=0x0000000080027003", "tables total=4 pgd_pages=2 l2=1 l3=1 leaves=1", "ref l2 pa=0x80029000 count=2",
                "alloc pages=42 freed=1 next_pa=0x8002a000",
            ]),
        Case(
            about: "B5: a bare unmap goes on unaligned after emptying a table, and skips the next leaf",
            script: "map 0x80005000 1 rw\nmap 0x80201000 2 rw\nrawunmap 0x80000000 0x40000000\ndump",
            expected: ["L3 table=0x80027000 index=1 desc=0x00000000000027ff", "tlb_flushes=0", "alloc pages=42 freed=1 next_pa=0x8002a000"]),
        // The level-1 table's second page.
        Case(
            about: "B6: IPA from 512 GiB on counts on the second page, whose last entry's going frees it",
            script: "map 0x8000000000 1 rw\ndump\nunmap 0x8000000000 0x1000\ndump",
            expected: [
                "L1 table=0x80000000 index=512 desc=0x0000000080029003", "ref pgd[0] pa=0x80000000 count=1", "ref pgd[1] pa=0x80001000 count=1",
                "# BUG: pgd page 0x80001000 dropped to zero and would be freed", "ref pgd[1] pa=0x80001000 count=0", "tlb_flushes=1",
                "alloc pages=42 freed=3 next_pa=0x8002a000",
            ]),
        Case(
            about: "B6 again: mapped once more, it drops once more",
            script: "map 0x8000000000 1 rw\nunmap 0x8000000000 0x1000\nmap 0xffc0000000 1 rw\nunmap 0xffc0000000 0x1000\ndump",
            expected: [
                "# BUG: pgd page 0x80001000 dropped to zero and would be freed", "# BUG: pgd page 0x80001000 dropped to zero and would be freed",
                "alloc pages=42 freed=6 next_pa=0x8002a000",
            ]),
        Case(
            about: "B6 with reuse: the next page handed out is the level-1 table's own second page",
            script: "map 0x8000000000 1 rw\nunmap 0x8000000000 0x1000\nfreecache\ntopup 1 1\nmap 0x80000000 1 rw\ndump",
            expected: ["# BUG: pgd page 0x80001000 dropped to zero and would be freed", "topup 1 1 -> 0 nobjs=1"], reuse: .lastFreedFirst),
        // change_pte.
        Case(
            about: "change_pte makes a leaf where none was, if the table stands",
            script: "map 0x80000000 1 rw\nsetspte 0x80001000 0x77\nsetspte 0x80200000 0x78\nsetspte 0x80000000 0x79\ndump",
            expected: [
                "index=0 desc=0x000000000007977f", "index=1 desc=0x000000000007777f", "tables total=4 pgd_pages=2 l2=1 l3=1 leaves=2", "count=3",
                "tlb_flushes=1",
            ]),
        // ioremap.
        Case(
            about: "ioremap stops at a present leaf; earlier pages stay, the spare page goes back",
            script: "map 0x80002000 1 rw\nioremap 0x80000000 0x2c000000 0x4000\ndump",
            expected: [
                "ioremap 0x80000000 -> -14", "index=0 desc=0x00c000002c0007d3", "index=1 desc=0x00c000002c0017d3", "index=2 desc=0x00000000000017ff",
                "leaves=3", "alloc pages=44 freed=2 next_pa=0x8002c000",
            ], absent: ["index=3"]),
        Case(
            about: "ioremap without a page to be had: -ENOMEM, and the one it got goes back",
            script: "fail 1\nioremap 0x80000000 0x2c000000 0x1000\ndump", expected: ["ioremap 0x80000000 -> -12", "alloc pages=3 freed=1 next_pa=0x80003000"]),
        Case(
            about: "ioremap that fails later keeps what it mapped",
            script: "fail 2\nioremap 0x801ff000 0x2c000000 0x2000\ndump",
            expected: ["ioremap 0x801ff000 -> -12", "index=511 desc=0x00c000002c0007d3", "leaves=1"]),
        Case(
            about: "ioremap rounds its end up, and nothing is a range too",
            script: "ioremap 0x80000800 0x2c000800 0x1000\nioremap 0x90000000 0x2c000000 0\ndump",
            expected: ["ioremap 0x80000800 -> 0", "ioremap 0x90000000 -> 0", "index=0 desc=0x00c000002c0007d3", "index=1 desc=0x00c000002c0017d3", "leaves=2"]),
        Case(
            about: "ioremap above 4 GiB maps",
            script: "ioremap 0x100000000 0x2c000000 0x1000\ndump", expected: ["ioremap 0x100000000 -> 0", "L1 table=0x80000000 index=4", "leaves=1"]),
        // Teardown.
        Case(
            about: "destroy gives everything back",
            script: "map 0x80000000 1 rw\nmap 0x80200000 2 rw\ndestroy\ndump",
            expected: ["memcache nobjs=0", "tables total=0 pgd_pages=0 l2=0 l3=0 leaves=0", "tlb_flushes=0", "alloc pages=42 freed=42 next_pa=0x8002a000"],
            absent: ["ref", "L1"]),
        Case(
            about: "B5 leaks tables when the VM is destroyed: the next GiB is entered beyond its first leaf",
            script: "map 0x80001000 1 rw\nmap 0xc0000000 2 rw\ndestroy\ndump", expected: ["alloc pages=42 freed=40 next_pa=0x8002a000"]),
        // v4.
        Case(
            about: "v4: every leaf is writable, and a replaced one is flushed",
            script: "map 0x80000000 1 ro\nmap 0x80000000 1 ro\ndump", expected: ["desc=0x00000000000017ff", "tlb_flushes=1"], revision: .v4),
        Case(
            about: "v4: unmap of a missing table flushes nothing",
            script: "unmap 0x80000000 0x2000\nmap 0x80000000 1 rw\nunmap 0x80200000 0x1000\nunmap 0x80001000 0\ndump", expected: ["leaves=1", "tlb_flushes=0"],
            revision: .v4),
        Case(
            about: "B2: v4 puts without looking: unmapping an absent neighbour loses the live page",
            script: "map 0x80000000 1 rw\nunmap 0x80001000 0x1000\ndump",
            expected: ["tables total=2 pgd_pages=2 l2=0 l3=0 leaves=0", "tlb_flushes=1", "alloc pages=42 freed=2 next_pa=0x8002a000"], revision: .v4),
        Case(
            about: "B2 by steps: the table goes with two live leaves, the second time",
            script: "map 0x80000000 1 rw\nmap 0x80001000 2 rw\nunmap 0x80002000 0x1000\ndump\nunmap 0x80002000 0x1000\ndump",
            expected: ["ref l3 pa=0x80028000 count=2", "tlb_flushes=1", "leaves=0", "tlb_flushes=2"], revision: .v4),
        Case(
            about: "v4 has B6 too", script: "map 0x8000000000 1 rw\nunmap 0x8000000000 0x1000\ndump",
            expected: ["# BUG: pgd page 0x80001000 dropped to zero and would be freed", "tlb_flushes=1", "freed=3"], revision: .v4),
        Case(
            about: "v4's destroy frees the cache and leaves the tables",
            script: "map 0x80000000 1 rw\ndestroy\ndump\nmap 0x80001000 1 rw",
            expected: ["memcache nobjs=0", "tables total=4 pgd_pages=2 l2=1 l3=1 leaves=1", "alloc pages=42 freed=38 next_pa=0x8002a000"], revision: .v4),
        // v6.1.
        Case(
            about: "v6.1: a lone leaf costs three flushes: its own, and those of the two tables that it empties",
            script: "map 0x80001000 0x1000 0xa0001000 rw\nunmap 0x80000000 0x40000000\ndump",
            expected: ["tables total=2", "tlb_flushes vmid=0 ipa=3", "alloc pages=42 freed=2"], revision: .v61),
        Case(
            about: "v6.1: 2 MiB from an odd address are 512 pages; unmapped they cost 514 flushes",
            script: "map 0x80200000 0x200000 0xa0001000 r\ndump\nunmap 0x80200000 0x200000\nunmap 0x80200000 0x200000\ndump",
            expected: ["leaves=512 blocks=0", "ref l3 pa=0x80028000 count=513", "cmo dcache=512 bytes=2097152", "leaves=0 blocks=0", "ipa=514"], revision: .v61),
        Case(
            about: "v6.1: a block that sticks out of the range goes whole, and a page of 1 GiB is one leaf",
            script: "map 0x80000000 0x40000000 0xc0000000 rw\nleaf 0x80123000\nunmap 0x80123000 0x1000\nleaf 0x80123000",
            expected: ["leaf 0x80123000 -> level 1 desc 0x00400000c00007fd", "leaf 0x80123000 -> level 1 desc 0x0000000000000000"], revision: .v61),
        Case(
            about: "v6.1: relax where nothing is mapped is no error, and flushes",
            script: "relax 0x80000000 rw\nrelax 0x80000000 x\ndump", expected: ["leaves=0", "tlb_flushes vmid=0 ipa=2"], absent: ["->"], revision: .v61),
        Case(
            about: "v6.1: an aged leaf is no longer the same mapping: broken and made again",
            script: "map 0x80000000 0x1000 0xa0000000 rw\nmkold 0x80000000\nmap 0x80000000 0x1000 0xa0000000 rw\nyoung 0x80000000\ndump",
            expected: ["mkold 0x80000000 -> 0x00400000a00007ff", "young 0x80000000 -> 1", "tlb_flushes vmid=0 ipa=1"], revision: .v61),
        Case(
            about: "v6.1: a block of 1 GiB takes out tables below tables",
            script: "map 0x80000000 0x1000 0xa0000000 rw\nmap 0x80201000 0x1000 0xa0001000 rw\nmap 0x80000000 0x40000000 0xc0000000 rw\ndump",
            expected: ["leaves=1 blocks=1", "ref pgd[0] pa=0x80000000 count=2", "tlb_flushes vmid=1 ipa=0", "alloc pages=42 freed=3"], revision: .v61),
        Case(
            about: "v6.1: beyond 40 bits everything is out of range, and after the end there are no tables",
            script:
                "map 0x10000000000 0x1000 0xa0000000 rw\nleaf 0x10000000000\nmkold 0x10000000000\nunmap 0xfffffff000 0x2000\nmap 0x80000000 0x1000 0xa0000800 r\ndestroy\nmap 0x80000000 0x1000 0xa0000000 r",
            expected: [
                "map 0x10000000000 -> -34", "leaf 0x10000000000 -> -34", "mkold 0x10000000000 -> 0x0000000000000000", "unmap 0xfffffff000 -> -34",
                "map 0x80000000 -> -22", "map 0x80000000 -> -22",
            ], revision: .v61),
        // The base.
        Case(
            about: "the base moves everything", script: "map 0 1 ro\ndump",
            expected: ["L1 table=0x100000000 index=0 desc=0x0000000100029003", "ref pgd[1] pa=0x100001000 count=0", "next_pa=0x10002a000"],
            base: PA(0x1_0000_0000)),
        Case(
            about: "comments, blanks and line ends of another system", script: "  # nothing\n\tmap\t0X80000000 4660 rw # something\r\n\ndump\r\n",
            expected: ["desc=0x00000000012347ff"]),
    ]

    @Test(arguments: cases) func prints(_ one: Case) throws {
        let output = try TableScript(Array(one.script.utf8), revision: one.revision, file: "t").output(base: one.base, reuse: one.reuse)
        var rest = output[...]
        for line in one.expected {
            let found = try #require(rest.firstRange(of: line), "\(line) is not in\n\(output)")
            rest = rest[found.upperBound...]
        }
        for line in one.absent { #expect(!output.contains(line)) }
    }

    struct Bad: Sendable {
        let script: String
        let error: String
        var revision = Revision.v39
    }

    static let bad = [
        Bad(script: "mop 1 2 rw", error: "s:1:1: found 'mop'; expected one of map, unmap, rawunmap, setspte, ioremap, topup, freecache, fail, destroy, dump"),
        Bad(
            script: "dump\n  map 0x80000000", error: "s:2:17: found the line's end; expected a page frame number of 28 bits, 0 to 0xfffffff: map IPA PFN ro|rw"),
        Bad(script: "map 0x80000000 1 wx", error: "s:1:18: found 'wx'; expected ro or rw: map IPA PFN ro|rw"),
        Bad(script: "map 0x10000000000 1 rw", error: "s:1:5: found '0x10000000000'; expected an IPA of 40 bits, 0 to 0xffffffffff: map IPA PFN ro|rw"),
        Bad(script: "map 010 1 rw", error: "s:1:5: found '010'; expected an IPA of 40 bits, 0 to 0xffffffffff: map IPA PFN ro|rw"),
        Bad(
            script: "unmap 0xfffffff000 0x2000",
            error: "s:1:20: found '0x2000'; expected a size in bytes whose last page ends within 40 bits of address: unmap IPA SIZE"),
        Bad(
            script: "ioremap 0x80000800 0xfffffff000 0x1000",
            error: "s:1:33: found '0x1000'; expected a size in bytes whose last page ends within 40 bits of address: ioremap IPA PA SIZE"),
        Bad(script: "topup 2 41", error: "s:1:9: found '41'; expected a number of pages, 0 to 40 (a cache has no more places): topup MIN MAX"),
        Bad(script: "fail -2", error: "s:1:6: found '-2'; expected a number of pages up to 2147483647, or -1: fail N"),
        Bad(script: "dump now", error: "s:1:6: found 'now'; expected the line's end: dump"),
        Bad(
            script: "map 0xffffffffffffffffff 1 rw",
            error: "s:1:5: found '0xffffffffffffffffff'; expected an IPA of 40 bits, 0 to 0xffffffffff: map IPA PFN ro|rw"),
        Bad(
            script: "dump\u{1b}[2J",
            error: "s:1:1: found 'dump\u{fffd}[2J'; expected one of map, unmap, rawunmap, setspte, ioremap, topup, freecache, fail, destroy, dump"),
        Bad(script: "setspte 0 1", error: "s:1:1: 'setspte' is of v3.9 only; v4 has no such function", revision: .v4),
        Bad(
            script: "map 0x80000000 0x2000 0xa0000000 rw",
            error: "s:1:16: found '0x2000'; expected 0x1000, 0x200000 or 0x40000000: a page, or a block of 2 MiB or 1 GiB: map IPA SIZE PA PROT", revision: .v61
        ),
        Bad(
            script: "relax 0x80000000 rr",
            error: "s:1:18: found 'rr'; expected the letters r, w, x and d (device), each once at most, such as rw: relax IPA PROT", revision: .v61),
        Bad(
            script: "ioremap 0 0 0x1000",
            error:
                "s:1:1: found 'ioremap'; expected one of map, setspte, unmap, relax, wrprotect, flush, mkold, mkyoung, young, leaf, topup, freecache, fail, destroy, dump",
            revision: .v61),
        Bad(script: "destroy\n map 0 1 rw", error: "s:2:2: 'map' needs tables, torn down in line 1; map, rawunmap and ioremap only before it"),
    ]

    @Test(arguments: bad) func saysWhatIsWrong(_ one: Bad) {
        let error = #expect(throws: InputError.self) { try TableScript(Array(one.script.utf8), revision: one.revision, file: "s") }
        #expect(error?.description == one.error)
    }
}
