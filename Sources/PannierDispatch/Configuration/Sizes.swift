// Sizes in bytes as people write them. It knows spellings and numbers, no field.

package enum Sizes {
  /// `64KiB`, `1.5GiB`, `512KB`, or a number of bytes. Units in any case; a fraction of a byte is cut off.
  package static func bytes(_ text: String, in range: ClosedRange<Int>) throws(SettingRefusal) -> Int {
    guard let bytes = unbounded(text) else {
      throw SettingRefusal(message: "\(quoted(text)) is not a size; write 64KiB, 1.5GiB, 512KB or a number of bytes")
    }
    guard range.contains(bytes) else {
      let bounds = "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
      throw SettingRefusal(message: "\(quoted(text)) is out of range; it must be \(bounds)")
    }
    return bytes
  }

  /// The shortest exact spelling: `64KiB`, `1000`.
  package static func text(_ bytes: Int) -> String {
    for (name, length) in binaryUnits where bytes != 0 && bytes.isMultiple(of: Int(length)) {
      return "\(bytes / Int(length))\(name)"
    }
    return "\(bytes)"
  }

  private static let binaryUnits: [(name: String, bytes: Int64)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
  ]
  private static let decimalUnits: [(name: String, bytes: Int64)] = [
    ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1),
  ]

  /// What can't be held becomes the largest that can; nil where `text` is no size at all.
  private static func unbounded(_ text: String) -> Int? {
    if let number = DecimalNumber(text.utf8) {
      return number.isWhole ? Int(number.scaled(by: 1)) : nil
    }
    let digits = text.utf8.prefix { $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let letters = String(text.utf8.dropFirst(digits.count).map(lowercased).map { Character(Unicode.Scalar($0)) })
    guard let number = DecimalNumber(digits),
      let unit = (binaryUnits + decimalUnits).first(where: { $0.name.lowercased() == letters })
    else { return nil }
    return Int(number.scaled(by: unit.bytes))
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
