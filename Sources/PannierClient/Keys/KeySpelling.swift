// How a value is spelled in a key, and how that is escaped: KEYS.md as code. It knows no keys.

import PannierWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A value as a key has it.
public indirect enum KeySpelling: Sendable, Hashable {
  case text(String)
  /// Digits, as they stand in JSON too.
  case number(String)
  case flag(Bool)
  case nothing
  case list([KeySpelling])
  /// Its parts in no order of their own.
  case set([KeySpelling])
  case record([String: KeySpelling])

  /// The longest spelling that stands whole, in code points.
  private static let wholeLength = 200
  /// What stands of a longer one, before its hash.
  private static let headLength = 100

  /// As it stands between the fixed parts of a key.
  static func escaped(_ spelling: KeySpelling) -> String {
    // No text is spelled so, since its % would be escaped.
    if spelling == .nothing { return "%N" }
    let plain = spelling.plain
    if plain.unicodeScalars.count <= wholeLength { return escaped(plain) }
    let digest = SHA256.hexadecimal(Array(plain.utf8)).prefix(32)
    var head = String.UnicodeScalarView()
    head.append(contentsOf: plain.unicodeScalars.prefix(headLength))
    return escaped(String(head)) + "%H" + digest
  }

  private static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: ":") }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": result.append(contentsOf: "%25".unicodeScalars)
      case ":": result.append(contentsOf: "%3A".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// Unescaped.
  var plain: String {
    switch self {
    case .text(let text): text
    case .number(let digits): digits
    case .flag(let flag): flag ? "true" : "false"
    case .nothing: "null"
    case .list, .set, .record: json
    }
  }

  private var json: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .number, .flag, .nothing: plain
    case .list(let parts): "[" + parts.map(\.json).joined(separator: ",") + "]"
    case .set(let parts): "[" + parts.map(\.json).sorted(by: Self.stands).joined(separator: ",") + "]"
    case .record(let members):
      "{"
        + members.sorted { Self.stands($0.key, before: $1.key) }
        .map { Self.quoted($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
    }
  }

  /// By code points: Swift's own order is of characters as people see them.
  private static func stands(_ a: String, before b: String) -> Bool {
    a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
  }

  private static func quoted(_ text: String) -> String {
    var bytes = [UInt8(ascii: "\"")]
    var text = text
    text.withUTF8 { forEachJSONRun(of: Bytes($0)) { bytes.append(contentsOf: $0) } }
    bytes.append(UInt8(ascii: "\""))
    return String(decoding: bytes, as: UTF8.self)
  }
}
