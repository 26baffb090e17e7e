// What changes a value's life in place: touch starts it anew, a soft delete ends its freshness.

import Testing

@testable import PannierCore

// MARK: Touch

@Test func touchStartsLifeAnew() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.ttlMilliseconds = 100 }
  subject.set("k", "7")
  let version = subject.version("k")
  subject.now += 99
  #expect(subject.touch("k"))
  #expect(subject.ttl("k") == 100)
  #expect(subject.version("k") == version)
  #expect(subject.details("k")?.ageMilliseconds == 99)
  subject.now += 99
  #expect(subject.touch("k", ttl: .milliseconds(1)))
  subject.now += 1
  #expect(!subject.touch("k"))
  #expect(!subject.touch("never"))
  #expect(subject.faultOfAll() == nil)
}

@Test func touchLeavesStaleValuesStale() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = 50 }
  subject.set("k", ttl: .milliseconds(100))
  subject.now += 100
  #expect(!subject.touch("k"))
  #expect(subject.get("k", stale: true) == .stale("1"))
  subject.set("k")
  subject.delete("k", soft: true)
  #expect(!subject.touch("k"))
}

/// An entry made without a stale span has no place for one: it is made once more, and is the same but for its life.
@Test func touchMakesPlaceForAStaleSpan() throws {
  let subject = Subject()
  try subject.add()
  let filler = Caller(pid: 7, uid: 8)
  subject.caller = filler
  subject.set("k", "value", ttl: .milliseconds(100), tags: ["a", "b", "a"])
  subject.caller = Caller(pid: 1, uid: 1)
  let before = try found(subject.details("k"))
  subject.now += 10
  #expect(subject.touch("k", ttl: .milliseconds(100), stale: 50))
  let after = try found(subject.details("k"))
  #expect(after.version == before.version)
  #expect(after.filler == filler)
  #expect(after.tags.map { text($0) } == ["a", "b"])
  #expect(after.ageMilliseconds == 10)
  #expect(subject.faultOfAll() == nil)
  subject.now += 149
  #expect(subject.get("k", stale: true) == .stale("value"))
  subject.now += 1
  #expect(subject.get("k", stale: true) == .miss(.expired))
  #expect(subject.counters().sets == 1)
  #expect(subject.faultOfAll() == nil)
}

/// A touch may take the stale span away again, or shorten it, where its place is.
@Test func touchChangesAStaleSpanInPlace() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.ttlMilliseconds = 100 }
  subject.set("k", stale: 50)
  #expect(subject.touch("k", stale: 0))
  subject.now += 100
  #expect(subject.get("k", stale: true) == .miss(.expired))
  subject.set("k", stale: 50)
  #expect(subject.touch("k", ttl: .unlimited))
  subject.now += 1 << 38
  #expect(subject.get("k") == .fresh("1"))
  #expect(subject.touch("k", ttl: .milliseconds(10), stale: 5))
  subject.now += 14
  #expect(subject.get("k", stale: true) == .stale("1"))
  #expect(subject.faultOfAll() == nil)
}

// MARK: Soft deletes

@Test func softDeleteEndsFreshnessOnly() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = 50 }
  subject.set("k", "7")
  #expect(subject.delete("k", soft: true))
  #expect(subject.get("k") == .miss(.expired))
  #expect(subject.get("k", stale: true) == .stale("7"))
  #expect(subject.explain("k") == .stale)
  // Again: it counts again, but its end moves no further away.
  subject.now += 30
  #expect(subject.delete("k", soft: true))
  subject.now += 20
  #expect(!subject.delete("k", soft: true))
  #expect(subject.get("k", stale: true) == .miss(.expired))
  #expect(subject.counters().deletes == 2)
}

@Test func softDeleteNeverLengthensALife() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = 1000 }
  subject.set("k", ttl: .milliseconds(10), stale: 5)
  subject.set("endless", ttl: .unlimited)
  #expect(subject.delete("k", soft: true))
  #expect(subject.delete("endless", soft: true))
  subject.now += 15
  #expect(subject.get("k", stale: true) == .miss(.expired))
  subject.now += 984
  #expect(subject.get("endless", stale: true) == .stale("1"))
  subject.now += 1
  subject.settle()
  #expect(subject.entries() == 0)
  #expect(subject.counters().expirations == 2)
}

@Test func softDeleteWithoutAStaleSpanIsHard() throws {
  let subject = Subject()
  try subject.add()
  subject.set("k", ttl: .milliseconds(10), stale: 500)
  #expect(subject.delete("k", soft: true))
  #expect(subject.explain("k") == .absent(.deleted, pid: 100, age: 0))
  #expect(!subject.delete("k", soft: true))
}
