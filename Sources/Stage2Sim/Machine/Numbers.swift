/// Says who or what is meant, by counting from 0. Each kind is a type of its own: mixing them does not compile, and each knows
/// how many there can be.
public protocol Number: RawRepresentable, Strideable, Hashable, BitwiseCopyable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible
where RawValue: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable, Stride == Int, IntegerLiteralType == RawValue {
    /// From the number itself, which is not held against `limit`.
    init(rawValue: RawValue)
    /// How many there can be: numbers are 0 to `limit` - 1.
    static var limit: Int { get }
}

extension Number {
    /// The number of the one that comes after `count` others; nil where there can be no more.
    public init?(after count: Int) {
        guard count >= 0, count < Self.limit else { return nil }
        self.init(rawValue: RawValue(truncatingIfNeeded: count))
    }
    /// From the number itself, which is not held against `limit`.
    @inline(__always) public init(integerLiteral value: RawValue) { self.init(rawValue: value) }
    /// The number as a place in an array.
    @inline(__always) public var index: Int { Int(truncatingIfNeeded: rawValue) }
    /// - Precondition: `index` is a place in an array of such things.
    @inline(__always) public init(at index: Int) { self.init(rawValue: RawValue(truncatingIfNeeded: index)) }

    @inline(__always) public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    /// How many come between, with the sign.
    @inline(__always) public func distance(to other: Self) -> Int { other.index - index }
    /// The number `n` further on, which is not held against `limit`.
    @inline(__always) public func advanced(by n: Int) -> Self { Self(at: index + n) }
    public var description: String { String(rawValue) }
}

/// Whoever acts: a vCPU or a thread of the host.
public struct ActorNumber: Number {
    public let rawValue: UInt16
    @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Every VM with all its vCPUs, and the host's threads.
    public static let limit = 2048
}

/// A virtual machine, in the order of making.
public struct VMNumber: Number {
    public let rawValue: UInt8
    @inline(__always) public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// As many as have VMIDs of their own, less a few: each needs a process too.
    public static let limit = 250
}

/// A process of the host: a VMM, a child of one, or somebody else.
public struct ProcessNumber: Number {
    public let rawValue: UInt8
    @inline(__always) public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// One less than there are bytes: the place after the last is a number too.
    public static let limit = 255
}

/// A physical CPU.
public struct CPUNumber: Number {
    public let rawValue: UInt8
    @inline(__always) public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// ARM's largest cluster of clusters with these cores.
    public static let limit = 8
}

extension VirtualMachine {
    /// vCPUs of one VM, KVM_MAX_VCPUS at its largest.
    public static let vcpuLimit = 8
}

/// An array whose places are numbers of one kind.
public struct Numbered<Place: Number, Element>: RandomAccessCollection, MutableCollection {
    @usableFromInline var elements: [Element] = []

    init(_ elements: [Element] = []) { self.elements = elements }

    /// The number 0.
    public var startIndex: Place { 0 }
    /// The number after the last.
    public var endIndex: Place { Place(at: elements.count) }
    /// How many there are.
    public var count: Int { elements.count }
    @inline(__always) public func index(after place: Place) -> Place { place.advanced(by: 1) }
    @inline(__always) public func index(before place: Place) -> Place { place.advanced(by: -1) }
    public func index(_ place: Place, offsetBy distance: Int) -> Place { place.advanced(by: distance) }
    public func distance(from start: Place, to end: Place) -> Int { start.distance(to: end) }

    /// - Precondition: there is one of that number.
    public subscript(place: Place) -> Element {
        @inline(__always) get { elements[place.index] }
        @inline(__always) _modify { yield &elements[place.index] }
    }

    /// The number that the next one gets; nil where there can be no more.
    public var next: Place? { Place(after: elements.count) }

    mutating func append(_ element: Element) { elements.append(element) }
}

extension Numbered: Sendable where Element: Sendable {}
