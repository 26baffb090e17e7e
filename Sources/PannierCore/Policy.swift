// What a namespace promises of its values: how long they live, how much room they have, and whether it serves at all.
// It holds settled numbers; where they were written, and in which spelling, is the configuration's matter.

/// The rules of one namespace, as the cache applies them.
package struct Policy: Equatable, Sendable {
  /// The lifetimes of every key that no rule fits.
  package var lifetimes = Lifetimes()
  /// The first whose glob fits the key overrides `lifetimes` for it.
  package var rules: [Rule] = []
  /// The most bytes that this namespace's entries may take, all overhead counted; nil: only the whole is bounded.
  package var maxBytes: Int?
  /// The most entries that this namespace may hold.
  package var maxEntries: Int?
  /// The largest value taken, in bytes of JSON as it arrived.
  package var maxValueBytes = 1 << 20
  package var eviction = EvictionKind.lru
  package var mode = Mode.on
  package var tiers = Tiers.all
  package var write = WriteKind.aside
  package var leaseScope = LeaseScope.host
  package var behind = WriteBehind()
  package var onLinkLoss = LinkLoss.serve
  /// From which size, in bytes, a value is compressed in Redis where that makes it smaller; nil: none is.
  package var compressedFromBytes: Int? = 1 << 10

  /// Its values are shared with other hosts, where there is a tier for that.
  var isShared: Bool { tiers.contains(.redis) }

  /// A plain set need not wait for Redis. Where memory keeps nothing, Redis alone can have it.
  var writesBehind: Bool { write == .behind && tiers == .all }

  package init() {}

  /// Whether any of its keys is loaded anew before it is stale.
  var refreshesAhead: Bool {
    lifetimes.refreshAhead != nil || rules.contains { $0.overrides.refreshAhead.flatMap { $0 } != nil }
  }

  /// The lifetimes that hold for `key`: those of the first rule that fits, over the namespace's own.
  package func lifetimes(for key: UnsafeRawBufferPointer) -> Lifetimes {
    for rule in rules where rule.match.matches(key) {
      return rule.overrides.applied(to: lifetimes)
    }
    return lifetimes
  }
}

/// Where a namespace's values are kept.
package struct Tiers: OptionSet, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let memory = Tiers(rawValue: 1)
  package static let redis = Tiers(rawValue: 2)
  package static let all: Tiers = [.memory, .redis]
}

/// What a plain set waits for, where its namespace is shared.
package enum WriteKind: String, CaseIterable, Sendable {
  /// For Redis; where it can't be reached, the set holds here, and is queued.
  case aside
  /// For Redis; where it can't be reached, the set is refused.
  case through
  /// For memory alone; Redis gets each key's last value with the next batch.
  case behind
}

/// How `WriteKind.behind` goes about it.
package struct WriteBehind: Equatable, Sendable {
  /// How long a value waits for others that Redis is sent together with it.
  package var intervalMilliseconds: Int64 = 100
  /// As many values wait; who sets another waits for room.
  package var maxPending = 10_000

  package init() {}
}

/// Among whom one is elected to load a key.
package enum LeaseScope: String, CaseIterable, Sendable { case host, fleet }

/// What a shared namespace shows while it isn't known that the log has been followed to its end.
package enum LinkLoss: String, CaseIterable, Sendable {
  /// What memory has.
  case serve
  /// Nothing but what Redis has confirmed for each read.
  case verify
}

/// How long a value lives. Times are in milliseconds.
package struct Lifetimes: Equatable, Sendable {
  /// How long a value is fresh; nil: it does not expire of itself.
  package var ttlMilliseconds: Int64? = 300_000
  /// Caps the ttl, a request's own too; nil: no cap.
  package var maxTTLMilliseconds: Int64?
  /// A ttl is shortened by a random share of up to this, so that neighbours don't expire together. 0 to below 1.
  package var jitter = 0.1
  /// Caps the ttl of a stored `null`; nil: no cap.
  package var negativeTTLMilliseconds: Int64?
  /// How long after its ttl a value may still be shown as stale.
  package var staleMilliseconds: Int64 = 0
  /// The share of its ttl after which one caller is elected to load a value that is still fresh; nil: none is.
  package var refreshAhead: Double?
  /// How long a load may hold a key.
  package var leaseTimeoutMilliseconds: Int64 = 30_000
  /// Caps how long a request may wait for another's load; nil: the lease's timeout does.
  package var maxWaitMilliseconds: Int64?
  /// How long nobody is elected after a load that failed.
  package var retryAfterMilliseconds: Int64 = 5000
  /// The longest that memory keeps a copy of what is shared; nil: as long as it is fresh or stale.
  package var memoryTTLMilliseconds: Int64?

  package init() {}
}

/// A glob over keys, and the lifetimes that keys it fits have instead of the namespace's.
package struct Rule: Equatable, Sendable {
  package var match: Glob
  package var overrides: LifetimeOverrides

  package init(match: Glob, overrides: LifetimeOverrides) {
    self.match = match
    self.overrides = overrides
  }
}

/// The lifetimes a rule changes: an absent field leaves the namespace's as it is.
package struct LifetimeOverrides: Equatable, Sendable {
  /// `.some(nil)`: values that the rule fits do not expire of themselves.
  package var ttlMilliseconds: Int64??
  package var maxTTLMilliseconds: Int64??
  package var jitter: Double?
  package var negativeTTLMilliseconds: Int64??
  package var staleMilliseconds: Int64?
  package var refreshAhead: Double??
  package var leaseTimeoutMilliseconds: Int64?
  package var maxWaitMilliseconds: Int64??
  package var retryAfterMilliseconds: Int64?
  package var memoryTTLMilliseconds: Int64??

  package init() {}

  package func applied(to base: Lifetimes) -> Lifetimes {
    var result = base
    if let ttlMilliseconds { result.ttlMilliseconds = ttlMilliseconds }
    if let maxTTLMilliseconds { result.maxTTLMilliseconds = maxTTLMilliseconds }
    if let jitter { result.jitter = jitter }
    if let negativeTTLMilliseconds { result.negativeTTLMilliseconds = negativeTTLMilliseconds }
    if let staleMilliseconds { result.staleMilliseconds = staleMilliseconds }
    if let refreshAhead { result.refreshAhead = refreshAhead }
    if let leaseTimeoutMilliseconds { result.leaseTimeoutMilliseconds = leaseTimeoutMilliseconds }
    if let maxWaitMilliseconds { result.maxWaitMilliseconds = maxWaitMilliseconds }
    if let retryAfterMilliseconds { result.retryAfterMilliseconds = retryAfterMilliseconds }
    if let memoryTTLMilliseconds { result.memoryTTLMilliseconds = memoryTTLMilliseconds }
    return result
  }
}

/// Which entry a full namespace gives up. The name is the configuration's.
package enum EvictionKind: String, CaseIterable, Sendable {
  /// Exactly the least recently used.
  case lru
}

/// Whether a namespace serves. Deletes and clears are carried out in every mode, so that switching on again can't show
/// what was replaced or invalidated meanwhile.
package enum Mode: String, CaseIterable, Sendable {
  case on
  /// Reads miss and sets are not stored; entries stay.
  case bypass
  /// Hits are served, sets are not stored.
  case readOnly = "read_only"
  /// As `bypass`, and the memory is freed.
  case off
}
