// Clears: in force at once, counted exactly, walked in slices, and what comes after them untouched.

import Testing

@testable import PannierCore

/// Each pattern with the keys of `prepared` that it takes in.
private let targets: [(Target, Set<String>)] = [
  (.all, ["a1", "a2", "b1", "b2", "c"]), (.match("a*"), ["a1", "a2"]), (.match("[!a]?"), ["b1", "b2"]),
  (.match("none"), []), (.tags(["odd"]), ["a1", "b1"]), (.tags(["odd", "a"]), ["a1", "a2", "b1"]),
  (.tags(["none"]), []),
]

private func prepared() throws -> Subject {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = 100 }
  subject.set("a1", tags: ["odd", "a"])
  subject.set("a2", tags: ["a"])
  subject.set("b1", tags: ["odd"])
  subject.set("b2")
  subject.set("c", ttl: .unlimited)
  subject.set("stale", ttl: .milliseconds(10), stale: 5, tags: ["odd", "a"])
  subject.set("over", ttl: .milliseconds(10), stale: 0, tags: ["odd", "a"])
  subject.now += 12
  return subject
}

@Test(arguments: 0..<7, [false, true])
func clearTakesInWhatItNames(row: Int, soft: Bool) throws {
  for dryRun in [false, true] {
    let subject = try prepared()
    let (target, keys) = targets[row]
    // What may still be shown is counted, stale or not; what is past its end isn't.
    let isStaleIn = if case .match = target { row == -1 } else { !keys.isEmpty }
    let ticket = try subject.clear(target, soft: soft, dryRun: dryRun)
    for key in ["a1", "a2", "b1", "b2", "c"] {
      let isGone = keys.contains(key) && !dryRun
      #expect(subject.exists(key) == !isGone, "\(key)")
      let shown: Read = !isGone ? .fresh("1") : soft ? .stale("1") : .miss(.cleared)
      #expect(subject.get(key, stale: true) == shown, "\(key)")
    }
    #expect(subject.get("over", stale: true) == .miss(.expired))
    let outcome = subject.finish(slice: 1)[ticket]
    #expect(outcome?.count == keys.count + (isStaleIn ? 1 : 0))
    #expect(Set(outcome?.sample.map { text($0) } ?? []) == (dryRun ? keys.union(isStaleIn ? ["stale"] : []) : []))
    #expect(subject.counters().cleared == (dryRun ? 0 : outcome?.count))
    #expect(subject.counters().clears == (dryRun ? 0 : 1))
    #expect(subject.faultOfAll() == nil)
  }
}

@Test func softClearKeepsNothingWithoutAStaleSpan() throws {
  let subject = Subject()
  try subject.add()
  subject.set("k", stale: 500)
  try subject.clear(soft: true)
  #expect(subject.get("k", stale: true) == .miss(.cleared))
}

@Test func softClearEndsLivesAtTheirStaleSpan() throws {
  for isSwept in [false, true] {
    let subject = Subject()
    try subject.add { $0.lifetimes.staleMilliseconds = 100 }
    subject.set("long", ttl: .unlimited)
    subject.set("short", ttl: .milliseconds(30), stale: 20)
    try subject.clear(soft: true)
    if isSwept { subject.settle() }
    subject.now += 49
    #expect(subject.get("short", stale: true) == .stale("1"))
    subject.now += 1
    #expect(subject.get("short", stale: true) == .miss(.expired))
    subject.now += 49
    #expect(subject.get("long", stale: true) == .stale("1"))
    #expect(!subject.touch("long"))
    subject.now += 1
    #expect(subject.get("long", stale: true) == .miss(.expired))
    subject.settle()
    #expect(subject.counters().expirations == 2)
    #expect(subject.faultOfAll() == nil)
  }
}

/// A value's stale span after a soft clear is that of the policy under which it was cleared, whenever the walk comes by.
@Test func softClearHoldsAsItWasAskedFor() throws {
  for isSwept in [false, true] {
    let subject = Subject()
    try subject.add { $0.lifetimes.staleMilliseconds = 100 }
    for number in 0..<100 { subject.set("\(number)") }
    try subject.clear(soft: true)
    if isSwept { subject.settle() } else { subject.cache.upkeep(entries: 60, now: subject.now) }
    subject.change { $0.lifetimes.staleMilliseconds = 0 }
    subject.now += 99
    #expect((0..<100).allSatisfy { subject.get("\($0)", stale: true) == .stale("1") })
    subject.now += 1
    #expect((0..<100).allSatisfy { subject.get("\($0)", stale: true) == .miss(.expired) })
  }
}

