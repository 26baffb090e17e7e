// What a namespace counts. Each counter is defined on its line, and in the same words in PROTOCOL.md.

/// Why a key that was asked for isn't there.
package enum MissReason: UInt8, CaseIterable, Sendable {
  case neverStored, expired, evicted, deleted, cleared
  /// It has been forgotten, or the namespace's mode hides what there is.
  case unknown

  package var name: StaticString {
    switch self {
    case .neverStored: "never_stored"
    case .expired: "expired"
    case .evicted: "evicted"
    case .deleted: "deleted"
    case .cleared: "cleared"
    case .unknown: "unknown"
    }
  }
}

/// Which bound was full when an entry was evicted.
package enum EvictionBound: Int, CaseIterable, Sendable {
  case bytes, entries, memory

  package var name: StaticString {
    switch self {
    case .bytes: "bytes"
    case .entries: "entries"
    case .memory: "memory"
    }
  }
}

package struct Counters: Sendable {
  /// Keys asked for by `get` and answered with a value, stale ones included.
  package var hits = 0
  /// Those of the hits that the shared tier had, and memory didn't.
  package var sharedHits = 0
  /// Those of the hits that memory had, and that were proven for their reader.
  package var provenHits = 0
  /// Those of the hits that were stale.
  package var staleHits = 0
  /// Keys asked for by `get` and not answered with a value, by reason.
  package var misses = Tally<MissReason>()
  /// Values stored.
  package var sets = 0
  /// Values that deletes removed or made stale.
  package var deletes = 0
  /// Clears that took in this namespace, dry runs apart.
  package var clears = 0
  /// Values that clears removed or made stale.
  package var cleared = 0
  /// Clears of a match that took in the whole namespace, since 64 others were pending.
  package var clearsWidened = 0
  /// Entries given up for room, by the bound that was full.
  package var evictions = Tally<EvictionBound>()
  /// Entries removed as past their end.
  package var expirations = 0
  /// How old the entry evicted last was, in milliseconds; nil: none was.
  package var evictedAgeMilliseconds: Int64?
  package var leases = LeaseCounters()
  package var waits = WaitCounters()
  /// Leases given for a value that was still fresh.
  package var refreshes = 0

  package init() {}
}

/// What became of leases.
package struct LeaseCounters: Sendable {
  package var granted = 0
  /// Their value was stored.
  package var filled = 0
  /// Fills that were refused, since their lease had ended.
  package var lost = 0
  /// Given back, by a release or by the end of the connection.
  package var released = 0
  package var failed = 0
  package var passed = 0
  package var timedOut = 0
  /// Ended by a plain set, an invalidation, or a mode that stores nothing.
  package var revoked = 0
  /// Of those granted: to a caller that had waited.
  package var handedOver = 0
  /// Standing now.
  package var held = 0
  /// Of those granted: for all hosts.
  package var fleet = 0
  /// Not granted, since another host loaded the key.
  package var elsewhere = 0

  mutating func count(_ end: LeaseEnd) {
    switch end {
    case .released, .disconnected: released += 1
    case .failed: failed += 1
    case .passed: passed += 1
    case .timedOut: timedOut += 1
    case .revoked: revoked += 1
    }
  }
}

/// Keys for which callers waited.
package struct WaitCounters: Sendable {
  package var count = 0
  /// Waiting now.
  package var now = 0
  /// All that have ended, together.
  package var milliseconds: Int64 = 0
}

/// A count for each case of a small enumeration.
package struct Tally<Case: CaseIterable & Equatable & Sendable>: Sendable {
  private var counts = [Int](repeating: 0, count: Case.allCases.count)

  package init() {}

  package subscript(of wanted: Case) -> Int {
    get { counts[Self.index(wanted)] }
    set { counts[Self.index(wanted)] = newValue }
  }

  package var total: Int { counts.reduce(0, +) }

  private static func index(_ wanted: Case) -> Int {
    Case.allCases.enumerated().first { $0.element == wanted }?.offset ?? 0
  }
}
