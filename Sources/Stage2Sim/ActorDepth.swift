extension Actor {
    /// How many routines wait for the one that it is in to return.
    public var depth: Int { (UInt64.bitWidth - stack.leadingZeroBitCount + 7) / 8 }
}