@Test func laterValuesAreUntouched() throws {
  let subject = Subject()
  try subject.add()
  for number in 0..<300 { subject.set("\(number)", "old") }
  let ticket = try subject.clear()
  for number in 0..<300 where number % 3 == 0 { subject.set("\(number)", "new") }
  for number in 300..<400 { subject.set("\(number)", "new") }
  let outcomes = subject.finish(slice: 1)
  #expect(outcomes[ticket]?.count == 300)
  #expect(subject.entries() == 200)
  #expect((0..<400).allSatisfy { (subject.get("\($0)") == .fresh("new")) == ($0 % 3 == 0 || $0 >= 300) })
}

/// Each clear counts what it found, also where another of an earlier moment has taken it already.
@Test func overlappingClearsCountEachValueOnce() throws {
  let subject = Subject()
  try subject.add()
  for number in 0..<500 { subject.set("\(number % 5)-\(number)", tags: ["t\(number % 2)"]) }
  let first = try subject.clear(.match("0*"))
  subject.cache.upkeep(entries: 37, now: subject.now)
  let dry = try subject.clear(.match("[01]*"), dryRun: true)
  let second = try subject.clear(.match("[01]*"))
  subject.cache.upkeep(entries: 53, now: subject.now)
  subject.set("0-fresh", tags: ["t1"])
  let third = try subject.clear(.tags(["t1", "t1"]))
  let again = try subject.clear(.match("0*"))
  let outcomes = subject.finish(slice: 3)
  #expect(outcomes[first]?.count == 100)
  #expect(outcomes[dry]?.count == 100)
  #expect(outcomes[dry]?.sample.count == 10)
  #expect(outcomes[second]?.count == 100)
  #expect(outcomes[third]?.count == 151)
  #expect(outcomes[again]?.count == 0)
  #expect(subject.counters().cleared == 351)
  #expect(subject.entries() == 150)
  #expect(subject.faultOfAll() == nil)
}

@Test func oneTicketForAllNamespaces() throws {
  let subject = Subject()
  for id in 0..<5 {
    try subject.add("n\(id)")
    for number in 0..<id * 10 { subject.set("\(number)", in: id) }
  }
  let dry = try subject.clear(.match("*5"), in: 0..<5, dryRun: true)
  let ticket = try subject.clear(.match("*5"), in: 0..<5)
  let outcomes = subject.finish(slice: 1)
  #expect(outcomes[ticket]?.count == 10)
  #expect(outcomes[dry]?.count == 10)
  #expect(outcomes[dry]?.sample.count == 10)
  #expect((0..<5).allSatisfy { subject.counters($0).clears == 1 && subject.counters($0).cleared == $0 })
}

@Test func nothingToClearIsAnsweredAtOnce() throws {
  let subject = Subject()
  try subject.add()
  let empty = try subject.clear()
  check(subject.takeFinished().map(\.ticket) == [empty])
  subject.set("k")
  let untagged = try subject.clear(.tags(["none"]))
  check(subject.takeFinished().map(\.ticket) == [untagged])
  #expect(subject.counters().clears == 2)
  #expect(subject.get("k") == .fresh("1"))
}

/// Reads look at each pending match, so that above 64 different ones the next takes in all; equal ones are no more than one.
@Test func manyMatchesWiden() throws {
  let subject = Subject()
  try subject.add()
  for number in 0..<200 { subject.set("\(number)") }
  for number in 0..<64 { try subject.clear(.match("x\(number)")) }
  let equal = try subject.clear(.match("x7"))
  #expect(subject.counters().clearsWidened == 0)
  #expect(subject.get("150") == .fresh("1"))
  // A dry run widens nothing.
  let dry = try subject.clear(.match("1?"), dryRun: true)
  #expect(subject.counters().clearsWidened == 0)
  let wide = try subject.clear(.match("y"))
  #expect(subject.counters().clearsWidened == 1)
  #expect(subject.get("150") == .miss(.cleared))
  subject.set("after", "1")
  let outcomes = subject.finish(slice: 10)
  #expect(outcomes[wide]?.count == 200)
  #expect(outcomes[equal]?.count == 0)
  #expect(outcomes[dry]?.count == 10)
  #expect(subject.list() == ["after"])
  // With none pending, there is room for matches again.
  try subject.clear(.match("z"))
  #expect(subject.counters().clearsWidened == 1)
  #expect(subject.get("after") == .fresh("1"))
}

/// Dry runs change nothing, and so they mustn't make another clear take in more.
@Test func dryRunsDontWiden() throws {
  let subject = Subject()
  try subject.add()
  subject.set("k")
  for number in 0..<100 { try subject.clear(.match("x\(number)"), dryRun: true) }
  try subject.clear(.match("y"))
  #expect(subject.counters().clearsWidened == 0)
  #expect(subject.get("k") == .fresh("1"))
}

