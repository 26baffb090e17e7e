// One JSON value as the bytes it was written in, and its parts as slices of them. It decodes only what is asked for, and
// re-encodes nothing: what the server answered is what is shown.

struct JSONText {
  /// Exactly one value, without white space around it.
  let bytes: ArraySlice<UInt8>

  /// Nil where `text` is not one value of RFC 8259, white space around it aside. It must be UTF-8 already.
  init?(_ text: [UInt8]) {
    var scanner = JSONScanner(text[...])
    guard let value = scanner.value(), scanner.isAtEnd else { return nil }
    bytes = value
  }

  private init(scanned bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// As it was written.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  var isNull: Bool { bytes.first == UInt8(ascii: "n") }

  var bool: Bool? {
    switch bytes.first {
    case UInt8(ascii: "t"): true
    case UInt8(ascii: "f"): false
    default: nil
    }
  }

  var isNumber: Bool { number != nil }
  var number: Double? { bytes.first.map(Self.beginsNumber) == true ? Double(text) : nil }
  var integer: Int? { bytes.first.map(Self.beginsNumber) == true ? Int(text) : nil }

  var string: String? {
    bytes.first == UInt8(ascii: "\"") ? JSONString.decoded(bytes.dropFirst().dropLast()) : nil
  }

  /// Nil where it is no array.
  var elements: [JSONText]? {
    guard bytes.first == UInt8(ascii: "[") else { return nil }
    var scanner = JSONScanner(bytes.dropFirst().dropLast())
    var elements: [JSONText] = []
    while let element = scanner.value() {
      elements.append(JSONText(scanned: element))
      scanner.skipComma()
    }
    return elements
  }

  /// In the order in which they stand; nil where it is no object.
  var members: [(name: String, value: JSONText)]? {
    guard bytes.first == UInt8(ascii: "{") else { return nil }
    var scanner = JSONScanner(bytes.dropFirst().dropLast())
    var members: [(name: String, value: JSONText)] = []
    while let name = scanner.name(), let value = scanner.value() {
      members.append((JSONString.decoded(name.dropFirst().dropLast()), JSONText(scanned: value)))
      scanner.skipComma()
    }
    return members
  }

  subscript(name: String) -> JSONText? {
    members?.first { $0.name == name }?.value
  }

  private static func beginsNumber(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
