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

  /// 14 years, in milliseconds: with the longest ttl and stale span behind it, of ten years each, a time still fits the 34 years of an
  /// entry's 40 bits.
  private static let latest: Int64 = 14 * 365 * 86_400_000

  /// For a clock that stands still. False, and nothing done, where it would come too far.
  mutating func advance(_ milliseconds: Int64) -> Bool {
    if now + milliseconds > Self.latest { return false }
    now += milliseconds
    return true
  }
}
