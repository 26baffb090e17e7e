import PannierCore
import Testing

/// A tag that only a clear still names goes when the clear is over: its bytes must leave the namespace's account with it.
@Test func clearingTagsLeavesNoBytesBehind() throws {
  var cache = Cache(memoryBytes: 1 << 20, namespaceLimit: 4, seed: 1)
  let caller = Caller(pid: 1, uid: 1)
  let added = "n".withBytes { cache.addNamespace($0, policy: Policy()) }
  let id = try #require(added)
  for _ in 0..<3 {
    "key".withBytes { key in
      "tag".withBytes { tag in
        let step = cache.set(id, Cache.NewValue(key: key, value: key, tags: [tag]), by: caller, now: 0)
        #expect(step == .stored)
        _ = cache.clear(id..<id + 1, .tags([tag]), soft: false, dryRun: false, by: caller, now: 0)
      }
    }
    while cache.needsUpkeep(now: 0) { cache.upkeep(entries: 64, now: 0) }
    #expect(cache.takeFinishedClears().map(\.count) == [1])
    #expect(cache.entryCount(of: id) == 0)
    #expect(cache.byteCount(of: id) == 0)
  }
}

extension String {
  fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var text = self
    return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}
