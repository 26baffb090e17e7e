// Bounds: entries and bytes of a namespace, memory of the whole. What goes, in which order, how much at once, and under what
// name it is counted.

import Testing

@testable import PannierCore

@Test func theLeastRecentlyUsedGoes() throws {
  let subject = Subject()
  try subject.add {
    $0.maxEntries = 3
    $0.lifetimes.staleMilliseconds = 1000
  }
  for key in ["a", "b", "c"] { subject.set(key) }
  // Reads, stale ones too, touches and sets are uses; exists, explain, keys and a soft delete are none.
  _ = subject.get("a")
  #expect(subject.exists("b"))
  #expect(subject.explain("b") == .fresh)
  #expect(subject.list().count == 3)
  #expect(subject.delete("b", soft: true))
  subject.now += 5
  subject.set("d")
  #expect(subject.explain("b") == .absent(.evicted))
  #expect(subject.counters().evictedAgeMilliseconds == 5)
  #expect(subject.touch("c"))
  subject.set("a", "2")
  subject.set("e")
  #expect(subject.get("d") == .miss(.evicted))
  #expect(subject.list().sorted() == ["a", "c", "e"])
  #expect(subject.counters().evictions[of: .entries] == 2)
  #expect(subject.counters().evictions.total == 2)
}

@Test func aReplacedValueMakesRoomForItself() throws {
  let subject = Subject()
  try subject.add { $0.maxEntries = 2 }
  subject.set("a")
  subject.set("b")
  subject.set("a", "2")
  #expect(subject.counters().evictions.total == 0)
  #expect(subject.list().sorted() == ["a", "b"])
}

/// What is past its end or cleared makes room without being called evicted.
@Test func whatIsOverIsNotCalledEvicted() throws {
  let subject = Subject()
  try subject.add {
    $0.maxEntries = 1
    $0.lifetimes.staleMilliseconds = 100
  }
  subject.set("over", ttl: .milliseconds(10), stale: 0)
  subject.now += 10
  subject.set("cleared")
  #expect(subject.explain("over") == .absent(.expired))
  try subject.clear(.match("cleared"))
  subject.set("softened")
  #expect(subject.explain("cleared") == .absent(.cleared, pid: 100, age: 0, clear: "match cleared"))
  // A soft clear whose stale span has passed before the walk came by.
  try subject.clear(.match("softened"), soft: true)
  subject.now += 100
  subject.set("last")
  #expect(subject.explain("softened") == .absent(.expired))
  #expect(subject.counters().evictions.total == 0)
  #expect(subject.counters().expirations == 2)
}

@Test(arguments: [1, 2, 3] as [UInt64])
func byteBoundsEvictExactly(seed: UInt64) throws {
  let subject = Subject(seed: seed)
  var random = RandomSource(seed: seed)
  let most = 20_000
  try subject.add { $0.maxBytes = most }
  subject.cache.watch([.evict])
  /// The oldest first, with what each takes.
  var order: [(key: String, bytes: Int)] = []
  var bytes = 0
  for step in 0..<3000 {
    let key = "key \(random.below(300))"
    if random.chance(30) {
      if subject.get(key) != .miss(.neverStored), let index = order.firstIndex(where: { $0.key == key }) {
        order.append(order.remove(at: index))
      }
      continue
    }
    let size = random.chance(5) ? random.below(9000) : random.below(300)
    let value = "\"" + String(repeating: "x", count: size) + "\""
    let cost = Arena.cost(of: Entry.headerBytes + key.utf8.count + value.utf8.count) + 4
    if let index = order.firstIndex(where: { $0.key == key }) { bytes -= order.remove(at: index).bytes }
    var expected: [String] = []
    while bytes + cost > most {
      expected.append(order[0].key)
      bytes -= order.removeFirst().bytes
    }
    subject.set(key, value)
    let evicted = subject.cache.takeEvents().compactMap { event in
      if case .key(let key) = event.scope, event.bound == .bytes { text(key) } else { nil }
    }
    check(evicted == expected, "seed \(seed), step \(step): \(evicted), not \(expected)")
    order.append((key, subject.byteCount() - bytes))
    bytes = subject.byteCount()
    check(bytes <= most + 8, "only a rest too small to be a block may come on top")
    subject.settle()
    _ = subject.cache.takeEvents()
    // Where that rest was one too many, one more has gone.
    while subject.byteCount() < bytes { bytes -= order.removeFirst().bytes }
    check(bytes <= most)
    check(subject.entries() == order.count)
  }
  #expect(subject.counters().evictions[of: .bytes] > 300)
  #expect(subject.faultOfAll() == nil)
}

