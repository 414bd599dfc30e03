/// A colour, and what stands for it on a terminal that knows fewer of them.
public struct Colour: Hashable, Sendable {
    public let red: UInt8
    public let green: UInt8
    public let blue: UInt8
    /// The nearest of the sixteen ANSI colours, chosen by hand: by distance alone orange would become grey.
    public let ansi16: UInt8

    /// - Parameters:
    ///   - rgb: `0xRRGGBB`.
    ///   - ansi16: 0...15; 8...15 are the bright ones.
    public init(_ rgb: UInt32, ansi16: UInt8) {
        red = UInt8(truncatingIfNeeded: rgb >> 16)
        green = UInt8(truncatingIfNeeded: rgb >> 8)
        blue = UInt8(truncatingIfNeeded: rgb)
        self.ansi16 = ansi16 & 15
    }

    /// `#rrggbb`.
    public var hex: String {
        let digits = Array("0123456789abcdef")
        return [red, green, blue].reduce(into: "#") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }

    /// The nearest entry of xterm's 256 colours among the fixed ones: the 6x6x6 cube (16...231) and the
    /// greys (232...255). The first sixteen are left out because people change them.
    public var ansi256: UInt8 {
        let levels = [0, 95, 135, 175, 215, 255]
        func nearest(_ value: UInt8) -> Int {
            levels.indices.min { abs(levels[$0] - Int(value)) < abs(levels[$1] - Int(value)) }!
        }
        func distance(_ r: Int, _ g: Int, _ b: Int) -> Int {
            let (dr, dg, db) = (r - Int(red), g - Int(green), b - Int(blue))
            return dr * dr + dg * dg + db * db
        }
        let (r, g, b) = (nearest(red), nearest(green), nearest(blue))
        let mean = (Int(red) + Int(green) + Int(blue)) / 3
        let step = min(max((mean - 3) / 10, 0), 23)
        let grey = 8 + 10 * step
        return distance(grey, grey, grey) < distance(levels[r], levels[g], levels[b])
            ? UInt8(232 + step) : UInt8(16 + 36 * r + 6 * g + b)
    }

    /// The nearest of the eight oldest colours, for terminals that have no others.
    public var ansi8: UInt8 { ansi16 & 7 }
}
