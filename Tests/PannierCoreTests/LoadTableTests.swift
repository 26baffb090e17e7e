// The places of loads: what becomes of them when a rush is over.

import Testing

@testable import PannierCore

private let owner: OwnerID = 7

@Test func theLastOfManyLoadsMayHaveWaiters() throws {
  var cache = Cache(memoryBytes: 4 << 20, namespaceLimit: 1, seed: 1)
  _ = withBytes("a") { cache.addNamespace($0, policy: Policy()) }
  let asker = Asker(owner: owner, caller: Caller(pid: 1, uid: 1))
  // More than the places that are kept.
  let names = (0...2000).map { "k\($0)" }
  for name in names {
    #expect(withBytes(name) { isGranted(cache.get(0, $0, Cache.ReadOptions(lease: true), by: asker, now: 0)) })
  }
  let waiter = withBytes("k2000") { cache.wait(0, $0, seeks: false, by: 8, since: 0, until: 1000) }
  cache.end(owner, now: 0)
  #expect(cache.takeWoken().map(\.ticket) == [try found(waiter)])
}
