// Drives a cache and the reference through the same random operations, and compares whatever can be seen of them after each.

import Testing

@testable import PannierCore

/// The first thing that differs, with what it takes to see it again.
struct Difference: Error, CustomStringConvertible {
  let description: String
}

/// What a run does, and how often.
struct ModelShape: Sendable, CustomTestStringConvertible {
  var name: String
  var memoryBytes = 4 << 20
  var keys = 50
  var policies: [@Sendable (inout Policy) -> Void] = [{ _ in }, { _ in }]
  /// By weight: get, set, delete, touch, exists, explain, list, clear, policy, upkeep.
  var weights = [26, 28, 6, 6, 3, 5, 3, 3, 0, 20]
  var largestUpkeep = 12
  var tags = 5
  var steps = 10_000

  var testDescription: String { name }
}

final class ModelRun {
  let shape: ModelShape
  let seed: UInt64
  let subject: Subject
  let reference: Reference
  var random: RandomSource
  var step = 0
  var clearsAsked = 0
  /// How often the first namespace's table had other buckets than a step before.
  private(set) var resized = 0
  private var buckets = 0
  /// Steps between two looks at every entry: one, but where there are many entries.
  private var fullLookEvery: Int { shape.keys > 100 ? 10 : 1 }
  /// What clears under way should come to.
  var expected: [ClearTicket: (count: Int, keys: Set<String>?)] = [:]

  init(_ shape: ModelShape, seed: UInt64) throws {
    self.shape = shape
    self.seed = seed
    random = RandomSource(seed: seed)
    subject = Subject(memoryBytes: shape.memoryBytes, seed: seed)
    reference = Reference(
      now: subject.now, sequence: subject.cache.sequence, goneCapacity: goneCapacity(bytes: shape.memoryBytes / 64))
    for (id, change) in shape.policies.enumerated() {
      try subject.add("n\(id)", change)
      reference.spaces.append(Reference.Space(subject.cache.policy(of: id)))
    }
    subject.cache.watch([.evict, .expire])
  }

  func run(steps: Int) throws {
    for _ in 0..<steps {
      step += 1
      try operate()
      try compare()
    }
    while subject.cache.needsUpkeep(now: subject.now) {
      try upkeep()
      try compare()
    }
    try same(expected.count, 0, "clears unanswered")
    try same(subject.faultOfAll(), nil, "structures")
  }

  private func operate() throws {
    move()
    subject.caller = Caller(pid: Int32(1 + random.below(6)), uid: 10)
    let id = random.below(reference.spaces.count)
    let key = anyKey()
    switch random.weighted(shape.weights) {
    case 0: try get(id, key)
    case 1: try set(id, key)
    case 2: try delete(id, key)
    case 3: try touch(id, key)
    case 4: try exists(id, key)
    case 5: try explain(id, key)
    case 6: try list(id)
    case 7: try clear(id)
    case 8: try changePolicy(id)
    default: try upkeep()
    }
  }

  private func move() {
    switch random.weighted([6600, 3000, 480, 4]) {
    case 0: break
    case 1: subject.now += random.within(1...6)
    case 2: subject.now += random.within(1...100)
    default: subject.now += random.within(1...30_000)
    }
    reference.now = subject.now
  }

  private func anyKey() -> String {
    let number = random.below(shape.keys)
    // Short ones, and some beyond the sixteen bytes that are compared at once.
    return number % 5 == 0 ? "a rather long key, as they are: \(number)" : "k\(number)"
  }

  // MARK: Comparing

  func same<Value: Equatable>(_ got: Value, _ wanted: Value, _ what: @autoclosure () -> String) throws {
    if got == wanted { return }
    throw Difference(description: "\(shape.name), seed \(seed), step \(step): \(what()): \(got), not \(wanted)")
  }

  private func compare() throws {
    try applyEvents()
    try noteWhatWent()
    reference.endStep()
    try same(subject.cache.sequence, reference.sequence, "sequence")
    try same(subject.cache.tier.gone.hasForgotten, reference.hasForgotten, "forgotten, of \(reference.remembered)")
    for (id, space) in reference.spaces.enumerated() {
      try same(subject.entries(id), space.values.count, "entries of \(id)")
      try compareCounters(id, space)
    }
    let before = buckets
    buckets = subject.cache.tier.namespaces[0].pointee.table.bucketCount
    if before != buckets { resized += 1 }
    // All of it looks at everything: in turn, so that a run is short and a fault still found within some steps.
    let id = step % reference.spaces.count
    if step % fullLookEvery == 0 { try same(subject.fault(of: id), nil, "structures of \(id)") }
    if step % (7 * fullLookEvery) == 0 {
      try same(subject.list(id).sorted(), reference.shown(id), "visible keys of \(id)")
    }
    if step % 100 == 0 { try same(subject.faultOfAll(), nil, "structures") }
    for outcome in subject.takeFinished() { try finish(outcome) }
  }

