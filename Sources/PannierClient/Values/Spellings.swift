// Numbers, moments and spans of time as texts, as keys and values both have them. It knows neither.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension Double {
  /// From 0.0001 to below 10^16 plain, else with an exponent: Swift's own digits, which change to an exponent at 2^53.
  var keyDigits: String {
    if self == 0 { return "0.0" }
    let text = "\(self)"
    guard magnitude < 1e16, let e = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: e)...]),
      exponent > 0
    else { return text }
    let mantissa = text[..<e]
    let sign = mantissa.hasPrefix("-") ? "-" : ""
    let digits = mantissa.filter(\.isNumber)
    // Some sixteen digits, of which the first stands before the point.
    return sign + digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + ".0"
  }
}

extension Decimal {
  /// Without exponent and without trailing zeros.
  var keyDigits: String { isZero ? "0" : "\(self)" }
}

extension Date {
  /// `2026-11-26T16:05:00Z`, and with six digits of a second where there are any.
  var spelledInUTC: String {
    let micros = (timeIntervalSinceReferenceDate * 1_000_000).rounded()
    let whole = (micros / 1_000_000).rounded(.down)
    let text = Date(timeIntervalSinceReferenceDate: whole).formatted(.iso8601)
    let rest = Int(micros - whole * 1_000_000)
    return rest == 0 ? text : text.dropLast() + "." + String(1_000_000 + rest).dropFirst() + "Z"
  }

  /// An RFC 3339 text, with an offset or without one, which is then UTC.
  init?(rfc3339 text: String) {
    var clock = text
    if clock.utf8.count > 10, clock.utf8[clock.utf8.index(clock.startIndex, offsetBy: 10)] == UInt8(ascii: " ") {
      clock.replaceSubrange(
        clock.index(clock.startIndex, offsetBy: 10)...clock.index(clock.startIndex, offsetBy: 10), with: "T")
    }
    guard let t = clock.firstIndex(of: "T") else { return nil }
    var zone = "Z"
    if let z = clock[t...].firstIndex(where: { "Zz+-".contains($0) }) {
      zone = clock[z...].uppercased()
      clock = String(clock[..<z])
    }
    var fraction = 0.0
    if let point = clock.firstIndex(of: ".") {
      guard let found = Double("0" + clock[point...]) else { return nil }
      fraction = found
      clock = String(clock[..<point])
    }
    guard let whole = try? Date.ISO8601FormatStyle().parse(clock + zone) else { return nil }
    self = whole + fraction
  }
}

extension Duration {
  /// Seconds with as many decimals as they need, down to an attosecond: `90.5`.
  var decimalSeconds: String {
    let (seconds, attoseconds) = components
    if attoseconds == 0 { return "\(seconds)" }
    let sign = seconds < 0 || attoseconds < 0 ? "-" : ""
    var digits = String(1_000_000_000_000_000_000 + attoseconds.magnitude).dropFirst()
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(sign)\(seconds.magnitude).\(digits)"
  }

  /// An ISO 8601 duration: `P1DT0.000005S`.
  var iso8601: String {
    let isNegative = self < .zero
    let (seconds, attoseconds) = (isNegative ? .zero - self : self).components
    let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
    let clock = Duration(secondsComponent: rest, attosecondsComponent: attoseconds)
    let time = clock == .zero && days > 0 ? "" : "T\(clock.decimalSeconds)S"
    return (isNegative ? "-" : "") + "P" + (days > 0 ? "\(days)D" : "") + time
  }

  /// Weeks, days, hours, minutes and seconds, of which the last may have a fraction. A month has no fixed length, and is
  /// none.
  init?(iso8601 text: String) {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    guard rest.first == "P" else { return nil }
    rest = rest.dropFirst()
    var isTime = false
    var total = Duration.zero
    guard !rest.isEmpty else { return nil }
    while let first = rest.first {
      if first == "T", !isTime {
        isTime = true
        rest = rest.dropFirst()
        guard !rest.isEmpty else { return nil }
        continue
      }
      let digits = rest.prefix { $0.isNumber || $0 == "." || $0 == "," }
      rest = rest.dropFirst(digits.count)
      guard let unit = rest.popFirst(), let count = Self.count(digits),
        let seconds = Self.unitSeconds(unit, isTime: isTime)
      else { return nil }
      total += count * seconds
    }
    self = isNegative ? .zero - total : total
  }

  private static func unitSeconds(_ unit: Character, isTime: Bool) -> Int? {
    switch (unit, isTime) {
    case ("W", false): 604_800
    case ("D", false): 86_400
    case ("H", true): 3600
    case ("M", true): 60
    case ("S", true): 1
    default: nil
    }
  }

  /// Of a decimal number of seconds, exactly.
  private static func count(_ digits: Substring) -> Duration? {
    let parts = digits.split(separator: digits.contains(",") ? "," : ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = parts.first.flatMap({ Int64($0) }) else { return nil }
    guard parts.count == 2 else { return .seconds(whole) }
    let fraction = parts[1].prefix(18)
    guard !fraction.isEmpty, let attoseconds = Int64(fraction + String(repeating: "0", count: 18 - fraction.count))
    else {
      return nil
    }
    return Duration(secondsComponent: whole, attosecondsComponent: attoseconds)
  }
}

extension Data {
  /// With `-`, `_` and `=`.
  var base64URL: String {
    String(
      base64EncodedString().map { character in
        switch character {
        case "+": "-" as Character
        case "/": "_"
        default: character
        }
      })
  }

  /// `+` and `/` are as good as `-` and `_`, and the `=` may be missing.
  init?(anyBase64 text: String) {
    var plain = String(
      text.map { character in
        switch character {
        case "-": "+" as Character
        case "_": "/"
        default: character
        }
      })
    while plain.utf8.count % 4 != 0 { plain += "=" }
    self.init(base64Encoded: plain)
  }
}
