// Durations as people write them. It knows spellings and milliseconds, no clock and no field.

package enum Durations {
  /// Ten years: beyond it a duration is a mistake, and sums of a few stay far from overflow.
  package static let longestMilliseconds: Int64 = 315_360_000_000

  /// `250ms`, `10m`, `1h30m`, `1.5h`, or a number of seconds; what is finer than a millisecond is cut off.
  package static func milliseconds(
    _ text: String, in range: ClosedRange<Int64> = 0...longestMilliseconds
  ) throws(SettingRefusal) -> Int64 {
    guard let milliseconds = unbounded(text) else {
      throw SettingRefusal(message: "\(quoted(text)) is not a duration; write 10m, 1h30m, 250ms or a number of seconds")
    }
    guard range.contains(milliseconds) else {
      let bounds = "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
      throw SettingRefusal(message: "\(quoted(text)) is out of range; it must be \(bounds)")
    }
    return milliseconds
  }

  /// The shortest exact spelling in one unit: `10m`, `1500ms`.
  package static func text(_ milliseconds: Int64) -> String {
    for (unit, length) in units where milliseconds != 0 && milliseconds.isMultiple(of: length) {
      return "\(milliseconds / length)\(unit)"
    }
    return "0s"
  }

  /// As JSON has it: seconds, up to three decimals, no trailing zeros.
  package static func seconds(_ milliseconds: Int64) -> String {
    let (whole, rest) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
    var text = "\(milliseconds < 0 ? "-" : "")\(whole)"
    guard rest > 0 else { return text }
    var decimals = String(1000 + rest).dropFirst()
    while decimals.last == "0" { decimals.removeLast() }
    text += ".\(decimals)"
    return text
  }

  /// Longest first, which is also the order they are written in.
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// What can't be held becomes the longest that can; nil where `text` is no duration at all.
  private static func unbounded(_ text: String) -> Int64? {
    if let seconds = DecimalNumber(text.utf8) { return seconds.scaled(by: 1000) }
    var rest = Substring(text).utf8
    var remainingUnits = units[...]
    var total: Int64 = 0
    repeat {
      let digits = rest.prefix { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest = rest.dropFirst(digits.count)
      let letters = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      rest = rest.dropFirst(letters.count)
      guard let number = DecimalNumber(digits),
        let index = remainingUnits.firstIndex(where: { $0.name.utf8.elementsEqual(letters) })
      else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(number.scaled(by: remainingUnits[index].milliseconds))
      total = overflow ? .max : sum
      remainingUnits = remainingUnits[(index + 1)...]
    } while !rest.isEmpty
    return total
  }
}
