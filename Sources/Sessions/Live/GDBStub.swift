// Live: a machine that runs, looked at from outside. It is stopped, read and let go again; nothing is ever written into it.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why a machine could not be looked at.
public struct LiveError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stub's address, as it was given.
    public var address: String
    /// What came of it.
    public var found: String
    /// What would fit.
    public var fits: String

    /// All three in words, for one line.
    public init(address: String, found: String, fits: String) { (self.address, self.found, self.fits) = (address, found, fits) }

    public var description: String { PrintableText.printable("\(address): \(found)" + (fits.isEmpty ? "" : "; \(fits)")) }
}

/// A connection to a gdbstub: GDB's remote serial protocol over TCP, as far as reading needs it. There is no packet in it that writes memory or
/// registers.
final class GDBStub {
    private let address: String
    private let descriptor: Int32
    private var received: [UInt8] = []
    private var place = 0
    /// The longest packet that the stub takes, in bytes.
    private(set) var packetSize = 1024
    private var features = ""

    /// A packet longer than this is no answer to anything that is asked here.
    private static let longest = 1 << 20
    /// Seconds that an answer may take.
    private static let patience = 5

    /// Connects, and asks what the stub can do. QEMU stops the machine when somebody connects.
    ///
    /// - Parameter address: `HOST:PORT`, `[::1]:PORT`, or `:PORT` for this machine.
    init(_ address: String) throws(LiveError) {
        self.address = address
        descriptor = try Self.connect(address)
        let supported = String(decoding: try ask("qSupported:xmlRegisters=arm"), as: UTF8.self)
        features = ";" + supported + ";"
        for part in supported.split(separator: ";") where part.hasPrefix("PacketSize=") {
            if let size = Int(part.dropFirst(11), radix: 16), size >= 64 { packetSize = min(size, 1 << 16) }
        }
        guard !supported.isEmpty else { throw failure("it does not answer as a gdbstub does", "QEMU with -gdb tcp::PORT, or -s") }
    }

    deinit { close(descriptor) }

    private func failure(_ found: String, _ fits: String) -> LiveError { LiveError(address: address, found: found, fits: fits) }

    private static func connect(_ address: String) throws(LiveError) -> Int32 {
        func failure(_ found: String, _ fits: String = "") -> LiveError { LiveError(address: address, found: found, fits: fits) }
        guard let colon = address.lastIndex(of: ":") else { throw failure("no port", "HOST:PORT, such as localhost:1234") }
        var host = String(address[..<colon])
        let port = String(address[address.index(after: colon)...])
        guard let number = UInt16(port), number > 0 else {
            throw failure("the port is `\(PrintableText.of(Array(port.utf8), limit: 40))`", "a number, 1 to 65535")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty { host = "localhost" }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = Int32(SOCK_STREAM)
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, port, &hints, &list)
        guard status == 0 else { throw failure("the host is not known: \(String(cString: gai_strerror(status)))") }
        defer { freeaddrinfo(list) }
        var reason: Int32 = 0
        var next = list
        while let info = next?.pointee {
            next = info.ai_next
            let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
            guard descriptor >= 0 else {
                reason = errno
                continue
            }
            var wait = timeval(tv_sec: patience, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
            // Packets are short questions: waiting for more of them would only cost time.
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            #if canImport(Glibc)
                let isConnected = Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0
            #elseif canImport(Musl)
                let isConnected = Musl.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0
            #else
                let isConnected = Darwin.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0
            #endif
            if isConnected { return descriptor }
            reason = errno
            close(descriptor)
        }
        throw failure("connecting failed: \(String(cString: strerror(reason)))", "a machine that listens there: QEMU with -gdb tcp::PORT, or -s")
    }

    // MARK: Packets

    /// Sends a packet and takes the answer, without its frame.
    func ask(_ question: String) throws(LiveError) -> [UInt8] {
        try send(question)
        return try answer()
    }

    func send(_ packet: String) throws(LiveError) {
        let body = Array(packet.utf8)
        let sum = String(body.reduce(0) { $0 &+ $1 } as UInt8, radix: 16)
        let frame = [UInt8(ascii: "$")] + body + Array("#\(sum.count == 1 ? "0" : "")\(sum)".utf8)
        try write(frame)
    }

    private func write(_ bytes: [UInt8]) throws(LiveError) {
        var done = 0
        while done < bytes.count {
            // A stub that is gone must not end this program by SIGPIPE.
            #if canImport(Darwin)
                let flags: Int32 = 0
            #else
                let flags = Int32(MSG_NOSIGNAL)
            #endif
            let sent = bytes.withUnsafeBytes { systemSend(descriptor, $0.baseAddress! + done, bytes.count - done, flags) }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw failure("sending failed: \(String(cString: strerror(errno)))", "") }
            done += sent
        }
    }

