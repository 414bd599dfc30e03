@testable import Stage2Sim
import Testing

/// Copies of a store never see each other's writes, whoever writes, drops or dies first.
@Suite struct TablesPagedStoreTests {
    typealias Store = PagedStore<UInt64, 3>

    @Test(arguments: 0..<20) func copiesAreApart(seed: Int) {
        var random = Numbers(state: UInt64(seed))
        var stores = [Store(absent: 7, notes: true)]
        stores[0].reserve(pages: 10000)
        var models = [[Int: UInt64]()], notes = [[Int: UInt64]()]
        func index() -> Int { [0, 1, 8, 2047, 2048, 70000].randomElement(using: &random)! + Int.random(in: 0..<20, using: &random) }
        for _ in 0..<600 {
            let i = Int.random(in: 0..<stores.count, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where stores.count < 6:
                stores.append(stores[i])
                models.append(models[i])
                notes.append(notes[i])
            case 1 where stores.count > 1:
                stores.remove(at: i)
                models.remove(at: i)
                notes.remove(at: i)
            case 2:
                let at = index()
                stores[i].drop(pageAround: at)
                models[i] = models[i].filter { $0.key >> 3 != at >> 3 }
                notes[i][at >> 3] = nil
            case 3:
                stores[i].own()
                let at = index()
                stores[i].owned(at).pointee = UInt64(at)
                models[i][at] = UInt64(at)
            case 4...6:
                let at = index(), value = random.next()
                stores[i].own()
                let page = stores[i].recentOwned(Self.address(at)) ?? stores[i].foundOwned(Self.address(at), page: at >> 3)
                page.elements[at & 7] = value
                page.note.pointee = value
                models[i][at] = value
                notes[i][at >> 3] = value
            default:
                let at = index(), value = random.next()
                stores[i][at] = value
                models[i][at] = value
            }
            for (i, store) in stores.enumerated() {
                let at = index(), page = store.recent(Self.address(at)) ?? store.found(Self.address(at), page: at >> 3)
                #expect(store[at] == models[i][at] ?? 7)
                #expect(page.elements[at & 7] == models[i][at] ?? 7)
                #expect(page.note.pointee == notes[i][at >> 3] ?? 0)
            }
        }
        for (store, model) in zip(stores, models) {
            for (at, value) in model { #expect(store[at] == value) }
            var seen = 0
            store.forEachPage { first, page in for k in page.indices where page[k] != 7 { seen += model[first + k] == page[k] ? 1 : 1 << 20 } }
            #expect(seen == model.values.count { $0 != 7 })
        }
    }

    /// Elements are called by eight bytes each.
    static func address(_ index: Int) -> UInt { UInt(index) << 3 }

    struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }
}
