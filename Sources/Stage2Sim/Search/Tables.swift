// What a search keeps its states in: rows of numbers, each once.

/// 128 bits that stand for a row of words. Two rows that differ have the same ones once in 10^38.
struct Digest: Hashable {
    let low: UInt64
    let high: UInt64

    init(_ words: [UInt64]) {
        var a: UInt64 = 0x9e37_79b9_7f4a_7c15, b: UInt64 = 0xc2b2_ae3d_27d4_eb4f
        for word in words {
            a = (a ^ word) &* 0xff51_afd7_ed55_8ccd
            a ^= a >> 32
            b = (b &+ word) &* 0xc4ce_b9fe_1a85_ec53
            b ^= b >> 29
        }
        low = a ^ a >> 31
        high = b ^ b >> 33
    }

    func hash(into hasher: inout Hasher) { hasher.combine(low) }
}

/// Rows of `width` numbers, each kept once and called by the order of coming.
struct RowTable {
    let width: Int
    private var rows: UnsafeMutablePointer<UInt32>
    private var room = 1 << 12
    private var places: UnsafeMutablePointer<UInt32>
    private var placeCount = 1 << 13
    private(set) var count = 0

    init(width: Int) {
        self.width = width
        rows = .allocate(capacity: room * width)
        places = .allocate(capacity: placeCount)
        places.initialize(repeating: 0, count: placeCount)
    }

    /// Gives the memory back: the table is not used any more.
    func free() {
        rows.deallocate()
        places.deallocate()
    }

    var bytes: Int { room * width * 4 + placeCount * 4 }

    @inline(__always) subscript(row: Int) -> UnsafePointer<UInt32> { UnsafePointer(rows + row * width) }

    @inline(__always) private func hash(_ row: UnsafePointer<UInt32>) -> Int {
        var h: UInt64 = 0x9e37_79b9_7f4a_7c15
        for i in 0..<width {
            h = (h ^ UInt64(row[i])) &* 0xff51_afd7_ed55_8ccd
            h ^= h >> 32
        }
        return Int(truncatingIfNeeded: h >> 8)
    }

    /// The row's name, and whether it is new.
    @inline(__always) mutating func name(_ row: UnsafePointer<UInt32>) -> (name: UInt32, isNew: Bool) {
        var place = hash(row) & (placeCount - 1)
        while places[place] != 0 {
            let known = rows + Int(places[place] - 1) * width
            var same = true
            for i in 0..<width where known[i] != row[i] {
                same = false
                break
            }
            if same { return (places[place] - 1, false) }
            place = (place + 1) & (placeCount - 1)
        }
        if count == room { grow() }
        (rows + count * width).update(from: row, count: width)
        places[place] = UInt32(count + 1)
        count += 1
        if count * 3 > placeCount * 2 { spread() }
        return (UInt32(count - 1), true)
    }

    private mutating func grow() {
        let more = UnsafeMutablePointer<UInt32>.allocate(capacity: (room + room / 2) * width)
        more.update(from: rows, count: count * width)
        rows.deallocate()
        rows = more
        room += room / 2
    }

    private mutating func spread() {
        places.deallocate()
        placeCount *= 2
        places = .allocate(capacity: placeCount)
        places.initialize(repeating: 0, count: placeCount)
        for row in 0..<count {
            var place = hash(self[row]) & (placeCount - 1)
            while places[place] != 0 { place = (place + 1) & (placeCount - 1) }
            places[place] = UInt32(row + 1)
        }
    }
}

/// Numbers by keys, neither of which is taken back.
struct KeyTable32 {
    private var keys: UnsafeMutablePointer<UInt64>
    private var values: UnsafeMutablePointer<UInt32>
    private var room = 1 << 12
    private var count = 0
    /// No key.
    private static let none = UInt64.max

    init() {
        keys = .allocate(capacity: room)
        keys.initialize(repeating: Self.none, count: room)
        values = .allocate(capacity: room)
    }

    func free() {
        keys.deallocate()
        values.deallocate()
    }

    var bytes: Int { room * 12 }

    @inline(__always) private func place(of key: UInt64) -> Int {
        var h = key &* 0x9e37_79b9_7f4a_7c15
        h ^= h >> 32
        var place = Int(truncatingIfNeeded: h) & (room - 1)
        while keys[place] != Self.none, keys[place] != key { place = (place + 1) & (room - 1) }
        return place
    }

    @inline(__always) subscript(key: UInt64) -> UInt32? {
        let place = place(of: key)
        return keys[place] == key ? values[place] : nil
    }

    mutating func insert(_ value: UInt32, for key: UInt64) {
        if count * 2 > room { spread() }
        let place = place(of: key)
        keys[place] = key
        values[place] = value
        count += 1
    }

    private mutating func spread() {
        let oldKeys = keys, oldValues = values, oldRoom = room
        room *= 2
        keys = .allocate(capacity: room)
        keys.initialize(repeating: Self.none, count: room)
        values = .allocate(capacity: room)
        for i in 0..<oldRoom where oldKeys[i] != Self.none {
            let place = place(of: oldKeys[i])
            keys[place] = oldKeys[i]
            values[place] = oldValues[i]
        }
        oldKeys.deallocate()
        oldValues.deallocate()
    }
}
