// Durations as people give them on the command line, turned into the protocol's seconds. What range is allowed is the
// server's to say.

/// `250ms`, `10m`, `1h30m`, or a number of seconds.
struct DurationArgument {
  let milliseconds: Int64

  /// The protocol's spelling: seconds, with up to three decimals.
  var seconds: String {
    let whole = milliseconds / 1000
    let rest = milliseconds % 1000
    guard rest != 0 else { return "\(whole)" }
    var decimals = String(String(1000 + rest).dropFirst())
    while decimals.hasSuffix("0") { decimals.removeLast() }
    return "\(whole).\(decimals)"
  }

  init(_ argument: String) throws {
    guard let milliseconds = Self.milliseconds(Array(argument.utf8)[...]) else {
      throw Failure("a duration is 250ms, 10m, 1h30m, or a number of seconds")
    }
    self.milliseconds = milliseconds
  }

  /// Nil where the text is no duration, or a longer one than 64 bits of milliseconds can say.
  private static func milliseconds(_ text: ArraySlice<UInt8>) -> Int64? {
    var rest = text
    var total: Int64 = 0
    repeat {
      guard let number = Decimal(&rest) else { return nil }
      let isAlone = number.isWhole(text, rest)
      guard let unit = isAlone ? 1000 : unit(&rest), let part = number.times(unit) else { return nil }
      let (sum, isTooLong) = total.addingReportingOverflow(part)
      if isTooLong { return nil }
      total = sum
    } while !rest.isEmpty
    return total
  }

  /// The unit that `rest` begins with, in milliseconds.
  private static func unit(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    let letters = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
    rest = rest.dropFirst(letters.count)
    switch String(decoding: letters, as: UTF8.self) {
    case "ms": return 1
    case "s": return 1000
    case "m": return 60_000
    case "h": return 3_600_000
    case "d": return 86_400_000
    default: return nil
    }
  }
}

/// A decimal number without exponent, exact, so that `0.1s` is 100 milliseconds and not one less.
private struct Decimal {
  private var whole: Int64 = 0
  /// In billionths; finer digits are cut off.
  private var billionths: Int64 = 0

  /// Takes the number that `rest` begins with: digits, and more digits after a point.
  init?(_ rest: inout ArraySlice<UInt8>) {
    let digits = Self.digits(&rest)
    guard !digits.isEmpty, digits.count <= 18 else { return nil }
    whole = digits.reduce(0) { $0 * 10 + $1 }
    guard rest.first == UInt8(ascii: ".") else { return }
    rest = rest.dropFirst()
    let decimals = Self.digits(&rest)
    guard !decimals.isEmpty else { return nil }
    for place in 0..<9 { billionths = billionths * 10 + (place < decimals.count ? decimals[place] : 0) }
  }

  /// Whether it is all there was: a bare number is seconds, but one after a unit (`1h30`) is a slip.
  func isWhole(_ text: ArraySlice<UInt8>, _ rest: ArraySlice<UInt8>) -> Bool {
    rest.isEmpty && text.allSatisfy { $0 == UInt8(ascii: ".") || Self.isDigit($0) }
  }

  func times(_ unit: Int64) -> Int64? {
    let (product, isTooLong) = whole.multipliedReportingOverflow(by: unit)
    let (sum, isTooLongWithRest) = product.addingReportingOverflow(billionths * unit / 1_000_000_000)
    return isTooLong || isTooLongWithRest ? nil : sum
  }

  private static func digits(_ rest: inout ArraySlice<UInt8>) -> [Int64] {
    let digits = rest.prefix(while: isDigit)
    rest = rest.dropFirst(digits.count)
    return digits.map { Int64($0 - UInt8(ascii: "0")) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
