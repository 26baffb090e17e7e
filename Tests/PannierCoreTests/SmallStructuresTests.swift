// The recency list, the memory of what is gone, callers by number and tags, each against the obvious.

import Testing

@testable import PannierCore

// MARK: Recency

@Test(arguments: [1, 2, 3] as [UInt64])
func recencyIsExact(seed: UInt64) {
  var arena = Arena()
  var recency = LeastRecentlyUsed()
  var random = RandomSource(seed: seed)
  /// The oldest first.
  var order: [Link] = []
  for _ in 0..<4000 * soakFactor {
    switch random.weighted(order.isEmpty ? [1] : [30, 50, 20]) {
    case 0:
      guard order.count < 60 else { continue }
      let link = arena.makeEntry()
      recency.insert(link, in: arena)
      order.append(link)
    case 1:
      let link = order.remove(at: random.below(order.count))
      recency.hit(link, in: arena)
      order.append(link)
    default:
      let index = random.chance(50) ? 0 : random.below(order.count)
      let link = order.remove(at: index)
      recency.remove(link, in: arena)
      arena.free(link)
    }
    check(recency.victim(in: arena) == (order.first ?? 0))
    check(arena.recencyList(from: recency.victim(in: arena)) == order)
  }
}

extension Arena {
  /// The entries from the oldest to the newest, as the links tell.
  func recencyList(from oldest: Link) -> [Link] {
    var list: [Link] = []
    var link = oldest
    var older: Link = 0
    while link != 0 {
      let entry = Entry(base: pointer(link))
      guard entry.older == older else { return [] }
      list.append(link)
      older = link
      link = entry.newer
    }
    return list
  }
}

// MARK: What is gone

/// How many records a ring of so many bytes holds.
func goneCapacity(bytes: Int) -> Int {
  var ring = GoneRing(bytes: bytes)
  var count = 0
  while !ring.hasForgotten {
    ring.remember(UInt64(count), GoneRecord(reason: .deleted, at: 0))
    count += 1
  }
  return count - 1
}

@Test(arguments: [1, 2, 3, 4] as [UInt64])
func goneRingNeverErrs(seed: UInt64) {
  let bytes = [0, 3000, 10_000, 40_000][Int(seed) - 1]
  let capacity = goneCapacity(bytes: bytes)
  var ring = GoneRing(bytes: bytes)
  check(ring.byteCount <= max(bytes, 16 * 100))
  var random = RandomSource(seed: seed)
  // Hashes that share their low bits, so that chains are long and cross.
  let hashes = (0..<UInt64(capacity)).map { $0 % 7 | $0 << 40 }
  var known: [(hash: UInt64, pid: Int32)] = []
  for step in 0..<Int32(capacity * 6) {
    let hash = hashes[random.below(hashes.count)]
    ring.remember(hash, GoneRecord(reason: .deleted, at: Int64(step), pid: step))
    known.append((hash, step))
    check(ring.hasForgotten == (known.count > capacity))
    for _ in 0..<3 {
      let asked = hashes[random.below(hashes.count)]
      let expected = known.suffix(capacity).last { $0.hash == asked }?.pid
      check(ring.recall(asked)?.pid == expected, "capacity \(capacity), after \(known.count)")
    }
    check(ring.recall(hash ^ 1 << 63) == nil)
  }
}

// MARK: Callers

@Test func fillersHaveNumbersAsLongAsTheyAreNamed() {
  var fillers = Fillers()
  let callers = (0..<4200).map { Caller(pid: Int32($0), uid: 5) }
  let numbers = callers.map { fillers.retain($0) }
  // Twelve bits, of which zero says that nobody knows.
  check(Set(numbers.prefix(4095)) == Set(1...4095))
  check(numbers.dropFirst(4095).allSatisfy { $0 == 0 })
  check(fillers.caller(0) == nil)
  check(zip(callers, numbers).allSatisfy { $1 == 0 || fillers.caller($1) == $0 })
  // Named twice, it goes after the second release; then the number serves another.
  check(fillers.retain(callers[7]) == numbers[7])
  fillers.release(numbers[7])
  check(fillers.retain(callers[4199]) == 0)
  fillers.release(numbers[7])
  check(fillers.retain(callers[4199]) == numbers[7])
  check(fillers.caller(numbers[7]) == callers[4199])
  fillers.release(0)
}

@Test func fillersAgreeWithADictionary() {
  var fillers = Fillers()
  var random = RandomSource(seed: 11)
  var named: [(caller: Caller, number: Int)] = []
  for _ in 0..<5000 {
    if named.count < 50, random.chance(60) {
      let caller = Caller(pid: Int32(random.below(12)), uid: UInt32(random.below(2)))
      let number = fillers.retain(caller)
      check(number > 0 && number <= 24)
      named.append((caller, number))
    } else if !named.isEmpty {
      fillers.release(named.remove(at: random.below(named.count)).number)
    }
    check(named.allSatisfy { fillers.caller($0.number) == $0.caller })
    check(Set(named.map(\.number)).count == Set(named.map(\.caller)).count)
  }
}

// MARK: Tags

@Test func tagsLiveAsLongAsTheyAreNamed() throws {
  var arena = Arena()
  var tags = Tags()
  let keyHash = KeyHash(seed: 4)
  var random = RandomSource(seed: 4)
  var counts: [String: Int] = [:]
  var links: [String: Link] = [:]
  for _ in 0..<5000 {
    let name = "tag \(random.below(400))"
    if random.chance(50) {
      let link = try found(withBytes(name) { tags.retain($0, in: &arena, keyHash) })
      check((links[name] ?? link) == link)
      links[name] = link
      counts[name, default: 0] += 1
    } else if let link = links[name] {
      tags.release(link, in: &arena, keyHash)
      counts[name, default: 0] -= 1
      if counts[name] == 0 { (links[name], counts[name]) = (nil, nil) }
    }
    check(withBytes(name) { tags.find($0, in: arena, keyHash) } == links[name])
  }
  check(links.allSatisfy { text(Tags.text($0.value, in: arena)) == $0.key })
  check(links.values.reduce(0) { $0 + arena.sharedBytes($1) } == arena.usedBytes)
  for (name, link) in links { for _ in 0..<(counts[name] ?? 0) { tags.release(link, in: &arena, keyHash) } }
  check(arena.usedBytes == 0)
}
