import Testing
@testable import Sessions
@Test func scratch() throws {
  for n in HostTraceFiles.traces {
    let t = try HostTraceFiles.trace(n)
    print(n, t.counts, t.threads.map(\.comm), t.slots.count, t.times as Any, t.events.compactMap(\.guestFault).count, t.skipped.prefix(3).map(\.name))
    for d in t.damages.prefix(3) { print("   ", d) }
  }
}
