// Text of others (keys, tags, messages) made safe to show: nothing in it can move the cursor or pose as a line of ours.

enum Printable {
  /// `text` on one line: control characters and backslashes as Swift would write them, so that two texts never look alike
  /// because of them.
  static func line(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\\": result += "\\\\"
      default:
        if isControl(scalar) {
          result += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }

  /// The beginning of a line that could not be understood.
  static func excerpt(_ bytes: [UInt8]) -> String {
    // Enough to see what it is.
    let most = 120
    return line(String(decoding: bytes.prefix(most), as: UTF8.self)) + (bytes.count > most ? "…" : "")
  }

  /// Controls of both sets, and the marks that turn the direction of what follows or break lines.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    case .format: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    default: false
    }
  }
}