@Test func theLargestNamespaceGivesTheVictim() throws {
  let subject = Subject(memoryBytes: 1 << 20)
  for name in ["small", "large", "other"] { try subject.add(name) }
  let value = String(repeating: "1", count: 4000)
  for number in 0..<40 { subject.set("\(number)", value, in: 0) }
  for number in 0..<180 { subject.set("\(number)", value, in: 1) }
  subject.set("big", "1" + String(repeating: "0", count: 100_000), in: 2)
  for number in 0..<300 {
    let sizes = (0..<3).map { subject.byteCount($0) }
    let before = (0..<3).map { subject.counters($0).evictions[of: .memory] }
    subject.set("more \(number)", value, in: 2)
    let evicted = (0..<3).filter { subject.counters($0).evictions[of: .memory] > before[$0] }
    check(evicted.isEmpty || sizes[evicted[0]] == sizes.max(), "\(evicted) of \(sizes)")
    check(subject.cache.usedBytes <= subject.cache.memoryBytes)
  }
  // They have levelled out: none was emptied for another.
  #expect(subject.entries(0) == 40)
  #expect(!subject.exists("0", in: 1))
  #expect(subject.get("179", in: 1) == .fresh(value))
  #expect(subject.faultOfAll() == nil)
}

/// A value of a megabyte where thousands of small ones were: what is far over the budget goes at once, and upkeep takes the rest.
@Test func aHugeValueReplacesSmallOnesInSlices() throws {
  let subject = Subject(memoryBytes: 2 << 20)
  try subject.add { $0.maxValueBytes = 4 << 20 }
  var number = 0
  while subject.counters().evictions.total == 0 {
    subject.set("\(number)")
    number += 1
  }
  let before = subject.entries()
  #expect(before > 20_000)
  let huge = "\"" + String(repeating: "x", count: 1_500_000) + "\""
  #expect(subject.set("huge", huge) == .stored)
  let most = subject.cache.memoryBytes
  #expect(subject.cache.usedBytes > most && subject.cache.usedBytes <= most + most / 64)
  #expect(subject.entries() < before - 64)
  #expect(subject.get("huge") == .fresh(huge))
  check(subject.cache.hasPendingWork())
  while subject.cache.needsUpkeep(now: subject.now) {
    let entries = subject.entries()
    subject.cache.upkeep(entries: 50, now: subject.now)
    check(entries - subject.entries() <= 50)
  }
  check(subject.cache.usedBytes <= subject.cache.memoryBytes)
  #expect(subject.get("huge") == .fresh(huge))
  #expect(subject.entries() > 100)
  #expect(subject.faultOfAll() == nil)
}

@Test(
  arguments: [(entries: 10, bytes: nil), (entries: nil, bytes: 2000), (entries: 50, bytes: 2000)] as [(Int?, Int?)])
func smallerBoundsTrimInSlices(entries: Int?, bytes: Int?) throws {
  let subject = Subject()
  try subject.add()
  for number in 0..<1000 { subject.set("\(number)") }
  subject.change {
    $0.maxEntries = entries
    $0.maxBytes = bytes
  }
  #expect(subject.entries() == 1000)
  subject.cache.upkeep(entries: 30, now: subject.now)
  #expect(subject.entries() == 970)
  #expect(subject.get("0") == .miss(.evicted))
  #expect(subject.settle(slice: 30) > 20)
  #expect(subject.entries() <= entries ?? 1000)
  #expect(subject.byteCount() <= bytes ?? .max)
  #expect(subject.entries() >= 10)
  #expect(subject.get("999") == .fresh("1"))
  check(!subject.cache.needsUpkeep(now: subject.now))
  // Under the new bound from then on.
  subject.set("more")
  subject.settle()
  #expect(subject.entries() <= entries ?? 1000)
}

@Test func whatCantFitIsRejectedBeforehand() throws {
  let subject = Subject(memoryBytes: 1 << 20)
  try subject.add { $0.maxValueBytes = 100 }
  #expect(subject.admit("k", String(repeating: "1", count: 100)) == nil)
  #expect(subject.admit("k", String(repeating: "1", count: 101)) == .largerThanPolicy(bytes: 100))
  try subject.add("bounded") { $0.maxBytes = 500 }
  #expect(subject.admit("k", String(repeating: "1", count: 400), in: 1) == nil)
  #expect(subject.admit("k", String(repeating: "1", count: 500), in: 1) == .largerThanRoom(bytes: 500))
  try subject.add("open") { $0.maxValueBytes = 8 << 20 }
  guard case .largerThanRoom(let room) = subject.admit("k", String(repeating: "1", count: 1 << 20), in: 2) else {
    Issue.record("more than the whole memory was admitted")
    return
  }
  #expect(room < 1 << 20)
  // What is just admitted is stored, and stays.
  for (id, size) in [(1, 420), (2, 990_000)] {
    let value = String(repeating: "1", count: size)
    #expect(subject.set("k", value, in: id) == .stored)
    subject.settle()
    #expect(subject.get("k", in: id) == .fresh(value))
  }
}

@Test func tagsAreCountedAndFreed() throws {
  let subject = Subject()
  try subject.add()
  subject.set("a", tags: ["one", "two"])
  let two = subject.byteCount()
  subject.set("b", tags: ["one", "three"])
  #expect(subject.faultOfAll() == nil)
  subject.delete("b")
  #expect(subject.byteCount() == two)
  subject.set("a")
  #expect(subject.faultOfAll() == nil)
  subject.delete("a")
  #expect(subject.byteCount() == 0)
  check(subject.cache.tier.arena.usedBytes == 0)
}
