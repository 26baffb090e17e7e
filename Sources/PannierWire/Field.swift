// The names of the protocol: ops, their fields, and which op has which. It knows nothing of what they mean.

/// A field that some op has, in the order in which messages list them.
enum Field: UInt8, CaseIterable {
  case id, op, ns, key, keys, items, value, ttl, stale, tags, condition, soft, match, limit, after, maxAge, unless
  case meta, dryRun, client, events, sample, set, seconds, lease, wait, failed, pass, retryAfter, strict

  var name: StaticString {
    switch self {
    case .id: "id"
    case .op: "op"
    case .ns: "ns"
    case .key: "key"
    case .keys: "keys"
    case .items: "items"
    case .value: "value"
    case .ttl: "ttl"
    case .stale: "stale"
    case .tags: "tags"
    case .condition: "if"
    case .soft: "soft"
    case .match: "match"
    case .limit: "limit"
    case .after: "after"
    case .maxAge: "max_age"
    case .unless: "unless"
    case .meta: "meta"
    case .dryRun: "dry_run"
    case .client: "client"
    case .events: "events"
    case .sample: "sample"
    case .set: "set"
    case .seconds: "seconds"
    case .lease: "lease"
    case .wait: "wait"
    case .failed: "failed"
    case .pass: "pass"
    case .retryAfter: "retry_after"
    case .strict: "strict"
    }
  }
}

/// A set of fields in one word.
struct FieldSet: ExpressibleByArrayLiteral {
  private(set) var bits: UInt32 = 0

  init(arrayLiteral fields: Field...) {
    for field in fields { insert(field) }
  }

  @inline(__always) func contains(_ field: Field) -> Bool { bits >> UInt32(field.rawValue) & 1 != 0 }
  @inline(__always) mutating func insert(_ field: Field) { bits |= 1 << UInt32(field.rawValue) }
  @inline(__always) func subtracting(_ other: FieldSet) -> FieldSet {
    var result = self
    result.bits &= ~other.bits
    return result
  }

  var names: [String] { Field.allCases.filter(contains).map { "\($0.name)" } }
}

/// What a client can ask for.
package enum Op: UInt8, CaseIterable, Sendable {
  case hello, ping, get, set, release, delete, touch, exists, keys, clear, stats, policy, explain, watch
  /// Moves the clock; known under `--test-clock` alone.
  case advance

  package var name: StaticString {
    switch self {
    case .hello: "hello"
    case .ping: "ping"
    case .get: "get"
    case .set: "set"
    case .release: "release"
    case .delete: "delete"
    case .touch: "touch"
    case .exists: "exists"
    case .keys: "keys"
    case .clear: "clear"
    case .stats: "stats"
    case .policy: "policy"
    case .explain: "explain"
    case .watch: "watch"
    case .advance: "advance"
    }
  }

  /// The fields it has.
  @inline(__always)
  var fields: FieldSet { Self.fieldSets[Int(rawValue)] }

  private static let fieldSets: [FieldSet] = allCases.map { op in
    switch op {
    case .hello: [.id, .op, .client]
    case .ping: [.id, .op]
    case .get: [.id, .op, .ns, .key, .keys, .lease, .wait, .stale, .maxAge, .strict, .meta, .unless]
    case .set: [.id, .op, .ns, .key, .items, .value, .ttl, .stale, .tags, .lease, .condition]
    case .release: [.id, .op, .ns, .key, .lease, .failed, .pass, .retryAfter]
    case .delete: [.id, .op, .ns, .key, .keys, .soft]
    case .touch: [.id, .op, .ns, .key, .ttl, .stale]
    case .exists, .explain: [.id, .op, .ns, .key]
    case .keys: [.id, .op, .ns, .match, .limit, .after]
    case .clear: [.id, .op, .ns, .match, .tags, .soft, .dryRun]
    case .stats: [.id, .op, .ns]
    case .policy: [.id, .op, .ns, .set]
    case .watch: [.id, .op, .ns, .events, .sample]
    case .advance: [.id, .op, .seconds]
    }
  }

  /// The fields that an element of `items` has.
  static let itemFields: FieldSet = [.key, .value, .ttl, .stale, .tags, .lease, .condition]
}
