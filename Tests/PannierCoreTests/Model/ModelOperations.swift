// The operations of the model test, each done to the cache and to the reference.

import Testing

@testable import PannierCore

extension ModelRun {
  private var now: Int64 { reference.now }

  // MARK: Reads

  func get(_ id: Int, _ key: String) throws {
    let space = reference.spaces[id]
    let stale = random.chance(40)
    let maxAge: Int64? = random.chance(15) ? random.within(0...300) : nil
    let value = reference.alive(id, key)
    let unless = random.chance(15) ? random.chance(70) ? value?.version ?? 7 : 7 : nil
    let got = subject.get(key, in: id, stale: stale, maxAge: maxAge, unless: unless)
    if space.policy.mode == .bypass || space.policy.mode == .off {
      space.counters.misses[of: .unknown] += 1
      return try same(got, .miss(.unknown), "get \(key)")
    }
    if let value {
      let isStale = now >= value.freshUntil || maxAge.map { now - value.storedAt > $0 } ?? false
      if isStale && !stale {
        space.counters.misses[of: .expired] += 1
        return try same(got, .miss(.expired), "get \(key)")
      }
      space.counters.hits += 1
      if isStale { space.counters.staleHits += 1 }
      space.use(key)
      return try same(got, .hit(value.text, stale: isStale, same: unless == value.version), "get \(key)")
    }
    reference.dropOver(id, key)
    guard case .miss(let reason) = got else { return try same(got, .miss(.unknown), "get \(key)") }
    let reasons = reference.whyGone(id, key).reasons
    try same(reasons.contains(reason), true, "get \(key) misses as \(reason), not \(reasons)")
    space.counters.misses[of: reason] += 1
  }

  func exists(_ id: Int, _ key: String) throws {
    let isHidden = [.bypass, .off].contains(reference.spaces[id].policy.mode)
    try same(subject.exists(key, in: id), !isHidden && reference.fresh(id, key) != nil, "exists \(key)")
  }

  func explain(_ id: Int, _ key: String) throws {
    let got = subject.explain(key, in: id)
    if let value = reference.alive(id, key) {
      try same(got, now < value.freshUntil ? .fresh : .stale, "explain \(key)")
      return try compareDetails(id, key, value)
    }
    reference.dropOver(id, key)
    let (gone, reasons) = reference.whyGone(id, key)
    guard case .absent(let reason, let pid, let age, let clear) = got else {
      return try same(got, .absent(.unknown), "explain \(key)")
    }
    try same(reasons.contains(reason), true, "explain \(key) says \(reason), not \(reasons)")
    guard let gone, reason == gone.reason else { return }
    switch reason {
    case .deleted: try same(got, .absent(.deleted, pid: gone.pid, age: now - gone.at), "who deleted \(key)")
    case .cleared:
      // The last 256 clears of a namespace are known by what they named.
      if pid == nil { return try same(clearsAsked > 256, true, "forgot a clear") }
      try same(pid, gone.pid, "who cleared \(key)")
      try same(age, now - gone.at, "when \(key) was cleared")
      try same(clear, gone.clear, "what cleared \(key)")
    default: break
    }
  }

  private func compareDetails(_ id: Int, _ key: String, _ value: Reference.Value) throws {
    guard let details = subject.details(key, in: id) else { return try same(key, "", "nothing known of it") }
    let left = value.freshUntil >= Entry.never ? nil : max(0, value.freshUntil - now)
    try same(details.ttlMilliseconds, left, "ttl of \(key)")
    try same(details.ageMilliseconds, now - value.storedAt, "age of \(key)")
    try same(details.version, value.version, "version of \(key)")
    try same(details.tags.map { text($0) }, value.tags, "tags of \(key)")
    try same(details.size, value.text.utf8.count, "size of \(key)")
    try same(details.filler, value.filler, "filler of \(key)")
  }

  func list(_ id: Int) throws {
    let pattern = random.chance(50) ? anyPattern() : nil
    let got = subject.list(id, match: pattern, limit: 1 + random.below(20))
    let wanted = pattern.map { Array(reference.covered(id, .match($0)).keys) } ?? reference.shown(id)
    try same(got.sorted(), wanted.sorted(), "keys like \(pattern ?? "any")")
  }

  // MARK: Changes

