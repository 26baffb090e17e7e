// The values of one namespace, by key: what is read, and what is changed. Loading is `CacheNamespace+Loads`'s matter.

import NIOCore
import PannierWire

/// One namespace of the cache, whose values are of one type. Cheap to make and to copy.
///
/// Without a sidecar reads are misses and changes do nothing; changes that could not be told are told as soon as it
/// answers again, before anything else is asked.
public struct CacheNamespace<Value: Sendable>: Sendable {
  let client: PannierClient
  public let name: String
  let coding: ValueCoding<Value>
  let metrics: NamespaceMetrics

  // MARK: Reading

  /// The value, or nil: a miss. `stale`: a stale one will do; `strict`: not older than this moment, as to all that Redis
  /// has confirmed by now; `maxAge`: an older one counts as stale.
  public func get(
    _ key: CacheKey, stale: Bool = false, strict: Bool = false, maxAge: Duration? = nil
  ) async throws -> Value? {
    var reading = Call.Reading()
    reading.stale = stale
    reading.strict = strict
    reading.maxAge = maxAge
    return try await found(key, reading)?.value
  }

  /// The value with what is known of it.
  public func entry(_ key: CacheKey, stale: Bool = false) async throws -> CacheEntry<Value>? {
    var reading = Call.Reading()
    reading.stale = stale
    reading.meta = true
    guard let (found, value) = try await found(key, reading), let meta = found.meta else { return nil }
    return CacheEntry(value: value, isStale: found.isStale, meta: meta)
  }

  /// Those that are there, by key.
  public func values(for keys: [CacheKey]) async throws -> [CacheKey: Value] {
    guard client.isEnabled else { return [:] }
    var reading = Call.Reading()
    reading.isMany = true
    var values: [CacheKey: Value] = [:]
    for some in keys.parts(ofAtMost: Call.mostKeys) {
      let found = try await client.ask(.get(ns: name, keys: some, reading), otherwise: nil) {
        (answer) throws(PannierError) in try answer.foundEach()
      }
      guard let found else {
        metrics.unanswered(some.count)
        continue
      }
      for (key, one) in zip(some, found) {
        let value = decoded(one)
        metrics.read(one, hasValue: value != nil)
        values[key] = value
      }
    }
    return values
  }

  /// Whether ``get(_:stale:strict:maxAge:)`` would hit. It is no use of the value.
  public func exists(_ key: CacheKey) async throws -> Bool {
    try await client.ask(.exists(ns: name, key: key), otherwise: false) { (answer) throws(PannierError) in
      try answer.flag("exists")
    }
  }

  /// Keys in memory, in no particular order, and where to go on: pass `next` as `after` until it is nil. A page may have
  /// few keys, or none, and still a next.
  public func keys(
    matching pattern: CacheKeyPattern? = nil, limit: Int = 100, after: String? = nil
  ) async throws -> (keys: [CacheKey], next: String?) {
    let call = Call.keys(ns: name, match: pattern?.text, limit: limit, after: after)
    return try await client.ask(call, otherwise: ([], nil)) { (answer) throws(PannierError) in
      let members = try answer.members()
      return ((members["keys"]?.elements ?? []).compactMap { $0.string.map { CacheKey($0) } }, members["next"]?.string)
    }
  }

  /// Nil: a miss.
  private func found(_ key: CacheKey, _ reading: Call.Reading) async throws -> (found: Found, value: Value)? {
    guard client.isEnabled else { return nil }
    let call = Call.get(ns: name, keys: [key], reading)
    let found = try await client.ask(call, otherwise: nil) { (answer) throws(PannierError) in try answer.found() }
    let value = found.flatMap { decoded($0) }
    metrics.read(found, hasValue: value != nil)
    return if let found, let value { (found, value) } else { nil }
  }

  /// Nil: there is nothing, or not of the type any more.
  func decoded(_ found: Found) -> Value? { found.value.flatMap { try? coding.decode($0) } }

  // MARK: Changing

