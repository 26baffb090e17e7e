// Durations, sizes and shares as people write them. Only numbers come in.

enum Units {
  /// Exactly, as in a configuration: `5m`, `1h30m`, `250ms`, `0`.
  static func duration(seconds: Double) -> String {
    duration(milliseconds: milliseconds(seconds))
  }

  /// For a time that runs: no more detail than its length deserves.
  static func roughly(seconds: Double) -> String {
    var milliseconds = milliseconds(seconds)
    if milliseconds >= 1000 { milliseconds -= milliseconds % 100 }
    if milliseconds >= 10_000 { milliseconds -= milliseconds % 1000 }
    if milliseconds >= 86_400_000 { milliseconds -= milliseconds % 60_000 }
    return duration(milliseconds: milliseconds)
  }

  /// For delays far below a second: `85us`, `1.2ms`.
  static func delay(seconds: Double) -> String {
    if seconds < 0.001 { return "\(Int((seconds * 1e6).rounded()))us" }
    return seconds < 1 ? "\(oneDecimal(seconds * 1000))ms" : "\(oneDecimal(seconds))s"
  }

  /// For a size that moves: `1.4 MiB`, `12 B`.
  static func size(roughly bytes: Int) -> String {
    for (unit, name) in units.reversed() where bytes >= unit {
      return "\(oneDecimal(Double(bytes) / Double(unit))) \(name)"
    }
    return "\(bytes) B"
  }

  /// `83.3%`; `-` where there is nothing to take a share of.
  static func share(_ part: Int, of whole: Int) -> String {
    whole > 0 ? "\(oneDecimal(100 * Double(part) / Double(whole)))%" : "-"
  }

  private static let units: [(Int, String)] = [(1 << 10, "KiB"), (1 << 20, "MiB"), (1 << 30, "GiB")]

  private static func duration(milliseconds: Int64) -> String {
    if milliseconds == 0 { return "0" }
    var text = ""
    var rest = milliseconds
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")]
      as [(Int64, String)]
    {
      if rest >= unit { text += "\(rest / unit)\(name)" }
      rest %= unit
    }
    return text
  }

  /// The protocol's times have three decimals at most and stay far below what a Double holds exactly; what doesn't is
  /// brought into range, since a foolish answer must not trap.
  private static func milliseconds(_ seconds: Double) -> Int64 {
    Int64((min(max(seconds, 0), 1e12) * 1000).rounded())
  }

  private static func oneDecimal(_ number: Double) -> String {
    let tenths = Int64((min(max(number, 0), 1e15) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
