// The members of one object, found in one pass: which known field stands where. It knows names, and no op's rules.

/// Where each known field of the object last read stands. One is made for a connection's whole life and read into anew
/// for each line, so that a request costs no memory.
struct Members: ~Copyable {
  private let tokens: UnsafeMutablePointer<Token>
  private let names = NameTable(Field.allCases.map { ($0.name, $0) })
  private(set) var present: FieldSet = []
  private var hasStranger = false
  private var firstStranger = ""

  init() {
    tokens = .allocate(capacity: Field.allCases.count)
  }

  deinit { tokens.deallocate() }

  /// The first name that is no field's, escapes resolved; nil where all are known.
  @inline(__always)
  var unknown: String? { hasStranger ? firstStranger : nil }

  /// The token of a field that is present.
  @inline(__always)
  subscript(field: Field) -> Token { tokens[Int(field.rawValue)] }

  @inline(__always)
  func contains(_ field: Field) -> Bool { present.contains(field) }

  /// Reads the object at the reader's cursor, to its closing brace.
  @inline(__always)
  mutating func read(_ reader: inout JSONReader) throws(JSONFault) {
    present = []
    hasStranger = false
    guard reader.peek() == UInt8(ascii: "{") else { throw reader.fault("a request is one JSON object") }
    try reader.enter()
    if !reader.take(UInt8(ascii: "}")) {
      repeat {
        if readPlainly(&reader) { continue }
        try reader.expect(UInt8(ascii: "\""), "expected a member's name")
        let name = try text(of: try reader.string(), reader)
        guard let field = names[name] else {
          try readStrangers(name, &reader)
          break
        }
        try read(field, &reader)
      } while reader.take(UInt8(ascii: ","))
      try reader.expect(UInt8(ascii: "}"), "expected , or } after a member")
    }
    reader.leave()
  }

  /// Takes a member as nearly all are: `"name":"text"` or `"name":123`, without blanks or escapes, the name known and not
  /// met before. Takes nothing where it is otherwise; the general way then finds out how.
  @inline(__always)
  private mutating func readPlainly(_ reader: inout JSONReader) -> Bool {
    let name = reader.cursor + 1
    let word = UnsafeRawPointer(name).loadUnaligned(as: UInt64.self)
    let quote = matches(word, UInt8(ascii: "\""))
    let length = quote.trailingZeroBitCount >> 3
    // All bits of the word up to the quote, which is a known name's word only if it is that name.
    guard quote != 0, name[-1] == UInt8(ascii: "\""), name[length + 1] == UInt8(ascii: ":"),
      let field = names[word: word & ((quote & (0 &- quote)) << 1 &- 1)], !present.contains(field)
    else { return false }
    let value = name + (length + 2)
    if value.pointee == UInt8(ascii: "\"") {
      guard let end = JSONReader.plainEnd(of: value + 1) else { return false }
      take(field, Token(start: value + 1, count: end - value - 1, kind: .string, isEscaped: false))
      reader.move(to: end + 1)
      return true
    }
    guard isDigit(value.pointee), let end = JSONReader.digitsEnd(of: value) else { return false }
    take(field, Token(start: value, count: end - value, kind: .integer, isEscaped: false))
    reader.move(to: end)
    return true
  }

  @inline(__always)
  private mutating func take(_ field: Field, _ token: Token) {
    tokens[Int(field.rawValue)] = token
    present.insert(field)
  }

  @inline(__always)
  private mutating func read(_ field: Field, _ reader: inout JSONReader) throws(JSONFault) {
    if present.contains(field) { throw reader.fault("\"\(field.name)\" stands twice") }
    try reader.expect(UInt8(ascii: ":"), "expected : after a member's name")
    take(field, try reader.value())
  }

  /// A name's bytes. Escapes in it are resolved where they stand, so it is asked once a name.
  @inline(__always)
  private func text(of name: Token, _ reader: JSONReader) throws(JSONFault) -> Bytes {
    if !name.isEscaped { return name.bytes }
    guard let text = name.text() else { throw reader.fault("a name has half of a surrogate pair") }
    return text
  }

  /// The rest of the members, from one on whose name is no field's: the first such is told to the client, and any that
  /// stands twice makes the line bad JSON.
  @inline(never)
  private mutating func readStrangers(_ first: Bytes, _ reader: inout JSONReader) throws(JSONFault) {
    var seen: Set<[UInt8]> = []
    var name = first
    firstStranger = String(decoding: first, as: UTF8.self)
    hasStranger = true
    while true {
      if let field = names[name] {
        try read(field, &reader)
      } else {
        guard seen.insert(Array(name)).inserted else {
          throw reader.fault("\"\(String(decoding: name, as: UTF8.self))\" stands twice")
        }
        try reader.expect(UInt8(ascii: ":"), "expected : after a member's name")
        _ = try reader.value()
      }
      guard reader.take(UInt8(ascii: ",")) else { return }
      try reader.expect(UInt8(ascii: "\""), "expected a member's name")
      name = try text(of: try reader.string(), reader)
    }
  }
}
