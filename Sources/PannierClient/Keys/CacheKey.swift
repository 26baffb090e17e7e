// A key as callers write it: a text whose filled-in parts are spelled and escaped as KEYS.md says, so that services in other
// languages ask for the same key.

/// A key within a namespace, of 1 to 1,024 bytes.
///
/// As a literal, what is fixed stands as it is, and what is filled in is spelled and escaped, so that no two ways to fill in
/// make one key:
///
/// ```swift
/// let key: CacheKey = "user:\(user.id):page:\(page)"
/// ```
public struct CacheKey: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  /// The whole key, as the sidecar has it.
  public let text: String

  /// A key that is spelled already, such as ``CacheNamespace/keys(matching:limit:after:)`` brings.
  public init(_ text: String) { self.text = text }

  public init(stringLiteral text: String) { self.text = text }

  public init(stringInterpolation parts: Parts) { text = parts.text }

  public var description: String { text }

  /// By bytes, as the sidecar compares them: Swift takes two spellings of one letter, composed and not, for one text.
  public static func == (a: CacheKey, b: CacheKey) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  public struct Parts: StringInterpolationProtocol {
    fileprivate var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    public mutating func appendLiteral(_ literal: String) { text += literal }

    public mutating func appendInterpolation(_ value: some CacheKeyPart) {
      text += KeySpelling.escaped(value.keySpelling)
    }

    /// An enumeration stands as its value.
    @_disfavoredOverload
    public mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value)
    where Value.RawValue: CacheKeyPart {
      appendInterpolation(value.rawValue)
    }

    @_disfavoredOverload
    public mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value?)
    where Value.RawValue: CacheKeyPart {
      appendInterpolation(value?.rawValue)
    }
  }
}

/// A tag of 1 to 128 bytes, spelled as keys are: `"quiz:\(quiz.id)"` is the tag that the Python client makes of
/// `"quiz:{quiz.id}"`.
public typealias CacheTag = CacheKey

/// A glob over keys: `*`, `?`, `[a-z]` and `\` of what is fixed have their meaning, and what is filled in stands for itself.
///
/// ```swift
/// try await users.clear(matching: "user:\(user.id):*")
/// ```
public struct CacheKeyPattern: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  public let text: String

  /// A glob as the sidecar takes it.
  public init(_ text: String) { self.text = text }

  public init(stringLiteral text: String) { self.text = text }

  public init(stringInterpolation parts: Parts) { text = parts.text }

  public var description: String { text }

  public struct Parts: StringInterpolationProtocol {
    fileprivate var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) { text += literal }

    public mutating func appendInterpolation(_ value: some CacheKeyPart) {
      for character in KeySpelling.escaped(value.keySpelling).unicodeScalars {
        if #"\*?[]"#.unicodeScalars.contains(character) { text += "\\" }
        text.unicodeScalars.append(character)
      }
    }

    @_disfavoredOverload
    public mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value)
    where Value.RawValue: CacheKeyPart {
      appendInterpolation(value.rawValue)
    }
  }
}
