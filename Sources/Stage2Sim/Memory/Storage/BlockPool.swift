internal import CMemory

/// Blocks of one size, aligned to cache lines, cut from pieces of memory that double up to sixteen huge pages. What is given back is kept
/// for the next who wants one: going to another state gives up thousands, and making that state wants as many. A block each from
/// the allocator cost twice: its own work, and a miss of the host's TLB at nearly every random access.
struct BlockPool: ~Copyable {
    typealias Block = UnsafeMutableRawPointer

    static let alignment = 64
    private static let hugePage = 2 << 20
    /// The memory allocator's own page in front of each piece keeps the huge pages around it small: so a piece has many.
    private static let mostBytes = 16 * hugePage
    /// Blocks in the first piece.
    private static let first = 8

    private let blockBytes: Int
    private var pieces: [Block] = []
    private var pieceBytes: Int
    /// What is not cut yet of the last piece.
    private var uncut: Block?
    private var uncutBytes = 0
    private var spare: [Block] = []

    /// - Parameter bytes: of a block.
    init(bytes: Int) {
        blockBytes = (bytes + Self.alignment - 1) & -Self.alignment
        pieceBytes = Self.first * blockBytes
    }

    deinit {
        for piece in pieces { piece.deallocate() }
    }

    /// A block with whatever stands in it.
    mutating func take() -> Block {
        if let block = spare.popLast() { return block }
        if uncutBytes < blockBytes { addPiece() }
        let block = uncut.unsafelyUnwrapped
        uncut = block + blockBytes
        uncutBytes -= blockBytes
        return block
    }

    /// Only blocks from `take`, each once.
    mutating func giveBack(_ block: Block) { spare.append(block) }

    private mutating func addPiece() {
        // Aligned by hand: glibc 2.36 does not find freed memory again for somebody who asks for an alignment.
        let piece = Block.allocate(byteCount: pieceBytes + Self.alignment, alignment: 16)
        pieces.append(piece)
        if pieceBytes >= Self.hugePage { advise_huge_pages(piece, pieceBytes) }
        (uncut, uncutBytes) = (piece.alignedUp(toMultipleOf: Self.alignment), pieceBytes)
        pieceBytes = min(pieceBytes * 2, max(Self.mostBytes, blockBytes))
    }
}
