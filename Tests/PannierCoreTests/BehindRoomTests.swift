// Who waits for room where many values wait to be told, for how long, and what ends that.

import Testing

@testable import PannierCore

@Test func whoFindsNoRoomWaitsForItInOrder() throws {
  let host = try Behind { $0.behind.maxPending = 2 }
  for key in ["a", "b"] { host.set(key) }
  #expect(host.outcomes().count == 2)
  let waiting = ["c", "d", "a"].map { host.set($0, "2") }
  #expect(host.outcomes() == [])
  #expect(host.shows("c") == nil)
  // What waits is due at once.
  let first = host.commands()
  #expect(first.map(\.text) == ["a=1 10", "b=1 10"])
  host.answer(first)
  #expect(host.outcomes().map(\.ticket) == Array(waiting[..<2]))
  #expect(host.shows("c") == "2")
  host.answer(host.commands())
  #expect(host.outcomes().map(\.ticket) == [waiting[2]])
  // Nobody waits: the interval holds again.
  #expect(host.sent() == [])
  host.pass(100)
  #expect(host.sent() == ["a=2 14"])
}

@Test func theSameKeyNeedsNoRoom() throws {
  let host = try Behind { $0.behind.maxPending = 1 }
  for value in 1...3 { host.set("a", "\(value)") }
  #expect(host.outcomes().count == 3)
  host.pass(100)
  #expect(host.sent() == ["a=3 10"])
}

@Test func nobodyWaitsForLongerThanSo() throws {
  let host = try Behind { $0.behind.maxPending = 1 }
  host.set("a")
  for key in ["b", "c"] { host.set(key, "2") }
  #expect(host.sent() == ["a=1 10"])
  _ = host.outcomes()
  host.pass(4999)
  #expect(host.outcomes() == [])
  host.pass(1)
  #expect(host.outcomes().map(\.isQueued) == [true, true])
  for key in ["b", "c"] { #expect(host.shows(key) == "2") }
  // They wait for no batch, and go one by one.
  let first = host.commands()
  #expect(first.map(\.text) == ["delete b"])
  host.answer(first)
  #expect(host.sent() == ["delete c"])
  #expect(host.shows("b") == nil)
}

@Test func nobodyWaitsForARedisThatIsNotThere() throws {
  for isSuspended in [false, true] {
    let host = try Behind { $0.behind.maxPending = 1 }
    host.set("a")
    host.set("b")
    #expect(host.outcomes().count == 1)
    if isSuspended {
      host.subject.cache.sharedSuspended(now: host.now)
    } else {
      host.subject.cache.sharedLost(now: host.now)
    }
    #expect(host.outcomes().map(\.isQueued) == [true])
    host.set("c")
    #expect(host.outcomes().map(\.isQueued) == [true])
    #expect(host.shows("b") == "1")
  }
}

@Test func aChangeTakesAwayWhatWaitsForRoom() throws {
  let host = try Behind { $0.behind.maxPending = 1 }
  host.set("a")
  host.answer(host.due())
  #expect(host.shows("a") == "1")
  host.set("b")
  host.set("a", "2")
  host.set("c")
  _ = host.outcomes()
  host.delete("a")
  // Not yet the delete; but what the set would have replaced is gone.
  #expect(host.outcomes().count == 1)
  #expect(host.shows("a") == nil)
  #expect(host.standing.waiting == 1)
}

@Test func manyBytesAreAsManyValues() throws {
  let host = try Behind { $0.maxValueBytes = 64 << 20 }
  let large = "\"" + String(repeating: "x", count: 10 << 20) + "\""
  for key in 0..<7 { host.set("k\(key)", large) }
  #expect(host.outcomes().count == 7)
  host.set("small")
  #expect(host.outcomes() == [])
}

/// Those who wait can't take more than that either, and who would is older than what came before.
@Test func manyBytesDoNotWaitForRoom() throws {
  let host = try Behind {
    $0.maxValueBytes = 64 << 20
    $0.behind.maxPending = 1
  }
  let large = "\"" + String(repeating: "x", count: 40 << 20) + "\""
  host.set("a")
  for key in ["b", "c"] { host.set(key, large) }
  #expect(host.outcomes().count == 1)
  host.set("b", "2")
  // It, and the one that it overtook.
  #expect(host.outcomes().count == 2)
  #expect(host.shows("b") == "2")
  host.answer(host.commands())
  #expect(host.shows("b") == nil)
  #expect(host.standing.waiting == 0)
}

@Test func whoWaitsInANamespaceThatStoresNothingDeletes() throws {
  let host = try Behind { $0.behind.maxPending = 1 }
  for key in ["a", "b"] { host.set(key) }
  let first = host.commands()
  host.subject.change { $0.mode = .bypass }
  host.answer(first)
  #expect(host.sent() == ["delete b"])
  #expect(host.outcomes().map(\.isQueued) == [false, false])
}
