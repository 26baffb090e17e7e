// Reads a value that stands in Redis, once from front to end, strictly as this version writes it: anybody may have
// written there. It knows no key but the one it is asked for.

internal import Glibc
package import PannierWire

/// Why something that stands under a value's name is none.
package enum EnvelopeFault: String, Error, CaseIterable, Sendable {
  /// It is none of ours.
  case foreign
  /// Ours, of another version.
  case format
  /// An encoding that this version doesn't know.
  case encoding
  /// A value of another key.
  case otherKey = "other_key"
  /// The line is not as this version writes it.
  case malformed
  /// Less or more payload than there was, or one that is no JSON value. Here only line feeds are looked for, which
  /// would break an answer's line.
  case payload
}

extension Envelope {
  /// The value that `bytes` are, of which it borrows tags and payload. Tags are unescaped where they stand: it is read
  /// once.
  package static func decode(_ bytes: UnsafeMutableRawBufferPointer, key: Bytes) throws(EnvelopeFault) -> Envelope {
    var reader = EnvelopeReader(bytes)
    var (envelope, size) = try reader.line(key)
    envelope.payload = reader.rest
    guard envelope.payload.count == size, size > 0, envelope.encoding != .json || !envelope.payload.hasLineFeed else {
      throw .payload
    }
    return envelope
  }

  /// What the line says with which `bytes` begin; it has no payload, of which any part may follow.
  package static func line(_ bytes: UnsafeMutableRawBufferPointer, key: Bytes) throws(EnvelopeFault) -> Envelope {
    var reader = EnvelopeReader(bytes)
    return try reader.line(key).envelope
  }
}

/// A cursor that never passes the end. What it can't take it answers with nil or false, and is then of no more use.
private struct EnvelopeReader {
  private let bytes: UnsafeMutableRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  /// The whole line, and what it says of the payload's size.
  mutating func line(_ key: Bytes) throws(EnvelopeFault) -> (envelope: Envelope, size: UInt64) {
    guard take(Layout.mark) else { throw .foreign }
    guard take("1,") else { throw .format }
    guard take(Layout.version), let version = padded(Layout.versionWidth),
      version <= Layout.maximumVersion,
      take(Layout.soft), let isSoft = flag(),
      take(Layout.birth), let birth = self.birth(),
      take(Layout.life), let life = padded(Layout.timeWidth),
      take(Layout.stale), let stale = padded(Layout.timeWidth),
      take(Layout.age), let age = padded(Layout.timeWidth),
      take(Layout.encoding), let encoding = encoding(), take(Layout.size), let size = number()
    else { throw .malformed }
    guard let encoding else { throw .encoding }
    guard take(Layout.key) else { throw .malformed }
    guard takeString(key) else { throw .otherKey }
    guard take(Layout.tags), let tags = self.tags(), take(Layout.end) else { throw .malformed }

    var envelope = Envelope(
      birth: birth, version: version, lifeMilliseconds: Int64(life), payload: Bytes(start: nil, count: 0))
    envelope.isSoft = isSoft
    envelope.staleMilliseconds = Int64(stale)
    envelope.ageMilliseconds = Int64(age)
    envelope.encoding = encoding
    envelope.tags = tags
    return (envelope, size)
  }

  var rest: Bytes { Bytes(rebasing: bytes[position...]) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func take(_ text: StaticString) -> Bool {
    take(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func take(_ text: Bytes) -> Bool {
    guard let start = bytes.baseAddress, let wanted = text.baseAddress, text.count <= bytes.count - position,
      memcmp(start + position, wanted, text.count) == 0
    else { return false }
    position += text.count
    return true
  }

  mutating func flag() -> Bool? {
    guard let byte = next, byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else { return nil }
    position += 1
    return byte == UInt8(ascii: "1")
  }

  /// A number that ends a field of that width.
  mutating func padded(_ width: Int) -> UInt64? {
    let end = position + width
    guard end <= bytes.count else { return nil }
    skipBlanks(before: end)
    defer { position = end }
    return decimal(Bytes(rebasing: bytes[position..<end]))
  }

  mutating func number() -> UInt64? {
    let start = position
    while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
    return decimal(Bytes(rebasing: bytes[start..<position]))
  }

  mutating func birth() -> RecordID? {
    let end = position + Layout.birthWidth
    guard end <= bytes.count, take("\""), let incarnation = number(), take("-"), let number = number(), take("\"")
    else { return nil }
    let id = RecordID(incarnation: incarnation, number: number)
    skipBlanks(before: end)
    return position == end ? id : nil
  }

  private mutating func skipBlanks(before end: Int) {
    while position < end, bytes[position] == UInt8(ascii: " ") { position += 1 }
  }

  /// `.some(nil)`: one that isn't known.
  mutating func encoding() -> Envelope.Encoding?? {
    if take("\"json\"") { return .json }
    guard let name = string() else { return nil }
    return .some(Envelope.Encoding.allCases.first { $0.rawValue.utf8.elementsEqual(name) })
  }

  /// A string, unescaped where it stands.
  mutating func string() -> Bytes? {
    guard take("\"") else { return nil }
    let start = position
    var written = position
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard let character = character() else { return nil }
      if written + 1 != position { bytes[written] = character }
      written += 1
    }
    return take("\"") ? Bytes(rebasing: bytes[start..<written]) : nil
  }

  /// A string that is `text`. It changes nothing.
  mutating func takeString(_ text: Bytes) -> Bool {
    guard take("\"") else { return false }
    // Mostly it stands there as it is.
    if text.isPlain, take(text) { return take("\"") }
    for byte in text where next == UInt8(ascii: "\"") || character() != byte { return false }
    return take("\"")
  }

  mutating func tags() -> [Bytes]? {
    var tags: [Bytes] = []
    while next == UInt8(ascii: "\"") || !tags.isEmpty {
      guard tags.count < RequestLimits.tags, let tag = string(), 1...RequestLimits.tagBytes ~= tag.count else {
        return nil
      }
      tags.append(tag)
      guard take(",") else { break }
    }
    return tags
  }

  /// One byte of a string's text, escaped as the writer escapes it or bare as it leaves it.
  private mutating func character() -> UInt8? {
    guard let byte = next, byte >= 0x20 else { return nil }
    position += 1
    guard byte == UInt8(ascii: "\\") else { return byte }
    guard let sign = next else { return nil }
    position += 1
    switch sign {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): return sign
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "u"):
      guard take("00"), let high = hexDigit(), let low = hexDigit(), high < 2 else { return nil }
      return high << 4 | low
    default: return nil
    }
  }

  private mutating func hexDigit() -> UInt8? {
    guard let byte = next else { return nil }
    position += 1
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
    default: return nil
    }
  }
}

extension Bytes {
  /// Nothing in it is escaped where it is a JSON string.
  fileprivate var isPlain: Bool {
    allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// It would break an answer's line.
  var hasLineFeed: Bool {
    guard let start = baseAddress else { return false }
    return memchr(start, 0x0A, count) != nil
  }
}
