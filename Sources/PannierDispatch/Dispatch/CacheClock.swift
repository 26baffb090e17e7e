// What time it is for the cache. It knows no loop: it is told.

/// Milliseconds since a year before the cache began, or since it began: the loop's time, or one that stands still until it is moved.
package struct CacheClock {
  package let isManual: Bool
  package private(set) var now: Int64
  private let origin: Int64

  /// What comes from other hosts may be older than this process: there is a year before its beginning.
  package static var real: CacheClock { CacheClock(isManual: false, origin: 365 * 86_400_000) }
  package static var manual: CacheClock { CacheClock(isManual: true, origin: 0) }

  private init(isManual: Bool, origin: Int64) {
    self.isManual = isManual
    self.origin = origin
    now = origin
  }

  /// Since the process began.
  var uptime: Int64 { now - origin }

  mutating func setReal(_ milliseconds: Int64) {
    if !isManual { now = max(now, origin + milliseconds) }
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
