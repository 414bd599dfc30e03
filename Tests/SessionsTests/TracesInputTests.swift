import Foundation
import Testing

@testable import Sessions

@Suite("What a file is")
struct TracesInputTests {
    @Test("real hosts' traces are traces, at any length of what is looked at", arguments: HostTraceFiles.traces)
    func traces(_ name: String) throws {
        let bytes = try HostTraceFiles.bytes(name)
        for count in [300, 1000, 4096, 65_536] {
            #expect(InputKind.detect(bytes.prefix(count)) == .trace, "\(count) bytes")
        }
    }

    @Test("real hosts' tables are ELF files", arguments: HostTraceFiles.names(".elf").prefix(3))
    func images(_ name: String) throws {
        #expect(InputKind.detect(try HostTraceFiles.bytes(name).prefix(64)) == .elf)
    }

    @Test(
        "everything else",
        arguments: [
            ("", .text), ("\n\n", .text), ("#\n", .text), ("\u{7f}EL", .binary), ("PERFILE2....", .perfData(inPipeForm: false)),
            ("PERFILE2\u{10}\0\0\0\0\0\0\0", .perfData(inPipeForm: true)),
            ("kvmtui: 1\ntitle: First touch\nsteps:\n  - vcpu0: read 0x80001000\n", .session),
            (
                """
                kvmtui: 1
                title: What a trace says
                steps:
                  - vcpu0: read 0x80001000
                    note: |
                      vmm-275 [000] .....  4.720487: kvm_guest_fault: ipa 0x80000000, hsr 0x93c68005
                """, .session
            ),
            ("# A lesson\nsteps:\n  - vcpu0: read 0x80001000\n", .session),
            ("{\"kvmtui\": 1}", .session),
            ("{\"vttbr_el2\": \"0x1\"}", .text),
            ("stepson: nothing\n", .text),
            ("0x0000000000000000-0x0000000040000000           1G 1\n0x0000000040000000-0x0000000040200000           2M 2   R W NX AF BLK\n", .ptdump),
            ("KDUMP   \u{6}\0\0\0", .kdump), ("makedumpfile\0\0\0\0", .flattenedDump), ("EMiL\u{1}\0\0\0", .lime),
            ("kvm_guest_fault: ipa 0x8000000, hsr 0x92000045, hxfar 0x8000420, pc 0x40085978", .trace),
            ("[    1.0] usb 1-1: new device\n", .text),
            ("[    1.0] usb 1-1: new device\n[  820.004256] CPU 0/KV-4101      3d..2. 812004256us : kvm_entry: PC: 0x0000000080008000\n", .trace),
            ("CPU:0 [LOST 5 EVENTS]\n", .trace),
            ("vmm-275 [000] .....  4.720487: kvm_entry: PC: 0x00008000", .trace),
            ("garbage\nvmm-275 [000] .....  4.7: kvm_fpu: load\nvmm-275 [000] .....  4.7: kvm_fpu: load\n", .trace),
        ] as [(String, InputKind)])
    func kinds(_ text: String, _ kind: InputKind) {
        #expect(InputKind.detect(Array(text.utf8)) == kind)
    }

    @Test("binary files of the tools are known by their magic")
    func magics() {
        #expect(InputKind.detect([0x17, 0x08, 0x44] + Array("tracing6".utf8)) == .traceCmdData)
        #expect(InputKind.detect([0x1f, 0x8b, 8, 0]) == .compressed(.gzip))
        #expect(InputKind.detect([0x28, 0xb5, 0x2f, 0xfd]) == .compressed(.zstd))
        #expect(InputKind.detect([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) == .compressed(.xz))
        #expect(InputKind.detect(Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) == .compressed(.bzip2))
        #expect(InputKind.detect(Array("BZh, a name\n".utf8)) == .text)
    }

    @Test("a pipe is looked at and then read, and nothing of it is missing")
    func pipe() throws {
        let bytes = try HostTraceFiles.bytes("6.1-max/basic.trace")
        let pipe = Pipe()
        let writer = Thread { [handle = pipe.fileHandleForWriting] in
            handle.write(Data(bytes))
            try? handle.close()
        }
        writer.start()
        let source = try ByteSource(
            descriptor: pipe.fileHandleForReading.fileDescriptor, name: "a pipe", isOwned: false)
        #expect(source.size == nil)
        #expect(InputKind.detect(try source.peek(4096)) == .trace)
        var last: ReadingProgress?
        let trace = try Trace.read(from: source) { last = $0 }
        #expect(trace.counts == Trace(bytes).counts)
        #expect(last == ReadingProgress(bytesRead: UInt64(bytes.count), bytesTotal: nil, events: trace.events.count))
    }

    @Test("a file tells its size, and its reader can be stopped")
    func file() throws {
        struct Stop: Error {}
        let source = try ByteSource(path: HostTraceFiles.folder.appending(path: "6.1-max/basic.trace").path)
        #expect(source.size == 96_244)
        #expect(throws: Stop.self) { try Trace.read(from: source) { _ in throw Stop() } }
    }

    @Test("files that cannot be had")
    func errors() throws {
        let missing = #expect(throws: ByteSourceError.self) { try ByteSource(path: "/nowhere/at all") }
        #expect(missing?.description == "/nowhere/at all: opening failed: No such file or directory")
        let folder = #expect(throws: ByteSourceError.self) { try ByteSource(path: "/tmp") }
        #expect(folder?.description == "/tmp: opening failed: Is a directory")
        let device = #expect(throws: ByteSourceError.self) { try ByteSource(path: "/dev/zero") }
        #expect(device?.isRegular == false && device?.description.contains("only files are read") == true)
        let zeros = open("/dev/zero", O_RDONLY)
        let endless = try ByteSource(descriptor: zeros, name: "a pipe", isOwned: true)
        let large = #expect(throws: ByteSourceError.self) { try endless.readAll(limit: 1 << 20) }
        #expect(large?.limit == 1 << 20)
    }
}