  func set(_ id: Int, _ key: String) throws {
    let space = reference.spaces[id]
    let value = anyValue()
    let ttl = anyTTL()
    let stale: Int64? = random.chance(30) ? random.within(0...200) : nil
    let tags = (0..<random.weighted([50, 25, 15, 10])).map { _ in anyTag() }
    let condition = anyCondition(id, key)
    let got = subject.set(key, value, in: id, ttl: ttl, stale: stale, tags: tags, if: condition)
    if space.policy.mode != .on {
      try same(got, .disabled, "set \(key)")
      if case .none = condition { remove(id, key) }
      return
    }
    if let refused = refusal(condition, id, key) { return try same(got, refused, "set \(key)") }
    try same(got, .stored, "set \(key)")
    reference.dropOver(id, key)
    reference.drop(id, key, nil)
    reference.sequence += 1
    space.counters.sets += 1
    try compareVictims(id)
    try applyEvents()
    let lifetimes = withBytes(key) { space.policy.lifetimes(for: $0) }
    let life = try life(id, key, ttl, stale, lifetimes, value)
    var own: [String] = []
    for tag in tags where !own.contains(tag) { own.append(tag) }
    space.values[key] = Reference.Value(
      text: value, tags: own, version: reference.sequence, filler: subject.caller, storedAt: now,
      freshUntil: life.freshUntil, end: life.end)
    space.order.append(key)
  }

  /// Where entries alone are bounded, who goes is known before the cache says it.
  private func compareVictims(_ id: Int) throws {
    let space = reference.spaces[id]
    guard let most = space.policy.maxEntries, space.policy.maxBytes == nil, shape.memoryBytes >= 1 << 20 else { return }
    let over = min(64, max(0, space.order.count + 1 - most))
    let victims = space.order.prefix(over).filter { reference.alive(id, $0) != nil }
    let before = space.counters.evictions[of: .entries]
    try same(subject.counters(id).evictions[of: .entries] - before, victims.count, "number of victims")
    try same(victims.filter { subject.isInMemory($0, in: id) }, [], "these should have gone")
  }

  private func refusal(_ condition: Cache.Condition, _ id: Int, _ key: String) -> Cache.SetStep? {
    switch condition {
    case .none: return nil
    case .absent: return reference.fresh(id, key) == nil ? nil : .exists
    case .present: return reference.fresh(id, key) == nil ? .missing : nil
    case .version(let version):
      guard let value = reference.alive(id, key) else { return .missing }
      return value.version == version ? nil : .changed
    }
  }

  /// How long what was just stored or touched lives. Its jitter is read off the cache, within what it may be.
  private func life(
    _ id: Int, _ key: String, _ asked: Cache.Lifetime, _ stale: Int64?, _ lifetimes: Lifetimes, _ value: String
  ) throws -> (freshUntil: Int64, end: Int64) {
    guard var span = reference.span(asked, lifetimes, value) else { return (Entry.never, Entry.never) }
    if lifetimes.jitter > 0 {
      guard let got = subject.ttl(key, in: id) else {
        try same(key, "", "stored without an end")
        return (0, 0)
      }
      let least = max(1, span - Int64(Double(span) * lifetimes.jitter))
      try same((least...span).contains(got), true, "\(got) of \(span) ms with jitter")
      span = got
    }
    return (now + span, now + span + (stale ?? lifetimes.staleMilliseconds))
  }

  /// Takes a value away as a delete does; whether there was one.
  @discardableResult
  private func remove(_ id: Int, _ key: String) -> Bool {
    guard reference.alive(id, key) != nil else {
      reference.dropOver(id, key)
      return false
    }
    reference.sequence += 1
    reference.drop(id, key, Reference.Gone(reason: .deleted, pid: subject.caller.pid, at: now))
    return true
  }

  func delete(_ id: Int, _ key: String) throws {
    let space = reference.spaces[id]
    let soft = random.chance(40)
    let got = subject.delete(key, in: id, soft: soft)
    let stale = withBytes(key) { space.policy.lifetimes(for: $0).staleMilliseconds }
    var wanted: Bool
    if soft && stale > 0 {
      wanted = reference.alive(id, key) != nil
      if wanted {
        reference.sequence += 1
        reference.soften(id, key, stale: stale)
      }
    } else {
      wanted = remove(id, key)
    }
    if wanted { space.counters.deletes += 1 }
    try same(got, wanted, "delete \(key)")
  }

  func touch(_ id: Int, _ key: String) throws {
    let space = reference.spaces[id]
    let ttl = anyTTL()
    let stale: Int64? = random.chance(40) ? random.within(0...200) : nil
    let got = subject.touch(key, in: id, ttl: ttl, stale: stale)
    guard space.policy.mode == .on, let value = reference.fresh(id, key) else {
      return try same(got, false, "touch \(key)")
    }
    try same(got, true, "touch \(key)")
    reference.sequence += 1
    space.use(key)
    let lifetimes = withBytes(key) { space.policy.lifetimes(for: $0) }
    let life = try life(id, key, ttl, stale, lifetimes, value.text)
    space.values[key]?.freshUntil = life.freshUntil
    space.values[key]?.end = life.end
  }

  // MARK: Clears, policies, upkeep

