// Spells JSON so that a YAML reader takes it for the same. It doesn't check that it is JSON.

/// YAML has no surrogate pairs, takes U+2028 and its like for line breaks, and refuses some characters outright: all that
/// isn't printable ASCII becomes YAML's eight-digit escape. In JSON it can stand only within strings.
func yamlSpelling(ofJSON text: String) -> String {
  var result = ""
  var rest = text.unicodeScalars[...]
  while let scalar = rest.popFirst() {
    if scalar == "\\" {
      result += escape(&rest)
    } else if scalar.isASCII, scalar != "\u{7F}" {
      result.unicodeScalars.append(scalar)
    } else {
      result += longEscape(scalar.value)
    }
  }
  return result
}

/// The escape whose backslash has been taken. A pair becomes one escape; a lone surrogate stays, for YAML to refuse.
private func escape(_ rest: inout Substring.UnicodeScalarView) -> String {
  guard rest.first == "u" else {
    return "\\" + (rest.popFirst().map { String($0) } ?? "")
  }
  guard let high = hexDigits(rest), (0xD800...0xDBFF).contains(high),
    rest.dropFirst(5).starts(with: "\\u".unicodeScalars), let low = hexDigits(rest.dropFirst(6)),
    (0xDC00...0xDFFF).contains(low)
  else { return "\\" }
  rest = rest.dropFirst(11)
  return longEscape(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
}

/// The value of the four digits that follow the `u` that `text` begins with.
private func hexDigits(_ text: Substring.UnicodeScalarView) -> UInt32? {
  let digits = text.dropFirst().prefix(4)
  return digits.count == 4 ? UInt32(String(digits), radix: 16) : nil
}

private func longEscape(_ scalar: UInt32) -> String {
  let digits = String(scalar, radix: 16)
  return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
}
