// A value with what is known of it.

import PannierWire

public struct CacheEntry<Value: Sendable>: Sendable {
  public let value: Value
  public let isStale: Bool
  /// What is left of its fresh life; nil: it has no end.
  public let ttl: Duration?
  /// Since it was stored.
  public let age: Duration
  public let tier: Tier
  /// A number that no other value ever has.
  public let version: UInt64
  public let tags: [CacheTag]

  public enum Tier: String, Sendable {
    case memory, redis
  }

  init(value: Value, isStale: Bool, meta: JSONValue) {
    self.value = value
    self.isStale = isStale
    ttl = meta["ttl"]?.number.map { .seconds($0) }
    age = .seconds(meta["age"]?.number ?? 0)
    tier = meta["tier"]?.string.flatMap(Tier.init(rawValue:)) ?? .memory
    version = UInt64(meta["version"]?.integer ?? 0)
    tags = (meta["tags"]?.elements ?? []).compactMap { $0.string.map { CacheTag($0) } }
  }
}
