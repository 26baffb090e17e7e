// The wheel against a list of deadlines: nothing is due early, nothing is lost, and what is due comes in order.

import Testing

@testable import PannierCore

private struct WheelModel: ~Copyable {
  struct Filed {
    let end: Int64
    /// It lay ahead when it was filed. What was past then is due at once, in no order.
    let wasAhead: Bool
  }

  var arena = Arena()
  var wheel = ExpiryWheel()
  var filed: [Link: Filed] = [:]
  var links: [Link] = []
  var random: RandomSource
  var now: Int64

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    // Not always from zero: the first deadline may be far above the wheel's own time.
    now = seed % 2 == 0 ? 0 : random.within(0...1 << 34)
  }

  mutating func anyEnd() -> Int64 {
    switch random.weighted([10, 20, 20, 20, 15, 5, 5, 5]) {
    case 0: now + random.within(0...3)
    case 1: now + random.within(1...64)
    case 2: now + random.within(1...5000)
    case 3: now + random.within(1...3_600_000)
    case 4: now + random.within(1...31_536_000_000)
    case 5: now + random.within(1...315_360_000_000)
    case 6: max(0, now - random.within(0...10_000))
    default: Entry.never
    }
  }

  mutating func insert() {
    let end = anyEnd()
    let link = arena.makeEntry(end: end)
    wheel.insert(link, in: arena)
    links.append(link)
    filed[link] = Filed(end: end, wasAhead: end > now)
  }

  mutating func removeAny() {
    guard !links.isEmpty else { return }
    remove(links[random.below(links.count)])
  }

  mutating func remove(_ link: Link) {
    wheel.remove(link, in: arena)
    arena.free(link)
    filed[link] = nil
    links.removeAll { $0 == link }
  }

  mutating func moveAny() {
    guard !links.isEmpty else { return }
    let link = links[random.below(links.count)]
    let end = anyEnd()
    guard end < Entry.never else { return }
    wheel.remove(link, in: arena)
    Entry(base: arena.pointer(link)).soften(end: end)
    wheel.insert(link, in: arena)
    filed[link] = Filed(end: end, wasAhead: end > now)
  }

  /// Takes what is due within `budget` steps; true where nothing more is.
  mutating func drain(budget: Int, latest: inout Int64) -> Bool {
    var budget = budget
    while budget > 0 {
      let link = wheel.due(now, in: arena, budget: &budget)
      if link == 0 { return budget > 0 }
      guard let known = filed[link] else {
        Issue.record("an entry that isn't filed")
        return true
      }
      check(known.end <= now, "due \(known.end - now) ms early")
      if known.wasAhead {
        check(known.end >= latest, "out of order by \(latest - known.end) ms")
        latest = known.end
      }
      remove(link)
    }
    return false
  }

  func validate() {
    let ends = filed.values.map(\.end).filter { $0 < Entry.never }
    check(wheel.count == ends.count)
    if let next = wheel.nextDue {
      // What was past when it was filed is due at once.
      check(next <= max(now, ends.min() ?? -1), "it sleeps past a deadline")
    } else {
      check(ends.isEmpty)
    }
  }
}

@Test(arguments: Array(1...8) as [UInt64])
func wheelAgreesWithAList(seed: UInt64) {
  var model = WheelModel(seed: seed)
  for step in 0..<3000 * soakFactor {
    switch model.random.weighted([45, 10, 10, 15, 20]) {
    case 0: if model.links.count < 400 { model.insert() }
    case 1: model.removeAny()
    case 2: model.moveAny()
    case 3:
      // A slice too small to finish.
      var latest: Int64 = 0
      _ = model.drain(budget: 1 + model.random.below(4), latest: &latest)
    default:
      let far = model.random.weighted([60, 30, 9, 1])
      model.now += model.random.within(0...[40, 70_000, 90_000_000, 1 << 34][far])
      var latest: Int64 = 0
      var slices = 0
      while !model.drain(budget: 1 + model.random.below(50), latest: &latest) { slices += 1 }
      // Each entry moves down at most six times.
      check(slices < 10_000)
      let left = model.filed.values.filter { $0.end <= model.now }
      check(left.isEmpty, "seed \(seed), step \(step): \(left.count) lost")
    }
    model.validate()
  }
  model.now = 1 << 40
  var latest: Int64 = 0
  while !model.drain(budget: 1000, latest: &latest) {}
  check(model.filed.values.allSatisfy { $0.end == Entry.never })
  check(model.wheel.nextDue == nil)
}

/// Each level's first and last, seen from several starts.
private let deadlines: [Int64] = [
  0, 1, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 1 << 24, 1 << 30, 1 << 36, 68_719_476_737, 1_099_511_627_774,
]

@Test(arguments: deadlines)
func wheelIsExactAroundADeadline(deadline: Int64) {
  for start in [0, 1, 62, 63, 64, 4000, 1 << 20] as [Int64] where start <= deadline {
    var arena = Arena()
    var wheel = ExpiryWheel()
    var budget = 1000
    _ = wheel.due(start, in: arena, budget: &budget)
    let link = arena.makeEntry(end: deadline)
    wheel.insert(link, in: arena)
    if deadline > start { check(wheel.due(deadline - 1, in: arena, budget: &budget) == 0) }
    check(wheel.due(deadline, in: arena, budget: &budget) == link)
    wheel.remove(link, in: arena)
    check(wheel.due(deadline, in: arena, budget: &budget) == 0)
    check(wheel.nextDue == nil)
  }
}

/// While a slot's entries are moved down step by step, those that wait for it aren't forgotten, whatever lies below already.
@Test(arguments: [1, 2, 3] as [UInt64])
func wheelNeverSleepsWhileItMovesDown(seed: UInt64) {
  var random = RandomSource(seed: seed)
  for _ in 0..<50 {
    var arena = Arena()
    var wheel = ExpiryWheel()
    var ends: [Int64] = []
    for _ in 0..<10 {
      ends.append(random.within(4200...8191))
      wheel.insert(arena.makeEntry(end: ends[ends.count - 1]), in: arena)
    }
    let first = ends.min() ?? 0
    for _ in 0..<80 {
      var budget = 1
      check(wheel.due(4100, in: arena, budget: &budget) == 0, "early")
      check(wheel.nextDue ?? .max <= first, "\(wheel.nextDue ?? .max) for \(first)")
    }
    // By then all have moved as far as they can, and the first is known within its slot of 64 ms.
    check(wheel.nextDue ?? 0 > first - 64)
  }
}
