// What time it is for the cache. It knows no loop: it is told.

/// Milliseconds since the cache began: the loop's time, or one that stands still until it is moved.
package struct CacheClock {
  package let isManual: Bool
  package private(set) var now: Int64 = 0

  package static var real: CacheClock { CacheClock(isManual: false) }
  package static var manual: CacheClock { CacheClock(isManual: true) }

  mutating func setReal(_ milliseconds: Int64) {
    if !isManual { now = max(now, milliseconds) }
  }

  /// For a clock that stands still.
  mutating func advance(_ milliseconds: Int64) { now += milliseconds }
}
