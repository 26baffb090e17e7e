// The modes of a namespace, and what is said of keys that aren't there.

import Testing

@testable import PannierCore

/// What a reader, a writer and those who invalidate are told in each mode, of a value stored before.
@Test(
  arguments: [
    (.on, .fresh("old"), .stored, true), (.readOnly, .fresh("old"), .disabled, false),
    (.bypass, .miss(.unknown), .disabled, false), (.off, .miss(.unknown), .disabled, false),
  ] as [(Mode, Read, Cache.SetStep, Bool)])
func modes(mode: Mode, read: Read, set: Cache.SetStep, touched: Bool) throws {
  let subject = Subject()
  try subject.add()
  for key in ["k", "replaced", "deleted", "kept"] { subject.set(key, "old") }
  subject.change { $0.mode = mode }
  #expect(subject.get("k", stale: true) == read)
  #expect(subject.exists("k") == (read != .miss(.unknown)))
  #expect(subject.touch("k") == touched)
  #expect(subject.set("replaced", "new") == set)
  #expect(subject.set("kept", "new", if: .absent) == (mode == .on ? .exists : .disabled))
  #expect(subject.delete("deleted") == (mode != .off))
  let sets = subject.counters().sets
  #expect(sets == (mode == .on ? 5 : 4))
  subject.settle()
  #expect((subject.entries() == 0) == (mode == .off))
  subject.change { $0.mode = .on }
  // What was replaced or invalidated meanwhile can't come back; what wasn't is there again, unless its memory was freed.
  #expect(subject.get("replaced") == (mode == .on ? .fresh("new") : subject.get("replaced")))
  #expect(subject.get("replaced") != .fresh("old"))
  #expect(subject.get("deleted") != .fresh("old"))
  #expect((subject.get("k") == .fresh("old")) == (mode != .off))
  #expect((subject.get("kept") == .fresh("old")) == (mode != .off))
  #expect(subject.faultOfAll() == nil)
}

@Test func aValueThatIsNotStoredIsADelete() throws {
  let subject = Subject()
  try subject.add()
  subject.set("k")
  subject.change { $0.mode = .bypass }
  subject.cache.watch([.delete, .set])
  subject.caller = Caller(pid: 7, uid: 1)
  #expect(subject.set("k", "2") == .disabled)
  #expect(subject.set("none", "2") == .disabled)
  check(subject.cache.takeEvents().map(\.kind) == [.delete])
  #expect(subject.explain("k") == .absent(.deleted, pid: 7, age: 0))
  // Nobody asked for a delete.
  #expect(subject.counters().deletes == 0)
}

@Test func offFreesMemoryAtOnceForReadersAndInSlicesInFact() throws {
  let subject = Subject()
  try subject.add()
  try subject.add("other")
  for number in 0..<2000 {
    subject.set("\(number)", tags: ["t\(number % 50)"])
    subject.set("\(number)", in: 1)
  }
  subject.change { $0.mode = .off }
  #expect(subject.list() == [])
  subject.cache.upkeep(entries: 100, now: subject.now)
  #expect(subject.entries() > 1500)
  // Switched on before it is through: nothing old is seen, and what is new stays.
  subject.change { $0.mode = .on }
  #expect(subject.get("7") == .miss(.cleared))
  subject.set("8", "new")
  #expect(subject.settle() > 10)
  #expect(subject.list() == ["8"])
  #expect(subject.get("8") == .fresh("new"))
  #expect(subject.entries(1) == 2000)
  // Nobody asked for a clear, so none is answered.
  #expect(subject.takeFinished().isEmpty)
  #expect(subject.counters().clears == 0 && subject.counters().cleared == 0)
  #expect(subject.faultOfAll() == nil)
}

@Test func clearsAndDeletesAreCarriedOutInEveryMode() throws {
  for mode in Mode.allCases where mode != .off {
    let subject = Subject()
    try subject.add()
    for key in ["a", "b", "c"] { subject.set(key) }
    subject.change { $0.mode = mode }
    let ticket = try subject.clear(.match("[ab]"))
    #expect(subject.finish()[ticket]?.count == 2)
    subject.change { $0.mode = .on }
    #expect(subject.list() == ["c"])
  }
}

// MARK: Explain

@Test func explainGivesReasons() throws {
  let subject = Subject()
  try subject.add {
    $0.maxEntries = 6
    $0.lifetimes.staleMilliseconds = 50
  }
  let filler = Caller(pid: 3, uid: 4)
  subject.caller = filler
  subject.set("k", "[1, 2]", ttl: .milliseconds(500), tags: ["b", "a", "b"])
  subject.now += 20
  subject.caller = Caller(pid: 5, uid: 4)
  let details = try found(subject.details("k"))
  #expect(details.ttlMilliseconds == 480 && details.ageMilliseconds == 20 && details.size == 6 && !details.isStale)
  #expect(details.filler == filler)
  #expect(details.tags.map { text($0) } == ["b", "a"])
  #expect(subject.explain("never") == .absent(.neverStored))
  subject.delete("k")
  subject.now += 30
  #expect(subject.explain("k") == .absent(.deleted, pid: 5, age: 30))
  // The newest reason counts.
  subject.set("k", ttl: .milliseconds(10))
  #expect(subject.explain("k") == .fresh)
  subject.now += 60
  subject.settle()
  #expect(subject.explain("k") == .absent(.expired))
  // None of it was asked for by a reader.
  #expect(subject.counters().hits == 0 && subject.counters().misses.total == 0)
}

@Test(
  arguments: [
    (.all, "all"), (.match("k*"), "match k*"), (.tags(["news"]), "tag news"),
    (.tags(["nobody", "none", "news"]), "tag news"),
    (.tags(["nobody", "sport", "news"]), "tag sport"),
  ] as [(Target, String)])
func explainTellsWhatCleared(target: Target, by: String) throws {
  for isSwept in [false, true] {
    let subject = Subject()
    try subject.add()
    subject.set("k1", tags: ["sport", "x", "news"])
    subject.set("other")
    subject.caller = Caller(pid: 9, uid: 1)
    try subject.clear(target)
    if isSwept { subject.settle() }
    // How long ago is since it was asked for, not since somebody came by.
    subject.now += 40
    #expect(subject.explain("k1") == .absent(.cleared, pid: 9, age: 40, clear: by))
    #expect(subject.get("k1") == .miss(.cleared))
  }
}

@Test func neverStoredIsSaidWhileNothingIsForgotten() throws {
  let subject = Subject(memoryBytes: 1 << 20)
  try subject.add()
  try subject.add("other")
  let capacity = goneCapacity(bytes: (1 << 20) / 64)
  for number in 0..<capacity {
    subject.set("\(number)")
    subject.delete("\(number)")
  }
  #expect(subject.get("never") == .miss(.neverStored))
  #expect(subject.get("0") == .miss(.deleted))
  // The same key of another namespace is another key.
  #expect(subject.get("0", in: 1) == .miss(.neverStored))
  subject.set("one more")
  subject.delete("one more")
  #expect(subject.get("never") == .miss(.unknown))
  #expect(subject.get("0") == .miss(.unknown))
  #expect(subject.get("1") == .miss(.deleted))
  #expect(subject.counters().misses[of: .deleted] == 2)
}
