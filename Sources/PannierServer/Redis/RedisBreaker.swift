// Decides when Redis is left alone for failing, and when it is tried again. It knows no connection and no clock.

/// Times are in milliseconds.
struct RedisBreaker {
  /// So many failures with no answer in between, or within so long a time, and nothing more is asked.
  static let failuresToOpen = 5
  static let windowMilliseconds: Int64 = 1000
  /// How soon it is tried after that, and the most that grows to while it fails.
  static let firstPauseMilliseconds: UInt64 = 100
  static let longestPauseMilliseconds: UInt64 = 1000

  private var inARow = 0
  /// When those failed that were the last, the oldest first.
  private var failedAt: [Int64] = []
  private var pauseMilliseconds = RedisBreaker.firstPauseMilliseconds

  /// True: nothing more is to be asked.
  mutating func fail(_ count: Int = 1, now: Int64) -> Bool {
    inARow += count
    failedAt += repeatElement(now, count: min(count, Self.failuresToOpen))
    failedAt.removeFirst(max(0, failedAt.count - Self.failuresToOpen))
    let isQuick = failedAt.count == Self.failuresToOpen && failedAt[0] > now - Self.windowMilliseconds
    return inARow >= Self.failuresToOpen || isQuick
  }

  mutating func succeed() { inARow = 0 }

  /// How long to wait before it is tried, for the first time or once more.
  mutating func nextPause() -> UInt64 {
    defer { pauseMilliseconds = min(pauseMilliseconds * 2, Self.longestPauseMilliseconds) }
    return pauseMilliseconds.jittered
  }

  /// It was tried, and answered in time.
  mutating func close() { self = RedisBreaker() }
}

extension UInt64 {
  /// Shortened by up to a fifth, so that many hosts don't come back at once.
  var jittered: UInt64 { self - UInt64.random(in: 0...self / 5) }
}
