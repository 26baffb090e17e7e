// Reads JSON in one pass, strictly as RFC 8259 has it, and makes nothing of it: it says where each token stands. It
// copies no bytes and knows no fields.

/// What is wrong with a line's JSON, and where: the offset in bytes from the line's start.
struct JSONFault: Error {
  let offset: Int
  let problem: String
}

/// Where a JSON value stands and what kind it is.
struct Token {
  enum Kind: UInt8 { case string, integer, number, object, array, yes, no, null }

  /// Of a string: its text, without the quotes.
  var start: UnsafeMutablePointer<UInt8>
  var count: Int
  var kind: Kind
  /// A string that has a `\` in it: it must be unescaped before it is compared.
  var isEscaped: Bool

  var bytes: Bytes { Bytes(start: start, count: count) }
  /// The value as it was written, a string's quotes included.
  var raw: Bytes { kind == .string ? Bytes(start: start - 1, count: count + 2) : bytes }
}

/// A cursor over one line (see `Line` for why it needs no end).
struct JSONReader {
  private let start: UnsafeMutablePointer<UInt8>
  private(set) var cursor: UnsafeMutablePointer<UInt8>
  /// How many objects and arrays may still be opened inside one another.
  private var depthLeft: Int

  init(_ start: UnsafeMutablePointer<UInt8>, depth: Int) {
    self.start = start
    cursor = start
    depthLeft = depth
  }

  /// The next byte that is no blank. LF is none here: it ends the line.
  @inline(__always)
  mutating func peek() -> UInt8 {
    if cursor.pointee > 0x20 { return cursor.pointee }
    while cursor.pointee == 0x20 || cursor.pointee == 0x09 || cursor.pointee == 0x0D { cursor += 1 }
    return cursor.pointee
  }

