// What the sidecar counts, as PROTOCOL.md's Statistics have it. It asks nothing.

import PannierWire

/// Of one namespace, since the sidecar started.
public struct CacheStatistics: Sendable, Hashable {
  /// Keys asked for, and answered with a value: stale ones included.
  public let hits: Int
  public let staleHits: Int
  /// Keys asked for, and answered without one.
  public let misses: Int
  /// The misses by reason, such as `expired` and `never_stored`; they sum to ``misses``.
  public let missesByReason: [String: Int]
  public let sets: Int
  public let deletes: Int
  public let clears: Int
  public let evictions: Int
  public let expirations: Int
  /// In memory now.
  public let entries: Int
  /// With all overhead.
  public let bytes: Int
  /// Loads that were stored.
  public let loads: Int
  /// What callers would have spent loading, were there no cache.
  public let saved: Duration

  /// The share of keys asked for that had a value; nil: none was asked for.
  public var hitRate: Double? { hits + misses > 0 ? Double(hits) / Double(hits + misses) : nil }

  init(_ object: JSONValue) {
    func count(_ name: String) -> Int { object[name]?.integer ?? 0 }
    func sum(_ name: String) -> Int { (object[name]?.members ?? []).reduce(0) { $0 + ($1.value.integer ?? 0) } }
    hits = count("hits")
    staleHits = count("stale_hits")
    misses = count("misses")
    missesByReason = Dictionary(
      (object["misses_by"]?.members ?? []).map { ($0.name, $0.value.integer ?? 0) }, uniquingKeysWith: { $1 })
    sets = count("sets")
    deletes = count("deletes")
    clears = count("clears")
    evictions = sum("evictions")
    expirations = count("expirations")
    entries = count("entries")
    bytes = count("bytes")
    loads = object["loads"]?["count"]?.integer ?? 0
    saved = .seconds(object["saved_seconds"]?.number ?? 0)
  }
}

extension PannierClient {
  /// By namespace; empty without a sidecar.
  public func statistics() async throws -> [String: CacheStatistics] { try await statistics(of: nil) }

  /// All that the sidecar tells of itself, as PROTOCOL.md has it: also of Redis, memory and requests. Nil without one.
  public func rawStatistics() async throws -> RawJSON? {
    try await ask(.stats(ns: nil), otherwise: nil, always: true) { (answer) throws(PannierError) in
      RawJSON(try answer.members().bytes)
    }
  }

  func statistics(of ns: String?) async throws -> [String: CacheStatistics] {
    try await ask(.stats(ns: ns), otherwise: [:], always: true) { (answer) throws(PannierError) in
      let members = try answer.members()["namespaces"]?.members ?? []
      return Dictionary(members.map { ($0.name, CacheStatistics($0.value)) }, uniquingKeysWith: { $1 })
    }
  }
}

extension CacheNamespace {
  /// Nil: the sidecar doesn't answer, or doesn't know the namespace yet.
  public func statistics() async throws -> CacheStatistics? { try await client.statistics(of: name)[name] }

  /// Why a key is there or isn't, as PROTOCOL.md's `explain` tells it. Nil without a sidecar.
  public func explain(_ key: CacheKey) async throws -> RawJSON? {
    try await client.ask(.explain(ns: name, key: key), otherwise: nil, always: true) { (answer) throws(PannierError) in
      RawJSON(try answer.members().bytes)
    }
  }

  /// The policy in force, as PROTOCOL.md's `policy` tells it. `changes`: a JSON object of fields to change first, such as
  /// `{"ttl":"10m"}`; only admins may.
  public func policy(changing changes: RawJSON? = nil) async throws -> RawJSON? {
    let call = Call.policy(ns: name, changes: changes?.bytes)
    return try await client.ask(call, otherwise: nil, always: true) { (answer) throws(PannierError) in
      try answer.members()["policy"].flatMap { RawJSON($0.bytes) }
    }
  }
}
