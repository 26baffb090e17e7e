// How values of one type become JSON, and are read back. It knows no keys and no requests.

public import NIOCore
import PannierWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

struct ValueCoding<Value: Sendable>: Sendable {
  let encode: @Sendable (Value) throws -> ByteBuffer
  /// Throws where the value is of another type: it is then no hit.
  let decode: @Sendable (ByteBuffer) throws -> Value
}

extension ValueCoding where Value: Codable {
  /// By `Codable`, in the spellings of VALUES.md.
  static var codable: ValueCoding {
    ValueCoding(
      encode: { value in
        // Made anew for each: they are no values, and their options are mutable.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return ByteBuffer(bytes: try encoder.encode(CanonicalValue(value)))
      },
      decode: { bytes in
        try JSONDecoder().decode(Canonical<Value>.self, from: Data(bytes.readableBytesView)).value
      })
  }
}

/// A value as the JSON that it is, neither encoded nor decoded.
public struct RawJSON: Sendable, Hashable, CustomStringConvertible {
  public let bytes: ByteBuffer

  public var description: String { String(buffer: bytes) }

  /// Nil where `bytes` are not one JSON value, or nest too deep. Line breaks between its tokens become blanks.
  public init?(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    guard String(validating: bytes, as: UTF8.self) != nil, let value = JSONValue(bytes) else { return nil }
    self.bytes = ByteBuffer(bytes: value.line)
  }

  /// What the sidecar sent is JSON.
  init(trusted bytes: ByteBuffer) { self.bytes = bytes }
}

extension ValueCoding where Value == RawJSON {
  static let raw = ValueCoding(encode: { $0.bytes }, decode: { RawJSON(trusted: $0) })
}
