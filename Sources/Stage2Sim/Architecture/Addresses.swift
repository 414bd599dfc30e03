/// An address or page number of one kind. Kinds do not mix: there is no conversion between them
/// except the ones named below and the tables that translate.
public protocol AddressKind: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable where RawValue == UInt64 {
    /// From the number itself; it is not checked, and may be wider than the kind of address ever is.
    init(rawValue: UInt64)
}

extension AddressKind {
    /// From the number itself, which is not checked.
    @inlinable public init(_ raw: UInt64) { self.init(rawValue: raw) }
    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    /// So many bytes, or pages, further on.
    @inlinable public static func + (a: Self, distance: UInt64) -> Self { Self(a.rawValue + distance) }
    /// Moves an address on by bytes.
    @inlinable public static func += (a: inout Self, distance: UInt64) { a = a + distance }
    /// How far `a` lies behind `b`, which must not be greater.
    @inlinable public static func - (a: Self, b: Self) -> UInt64 { a.rawValue - b.rawValue }
}

/// "0x80001000".
public func hex(_ address: some AddressKind, digits: Int = 0) -> String { hex(address.rawValue, digits: digits) }

/// The size of a page and of every table above level 1, in bytes.
public let pageSize: UInt64 = 4096

/// An intermediate physical address, 0 to 2^40-1: what the guest believes to be physical.
public struct IPA: AddressKind {
    /// The address in bytes; an IPA of these CPUs has 40 bits.
    public var rawValue: UInt64
    /// From the address in bytes, which is not checked.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The guest frame number: the address in pages of 4 KiB.
    @inlinable public var gfn: GFN { GFN(rawValue >> 12) }
    /// Bytes from the page's beginning, 0 to 4095.
    @inlinable public var pageOffset: UInt64 { rawValue & 0xfff }
    /// The beginning of its page of 4 KiB.
    @inlinable public var page: IPA { IPA(rawValue & ~0xfff) }
}

/// A physical address, 0 to 2^40-1.
public struct PA: AddressKind {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The page frame number: the address in pages of 4 KiB.
    @inlinable public var pfn: PFN { PFN(rawValue >> 12) }
    /// The beginning of its page of 4 KiB.
    @inlinable public var page: PA { PA(rawValue & ~0xfff) }
}

/// A host virtual address of a process, 32 bits.
public struct HVA: AddressKind {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The beginning of its page of 4 KiB.
    @inlinable public var page: HVA { HVA(rawValue & ~0xfff) }
}

/// A guest virtual address, 32 bits.
public struct VA: AddressKind {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A guest frame number: IPA >> 12.
public struct GFN: AddressKind {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The address of the page's first byte.
    @inlinable public var ipa: IPA { IPA(rawValue << 12) }
}

/// A page frame number: PA >> 12. Bits 62:52 mark an error and bit 63 "no slot", as in KVM's `pfn_t` (v3.9).
public struct PFN: AddressKind {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The address of the frame's first byte.
    @inlinable public var pa: PA { PA(rawValue << 12) }
}
