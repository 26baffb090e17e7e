// A cache under test, spoken to in texts, with a clock that is moved by hand. It checks nothing.

import Testing

@testable import PannierCore

/// What a `get` came to.
enum Read: Equatable {
  case miss(MissReason)
  case hit(String, stale: Bool, same: Bool)

  static func fresh(_ value: String) -> Read { .hit(value, stale: false, same: false) }
  static func stale(_ value: String) -> Read { .hit(value, stale: true, same: false) }
}

/// What `explain` says, without what is borrowed.
enum Standing: Equatable {
  case fresh
  case stale
  case absent(MissReason, pid: Int32? = nil, age: Int64? = nil, clear: String? = nil)
}

/// What a clear takes in, as a test writes it.
enum Target {
  case all
  case match(String)
  case tags([String])
}

final class Subject {
  var cache: Cache
  var now: Int64
  var caller = Caller(pid: 100, uid: 1000)

  init(memoryBytes: Int = 4 << 20, namespaces: Int = 64, seed: UInt64 = 1, now: Int64 = 1000) {
    cache = Cache(memoryBytes: memoryBytes, namespaceLimit: namespaces, seed: seed)
    self.now = now
  }

  /// A namespace without jitter, changed as said.
  @discardableResult
  func add(_ name: String = "n", _ change: (inout Policy) -> Void = { _ in }) throws -> NamespaceID {
    var policy = Policy()
    policy.lifetimes.jitter = 0
    change(&policy)
    return try found(withBytes(name) { cache.addNamespace($0, policy: policy) })
  }

  func change(_ id: NamespaceID = 0, _ change: (inout Policy) -> Void) {
    var policy = cache.policy(of: id)
    change(&policy)
    cache.setPolicy(policy, of: id, by: caller, now: now)
  }

  // MARK: Operations

  @discardableResult
  func set(
    _ key: String, _ value: String = "1", in id: NamespaceID = 0, ttl: Cache.Lifetime = .policy, stale: Int64? = nil,
    tags: [String] = [], if condition: Cache.Condition = .none
  ) -> Cache.SetStep? {
    withBytes(of: tags) { tags in
      withBytes(key) { key in
        withBytes(value) { value in
          let new = Cache.NewValue(
            key: key, value: value, ttl: ttl, staleMilliseconds: stale, tags: tags, condition: condition)
          guard cache.admit(id, new) == nil else { return nil }
          return cache.set(id, new, by: caller, now: now)
        }
      }
    }
  }

  func admit(_ key: String, _ value: String, in id: NamespaceID = 0) -> Cache.Rejection? {
    withBytes(key) { key in withBytes(value) { cache.admit(id, Cache.NewValue(key: key, value: $0)) } }
  }

  func get(
    _ key: String, in id: NamespaceID = 0, stale: Bool = false, maxAge: Int64? = nil, unless: UInt64? = nil
  ) -> Read {
    let options = Cache.ReadOptions(stale: stale, maxAgeMilliseconds: maxAge, unless: unless)
    let before = cache.counters(of: id).misses
    switch withBytes(key, { cache.get(id, $0, options, by: Asker(owner: 0, caller: caller), now: now) }) {
    case .hit(let hit): return .hit(text(hit.value), stale: hit.isStale, same: hit.isSame)
    case .granted, .wait, .fetch, .claim:
      check(false, "nobody asked for a lease, or would wait")
      return .miss(.unknown)
    case .miss:
      // The reason of a miss is what it was counted under.
      let after = cache.counters(of: id).misses
      let counted = MissReason.allCases.filter { after[of: $0] != before[of: $0] }
      check(counted.count == 1 && after.total == before.total + 1, "a miss counts once")
      return .miss(counted.first ?? .unknown)
    }
  }

  func details(_ key: String, in id: NamespaceID = 0) -> Cache.Details? {
    guard case .present(let details) = withBytes(key, { cache.explain(id, $0, now: now) }) else { return nil }
    return details
  }

  func version(_ key: String, in id: NamespaceID = 0) -> UInt64? { details(key, in: id)?.version }
  func ttl(_ key: String, in id: NamespaceID = 0) -> Int64? { details(key, in: id)?.ttlMilliseconds }

