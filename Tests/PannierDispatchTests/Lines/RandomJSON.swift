// Random JSON values as text, right by construction, in all the spellings that RFC 8259 allows.

import PannierTestSupport

struct RandomJSON {
  private var generator: SeededGenerator
  private var bytes: [UInt8] = []

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// One value, with blanks within it and none around it.
  mutating func next() -> [UInt8] {
    bytes.removeAll()
    value(depthLeft: 6)
    return bytes
  }

  /// A number below `count`.
  mutating func number(below count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

  private mutating func put(_ text: String) { bytes += Array(text.utf8) }

  private mutating func value(depthLeft: Int) {
    switch number(below: depthLeft > 0 ? 10 : 7) {
    case 0: put("null")
    case 1: put(number(below: 2) == 0 ? "true" : "false")
    case 2, 3: number()
    case 4, 5, 6: string()
    case 7, 8: array(depthLeft: depthLeft)
    default: object(depthLeft: depthLeft)
    }
  }

  private mutating func array(depthLeft: Int) {
    put("[")
    blanks()
    for index in 0..<number(below: 4) {
      if index > 0 { put(",") }
      blanks()
      value(depthLeft: depthLeft - 1)
      blanks()
    }
    put("]")
  }

  private mutating func object(depthLeft: Int) {
    put("{")
    blanks()
    for index in 0..<number(below: 4) {
      if index > 0 { put(",") }
      blanks()
      string()
      blanks()
      put(":")
      blanks()
      value(depthLeft: depthLeft - 1)
      blanks()
    }
    put("}")
  }

  private mutating func blanks() {
    guard number(below: 5) == 0 else { return }
    for _ in 0...number(below: 3) { bytes.append([0x20, 0x09, 0x0D][number(below: 3)]) }
  }

  private mutating func number() {
    if number(below: 3) == 0 { put("-") }
    if number(below: 3) == 0 {
      put("0")
    } else {
      put(String(1 + number(below: 9)))
      digits(atLeast: 0)
    }
    if number(below: 2) == 0 {
      put(".")
      digits(atLeast: 1)
    }
    if number(below: 3) == 0 {
      put(["e", "E", "e+", "E+", "e-", "E-"][number(below: 6)])
      digits(atLeast: 1)
    }
  }

  private mutating func digits(atLeast least: Int) {
    let count = least + number(below: number(below: 20) == 0 ? 60 : 4)
    for _ in 0..<count { put(String(number(below: 10))) }
  }

  private mutating func string() {
    put("\"")
    for _ in 0..<number(below: number(below: 10) == 0 ? 60 : 10) { character() }
    put("\"")
  }

  private mutating func character() {
    switch number(below: 12) {
    case 0: put("\\" + ["\"", "\\", "/", "b", "f", "n", "r", "t"][number(below: 8)])
    case 1:
      // Halves of surrogate pairs too: within a value they are the client's affair.
      put("\\u")
      for _ in 0..<4 { put(["0", "1", "8", "9", "a", "B", "c", "D", "f", "F"][number(below: 10)]) }
    case 2:
      put(["é", "e\u{301}", "日", "😀", "\u{10FFFF}", "\u{7F}", "\u{2028}", "\u{FEFF}", "\u{80}"][number(below: 9)])
    case 3:
      guard let scalar = Unicode.Scalar(UInt32(0x80 + number(below: 0x10FF80))) else { return }
      bytes += Array(String(scalar).utf8)
    case 4: put(["{", "}", "[", "]", ",", ":", "//", "'", " "][number(below: 9)])
    default:
      let byte = UInt8(0x20 + number(below: 0x5F))
      bytes.append(byte == 0x22 || byte == 0x5C ? 0x61 : byte)
    }
  }
}