    private func next() throws(LiveError) -> UInt8 {
        while place >= received.count {
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let got = piece.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                let isLate = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
                throw failure(
                    got == 0
                        ? "the stub has closed the connection"
                        : isLate ? "no answer within \(Self.patience) seconds" : "receiving failed: \(String(cString: strerror(errno)))",
                    got == 0
                        ? "a stub that nobody else is connected to"
                        : isLate ? "a stub that is free: QEMU's waits with a guest that waits for input by semihosting" : "")
            }
            received = Array(piece[..<got])
            place = 0
        }
        place += 1
        return received[place - 1]
    }

    /// The next packet. Acknowledgements and notifications are passed over.
    func answer() throws(LiveError) -> [UInt8] {
        for _ in 0..<8 {
            var byte = try next()
            var passed = 0
            while byte != UInt8(ascii: "$") {
                passed += 1
                guard passed < Self.longest else { throw failure("it does not answer as a gdbstub does", "QEMU with -gdb tcp::PORT, or -s") }
                byte = try next()
            }
            var body: [UInt8] = []
            var sum: UInt8 = 0
            while true {
                byte = try next()
                if byte == UInt8(ascii: "#") { break }
                sum &+= byte
                guard body.count < Self.longest else { throw failure("a packet of more than \(Self.longest) bytes", "") }
                switch byte {
                case UInt8(ascii: "}"):
                    let escaped = try next()
                    sum &+= escaped
                    body.append(escaped ^ 0x20)
                case UInt8(ascii: "*"):
                    // Run-length: the last byte so many times more.
                    let count = try next()
                    sum &+= count
                    guard let last = body.last, count >= 29 else { throw failure("a packet that makes no sense", "") }
                    body.append(contentsOf: repeatElement(last, count: Int(count) - 29))
                default: body.append(byte)
                }
            }
            let digits = [try next(), try next()]
            guard UInt8(String(decoding: digits, as: UTF8.self), radix: 16) == sum else {
                try write([UInt8(ascii: "-")])
                continue
            }
            try write([UInt8(ascii: "+")])
            // QEMU says unasked that the machine has stopped; nothing that is asked here is answered so.
            if body.first == UInt8(ascii: "T") || body.first == UInt8(ascii: "S") { continue }
            return body
        }
        throw failure("packets come damaged", "")
    }

    // MARK: What is asked

    /// Physical addresses from here on. False: the stub knows no such mode.
    func usePhysicalMemory() throws(LiveError) -> Bool { try ask("Qqemu.PhyMemMode:1").elementsEqual("OK".utf8) }

    /// Bytes of memory; nil: the stub refuses them.
    func memory(at address: UInt64, count: Int) throws(LiveError) -> [UInt8]? {
        var bytes: [UInt8] = []
        let most = max(8, packetSize / 2 & ~7)
        while bytes.count < count {
            let part = min(most, count - bytes.count)
            let text = try ask("m\(String(address + UInt64(bytes.count), radix: 16)),\(String(part, radix: 16))")
            guard text.first != UInt8(ascii: "E"), let piece = Self.bytes(text), !piece.isEmpty, piece.count <= part else { return nil }
            bytes += piece
        }
        return bytes
    }

    /// A register by its number in the target's description; nil: refused.
    func register(_ number: Int) throws(LiveError) -> UInt64? {
        let text = try ask("p\(String(number, radix: 16))")
        guard let bytes = Self.bytes(text), !bytes.isEmpty, bytes.count <= 8 else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The CPUs, as the protocol's threads.
    func threads() throws(LiveError) -> [String] {
        var threads: [String] = []
        var text = String(decoding: try ask("qfThreadInfo"), as: UTF8.self)
        while text.hasPrefix("m"), threads.count < 1024 {
            threads += text.dropFirst().split(separator: ",").map(String.init)
            text = String(decoding: try ask("qsThreadInfo"), as: UTF8.self)
        }
        return threads
    }

    func choose(thread: String) throws(LiveError) -> Bool { try ask("Hg\(thread)").elementsEqual("OK".utf8) }

    /// A file of the target's description.
    func description(_ name: String) throws(LiveError) -> String? {
        guard features.contains(";qXfer:features:read+;") else { return nil }
        var bytes: [UInt8] = []
        while bytes.count < Self.longest {
            let piece = try ask("qXfer:features:read:\(name):\(String(bytes.count, radix: 16)),\(String(max(64, packetSize - 16), radix: 16))")
            guard let kind = piece.first, kind == UInt8(ascii: "m") || kind == UInt8(ascii: "l") else { return nil }
            bytes += piece.dropFirst()
            if kind == UInt8(ascii: "l") || piece.count == 1 { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What a line of QEMU's monitor prints; nil: there is none.
    func monitor(_ line: String) throws(LiveError) -> String? {
        let hex = line.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try send("qRcmd,\(hex)")
        var text = ""
        for _ in 0..<1000 {
            let answer = try answer()
            if answer.elementsEqual("OK".utf8) { return text }
            guard answer.first == UInt8(ascii: "O"), let piece = Self.bytes(Array(answer.dropFirst())) else { return text.isEmpty ? nil : text }
            text += String(decoding: piece, as: UTF8.self)
        }
        return text
    }

    /// Waits, in microseconds.
    static func pause(_ microseconds: UInt32) { usleep(microseconds) }

    /// Lets go: the machine runs on.
    func detach() throws(LiveError) { _ = try ask("D") }

    private static func bytes(_ hex: [UInt8]) -> [UInt8]? {
        guard hex.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(hex.count / 2)
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x61...0x66: byte - 0x57
            case 0x41...0x46: byte - 0x37
            default: nil
            }
        }
        for at in stride(from: 0, to: hex.count, by: 2) {
            guard let high = digit(hex[at]), let low = digit(hex[at + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}

/// `send` by its own name, which the class has for itself.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ flags: Int32) -> Int { send(descriptor, bytes, count, flags) }