  func explain(_ key: String, in id: NamespaceID = 0) -> Standing {
    switch withBytes(key, { cache.explain(id, $0, now: now) }) {
    case .present(let details): return details.isStale ? .stale : .fresh
    case .absent(let record, let clear):
      switch record.reason {
      case .deleted: return .absent(.deleted, pid: record.pid, age: now - record.at)
      case .cleared:
        guard let clear else { return .absent(.cleared) }
        return .absent(.cleared, pid: clear.pid, age: now - record.at, clear: name(clear.scope, record.tag))
      default: return .absent(record.reason)
      }
    }
  }

  private func name(_ scope: Event.Scope, _ tag: UInt8) -> String {
    switch scope {
    case .key(let key): "key " + text(key)
    case .all: "all"
    case .match(let pattern): "match " + text(pattern)
    case .tags(let tags): "tag " + (Int(tag) < tags.count ? text(tags[Int(tag)]) : "out of range")
    }
  }

  func exists(_ key: String, in id: NamespaceID = 0) -> Bool { withBytes(key) { cache.exists(id, $0, now: now) } }

  @discardableResult
  func delete(_ key: String, in id: NamespaceID = 0, soft: Bool = false) -> Bool {
    withBytes(key) { cache.delete(id, $0, soft: soft, by: caller, now: now) }
  }

  func touch(_ key: String, in id: NamespaceID = 0, ttl: Cache.Lifetime = .policy, stale: Int64? = nil) -> Bool {
    withBytes(key) { cache.touch(id, $0, ttl, staleMilliseconds: stale, by: caller, now: now) }
  }

  /// Asks for a clear; what it came to is told by `finish` or `takeFinishedClears`.
  @discardableResult
  func clear(
    _ target: Target = .all, in ids: Range<NamespaceID> = 0..<1, soft: Bool = false, dryRun: Bool = false
  ) throws -> ClearTicket {
    switch target {
    case .all: return cache.clear(ids, .all, soft: soft, dryRun: dryRun, by: caller, now: now)
    case .match(let pattern):
      let glob = try found(Glob(pattern.utf8))
      return cache.clear(ids, .match(glob), soft: soft, dryRun: dryRun, by: caller, now: now)
    case .tags(let tags):
      return withBytes(of: tags) {
        cache.clear(ids, .tags($0), soft: soft, dryRun: dryRun, by: caller, now: now)
      }
    }
  }

  /// All keys of a listing, page by page.
  func list(_ id: NamespaceID = 0, match: String? = nil, limit: Int = 7) -> [String] {
    var keys: [String] = []
    var position: UInt64 = 0
    repeat {
      let page = cache.list(id, from: position, match: match.flatMap { Glob($0.utf8) }, limit: limit, now: now)
      check(page.keys.count <= limit)
      keys += page.keys.map { text($0) }
      guard let next = page.next else { return keys }
      check(next > position, "a listing moves on")
      position = next
    } while true
  }

  // MARK: Upkeep

  /// Upkeep until there is nothing to do, in slices; the number of slices.
  @discardableResult
  func settle(slice: Int = 100) -> Int {
    var slices = 0
    while cache.needsUpkeep(now: now), slices < 1_000_000 {
      cache.upkeep(entries: slice, now: now)
      slices += 1
    }
    return slices
  }

  /// Upkeep, and what each clear that was asked for came to.
  func finish(slice: Int = 100) -> [ClearTicket: ClearBook.Outcome] {
    settle(slice: slice)
    return Dictionary(uniqueKeysWithValues: takeFinished().map { ($0.ticket, $0) })
  }

  /// Whether it takes up room, void or past its end as it may be.
  func isInMemory(_ key: String, in id: NamespaceID) -> Bool {
    withBytes(key) { cache.tier.find(id, $0, cache.tier.keyHash($0)) } != 0
  }
  func takeFinished() -> [ClearBook.Outcome] { cache.takeFinishedClears() }
  func byteCount(_ id: NamespaceID = 0) -> Int { cache.byteCount(of: id) }
  func counters(_ id: NamespaceID = 0) -> Counters { cache.counters(of: id) }
  func entries(_ id: NamespaceID = 0) -> Int { cache.entryCount(of: id) }
}
