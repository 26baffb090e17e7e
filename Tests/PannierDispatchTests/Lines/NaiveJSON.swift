// RFC 8259 read plainly off its grammar, to compare the fast reader with. It is slow, and knows no limits but depth.

/// Says of bytes whether they are one JSON text.
struct NaiveJSON {
  private let bytes: [UInt8]
  private var position = 0
  private let depth: Int

  /// `bytes` without LF are one JSON object that nests at most `depth` deep.
  static func isObject(_ bytes: [UInt8], depth: Int) -> Bool {
    var reader = NaiveJSON(bytes: bytes, depth: depth)
    reader.blanks()
    guard reader.next == UInt8(ascii: "{"), reader.value(1) else { return false }
    reader.blanks()
    return reader.next == nil
  }

  private init(bytes: [UInt8], depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ text: String) -> Bool {
    guard bytes[position...].starts(with: text.utf8) else { return false }
    position += text.utf8.count
    return true
  }

  private mutating func blanks() {
    while let byte = next, [0x20, 0x09, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func value(_ level: Int) -> Bool {
    blanks()
    switch next {
    case UInt8(ascii: "{"): return level <= depth && elements(level, "{", "}", named: true)
    case UInt8(ascii: "["): return level <= depth && elements(level, "[", "]", named: false)
    case UInt8(ascii: "\""): return string()
    case UInt8(ascii: "t"): return take("true")
    case UInt8(ascii: "f"): return take("false")
    case UInt8(ascii: "n"): return take("null")
    default: return number()
    }
  }

  private mutating func elements(_ level: Int, _ open: String, _ close: String, named: Bool) -> Bool {
    guard take(open) else { return false }
    blanks()
    if take(close) { return true }
    while true {
      if named {
        blanks()
        guard string() else { return false }
        blanks()
        guard take(":") else { return false }
      }
      guard value(level + 1) else { return false }
      blanks()
      if take(",") { continue }
      return take(close)
    }
  }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let byte = next {
      position += 1
      if byte == 0x22 { return true }
      if byte < 0x20 { return false }
      guard byte == 0x5C else { continue }
      guard let escape = next else { return false }
      position += 1
      if escape == UInt8(ascii: "u") {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else { return false }
        position += 4
      } else if !"\"\\/bfnrt".utf8.contains(escape) {
        return false
      }
    }
    return false
  }

  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0") {
      guard let first = next, (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(first) else { return false }
      _ = digits()
    }
    if take("."), !digits() { return false }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      return digits()
    }
    return true
  }

  private mutating func digits() -> Bool {
    let first = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position > first
  }
}