  private func compareCounters(_ id: Int, _ space: Reference.Space) throws {
    let got = subject.counters(id)
    let wanted = space.counters
    try same(got.hits, wanted.hits, "hits of \(id)")
    try same(got.staleHits, wanted.staleHits, "stale hits of \(id)")
    for reason in MissReason.allCases {
      try same(got.misses[of: reason], wanted.misses[of: reason], "misses, \(reason)")
    }
    try same(got.sets, wanted.sets, "sets of \(id)")
    try same(got.deletes, wanted.deletes, "deletes of \(id)")
    try same(got.clears, wanted.clears, "clears of \(id)")
    for bound in EvictionBound.allCases {
      try same(got.evictions[of: bound], wanted.evictions[of: bound], "evictions for \(bound)")
    }
    try same(got.expirations, wanted.expirations, "expirations of \(id)")
    try same(got.evictedAgeMilliseconds, wanted.evictedAgeMilliseconds, "age of the last victim of \(id)")
    // What clears under way have met so far is known to none but themselves.
    if !subject.cache.clears.walking.contains(id) { try same(got.cleared, wanted.cleared, "cleared of \(id)") }
  }

  private func finish(_ outcome: ClearBook.Outcome) throws {
    guard let wanted = expected.removeValue(forKey: outcome.ticket) else {
      throw Difference(description: "\(shape.name), seed \(seed), step \(step): an answer nobody waits for")
    }
    try same(outcome.count, wanted.count, "count of clear \(outcome.ticket)")
    let sample = outcome.sample.map { text($0) }
    guard let keys = wanted.keys else { return try same(sample, [], "sample of a clear that is none") }
    try same(sample.count, min(10, wanted.count), "size of the sample")
    try same(sample.filter { !keys.contains($0) }, [], "keys not taken in")
  }

  // MARK: What goes by itself

  /// Evictions and expirations, in the order in which they happened.
  func applyEvents() throws {
    for event in subject.cache.takeEvents() {
      guard case .key(let bytes) = event.scope else { continue }
      let key = text(bytes)
      if event.kind == .expire {
        if reference.wentInThisStep(event.namespace, key) { continue }
        let value = reference.spaces[event.namespace].values[key]
        try same(value.map { $0.void == nil && $0.end <= reference.now }, true, "\(key) expired early")
        reference.dropOver(event.namespace, key)
      } else {
        try evict(event.namespace, key, event.bound ?? .memory)
      }
    }
  }

  /// The least recently used goes; those before it that were void made room first, and silently.
  private func evict(_ id: Int, _ key: String, _ bound: EvictionBound) throws {
    let space = reference.spaces[id]
    while let first = space.order.first, first != key {
      try same(space.values[first]?.void?.reason, .cleared, "\(key) was evicted before \(first)")
      reference.dropOver(id, first)
    }
    guard let value = reference.alive(id, key) else { return try same(key, "", "evicted, but not there") }
    switch bound {
    case .entries: try same(space.policy.maxEntries == nil, false, "evicted for a bound there isn't")
    case .bytes: try same(space.policy.maxBytes == nil, false, "evicted for a bound there isn't")
    case .memory: break
    }
    space.counters.evictions[of: bound] += 1
    space.counters.evictedAgeMilliseconds = reference.now - value.storedAt
    reference.drop(id, key, Reference.Gone(reason: .evicted))
  }

  /// What no reader could see any more may go at any time: what has gone without an event was void.
  private func noteWhatWent() throws {
    for (id, space) in reference.spaces.enumerated() {
      for key in space.order where !(space.values[key].map(reference.isAlive) ?? false) {
        if subject.isInMemory(key, in: id) { continue }
        try same(space.values[key]?.void?.reason, .cleared, "\(key) went silently")
        reference.dropOver(id, key)
      }
    }
  }
}
