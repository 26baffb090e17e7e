// A decimal number as people and JSON write it, held digit by digit so that scaling it neither rounds nor overflows.

/// `12`, `-1.5`, `1e3`: a sign only before the first digit, digits on both sides of a point.
struct DecimalNumber {
  let isNegative: Bool
  /// Without leading zeros.
  private let digits: [UInt8]
  /// How many of `digits` stand before the point; below zero: that many zeros follow the point before the first digit.
  private let wholeDigits: Int

  init?(_ text: some Collection<UInt8>) {
    var rest = Array(text)[...]
    isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    guard let whole = Self.digitRun(&rest) else { return nil }
    var digits = whole
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard let fraction = Self.digitRun(&rest) else { return nil }
      digits += fraction
    }
    var wholeDigits = whole.count
    if let letter = rest.first, letter == UInt8(ascii: "e") || letter == UInt8(ascii: "E") {
      rest.removeFirst()
      let sign = rest.first
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
      guard let exponentDigits = Self.digitRun(&rest) else { return nil }
      // Any exponent from a million on says "beyond every range" just as well.
      let exponent = exponentDigits.reduce(0) { min($0 * 10 + Int($1), 1_000_000) }
      wholeDigits += sign == UInt8(ascii: "-") ? -exponent : exponent
    }
    guard rest.isEmpty else { return nil }
    let leadingZeros = digits.prefix { $0 == 0 }.count
    self.digits = Array(digits.dropFirst(leadingZeros))
    self.wholeDigits = wholeDigits - leadingZeros
  }

  var isWhole: Bool { wholeDigits >= digits.count || digits.dropFirst(max(wholeDigits, 0)).allSatisfy { $0 == 0 } }

  /// The number times `unit`, cut off towards zero; what doesn't fit becomes the nearest number that does.
  func scaled(by unit: Int64) -> Int64 {
    guard !digits.isEmpty else { return 0 }
    // 10^19 is beyond Int64 by itself.
    guard wholeDigits <= 19 else { return isNegative ? .min : .max }
    var scaled: UInt128 = 0
    for index in 0..<max(wholeDigits, 0) {
      scaled = scaled * 10 + UInt128(index < digits.count ? digits[index] : 0)
    }
    scaled = scaled * UInt128(unit) + fraction(of: unit)
    guard scaled <= UInt128(Int64.max) else { return isNegative ? .min : .max }
    return isNegative ? -Int64(scaled) : Int64(scaled)
  }

  /// What stands after the point, times `unit`. Digits beyond the eighteenth are less than a unit's 10^-18.
  private func fraction(of unit: Int64) -> UInt128 {
    var numerator: UInt128 = 0
    var denominator: UInt128 = 1
    for place in 0..<18 {
      let index = wholeDigits + place
      numerator = numerator * 10 + UInt128(digits.indices.contains(index) ? digits[index] : 0)
      denominator *= 10
    }
    return numerator * UInt128(unit) / denominator
  }

  private static func digitRun(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    let run = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest = rest.dropFirst(run.count)
    return run.isEmpty ? nil : run.map { $0 - UInt8(ascii: "0") }
  }
}
