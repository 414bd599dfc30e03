import Testing
import Stage2Sim

@testable import Sessions

@Suite("Physical memory out of a file")
struct ImagesMemoryTests {
    typealias Segment = PhysicalImage.Segment

    @Test("where segments overlap, the later one is seen, and it is told")
    func overlaps() {
        let file = (0..<64).map { UInt8($0) }
        let memory = PhysicalImage(
            file: file,
            segments: [
                Segment(start: 100, end: 120, fileStart: 0, fileCount: 20),
                Segment(start: 104, end: 108, fileStart: 40, fileCount: 2),
                Segment(start: 118, end: 122, fileStart: 60, fileCount: 4),
            ])
        #expect(
            memory.bytes(at: 100, count: 22)
                == [0, 1, 2, 3, 40, 41, 0, 0, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 60, 61, 62, 63])
        #expect(memory.overlapCount == 2)
        #expect(
            memory.overlaps.map(\.description) == [
                "segments 0 and 1 both have 0x68; the later one is taken",
                "segments 0 and 2 both have 0x76; the later one is taken",
            ])
        #expect(memory.ranges == [100..<122])
    }

    @Test("any pile of segments looks as if it had been written in order", arguments: 0..<200)
    func layers(_ seed: Int) {
        var random = SplitMix64(state: UInt64(seed))
        let file = (0..<256).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var expected = [UInt8?](repeating: nil, count: 300)
        let segments = (0..<random.below(12)).map { _ in
            let start = random.below(200)
            let size = random.below(100)
            let count = random.below(size + 1)
            let place = random.below(256 - count)
            for index in 0..<size { expected[start + index] = index < count ? file[place + index] : 0 }
            return Segment(
                start: UInt64(start), end: UInt64(start + size), fileStart: place, fileCount: count)
        }
        let memory = PhysicalImage(file: file, segments: segments)
        for address in 0..<UInt64(290) {
            #expect(memory.byte(at: address) == expected[Int(address)])
            var word: UInt64? = 0
            for index in (0..<8).reversed() {
                guard let byte = expected[Int(address) + index], let part = word else {
                    word = nil
                    break
                }
                word = part << 8 | UInt64(byte)
            }
            #expect(memory.word(at: address) == word)
        }
    }

    @Test("the end of the address space is no trap")
    func end() {
        let memory = PhysicalImage([PhysicalRun(address: .max - 4, bytes: [1, 2, 3, 4, 5, 6])])
        #expect(memory.bytes(at: .max - 4, count: 4) == [1, 2, 3, 4])
        #expect(memory.bytes(at: .max - 4, count: 5) == nil)
        #expect(memory.word(at: .max - 4) == nil)
        #expect(memory.word(at: .max) == nil)
        #expect(PhysicalImage([]).word(at: 0) == nil)
    }
}

@Suite("Images damaged at random")
struct ImagesMutationTests {
    static let samples: [[UInt8]] = {
        let note = ImageNote(
            architecture: .armv8, vttbr: 1, vtcr: 2, hcr: 3, ctr: 4, revision: "v4", cpu: "cortex-a7")
        let runs = [0x4000_0000, 0x4000_4000, 0x8000_0000].map {
            PhysicalRun(address: $0, words: (0..<16).map { UInt64($0) << 32 | 3 })
        }
        let ours = (try? ELFCore(machine: .arm, note: note, runs: runs).bytes) ?? []
        // The head of a host's file, with its data moved near: mutations shall hit the fields.
        let host = (try? HostTraceFiles.bytes("6.1-max/s1walk.end.elf").prefix(4096 + 512)) ?? []
        return [ours, Array(host), Array(ours.prefix(400))]
    }()

    @Test("each is an image or an error with a place", arguments: samples.indices)
    func mutated(_ sample: Int) {
        var random = SplitMix64(state: UInt64(100 + sample))
        var images = 0
        for _ in 0..<2000 {
            var bytes = Self.samples[sample]
            if random.below(2) == 0 {
                // One header byte: fields of sizes and offsets are where reading goes wrong.
                bytes[random.below(min(bytes.count, 400))] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]
            } else {
                Mutation.apply(to: &bytes, &random)
            }
            do {
                let image = try ELFImage(bytes)
                images += 1
                for range in image.memory.ranges.prefix(4) {
                    for address in [range.lowerBound, range.lowerBound &- 4, range.upperBound &- 8, range.upperBound] {
                        _ = image.memory.word(at: address)
                    }
                    _ = image.memory.bytes(at: range.lowerBound, count: 64)
                }
            } catch {
                #expect(!error.field.isEmpty && !error.fits.isEmpty)
                #expect(error.description.unicodeScalars.allSatisfy(PrintableText.isPrintable))
            }
        }
        if sample == 0 { #expect(images > 200) }
    }
}
