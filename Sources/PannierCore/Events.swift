// What happens in the cache, for those who watch. Nothing is kept while nobody does.

/// The kinds of events, by the names they have on the wire.
package enum EventKind: String, CaseIterable, Sendable {
  case set, fill, delete, clear, expire, evict, lease, release, policy
  /// Of the cache itself only that the log could not be followed, and that what was shared is dropped.
  case redis

  var bit: UInt16 { 1 << UInt16(Self.allCases.firstIndex(of: self) ?? 0) }
}

/// One thing that happened. Bytes are copied: the entry may be gone when it is told.
package struct Event: Sendable {
  package enum Scope: Sendable {
    case key([UInt8])
    case all
    case match([UInt8])
    case tags([[UInt8]])
  }

  package var kind: EventKind
  package var namespace: Int
  package var scope: Scope
  package var pid: Int32 = 0
  package var soft = false
  /// Of a set: its ttl in milliseconds, nil for none, and the size of its value in bytes.
  package var ttlMilliseconds: Int64?
  package var size = 0
  package var bound: EvictionBound?
  /// Of a fill: when its lease was given, in milliseconds.
  package var grantedAt: Int64?
  /// Of a lease: its holder has waited for it.
  package var handedOver = false
  /// Of a release: how the lease ended.
  package var end: LeaseEnd?
}

/// Collects events between two turns, if anybody watches their kind.
struct EventLog {
  private var wanted: UInt16 = 0
  private var events: [Event] = []

  mutating func want(_ kinds: Set<EventKind>) { wanted = kinds.reduce(0) { $0 | $1.bit } }

  @inline(__always)
  func wants(_ kind: EventKind) -> Bool { wanted != 0 && wanted & kind.bit != 0 }

  mutating func append(_ event: @autoclosure () -> Event, _ kind: EventKind) {
    if wants(kind) { events.append(event()) }
  }

  mutating func take() -> [Event] {
    if events.isEmpty { return [] }
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }
}