  /// Stores the value. Returns whether it did: a condition may not be met, and a namespace may be set to store nothing.
  /// `ttl`, `stale`: without them the policy's; `tags`: up to 16, by which ``clear(tags:soft:)`` finds it.
  @discardableResult
  public func set(
    _ key: CacheKey, to value: Value, ttl: TimeToLive? = nil, stale: Duration? = nil, tags: [CacheTag] = [],
    if condition: StoreCondition? = nil
  ) async throws -> Bool {
    let item = Call.Item(
      key: key, value: try coding.encode(value), lifetime: .init(ttl: ttl, stale: stale), tags: tags,
      condition: condition)
    return try await client.ask(.set(ns: name, [item]), otherwise: false) { (answer) throws(PannierError) in
      try answer.flag("stored")
    }
  }

  /// Stores all of them. Returns how many were.
  @discardableResult
  public func set(
    _ values: [CacheKey: Value], ttl: TimeToLive? = nil, stale: Duration? = nil, tags: [CacheTag] = []
  ) async throws -> Int {
    let items = try values.map { key, value in
      Call.Item(key: key, value: try coding.encode(value), lifetime: .init(ttl: ttl, stale: stale), tags: tags)
    }
    var count = 0
    for some in items.parts(ofAtMost: Call.mostKeys) {
      count += try await client.ask(.set(ns: name, some), otherwise: 0) { (answer) throws(PannierError) in
        try answer.storedCount()
      }
    }
    return count
  }

  /// Returns how many had a value. Once it has returned, no read that begins later finds the old one. `soft`: it may still
  /// be shown as stale.
  @discardableResult
  public func delete(_ keys: CacheKey..., soft: Bool = false) async throws -> Int {
    try await delete(keys, soft: soft)
  }

  @discardableResult
  public func delete(_ keys: [CacheKey], soft: Bool = false) async throws -> Int {
    var count = 0
    for some in keys.parts(ofAtMost: Call.mostKeys) {
      count += try await client.ask(.delete(ns: name, keys: some, soft: soft), otherwise: 0, always: true) {
        (answer) throws(PannierError) in try answer.count("deleted")
      }
    }
    return count
  }

  /// Ends all of the namespace, or what the pattern fits. Returns how many values a reader could have seen.
  @discardableResult
  public func clear(matching pattern: CacheKeyPattern? = nil, soft: Bool = false) async throws -> Int {
    try await clear(pattern.map { .match($0.text) } ?? .all, soft: soft)
  }

  /// Ends what bears any of the tags.
  @discardableResult
  public func clear(tags: [CacheTag], soft: Bool = false) async throws -> Int {
    var count = 0
    for some in tags.parts(ofAtMost: Call.mostTags) { count += try await clear(.tags(some), soft: soft) }
    return count
  }

  private func clear(_ covered: Call.Covered, soft: Bool) async throws -> Int {
    try await client.ask(.clear(ns: name, covered, soft: soft, dryRun: false), otherwise: 0, always: true) {
      (answer) throws(PannierError) in try answer.count("cleared")
    }
  }

  /// Begins the value's life anew. Returns whether there was a fresh one.
  @discardableResult
  public func touch(_ key: CacheKey, ttl: TimeToLive? = nil, stale: Duration? = nil) async throws -> Bool {
    let call = Call.touch(ns: name, key: key, .init(ttl: ttl, stale: stale))
    return try await client.ask(call, otherwise: false) { (answer) throws(PannierError) in try answer.flag("touched") }
  }
}

extension Answer {
  /// Of a `set` of several items, or of one.
  fileprivate func storedCount() throws(PannierError) -> Int {
    let members = try members()
    guard let items = members["items"]?.elements else { return members["stored"]?.bool == true ? 1 : 0 }
    return items.count { $0["stored"]?.bool == true }
  }
}

extension Array {
  /// In their order, none for none.
  fileprivate func parts(ofAtMost count: Int) -> [[Element]] {
    stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
  }
}
