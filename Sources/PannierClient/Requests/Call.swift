// What a client asks, one case an op. It knows no lines, no connections, and nothing of what an answer means.

import NIOCore
import PannierWire

/// A request. Keys are as they are asked for, values are JSON.
enum Call: Sendable {
  case ping
  case get(ns: String, keys: [CacheKey], Reading)
  case set(ns: String, [Item])
  case release(ns: String, key: CacheKey, lease: String, Outcome)
  case delete(ns: String, keys: [CacheKey], soft: Bool)
  case touch(ns: String, key: CacheKey, Lifetime)
  case exists(ns: String, key: CacheKey)
  case keys(ns: String, match: String?, limit: Int, after: String?)
  case clear(ns: String, Covered, soft: Bool, dryRun: Bool)
  case stats(ns: String?)
  case explain(ns: String, key: CacheKey)
  case policy(ns: String, changes: ByteBuffer?)
  case watch(ns: String?, kinds: [String]?, sample: Double?)
  /// A line of somebody else's making, without its end: of a test, and of a tool.
  case line(ByteBuffer)

  /// Keys in a request that the sidecar takes by default, `limits.items`; of more than that it refuses all.
  static let mostKeys = 1000
  /// Tags in a clear that it takes.
  static let mostTags = 16

  /// What a reader would have, beyond a fresh value.
  struct Reading: Sendable {
    /// It can load the value.
    var leases = false
    /// How long it would wait for another's load.
    var wait: Duration?
    var stale = false
    var strict = false
    var maxAge: Duration?
    var meta = false
    /// One key is answered as `items`, too.
    var isMany = false
  }

  struct Lifetime: Sendable {
    /// Nil: the policy's.
    var ttl: TimeToLive?
    var stale: Duration?
  }

  struct Item: Sendable {
    var key: CacheKey
    var value: ByteBuffer
    var lifetime = Lifetime()
    var tags: [CacheTag] = []
    var lease: String?
    var condition: StoreCondition?
  }

  enum Outcome: Sendable {
    case released, failed, passed
  }

  enum Covered: Sendable {
    case all
    case match(String)
    case tags([CacheTag])
  }
}

extension Call {
  /// How long the sidecar was asked to keep the answer back.
  var wait: Duration {
    switch self {
    case .get(_, _, let reading): reading.wait ?? .zero
    // Its walk is done in slices, and its answer comes at the end.
    case .clear: .seconds(10)
    default: .zero
    }
  }

  /// Of a change that no sidecar was told of: what is to be told as soon as one answers. Nil: nothing; a load, or a
  /// condition, has changed nothing.
  var later: Call? {
    switch self {
    case .delete, .clear(_, _, _, dryRun: false): return self
    case .set(let ns, let items):
      let keys = items.filter { $0.lease == nil && $0.condition == nil }.map(\.key)
      // What was there before is not to be shown any more.
      return keys.isEmpty ? nil : .delete(ns: ns, keys: keys, soft: false)
    default: return nil
    }
  }

  /// Leases that the answer may bring are for these keys of this namespace.
  var leased: (ns: String, keys: [CacheKey])? {
    if case .get(let ns, let keys, let reading) = self, reading.leases { (ns, keys) } else { nil }
  }
}

extension Call {
  /// Nil: whatever its line says.
  var op: Op? {
    switch self {
    case .ping: .ping
    case .get: .get
    case .set: .set
    case .release: .release
    case .delete: .delete
    case .touch: .touch
    case .exists: .exists
    case .keys: .keys
    case .clear: .clear
    case .stats: .stats
    case .explain: .explain
    case .policy: .policy
    case .watch: .watch
    case .line: nil
    }
  }

  /// Nil: it has none, or concerns all.
  var namespace: String? {
    switch self {
    case .get(let ns, _, _), .set(let ns, _), .release(let ns, _, _, _), .delete(let ns, _, _), .touch(let ns, _, _),
      .exists(let ns, _), .keys(let ns, _, _, _), .clear(let ns, _, _, _), .explain(let ns, _), .policy(let ns, _):
      ns
    case .stats(let ns), .watch(let ns, _, _): ns
    case .ping, .line: nil
    }
  }
}
