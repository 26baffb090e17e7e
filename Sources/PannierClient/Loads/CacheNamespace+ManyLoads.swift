// Many keys with one load of those that aren't there: which of them this caller loads, waits for, or loads without keeping what
// it gets. The same rules as the Python client's.

import NIOCore

extension CacheNamespace {
  /// The values of those keys that are there, or that `load` has, which is called with the ones that nobody has or loads:
  /// once, unless others' loads end without a value. What it leaves out isn't kept, and is left out here.
  ///
  /// Where it throws, stale values are returned if there is one for each that it was to load, and else its error goes up.
  public func values(
    for keys: [CacheKey], ttl: TimeToLive? = nil, stale: Duration? = nil, tags: [CacheTag] = [],
    wait: Duration = .seconds(30), load: ([CacheKey]) async throws -> [CacheKey: Value]
  ) async throws -> [CacheKey: Value] {
    var seen: Set<CacheKey> = []
    let wanted = keys.filter { seen.insert($0).inserted }
    guard client.isEnabled else { return try await load(wanted).filter { seen.contains($0.key) } }
    let keeping = Keeping(lifetime: .init(ttl: ttl, stale: stale), tags: tags)
    let end = NIODeadline.now() + TimeAmount(wait)
    var values: [CacheKey: Value] = [:]
    var pending = wanted[...]
    var awaited: [CacheKey] = []
    while !pending.isEmpty || !awaited.isEmpty {
      // What others load is waited for when all else is done.
      let isWaiting = pending.isEmpty
      let asked = Array((isWaiting ? awaited[...] : pending).prefix(Call.mostKeys))
      if isWaiting { awaited.removeFirst(asked.count) } else { pending = pending.dropFirst(asked.count) }
      var share = try await share(asked, wait: isWaiting ? end - .now() : nil)
      values.merge(share.values) { $1 }
      if isWaiting, share.mine.isEmpty {
        // Nobody was elected, so the wait is over.
        share.unkept += share.awaited
        share.awaited = []
      }
      if !share.mine.isEmpty || !share.unkept.isEmpty {
        values.merge(try await loaded(share, keeping, load)) { $1 }
      }
      awaited += share.awaited
    }
    // `load` may bring more than it was asked for.
    return values.filter { seen.contains($0.key) }
  }

  /// What is to be done about each key.
  private func share(_ keys: [CacheKey], wait: TimeAmount?) async throws -> Share<Value> {
    var reading = Call.Reading()
    reading.leases = true
    reading.isMany = true
    reading.wait = wait.map { .nanoseconds(max(0, $0.nanoseconds)) }
    var share = Share<Value>()
    let found: [Found]
    do {
      found = try await client.request(.get(ns: name, keys: keys, reading)).foundEach()
    } catch let error as PannierError {
      try client.report(error)
      metrics.unanswered(keys.count)
      share.unkept = keys
      return share
    }
    for (key, one) in zip(keys, found) {
      let value = decoded(one)
      // What another loads is asked for again.
      if !one.isBusy { metrics.read(one, hasValue: value != nil && one.lease == nil) }
      if let lease = one.lease {
        share.mine.append((key, lease))
        share.stale[key] = value
      } else if let value {
        share.values[key] = value
      } else if one.isHit {
        // Not of the type any more.
        share.mine.append((key, nil))
      } else if one.isBusy {
        share.awaited.append(key)
      } else {
        share.unkept.append(key)
      }
    }
    return share
  }

  private func loaded(
    _ share: Share<Value>, _ keeping: Keeping, _ load: ([CacheKey]) async throws -> [CacheKey: Value]
  ) async throws -> [CacheKey: Value] {
    let results: [CacheKey: Value]
    do {
      results = try await timed { try await load(share.mine.map(\.key) + share.unkept) }
    } catch {
      let isCancelled = Task.isCancelled || error is CancellationError
      for case (let key, let lease?) in share.mine {
        let release = Call.release(ns: name, key: key, lease: lease, isCancelled ? .released : .failed)
        // Nobody waits for it any more.
        client.links.tell(release)
      }
      guard !isCancelled, share.unkept.isEmpty, share.stale.count == share.mine.count else { throw error }
      tellOfStale(error)
      return share.stale
    }
    for (key, lease) in await unstored(share, results, keeping) { await release(key, lease, .passed) }
    return results
  }

  /// Stores what was loaded. Returns leases that are still to be given back.
  private func unstored(
    _ share: Share<Value>, _ results: [CacheKey: Value], _ keeping: Keeping
  ) async -> [(key: CacheKey, lease: String)] {
    var items: [Call.Item] = []
    var left: [(CacheKey, String)] = []
    for (key, lease) in share.mine {
      if var item = results[key].flatMap({ item(key, $0, keeping) }) {
        item.lease = lease
        items.append(item)
      } else if let lease {
        left.append((key, lease))
      }
    }
    if items.isEmpty { return left }
    do {
      _ = try await client.links.insist(.set(ns: name, items)).members()
    } catch PannierError.refused {
      // One that is too large had the whole request refused.
      for item in items where await keep(item) == .refused {
        if let lease = item.lease { left.append((item.key, lease)) }
      }
    } catch {
      // The leases end with their connection, or with their time.
    }
    return left
  }
}

/// What is to be done about the keys of one answer.
private struct Share<Value: Sendable>: Sendable {
  var values: [CacheKey: Value] = [:]
  /// To be loaded by this caller, with their leases; nil: there is none, and it is kept by a plain set.
  var mine: [(key: CacheKey, lease: String?)] = []
  var stale: [CacheKey: Value] = [:]
  /// Not to be kept.
  var unkept: [CacheKey] = []
  var awaited: [CacheKey] = []
}
