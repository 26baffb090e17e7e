// What stands inside a JSON token: a string's bytes, a number as milliseconds or as a whole number. The reader has
// already found each token to be well formed; nothing here looks for its end.

extension Token {
  var isNumber: Bool { kind == .integer || kind == .number }

  /// The string's bytes, unescaped where they stand; nil where a `\u` escape is half of a surrogate pair.
  func text() -> Bytes? {
    guard isEscaped else { return bytes }
    // Unescaped text is never longer than its escapes, so it can overwrite them from the front.
    var from = start
    var to = start
    let end = start + count
    while from < end {
      guard from.pointee == UInt8(ascii: "\\") else {
        to.pointee = from.pointee
        from += 1
        to += 1
        continue
      }
      switch from[1] {
      case UInt8(ascii: "u"):
        guard let scalar = Self.scalar(&from, end) else { return nil }
        for byte in UTF8.encode(scalar) ?? .init() {
          to.pointee = byte
          to += 1
        }
        continue
      case UInt8(ascii: "b"): to.pointee = 0x08
      case UInt8(ascii: "f"): to.pointee = 0x0C
      case UInt8(ascii: "n"): to.pointee = 0x0A
      case UInt8(ascii: "r"): to.pointee = 0x0D
      case UInt8(ascii: "t"): to.pointee = 0x09
      default: to.pointee = from[1]
      }
      from += 2
      to += 1
    }
    return Bytes(start: start, count: to - start)
  }

  /// No `\u` escape in the string, or in any string of an object or array, is half of a surrogate pair. Unlike `text` it changes nothing.
  var hasWholeCharacters: Bool {
    var position = start
    let end = start + count
    while position < end {
      if position.pointee != UInt8(ascii: "\\") {
        position += 1
      } else if position[1] != UInt8(ascii: "u") {
        position += 2
      } else if Self.scalar(&position, end) == nil {
        return false
      }
    }
    return true
  }

  /// The character that one `\u` escape, or two that make a pair, stand for; moves behind them.
  private static func scalar(_ from: inout UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>)
    -> Unicode.Scalar?
  {
    let first = codeUnit(from)
    from += 6
    guard (0xD800..<0xE000).contains(first) else { return Unicode.Scalar(first) }
    guard first < 0xDC00, end - from >= 6, from[0] == UInt8(ascii: "\\"), from[1] == UInt8(ascii: "u") else {
      return nil
    }
    let second = codeUnit(from)
    guard (0xDC00..<0xE000).contains(second) else { return nil }
    from += 6
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private static func codeUnit(_ escape: UnsafeMutablePointer<UInt8>) -> UInt32 {
    (2..<6).reduce(0) { $0 << 4 | (hexDigit(escape[$1]) ?? 0) }
  }

  /// A number of seconds as whole milliseconds; finer fractions are cut off. Nil where it is negative (and not a zero) or above
  /// `maximumMilliseconds`. Decimal throughout: no binary fraction rounds on the way.
  func milliseconds(atMost maximumMilliseconds: Int64) -> Int64? {
    var digits: Int64 = 0
    var scale = 3
    var position = start
    let end = start + count
    let isNegative = position.pointee == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var seenPoint = false
    var sawNonZero = false
    while position < end {
      let byte = position.pointee
      if byte == UInt8(ascii: ".") {
        seenPoint = true
      } else if isDigit(byte) {
        sawNonZero = sawNonZero || byte != UInt8(ascii: "0")
        // 18 digits are more than any time allowed has; the rest only move the point.
        if digits < 100_000_000_000_000_000 {
          digits = digits * 10 + Int64(byte - UInt8(ascii: "0"))
          if seenPoint { scale -= 1 }
        } else if !seenPoint {
          scale += 1
        }
      } else {
        break
      }
      position += 1
    }
    if isNegative, sawNonZero { return nil }
    if digits == 0 { return 0 }
    if position < end { scale += exponent(position + 1, end) }
    while scale < 0, digits > 0 {
      digits /= 10
      scale += 1
    }
    while scale > 0 {
      guard digits <= maximumMilliseconds / 10 else { return nil }
      digits *= 10
      scale -= 1
    }
    return digits <= maximumMilliseconds ? digits : nil
  }

  /// The exponent's value, held to where any further makes no difference.
  private func exponent(_ from: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>) -> Int {
    var position = from
    let isNegative = position.pointee == UInt8(ascii: "-")
    if isNegative || position.pointee == UInt8(ascii: "+") { position += 1 }
    var value = 0
    while position < end, value < 1 << 40 {
      value = value * 10 + Int(position.pointee - UInt8(ascii: "0"))
      position += 1
    }
    return isNegative ? -value : value
  }

  /// A whole number without fraction or exponent, from 0 to `maximum`.
  func wholeNumber(atMost maximum: UInt64) -> UInt64? {
    guard kind == .integer else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      guard isDigit(byte) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      guard !overflow, product <= maximum else { return nil }
      value = product + UInt64(byte - UInt8(ascii: "0"))
    }
    return value <= maximum ? value : nil
  }

  /// A share from 0 to 1.
  func share() -> Double? {
    guard isNumber, let text = String(validating: bytes, as: UTF8.self), let value = Double(text) else { return nil }
    return (0...1).contains(value) ? value : nil
  }
}
