// One entry of the log as a value. It knows how the scripts write it, and nothing of what a record brings about.

import PannierDispatch
package import PannierWire

/// What the log says happened. The scripts write its fields in this order: `k`, `ns` (but for `open`), `h`, `o`, and
/// then `key` for each key, or `g` and an `m` or `t` for each text.
package struct RedisRecord: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Covers nothing: another incarnation, or a log that was lost.
    case open
    case set, del, soft, touch, clear, softclear
    /// Covers nothing: a fill under a fleet lease, for those who wait for it.
    case filled
  }

  package enum Scope: Sendable, Equatable {
    case keys([[UInt8]])
    case all
    case match([UInt8])
    case tags([[UInt8]])
  }

  package var incarnation: UInt64
  package var number: UInt64
  package var kind: Kind
  /// Empty: all namespaces.
  package var ns: [UInt8]
  package var scope: Scope
  /// The boot id of the host that made it; empty: made by a join, and nobody's.
  package var host: [UInt8]
  package var op: UInt64

  /// Nil where anything is not as this version writes it, which the caller must take for a gap.
  package init?(id: Bytes, fields: [Bytes]) {
    guard let id = RecordID(id) else { return nil }
    var fields = FieldReader(fields)
    guard let kind = fields.take("k").flatMap({ Kind(rawValue: String(decoding: $0, as: UTF8.self)) }),
      let ns = kind == .open ? Bytes(start: nil, count: 0) : fields.take("ns"),
      let host = fields.take("h"), let op = fields.take("o").flatMap(decimal),
      let scope = Self.scope(kind, &fields), fields.isAtEnd
    else { return nil }
    incarnation = id.incarnation
    number = id.number
    self.kind = kind
    self.ns = Array(ns)
    self.scope = scope
    self.host = Array(host)
    self.op = op
  }

  private static func scope(_ kind: Kind, _ fields: inout FieldReader) -> Scope? {
    switch kind {
    case .open: .keys([])
    case .set, .del, .soft, .touch, .filled: fields.takeAll("key").map(Scope.keys)
    case .clear, .softclear:
      switch fields.take("g").map({ String(decoding: $0, as: UTF8.self) }) {
      case "all": .all
      case "match": fields.take("m").map { .match(Array($0)) }
      case "tags": fields.takeAll("t").map(Scope.tags)
      default: nil
      }
    }
  }
}

/// `E-n`, in decimal.
package struct RecordID: Sendable, Equatable {
  package var incarnation: UInt64
  package var number: UInt64

  package init(incarnation: UInt64, number: UInt64) {
    self.incarnation = incarnation
    self.number = number
  }

  package init?(_ text: Bytes) {
    guard let dash = text.firstIndex(of: UInt8(ascii: "-")), let incarnation = decimal(Bytes(rebasing: text[..<dash])),
      let number = decimal(Bytes(rebasing: text[(dash + 1)...]))
    else { return nil }
    self.init(incarnation: incarnation, number: number)
  }

  package var text: String { "\(incarnation)-\(number)" }
}

/// Takes fields in the order in which they must stand.
private struct FieldReader {
  private let fields: [Bytes]
  private var position = 0

  init(_ fields: [Bytes]) { self.fields = fields }

  var isAtEnd: Bool { position == fields.count }

  mutating func take(_ name: StaticString) -> Bytes? {
    guard position + 1 < fields.count,
      fields[position].elementsEqual(Bytes(start: name.utf8Start, count: name.utf8CodeUnitCount))
    else { return nil }
    defer { position += 2 }
    return fields[position + 1]
  }

  /// One at least.
  mutating func takeAll(_ name: StaticString) -> [[UInt8]]? {
    var texts: [[UInt8]] = []
    while let text = take(name) { texts.append(Array(text)) }
    return texts.isEmpty ? nil : texts
  }
}

/// A whole number that is all of `text`, as Redis and the scripts write it: no sign, no leading zero.
func decimal(_ text: Bytes) -> UInt64? {
  guard let first = text.first, first != UInt8(ascii: "0") || text.count == 1 else { return nil }
  var value: UInt64 = 0
  for byte in text {
    guard case UInt8(ascii: "0")...UInt8(ascii: "9") = byte else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
    guard !overflow, !carry else { return nil }
    value = sum
  }
  return value
}
