// Text that somebody else chose, made harmless for one line of a log and for the terminal it is read on.
// It doesn't know what the text means.

enum LogText {
  /// Between quotes, as RFC 8259 has it.
  static func appendJSONString(_ text: String, to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars { append(scalar, to: &line) }
    line.append(UInt8(ascii: "\""))
  }

  /// Bare where nothing in it could be taken for the end of a value, else as a JSON string.
  static func appendLogfmtValue(_ text: String, to line: inout [UInt8]) {
    if !text.isEmpty, text.unicodeScalars.allSatisfy(isBare) {
      line += text.utf8
    } else {
      appendJSONString(text, to: &line)
    }
  }

  /// logfmt can't quote a key: what doesn't fit becomes an underscore.
  static func appendLogfmtKey(_ key: String, to line: inout [UInt8]) {
    guard !key.isEmpty else { return line.append(UInt8(ascii: "_")) }
    for scalar in key.unicodeScalars {
      line += isBare(scalar) ? Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter) : [UInt8(ascii: "_")]
    }
  }

  /// Bytes as text: those that are not UTF-8 are shown as `\xNN` instead of all becoming one and the same character.
  static func readable(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    var text = ""
    var parser = UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var position = 0
    while true {
      switch parser.parseScalar(from: &rest) {
      case .valid(let encoded):
        text.unicodeScalars.append(UTF8.decode(encoded))
        position += encoded.count
      case .error(let length):
        for byte in bytes[position..<position + length] { text += "\\x" + hexadecimal(UInt32(byte), digits: 2) }
        position += length
      case .emptyInput: return text
      }
    }
  }

  private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case " ", "\"", "=", "\\": false
    default: !isControl(scalar) && !scalar.properties.isWhitespace
    }
  }

  private static func append(_ scalar: Unicode.Scalar, to line: inout [UInt8]) {
    switch scalar {
    case "\"": line += "\\\"".utf8
    case "\\": line += "\\\\".utf8
    case "\n": line += "\\n".utf8
    case "\r": line += "\\r".utf8
    case "\t": line += "\\t".utf8
    case _ where isControl(scalar): line += ("\\u" + hexadecimal(scalar.value, digits: 4)).utf8
    default: line += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
    }
  }

  /// Besides ASCII's: 80 to 9F, one of which (9B) begins a command to a terminal; and the separators that some readers
  /// end a line at.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029: true
    default: false
    }
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
