// Finds where JSON values begin and end, by the strict grammar of RFC 8259. It keeps its own stack, so that no depth of
// nesting can exhaust the thread's, and looks at no meaning.

struct JSONScanner {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Whether only white space is left.
  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return position == bytes.endIndex
    }
  }

  /// The next value, whole; nil where there is none, or not a well-formed one.
  mutating func value() -> ArraySlice<UInt8>? {
    skipSpace()
    let start = position
    return takeValue() ? bytes[start..<position] : nil
  }

  /// The next member's name with its quotes, and the colon after it taken.
  mutating func name() -> ArraySlice<UInt8>? {
    skipSpace()
    let start = position
    guard takeString() else { return nil }
    let end = position
    skipSpace()
    return take(":") ? bytes[start..<end] : nil
  }

  /// Takes the comma between two members or elements of a text that is known to be well formed.
  mutating func skipComma() {
    skipSpace()
    _ = take(",")
  }

  private mutating func takeValue() -> Bool {
    var closers: [Unicode.Scalar] = []
    value: while true {
      skipSpace()
      if take("{") {
        skipSpace()
        if !take("}") {
          closers.append("}")
          guard name() != nil else { return false }
          continue value
        }
      } else if take("[") {
        skipSpace()
        if !take("]") {
          closers.append("]")
          continue value
        }
      } else {
        guard takeScalar() else { return false }
      }
      while let closer = closers.last {
        skipSpace()
        if take(",") {
          if closer == "}", name() == nil { return false }
          continue value
        }
        guard take(closer) else { return false }
        closers.removeLast()
      }
      return true
    }
  }

  private mutating func takeScalar() -> Bool {
    switch current {
    case UInt8(ascii: "\""): takeString()
    case UInt8(ascii: "t"): takeWord("true")
    case UInt8(ascii: "f"): takeWord("false")
    case UInt8(ascii: "n"): takeWord("null")
    default: takeNumber()
    }
  }

  private mutating func takeString() -> Bool {
    guard take("\"") else { return false }
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"):
        guard takeEscape() else { return false }
      case ..<0x20: return false
      default: break
      }
    }
    return false
  }

  /// What follows a backslash.
  private mutating func takeEscape() -> Bool {
    guard let byte = current else { return false }
    position += 1
    guard byte == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(byte) }
    for _ in 0..<4 {
      guard let digit = current, JSONString.hexValue(digit) != nil else { return false }
      position += 1
    }
    return true
  }

  private mutating func takeNumber() -> Bool {
    _ = take("-")
    if !take("0") {
      guard takeDigits() else { return false }
    }
    if take(".") {
      guard takeDigits() else { return false }
    }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      return takeDigits()
    }
    return true
  }

  private mutating func takeDigits() -> Bool {
    let start = position
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return position > start
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }
}
