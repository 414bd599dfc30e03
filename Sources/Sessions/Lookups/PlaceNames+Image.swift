import Stage2Sim

extension TableImage {
    /// The names of a place that an image knows: an IPA and where it leads, a page frame and the IPAs that lead there.
    public func names(of query: PlaceQuery) -> [PlaceNames.Line] {
        var lines: [PlaceNames.Line] = []
        if query.kind != .pfn, query.value < geometry.ipaEnd { lines += names(of: IPA(query.value)) }
        if query.kind != .ipa, query.value < 1 << UInt64(52 - geometry.granuleBits) {
            // A page frame's number counts the host's pages, which are of the tables' granule.
            let found = names(ofPage: query.value << UInt64(geometry.granuleBits))
            // A number alone is a page frame only where one leads there.
            if query.kind == .pfn || found.hits > 0 { lines += found.lines }
        }
        return lines
    }

    private func names(of ipa: IPA) -> [PlaceNames.Line] {
        var lines = [PlaceNames.Line(label: "", text: "IPA \(hex(ipa.rawValue, digits: 10))", isHeading: true)]
        let translation = translate(ipa, Probe(.read, ipa).operation.access(ipa))
        guard let leaf = translation.leaf else {
            let last = translation.steps.last
            return lines + [
                PlaceNames.Line(
                    label: "leaf", text: last.map { "none: the way ends at level \($0.level) [\($0.index)]" } ?? "none", place: ipa,
                    level: last?.level ?? geometry.startLevel)
            ]
        }
        let pa = leaf.pa.rawValue + (ipa.rawValue - leaf.ipa.rawValue)
        lines.append(.init(label: "leaf", text: "level \(leaf.level): \(leaf.descriptor.summary(level: leaf.level, geometry))", place: ipa, level: leaf.level))
        lines.append(.init(label: "pa", text: "\(hex(pa, digits: 10))  pfn \(hex(pa >> UInt64(geometry.granuleBits)))"))
        let others = names(ofPage: pa, besides: ipa)
        return lines + others.lines.dropFirst()
    }

    private func names(ofPage pa: UInt64, besides known: IPA? = nil) -> (lines: [PlaceNames.Line], hits: Int) {
        let search = LeafSearch(self, for: PA(pa)), page = pa & ~(geometry.granule - 1)
        var lines = [PlaceNames.Line(label: "", text: "PFN \(hex(page >> UInt64(geometry.granuleBits))), PA \(hex(page, digits: 10))", isHeading: true)]
        let hits = search.hits.filter { hit in known.map { $0.rawValue & ~(geometry.granule - 1) != hit.ipa.rawValue } ?? true }
        for hit in hits {
            lines.append(
                .init(
                    label: "ipa", text: "\(hex(hit.ipa.rawValue, digits: 10)), level \(hit.level): \(hit.descriptor.rights)", place: hit.ipa, level: hit.level))
        }
        if hits.isEmpty { lines.append(.init(label: "ipa", text: known == nil ? "no leaf leads there" : "no other leaf leads there")) }
        if !search.isComplete { lines.append(.init(label: "", text: "the tables are large: not every leaf was looked at")) }
        return (lines, hits.count)
    }
}