  /// Takes `byte` if it is next.
  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    cursor += 1
    return true
  }

  /// Takes `byte`, or says that it was expected.
  @inline(__always)
  mutating func expect(_ byte: UInt8, _ problem: @autoclosure () -> String) throws(JSONFault) {
    guard take(byte) else { throw fault(problem()) }
  }

  func fault(_ problem: String) -> JSONFault { JSONFault(offset: cursor - start, problem: problem) }

  /// The next value, whatever it is.
  @inline(__always)
  mutating func value() throws(JSONFault) -> Token {
    let first = peek()
    if first == UInt8(ascii: "\"") {
      cursor += 1
      return try string()
    }
    return try rest(first)
  }

  /// The end of the digits that begin at `text`; nil where what is not a plain whole number stands there.
  @inline(__always)
  static func digitsEnd(of text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>? {
    var end = text
    while isDigit(end.pointee) { end += 1 }
    let isPlain = end.pointee == UInt8(ascii: ",") || end.pointee == UInt8(ascii: "}")
    return isPlain && (text.pointee != UInt8(ascii: "0") || end - text == 1) ? end : nil
  }

  /// Where the quote stands that ends the string begun at `text`; nil where an escape or a fault comes before it.
  @inline(__always)
  static func plainEnd(of text: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>? {
    var end = text
    var found = stringStops(loadTwoWords(end))
    if found[0] | found[1] == 0 {
      end += 16
      // Two blocks a step where a string is long.
      while true {
        found = stringStops(loadTwoWords(end))
        let next = stringStops(loadTwoWords(end + 16))
        let either = found | next
        if either[0] | either[1] == 0 {
          end += 32
          continue
        }
        if found[0] | found[1] == 0 {
          found = next
          end += 16
        }
        break
      }
    }
    end += firstByte(found)
    return end.pointee == UInt8(ascii: "\"") ? end : nil
  }

  @inline(__always)
  mutating func move(to cursor: UnsafeMutablePointer<UInt8>) { self.cursor = cursor }

  /// A string whose opening quote has been taken.
  @inline(__always)
  mutating func string() throws(JSONFault) -> Token {
    let text = cursor
    var escaped = false
    while true {
      let offset = firstByte(stringStops(loadTwoWords(cursor)))
      cursor += offset
      if offset == 16 { continue }
      if cursor.pointee == UInt8(ascii: "\"") {
        let count = cursor - text
        cursor += 1
        return Token(start: text, count: count, kind: .string, isEscaped: escaped)
      }
      escaped = true
      try escape()
    }
  }

  /// What stands at a `\`, or at a byte that no string may contain.
  @inline(never)
  private mutating func escape() throws(JSONFault) {
    guard cursor.pointee == UInt8(ascii: "\\") else {
      throw fault(cursor.pointee == 0x0A ? "the string has no end" : "a control character stands bare in a string")
    }
    switch cursor[1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      cursor += 2
    case UInt8(ascii: "u"):
      for index in 2..<6 where hexDigit(cursor[index]) == nil { throw fault("\\u wants four hexadecimal digits") }
      cursor += 6
    default: throw fault("no such escape in a string")
    }
  }

  @inline(never)
  private mutating func rest(_ first: UInt8) throws(JSONFault) -> Token {
    let begin = cursor
    var kind = Token.Kind.null
    switch first {
    case UInt8(ascii: "{"):
      kind = .object
      try object()
    case UInt8(ascii: "["):
      kind = .array
      try array()
    case UInt8(ascii: "t"):
      kind = .yes
      try literal("true")
    case UInt8(ascii: "f"):
      kind = .no
      try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      kind = try number() ? .integer : .number
    case 0x0A: throw fault("the line ends where a value is expected")
    default: throw fault("no JSON value begins here")
    }
    return Token(start: begin, count: cursor - begin, kind: kind, isEscaped: false)
  }

  /// One level deeper, to be left by `leave`.
  @inline(__always)
  mutating func enter() throws(JSONFault) {
    guard depthLeft > 0 else { throw fault("nested deeper than limits.nesting allows") }
    depthLeft -= 1
    cursor += 1
  }

  mutating func leave() { depthLeft += 1 }

  private mutating func object() throws(JSONFault) {
    try enter()
    if !take(UInt8(ascii: "}")) {
      repeat {
        try expect(UInt8(ascii: "\""), "expected a member's name")
        _ = try string()
        try expect(UInt8(ascii: ":"), "expected : after a member's name")
        _ = try value()
      } while take(UInt8(ascii: ","))
      try expect(UInt8(ascii: "}"), "expected , or } after a member")
    }
    leave()
  }

  private mutating func array() throws(JSONFault) {
    try enter()
    if !take(UInt8(ascii: "]")) {
      repeat { _ = try value() } while take(UInt8(ascii: ","))
      try expect(UInt8(ascii: "]"), "expected , or ] after an element")
    }
    leave()
  }

  private mutating func literal(_ text: StaticString) throws(JSONFault) {
    for index in 0..<text.utf8CodeUnitCount where cursor[index] != text.utf8Start[index] {
      throw fault("no JSON value begins here")
    }
    cursor += text.utf8CodeUnitCount
  }

  /// Whether it is whole as written: without fraction and exponent.
  private mutating func number() throws(JSONFault) -> Bool {
    var isWhole = true
    if cursor.pointee == UInt8(ascii: "-") { cursor += 1 }
    if cursor.pointee == UInt8(ascii: "0") {
      cursor += 1
      if isDigit(cursor.pointee) { throw fault("a number has no leading zero") }
    } else {
      try digits()
    }
    if cursor.pointee == UInt8(ascii: ".") {
      cursor += 1
      isWhole = false
      try digits()
    }
    if cursor.pointee | 0x20 == UInt8(ascii: "e") {
      cursor += 1
      isWhole = false
      if cursor.pointee == UInt8(ascii: "+") || cursor.pointee == UInt8(ascii: "-") { cursor += 1 }
      try digits()
    }
    return isWhole
  }

  private mutating func digits() throws(JSONFault) {
    guard isDigit(cursor.pointee) else { throw fault("expected a digit") }
    while isDigit(cursor.pointee) { cursor += 1 }
  }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

func hexDigit(_ byte: UInt8) -> UInt32? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
  default: nil
  }
}
