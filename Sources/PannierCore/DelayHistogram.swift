// How long things took, as counts in buckets that widen with the value: a bounded amount of memory, and every quantile to
// about 6 %. It doesn't know what it times, nor the clock.
//
// The idea, equal steps within each power of two, is Gil Tene's HDR histogram (hdrhistogram.org).

/// Counts of delays in microseconds.
package struct DelayHistogram: Sendable {
  package private(set) var count: UInt64 = 0
  /// The largest delay recorded, exactly; 0: none was.
  package private(set) var max: UInt64 = 0
  /// 976, or 8 KB, for the whole range of the type: a delay can't be too long to count. Inline, since each turn counts one.
  private var buckets = InlineArray<976, UInt64>(repeating: 0)

  package init() {}

  package mutating func record(_ microseconds: UInt64) {
    buckets[Self.bucket(of: microseconds)] += 1
    count += 1
    if microseconds > max { max = microseconds }
  }

  /// The least delay that at least the share `q` (0 to 1) of those recorded did not exceed: never less than the true one,
  /// and at most a sixteenth more. 0: none was recorded.
  package func quantile(_ q: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let share = (Double(count) * Swift.min(Swift.max(q, 0), 1)).rounded(.up)
    let rank = Swift.max(1, share >= Double(count) ? count : UInt64(share))
    var seen: UInt64 = 0
    for bucket in buckets.indices where buckets[bucket] > 0 {
      seen += buckets[bucket]
      if seen >= rank { return Swift.min(Self.largest(in: bucket), max) }
    }
    return max
  }

  package mutating func reset() {
    self = DelayHistogram()
  }

  /// Values below 16 have a bucket each; above, every power of two has 16.
  private static func bucket(of value: UInt64) -> Int {
    guard value >= UInt64(steps) else { return Int(value) }
    let power = UInt64.bitWidth - 1 - value.leadingZeroBitCount
    let step = Int(value >> UInt64(power - stepBits)) & (steps - 1)
    return (power - stepBits + 1) * steps + step
  }

  private static func largest(in bucket: Int) -> UInt64 {
    guard bucket >= steps else { return UInt64(bucket) }
    let shift = UInt64(bucket / steps - 1)
    let start = UInt64(steps + bucket % steps) << shift
    return start + ((1 << shift) - 1)
  }

  private static let stepBits = 4
  private static let steps = 1 << stepBits
}
