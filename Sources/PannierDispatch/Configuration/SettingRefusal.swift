// Why a text is not the value it should be, in words for whoever wrote it. It doesn't know where the text stood.

package struct SettingRefusal: Error, Equatable {
  package let message: String
}

/// `text` in quotes for a message: control characters escaped, so that it can't forge a line, and cut where it is long.
func quoted(_ text: String) -> String {
  var result = "\""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    // Enough to recognise what was written.
    guard index < 64 else {
      result += "…"
      break
    }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