/// A touch that makes an entry once more doesn't make it two for a dry run under way.
@Test func dryRunCountsATouchedValueOnce() throws {
  let subject = Subject()
  try subject.add()
  for number in 0..<50 { subject.set("\(number)") }
  let ticket = try subject.clear(dryRun: true)
  subject.cache.upkeep(entries: 130, now: subject.now)
  for number in 0..<50 { #expect(subject.touch("\(number)", stale: 500)) }
  let outcome = subject.finish()[ticket]
  #expect(outcome?.count == 50)
  #expect(Set(outcome?.sample.map { text($0) } ?? []).count == 10)
}

/// A clear holds its tags while it walks; then they go, and their bytes with them.
@Test func tagsOfAClearAreFreed() throws {
  let subject = Subject()
  try subject.add()
  for number in 0..<30 { subject.set("\(number)", tags: ["t\(number)", "all"]) }
  try subject.clear(.tags(["all", "t1", "t1", "t2"]))
  #expect(subject.faultOfAll() == nil)
  subject.settle()
  #expect(subject.faultOfAll() == nil)
  #expect(subject.byteCount() == 0)
  // The last bearer goes while a clear holds the tag, and another clear names it then.
  subject.set("k", tags: ["held"])
  try subject.clear(.tags(["held"]))
  subject.delete("k")
  #expect(subject.get("k") == .miss(.cleared))
  try subject.clear(.tags(["held"]))
  subject.settle()
  #expect(subject.byteCount() == 0)
  check(subject.cache.tier.arena.usedBytes == 0)
  #expect(subject.faultOfAll() == nil)
}

/// What had expired before a clear was asked for went for that reason, whoever comes by first.
@Test func aClearTakesNothingThatWasOver() throws {
  for isSwept in [false, true] {
    let subject = Subject()
    try subject.add()
    subject.set("k", ttl: .milliseconds(10))
    subject.now += 10
    let ticket = try subject.clear()
    if isSwept { subject.settle() }
    #expect(subject.explain("k") == .absent(.expired))
    #expect(subject.finish()[ticket]?.count == 0)
    #expect(subject.counters().expirations == 1)
  }
}

// MARK: keys

/// Pages of a listing while values come and go: what stays is listed exactly once.
@Test(arguments: [1, 2, 3, 4] as [UInt64])
func pagesListWhatStaysOnce(seed: UInt64) throws {
  let subject = Subject(memoryBytes: 16 << 20, seed: seed)
  try subject.add()
  var random = RandomSource(seed: seed)
  for number in 0..<600 { subject.set("stays \(number)") }
  for number in 0..<1000 { subject.set("goes \(number)") }
  var met: [String: Int] = [:]
  var position: UInt64 = 0
  var number = 0
  repeat {
    let limit = 1 + random.below(30)
    let page = subject.cache.list(0, from: position, match: nil, limit: limit, now: subject.now)
    check(page.keys.count <= limit)
    for key in page.keys { met[text(key), default: 0] += 1 }
    // First it grows by thousands, then it empties.
    for _ in 0..<120 {
      if number < 4000 { subject.set("comes \(number)") } else { subject.delete("comes \(number - 4000)") }
      if number < 1000 { subject.delete("goes \(number)") }
      number += 1
    }
    guard let next = page.next else { break }
    position = next
  } while true
  #expect((0..<600).allSatisfy { met["stays \($0)"] == 1 })
  #expect(met.values.allSatisfy { $0 == 1 })
}

@Test func aListingLooksAtABoundedNumber() throws {
  let subject = Subject(memoryBytes: 64 << 20)
  try subject.add()
  for number in 0..<20_000 { subject.set("\(number)") }
  subject.set("needle")
  let glob = Glob("needle".utf8)
  var pages = 0
  var listed: [String] = []
  var position: UInt64? = 0
  while let from = position {
    let page = subject.cache.list(0, from: from, match: glob, limit: 100, now: subject.now)
    listed += page.keys.map { text($0) }
    position = page.next
    pages += 1
  }
  #expect(listed == ["needle"])
  #expect(pages > 5 && pages < 20)
}

/// Slices are of time, so far as a count can be: a glob that is slow to match, or many clears at once, look at fewer entries in each.
@Test(arguments: [(matches: 1, least: 4), (matches: 20, least: 60)])
func slowGlobsTakeMoreSlices(matches: Int, least: Int) throws {
  func slices(_ glob: (Int) -> String) throws -> Int {
    let subject = Subject(memoryBytes: 64 << 20)
    try subject.add()
    for number in 0..<100 { subject.set(String(repeating: "a", count: 200) + "\(number)") }
    for number in 0..<matches { try subject.clear(.match(glob(number))) }
    var slices = 0
    while subject.cache.needsUpkeep(now: subject.now) {
      subject.cache.upkeep(entries: 256, now: subject.now)
      slices += 1
    }
    return slices
  }
  let slow = try slices { "*" + String(repeating: "a", count: 100) + "b\($0)*" }
  #expect(try slices { "b\($0)*" } < slow)
  #expect(slow > least)
}
