// What a caller gets where there is no fresh value: who loads it, and what becomes of what was loaded. The same rules as the
// Python client's.

import Logging

extension CacheNamespace {
  /// What is there, or what `load` brings, which is then kept: one load at a time for all of the host, however many ask.
  ///
  /// Where `load` throws, a stale value is returned if there is one, and else its error goes up; for a while nobody else is
  /// made to try. Without a sidecar the value is simply loaded, one load at a time for each key in this process.
  ///
  /// - Parameters:
  ///   - ttl, stale: how long it is fresh, and may then be shown as stale; without them the policy's.
  ///   - tags: up to 16, by which ``clear(tags:soft:)`` finds it.
  ///   - wait: for so long another's load is awaited; the policy's `max_wait` may be shorter.
  ///   - isKept: whether this result is to be kept; each caller then has its own.
  public func value(
    for key: CacheKey, ttl: TimeToLive? = nil, stale: Duration? = nil, tags: [CacheTag] = [],
    wait: Duration = .seconds(30), keptIf isKept: (Value) -> Bool = { _ in true }, load: () async throws -> Value
  ) async throws -> Value {
    guard client.isEnabled else { return try await load() }
    var reading = Call.Reading()
    reading.leases = true
    var found = try await tried(.get(ns: name, keys: [key], reading))
    var value = fresh(found)
    if value == nil, found?.isBusy == true {
      reading.wait = wait
      found = try await tried(.get(ns: name, keys: [key], reading))
      value = fresh(found)
    }
    metrics.read(found, hasValue: value != nil)
    if let value { return value }
    guard let found, !found.hasFailed else {
      // No lease is to be had: so that a source in trouble, or unprotected, is asked for one key once at a time.
      return try await client.solo.value(at: .init(ns: name, key: key)) { try await timed(load) }
    }
    let keeping = Keeping(lifetime: .init(ttl: ttl, stale: stale), tags: tags)
    if let lease = found.lease {
      return try await loaded(key, under: lease, found, keeping, isKept, load)
    }
    let loaded = try await timed(load)
    // What it has isn't of the type any more.
    if found.isHit, isKept(loaded), let item = item(key, loaded, keeping) { await keep(item) }
    return loaded
  }

  /// Loads the value anew, whatever there is, and stores it.
  @discardableResult
  public func refresh(
    _ key: CacheKey, ttl: TimeToLive? = nil, stale: Duration? = nil, tags: [CacheTag] = [],
    load: () async throws -> Value
  ) async throws -> Value {
    let value = try await load()
    try await set(key, to: value, ttl: ttl, stale: stale, tags: tags)
    return value
  }

  private func loaded(
    _ key: CacheKey, under lease: String, _ found: Found, _ keeping: Keeping, _ isKept: (Value) -> Bool,
    _ load: () async throws -> Value
  ) async throws -> Value {
    let value: Value
    do {
      value = try await timed(load)
    } catch {
      if Task.isCancelled || error is CancellationError {
        // Nothing is known against the source, and nobody waits any more.
        client.links.tell(.release(ns: name, key: key, lease: lease, .released))
        throw error
      }
      await release(key, lease, .failed)
      guard let stale = decoded(found) else { throw error }
      tellOfStale(error)
      return stale
    }
    guard isKept(value), var item = item(key, value, keeping) else {
      await release(key, lease, .passed)
      return value
    }
    item.lease = lease
    // What the sidecar refuses, as too large, has left the lease standing, and others waiting.
    if await keep(item) == .refused { await release(key, lease, .passed) }
    return value
  }

  /// Counted, and seen in traces.
  func timed<Result>(_ load: () async throws -> Result) async throws -> Result {
    let began = ContinuousClock.now
    do {
      let result = try await client.tracer.load(name, load)
      metrics.loaded(in: began.duration(to: .now))
      return result
    } catch {
      metrics.failed()
      throw error
    }
  }

  /// The value that a caller gets without more ado; nil: there is none, or it is this caller's to load.
  private func fresh(_ found: Found?) -> Value? {
    guard let found, found.lease == nil else { return nil }
    return decoded(found)
  }

  /// Nil: the sidecar says nothing.
  private func tried(_ call: Call) async throws -> Found? {
    do {
      return try await client.request(call).found()
    } catch let error as PannierError {
      try client.report(error)
      return nil
    }
  }
}

/// How what is loaded is kept.
struct Keeping: Sendable {
  var lifetime: Call.Lifetime
  var tags: [CacheTag]
}

enum Kept: Sendable {
  case told
  /// The sidecar refuses it.
  case refused
}

extension CacheNamespace {
  /// Nil: it can't be written as JSON.
  func item(_ key: CacheKey, _ value: Value, _ keeping: Keeping) -> Call.Item? {
    do {
      return Call.Item(
        key: key, value: try coding.encode(value), lifetime: keeping.lifetime, tags: keeping.tags)
    } catch {
      client.warnOnce(
        "a value can't be kept", ["namespace": "\(name)", "error": "\(error)"], about: "\(name) encoding")
      return nil
    }
  }

  /// Told whatever becomes of the task: others wait for it.
  @discardableResult
  func keep(_ item: Call.Item) async -> Kept {
    do {
      _ = try await client.links.insist(.set(ns: name, [item])).members()
    } catch PannierError.refused(let code, let message) {
      client.warnOnce(
        "the sidecar refuses a value", ["namespace": "\(name)", "code": "\(code.rawValue)", "message": "\(message)"],
        about: "\(name) \(code.rawValue)")
      return .refused
    } catch {
      // The lease ends with its connection, or with its time.
    }
    return .told
  }

  func release(_ key: CacheKey, _ lease: String, _ outcome: Call.Outcome) async {
    _ = try? await client.links.insist(.release(ns: name, key: key, lease: lease, outcome))
  }

  func tellOfStale(_ error: any Error) {
    client.warnOnce(
      "a load failed, and stale values are shown", ["namespace": "\(name)", "error": "\(error)"], about: "\(name) load")
  }
}
