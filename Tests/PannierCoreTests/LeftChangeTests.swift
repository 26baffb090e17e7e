// What is left of the queue at the end of one run is what the next one begins with.

import Testing

@testable import PannierCore

@Test func whatIsLeftIsToldAsDeletesAtTheNextStart() throws {
  let host = try Behind()
  host.set("a")
  host.subject.cache.sharedLost(now: host.now)
  host.delete("b")
  host.delete("c", soft: true)
  withBytes(of: ["t"]) { tags in
    _ = host.subject.cache.clear(
      0..<1, .tags(tags), soft: true, dryRun: false, by: host.subject.caller, now: host.now)
  }
  let left = host.subject.cache.leftChanges
  #expect(
    left == [
      LeftChange(ns: Array("n".utf8), scope: .key(Array("a".utf8)), soft: false),
      LeftChange(ns: Array("n".utf8), scope: .key(Array("b".utf8)), soft: false),
      LeftChange(ns: Array("n".utf8), scope: .key(Array("c".utf8)), soft: true),
      LeftChange(ns: Array("n".utf8), scope: .tags([Array("t".utf8)]), soft: true),
    ])
  var next = Cache(memoryBytes: 4 << 20, namespaceLimit: 1, seed: 2, sharedTimeoutMilliseconds: 100)
  var policy = Policy()
  policy.lifetimes.staleMilliseconds = 1000
  let restored = left.map { next.restore($0, policy: policy) }
  #expect(restored == [true, true, true, true])
  let again = next.leftChanges
  #expect(again == left)
  let isOneMoreTaken = next.restore(LeftChange(ns: Array("m".utf8), scope: .all, soft: false), policy: policy)
  #expect(!isOneMoreTaken)
}
