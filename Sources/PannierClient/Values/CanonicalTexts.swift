// The types that JSON lacks, and that are texts in it: how each is written and read, as VALUES.md says. It knows no encoders.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How values of one type are written and read.
struct CanonicalText: Sendable {
  let write: @Sendable (any Encodable) -> String?
  let read: @Sendable (any Decoder) throws -> any Sendable

  /// By type.
  static let all: [ObjectIdentifier: CanonicalText] = [
    ObjectIdentifier(UUID.self): of({ $0.uuidString.lowercased() }, { UUID(uuidString: $0) }),
    ObjectIdentifier(Date.self): of({ $0.spelledInUTC }, { Date(rfc3339: $0) }),
    ObjectIdentifier(Duration.self): of({ $0.iso8601 }, { Duration(iso8601: $0) }),
    ObjectIdentifier(Data.self): of({ $0.base64URL }, { Data(anyBase64: $0) }),
    ObjectIdentifier(URL.self): of({ $0.absoluteString }, { URL(string: $0) }),
    // As a number where another client wrote one.
    ObjectIdentifier(Decimal.self): of({ "\($0)" }, { Decimal(string: $0) }, orElse: { try $0.decode(Decimal.self) }),
  ]

  /// `orElse`: reads what is no text.
  private static func of<Value: Encodable & Sendable>(
    _ write: @escaping @Sendable (Value) -> String, _ read: @escaping @Sendable (String) -> Value?,
    orElse other: (@Sendable (any SingleValueDecodingContainer) throws -> Value)? = nil
  ) -> CanonicalText {
    CanonicalText(
      write: { ($0 as? Value).map(write) },
      read: { decoder in
        let container = try decoder.singleValueContainer()
        if let other, let value = try? other(container) { return value }
        guard let value = read(try container.decode(String.self)) else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: "not the text of a \(Value.self)")
        }
        return value
      })
  }
}
