// The members of one object, found in one pass: which known field stands where. It knows names, and no op's rules.

/// Where each known field of the object last read stands. One is made for a connection's whole life and read into anew
/// for each line, so that a request costs no memory.
struct Members: ~Copyable {
  private let tokens: UnsafeMutablePointer<Token>
  private let names = NameTable(Field.allCases.map { ($0.name, $0) })
  private(set) var present: FieldSet = []
  /// The first name that is no field's, as it was written; nil where all are known.
  private(set) var unknown: String?

  init() {
    tokens = .allocate(capacity: Field.allCases.count)
  }

  deinit { tokens.deallocate() }

  /// The token of a field that is present.
  @inline(__always)
  subscript(field: Field) -> Token { tokens[Int(field.rawValue)] }

  @inline(__always)
  func contains(_ field: Field) -> Bool { present.contains(field) }

  /// Reads the object at the reader's cursor, to its closing brace.
  mutating func read(_ reader: inout JSONReader) throws(JSONFault) {
    present = []
    unknown = nil
    var strangers: Set<[UInt8]> = []
    guard reader.peek() == UInt8(ascii: "{") else { throw reader.fault("a request is one JSON object") }
    try reader.enter()
    if !reader.take(UInt8(ascii: "}")) {
      repeat {
        try reader.expect(UInt8(ascii: "\""), "expected a member's name")
        let name = try reader.string()
        guard let field = try field(name, reader) else {
          try note(name.text() ?? name.bytes, &strangers, reader)
          try reader.expect(UInt8(ascii: ":"), "expected : after a member's name")
          _ = try reader.value()
          continue
        }
        if present.contains(field) { throw reader.fault("\"\(field.name)\" stands twice") }
        try reader.expect(UInt8(ascii: ":"), "expected : after a member's name")
        tokens[Int(field.rawValue)] = try reader.value()
        present.insert(field)
      } while reader.take(UInt8(ascii: ","))
      try reader.expect(UInt8(ascii: "}"), "expected , or } after a member")
    }
    reader.leave()
  }

  /// Which field a name is; escapes in it are resolved where they stand.
  @inline(__always)
  private func field(_ name: Token, _ reader: JSONReader) throws(JSONFault) -> Field? {
    if !name.isEscaped { return names[name.bytes] }
    guard let text = name.text() else { throw reader.fault("a name has half of a surrogate pair") }
    return names[text]
  }

  /// A name that is no field's: the first is told to the client, and any that stands twice makes the line bad JSON.
  private mutating func note(_ name: Bytes, _ strangers: inout Set<[UInt8]>, _ reader: JSONReader) throws(JSONFault) {
    if unknown == nil { unknown = String(decoding: name, as: UTF8.self) }
    guard strangers.insert(Array(name)).inserted else {
      throw reader.fault("\"\(String(decoding: name, as: UTF8.self))\" stands twice")
    }
  }
}
