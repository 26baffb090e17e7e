// What a line of a transcript stands for: `...` any run of characters, `$name` a scalar that an answer gave. It compares bytes.

package struct AnswerPattern {
  /// What answers gave so far, by name.
  package typealias Names = [String: [UInt8]]

  private enum Piece: Equatable {
    case text([UInt8])
    case anything
    case scalar(String)
  }

  private let pieces: [Piece]

  /// `text` as an answer is written.
  package init(_ text: String) {
    pieces = Self.split(text).flatMap { piece in
      guard case .text(let bytes) = piece else { return [piece] }
      return Self.splitAtDots(bytes)
    }
  }

  /// The names known after `answer`, with those it gives; nil where it is another answer.
  package func match(_ answer: [UInt8], _ names: Names) -> Names? { Self.match(pieces[...], answer[...], names) }

  /// `text` as a request is written, its names replaced; nil where one is not known.
  package static func substitute(_ text: String, _ names: Names) -> [UInt8]? {
    var result: [UInt8] = []
    for piece in split(text) {
      switch piece {
      case .text(let bytes): result += bytes
      case .anything: break
      case .scalar(let name):
        guard let value = names[name] else { return nil }
        result += value
      }
    }
    return result
  }

  private static func match(_ pieces: ArraySlice<Piece>, _ rest: ArraySlice<UInt8>, _ names: Names) -> Names? {
    guard let piece = pieces.first else { return rest.isEmpty ? names : nil }
    let others = pieces.dropFirst()
    switch piece {
    case .text(let bytes): return rest.starts(with: bytes) ? match(others, rest.dropFirst(bytes.count), names) : nil
    case .anything:
      for skipped in 0...rest.count {
        if let found = match(others, rest.dropFirst(skipped), names) { return found }
      }
      return nil
    case .scalar(let name):
      if let known = names[name] {
        return rest.starts(with: known) ? match(others, rest.dropFirst(known.count), names) : nil
      }
      let count = scalarLength(rest)
      guard count > 0 else { return nil }
      return match(others, rest.dropFirst(count), names.merging([name: Array(rest.prefix(count))]) { $1 })
    }
  }

  /// How long the scalar is that `bytes` begin with; 0: they begin with none.
  private static func scalarLength(_ bytes: ArraySlice<UInt8>) -> Int {
    guard bytes.first == UInt8(ascii: "\"") else {
      return bytes.prefix { !",]}".utf8.contains($0) && !"[{".utf8.contains($0) }.count
    }
    var length = 1
    var isEscaped = false
    for byte in bytes.dropFirst() {
      length += 1
      if byte == UInt8(ascii: "\""), !isEscaped { return length }
      isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
    }
    return 0
  }

  /// Parts names from the text around them: a name stands outside strings, right behind `:`, `,` or `[`.
  private static func split(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    var plain: [UInt8] = []
    var isInString = false
    var isEscaped = false
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "$"), !isInString, let last = plain.last, ":,[".utf8.contains(last),
        let first = rest.first,
        isLetter(first)
      {
        let name = rest.prefix { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
        rest = rest.dropFirst(name.count)
        pieces += [.text(plain), .scalar(String(decoding: name, as: UTF8.self))]
        plain = []
        continue
      }
      if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
      isEscaped = byte == UInt8(ascii: "\\") && isInString && !isEscaped
      plain.append(byte)
    }
    return pieces + [.text(plain)]
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }

  private static func splitAtDots(_ bytes: [UInt8]) -> [Piece] {
    var pieces: [Piece] = []
    var plain: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.first {
      if rest.starts(with: "...".utf8) {
        pieces += [.text(plain), .anything]
        plain = []
        rest = rest.dropFirst(3)
      } else {
        plain.append(byte)
        rest = rest.dropFirst()
      }
    }
    return pieces + [.text(plain)]
  }
}
