// The types that have a spelling in keys, a line of KEYS.md each. What has none doesn't compile, and is never spelled by chance.

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

/// What can be filled in to a ``CacheKey``. An enumeration with raw values conforms by saying so; a type of your own says which
/// of its parts make it what it is:
///
/// ```swift
/// extension Course: CacheKeyPart {
///   var keySpelling: KeySpelling { .list([school.keySpelling, number.keySpelling]) }
/// }
/// ```
public protocol CacheKeyPart {
  var keySpelling: KeySpelling { get }
}

extension CacheKeyPart where Self: RawRepresentable, RawValue: CacheKeyPart {
  public var keySpelling: KeySpelling { rawValue.keySpelling }
}

extension CacheKeyPart where Self: BinaryInteger {
  public var keySpelling: KeySpelling { .number(String(self)) }
}

extension Int: CacheKeyPart {}
extension Int8: CacheKeyPart {}
extension Int16: CacheKeyPart {}
extension Int32: CacheKeyPart {}
extension Int64: CacheKeyPart {}
extension UInt: CacheKeyPart {}
extension UInt8: CacheKeyPart {}
extension UInt16: CacheKeyPart {}
extension UInt32: CacheKeyPart {}
extension UInt64: CacheKeyPart {}

extension String: CacheKeyPart {
  public var keySpelling: KeySpelling { .text(self) }
}

extension Substring: CacheKeyPart {
  public var keySpelling: KeySpelling { .text(String(self)) }
}

extension Bool: CacheKeyPart {
  public var keySpelling: KeySpelling { .flag(self) }
}

extension Double: CacheKeyPart {
  /// The shortest digits that read back as it. Not a number and infinity have no digits: they are spelled as a text.
  public var keySpelling: KeySpelling { isFinite ? .number(keyDigits) : .text("\(self)") }
}

extension Optional: CacheKeyPart where Wrapped: CacheKeyPart {
  public var keySpelling: KeySpelling { map(\.keySpelling) ?? .nothing }
}

extension Array: CacheKeyPart where Element: CacheKeyPart {
  public var keySpelling: KeySpelling { .list(map(\.keySpelling)) }
}

extension Set: CacheKeyPart where Element: CacheKeyPart {
  public var keySpelling: KeySpelling { .set(map(\.keySpelling)) }
}

extension Dictionary: CacheKeyPart where Key: CacheKeyPart, Value: CacheKeyPart {
  public var keySpelling: KeySpelling {
    .record(Dictionary<String, KeySpelling>(map { ($0.keySpelling.plain, $1.keySpelling) }) { first, _ in first })
  }
}

extension UUID: CacheKeyPart {
  public var keySpelling: KeySpelling { .text(uuidString.lowercased()) }
}

extension Decimal: CacheKeyPart {
  public var keySpelling: KeySpelling { .text(keyDigits) }
}

extension Date: CacheKeyPart {
  /// In UTC, to the microsecond.
  public var keySpelling: KeySpelling { .text(spelledInUTC) }
}

extension Duration: CacheKeyPart {
  public var keySpelling: KeySpelling { .text(decimalSeconds + "s") }
}

extension Data: CacheKeyPart {
  public var keySpelling: KeySpelling { .text(base64URL.filter { $0 != "=" }) }
}

extension URL: CacheKeyPart {
  /// A file's is the path that it is.
  public var keySpelling: KeySpelling { .text(isFileURL ? path : absoluteString) }
}
