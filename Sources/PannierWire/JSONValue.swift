// One JSON value as the bytes it was written in, and its parts as slices of them, for who reads answers or takes values from
// people. It decodes only what is asked for, re-encodes nothing, and is no part of serving a request.

package struct JSONValue: Sendable {
  /// Deeper nesting is no value to it, since each level takes a frame of the stack; as much as limits.nesting can allow.
  package static let maximumDepth = 1000

  /// Exactly one value as it was written, without white space around it.
  package let bytes: ArraySlice<UInt8>

  /// Nil where `text` is not one value of RFC 8259, white space around it aside. It must be UTF-8 already.
  package init?(_ text: some Sequence<UInt8>) {
    let text = Array(text)
    let place = Self.read(text[...]) { (reader, start) throws(JSONFault) in
      let token = try reader.value()
      guard reader.peek() == 0x0A, reader.cursor == start + text.count else {
        throw reader.fault("something stands behind the value")
      }
      return Self.place(of: token, from: start)
    }
    guard let place else { return nil }
    bytes = text[place]
  }

  private init(read bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Fit for one line: breaks between its tokens are blanks.
  package var line: [UInt8] { bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } }

  package var isNull: Bool { bytes.first == UInt8(ascii: "n") }

  package var bool: Bool? {
    switch bytes.first {
    case UInt8(ascii: "t"): true
    case UInt8(ascii: "f"): false
    default: nil
    }
  }

  package var isNumber: Bool { bytes.first.map { $0 == UInt8(ascii: "-") || isDigit($0) } ?? false }
  package var number: Double? { isNumber ? Double(text) : nil }
  package var integer: Int? { isNumber ? Int(text) : nil }

  /// Nil where it is no string, or one with half of a surrogate pair, which no text can hold.
  package var string: String? {
    guard bytes.first == UInt8(ascii: "\"") else { return nil }
    let text = Self.read(bytes) { (reader, _) throws(JSONFault) in
      try reader.value().text().map { String(decoding: $0, as: UTF8.self) }
    }
    return text ?? nil
  }

  /// Nil where it is no array.
  package var elements: [JSONValue]? {
    guard bytes.first == UInt8(ascii: "[") else { return nil }
    return parts { (reader, start) throws(JSONFault) in
      JSONValue(read: slice(try reader.value(), from: start))
    }
  }

  /// In the order in which they stand; nil where it is no object.
  package var members: [(name: String, value: JSONValue)]? {
    guard bytes.first == UInt8(ascii: "{") else { return nil }
    return parts { (reader, start) throws(JSONFault) in
      let name = JSONValue(read: slice(try reader.value(), from: start))
      try reader.expect(UInt8(ascii: ":"), "expected : after a member's name")
      return (name.string ?? name.text, JSONValue(read: slice(try reader.value(), from: start)))
    }
  }

  /// The first member of that name.
  package subscript(name: String) -> JSONValue? {
    members?.first { $0.name == name }?.value
  }

  /// What stands between the brackets, read one by one by `part`.
  private func parts<Part>(
    _ part: (inout JSONReader, UnsafeMutablePointer<UInt8>) throws(JSONFault) -> Part
  ) -> [Part]? {
    Self.read(bytes) { (reader, start) throws(JSONFault) in
      try reader.enter()
      var parts: [Part] = []
      if reader.peek() == UInt8(ascii: "]") || reader.peek() == UInt8(ascii: "}") { return parts }
      repeat { parts.append(try part(&reader, start)) } while reader.take(UInt8(ascii: ","))
      return parts
    }
  }

  private func slice(_ token: Token, from start: UnsafeMutablePointer<UInt8>) -> ArraySlice<UInt8> {
    let place = Self.place(of: token, from: start)
    return bytes[bytes.startIndex + place.lowerBound..<bytes.startIndex + place.upperBound]
  }

  private static func place(of token: Token, from start: UnsafeMutablePointer<UInt8>) -> Range<Int> {
    guard let first = token.raw.baseAddress else { return 0..<0 }
    let offset = first - UnsafeRawPointer(start)
    return offset..<offset + token.raw.count
  }

  /// Gives `body` a reader over a copy, which it may read beyond and unescape in. It would end at a line feed: a carriage
  /// return is as good between tokens, and as bad within a string.
  private static func read<Result>(
    _ bytes: ArraySlice<UInt8>, _ body: (inout JSONReader, UnsafeMutablePointer<UInt8>) throws(JSONFault) -> Result
  ) -> Result? {
    var copy = KeptLine(bytes.map { $0 == 0x0A ? 0x0D : $0 })
    return copy.withLine { line in
      var reader = JSONReader(line.start, depth: maximumDepth)
      return try? body(&reader, line.start)
    } ?? nil
  }
}