  func clear(_ id: Int) throws {
    let target: Target =
      switch random.weighted([10, 55, 35]) {
      case 0: .all
      case 1: .match(anyPattern())
      default: .tags((0..<1 + random.below(3)).map { _ in anyTag() })
      }
    let soft = random.chance(40)
    let dryRun = random.chance(25)
    let ids = random.chance(20) ? 0..<reference.spaces.count : id..<id + 1
    let widened = try ids.filter { try !dryRun && widens($0, target) }
    let ticket = try subject.clear(target, in: ids, soft: soft, dryRun: dryRun)
    var count = 0
    var keys: Set<String> = []
    for id in ids {
      let covered = reference.covered(id, widened.contains(id) ? .all : target)
      count += covered.count
      if dryRun {
        keys.formUnion(covered.keys)
        continue
      }
      // A widened clear is still named as it was asked for.
      let named = widened.contains(id) ? covered.mapValues { _ in name(target) } : covered
      reference.clear(id, named, soft: soft, pid: subject.caller.pid)
      reference.sequence += 1
      clearsAsked += 1
      reference.spaces[id].counters.clears += 1
      reference.spaces[id].counters.cleared += covered.count
    }
    expected[ticket] = (count, dryRun ? keys : nil)
  }

  /// Whether 64 other matches are pending: how far the walk is, the cache alone knows.
  private func widens(_ id: Int, _ target: Target) throws -> Bool {
    guard case .match(let pattern) = target, subject.entries(id) > 0 else { return false }
    let glob = try found(Glob(pattern.utf8))
    var others: [[UInt8]] = []
    for clear in subject.cache.tier.namespaces[id].pointee.pending.clears where !clear.dryRun {
      if case .match(let pending) = clear.pattern, !others.contains(pending.pattern) { others.append(pending.pattern) }
    }
    return others.count >= 64 && !others.contains(glob.pattern)
  }

  private func name(_ target: Target) -> String {
    if case .match(let pattern) = target { "match \(pattern)" } else { "all" }
  }

  func changePolicy(_ id: Int) throws {
    let space = reference.spaces[id]
    let before = space.policy.mode
    switch random.weighted([30, 20, 20, 15, 15]) {
    case 0: space.policy.mode = [.on, .on, .on, .on, .on, .readOnly, .bypass, .off][random.below(8)]
    case 1: space.policy.lifetimes.staleMilliseconds = random.chance(40) ? 0 : random.within(1...300)
    case 2: space.policy.maxEntries = random.chance(40) ? nil : 1 + random.below(40)
    case 3: space.policy.maxBytes = random.chance(40) ? nil : 2000 + random.below(10_000)
    default: space.policy.lifetimes.ttlMilliseconds = random.chance(20) ? nil : random.within(1...3000)
    }
    subject.cache.setPolicy(space.policy, of: id, by: subject.caller, now: subject.now)
    guard space.policy.mode == .off, before != .off else { return }
    reference.clear(id, reference.covered(id, .all), soft: false, pid: subject.caller.pid)
    reference.sequence += 1
    clearsAsked += 1
  }

  func upkeep() throws {
    subject.cache.upkeep(entries: 1 + random.below(shape.largestUpkeep), now: subject.now)
    guard random.chance(5) else { return }
    subject.settle(slice: 1 + random.below(100))
    try applyEvents()
    try same(subject.cache.usedBytes <= subject.cache.memoryBytes, true, "memory at rest within its bound")
    for (id, space) in reference.spaces.enumerated() {
      try same(subject.byteCount(id) <= space.policy.maxBytes ?? .max, true, "bytes of \(id) at rest")
      try same(subject.entries(id) <= space.policy.maxEntries ?? .max, true, "entries of \(id) at rest")
    }
  }

  // MARK: Choices

  private func anyPattern() -> String {
    switch random.weighted([25, 20, 15, 40]) {
    case 0: "k\(random.below(10))*"
    case 1: "*\(random.below(100))"
    case 2: "k[\(random.below(3))-\(3 + random.below(6))]?"
    // Not often equal to one that is pending.
    default: "k\(random.below(shape.keys))"
    }
  }

  private func anyTag() -> String { "t\(random.below(shape.tags))" }

  private func anyValue() -> String {
    switch random.weighted([10, 70, 18, 2]) {
    case 0: "null"
    case 1: "\(random.below(100_000))"
    case 2: "\"" + String(repeating: "x", count: random.below(300)) + "\""
    default: "\"" + String(repeating: "y", count: random.below(1500)) + "\""
    }
  }

  private func anyTTL() -> Cache.Lifetime {
    switch random.weighted([50, 10, 40]) {
    case 0: .policy
    case 1: .unlimited
    default: .milliseconds(random.within(1...(random.chance(30) ? 50_000 : 1000)))
    }
  }

  private func anyCondition(_ id: Int, _ key: String) -> Cache.Condition {
    switch random.weighted([75, 9, 8, 8]) {
    case 0: .none
    case 1: .absent
    case 2: .present
    default: .version(random.chance(70) ? reference.alive(id, key)?.version ?? 5 : 5)
    }
  }
}
