import Testing

@testable import Stage2Sim

/// Blocks that are out belong to one holder each, wherever their pieces begin.
@Suite struct TablesBlockPoolTests {
    @Test(arguments: [1, 64, 100, 528, 4160, 5 << 20], [0, 1, 2]) func blocksAreApart(bytes: Int, seed: Int) {
        var random = TablesPagedStoreTests.Numbers(state: UInt64(seed))
        var pool = BlockPool(bytes: bytes)
        var out: [(block: UnsafeMutableRawPointer, mark: UInt8)] = []
        let most = bytes > 1 << 20 ? 12 : 3000
        for round in 0..<most * 3 {
            if out.count < most, out.isEmpty || Int.random(in: 0..<3, using: &random) > 0 {
                let block = pool.take(), mark = UInt8(truncatingIfNeeded: round)
                #expect(Int(bitPattern: block) % BlockPool.alignment == 0)
                block.storeBytes(of: mark, as: UInt8.self)
                block.storeBytes(of: mark, toByteOffset: bytes - 1, as: UInt8.self)
                out.append((block, mark))
            } else {
                let gone = out.remove(at: Int.random(in: 0..<out.count, using: &random))
                pool.giveBack(gone.block)
            }
        }
        #expect(Set(out.map { Int(bitPattern: $0.block) }).count == out.count)
        for (block, mark) in out {
            #expect(block.load(as: UInt8.self) == mark && block.load(fromByteOffset: bytes - 1, as: UInt8.self) == mark)
        }
    }
}
