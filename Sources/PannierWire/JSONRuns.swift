// A text as JSON has it between quotes. It knows no buffers: answers and requests are both written with it.

/// Calls `body` with what stands for `text`, in its order: runs of its own bytes, and escapes of what must be escaped.
/// `text` is UTF-8.
package func forEachJSONRun(of text: Bytes, _ body: (Bytes) -> Void) {
  var plain = 0
  for (index, byte) in text.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
    if plain < index { body(Bytes(rebasing: text[plain..<index])) }
    writeJSONEscape(of: byte, body)
    plain = index + 1
  }
  if plain < text.count { body(Bytes(rebasing: text[plain...])) }
}

private func writeJSONEscape(of byte: UInt8, _ body: (Bytes) -> Void) {
  let letter: Unicode.Scalar? =
    switch byte {
    case UInt8(ascii: "\""): "\""
    case UInt8(ascii: "\\"): "\\"
    case 0x0A: "n"
    case 0x0D: "r"
    case 0x09: "t"
    default: nil
    }
  let backslash = UInt8(ascii: "\\")
  let zero = UInt8(ascii: "0")
  if let letter {
    withUnsafeBytes(of: (backslash, UInt8(ascii: letter)), body)
  } else {
    withUnsafeBytes(of: (backslash, UInt8(ascii: "u"), zero, zero, hexLetter(byte >> 4), hexLetter(byte & 15)), body)
  }
}

private func hexLetter(_ nibble: UInt8) -> UInt8 {
  nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
}
