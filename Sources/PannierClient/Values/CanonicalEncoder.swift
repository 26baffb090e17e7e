// What a value's own `encode(to:)` writes to, between it and JSONEncoder: types that JSON lacks are written as VALUES.md says,
// which JSONEncoder does otherwise for UUIDs, decimal numbers and spans of time. All else is handed on.

/// Encodes a value by way of ``CanonicalEncoder``.
struct CanonicalValue<Value: Encodable>: Encodable {
  let value: Value

  init(_ value: Value) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    if let text = CanonicalText.all[ObjectIdentifier(Value.self)]?.write(value) {
      var container = encoder.singleValueContainer()
      try container.encode(text)
    } else {
      try value.encode(to: CanonicalEncoder(inner: encoder))
    }
  }
}

private struct CanonicalEncoder: Encoder {
  let inner: any Encoder

  var codingPath: [any CodingKey] { inner.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { inner.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Keyed(inner: inner.container(keyedBy: type)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(inner: inner.unkeyedContainer()) }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(inner: inner.singleValueContainer()) }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
  var inner: KeyedEncodingContainer<Key>

  var codingPath: [any CodingKey] { inner.codingPath }

  mutating func encodeNil(forKey key: Key) throws { try inner.encodeNil(forKey: key) }
  mutating func encode(_ value: Bool, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: String, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Double, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Float, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Int, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Int8, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Int16, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Int32, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: Int64, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: UInt, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: UInt8, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: UInt16, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: UInt32, forKey key: Key) throws { try inner.encode(value, forKey: key) }
  mutating func encode(_ value: UInt64, forKey key: Key) throws { try inner.encode(value, forKey: key) }

  mutating func encode(_ value: some Encodable, forKey key: Key) throws {
    try inner.encode(CanonicalValue(value), forKey: key)
  }

  // What isn't there is null, as other languages write it and expect it, and not left out.
  mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: String?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try encodeOrNull(value, key) }
  mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try encodeOrNull(value, key) }

  mutating func encodeIfPresent(_ value: (some Encodable)?, forKey key: Key) throws { try encodeOrNull(value, key) }

  private mutating func encodeOrNull(_ value: (some Encodable)?, _ key: Key) throws {
    if let value { try inner.encode(CanonicalValue(value), forKey: key) } else { try inner.encodeNil(forKey: key) }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(Keyed<Nested>(inner: inner.nestedContainer(keyedBy: type, forKey: key)))
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    Unkeyed(inner: inner.nestedUnkeyedContainer(forKey: key))
  }

  mutating func superEncoder() -> any Encoder { CanonicalEncoder(inner: inner.superEncoder()) }

  mutating func superEncoder(forKey key: Key) -> any Encoder {
    CanonicalEncoder(inner: inner.superEncoder(forKey: key))
  }
}

private struct Unkeyed: UnkeyedEncodingContainer {
  var inner: any UnkeyedEncodingContainer

  var codingPath: [any CodingKey] { inner.codingPath }
  var count: Int { inner.count }

  mutating func encodeNil() throws { try inner.encodeNil() }
  mutating func encode(_ value: Bool) throws { try inner.encode(value) }
  mutating func encode(_ value: String) throws { try inner.encode(value) }
  mutating func encode(_ value: Double) throws { try inner.encode(value) }
  mutating func encode(_ value: Float) throws { try inner.encode(value) }
  mutating func encode(_ value: Int) throws { try inner.encode(value) }
  mutating func encode(_ value: Int8) throws { try inner.encode(value) }
  mutating func encode(_ value: Int16) throws { try inner.encode(value) }
  mutating func encode(_ value: Int32) throws { try inner.encode(value) }
  mutating func encode(_ value: Int64) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt8) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt16) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt32) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt64) throws { try inner.encode(value) }
  mutating func encode(_ value: some Encodable) throws { try inner.encode(CanonicalValue(value)) }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(Keyed<Nested>(inner: inner.nestedContainer(keyedBy: type)))
  }

  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    Unkeyed(inner: inner.nestedUnkeyedContainer())
  }

  mutating func superEncoder() -> any Encoder { CanonicalEncoder(inner: inner.superEncoder()) }
}

private struct Single: SingleValueEncodingContainer {
  var inner: any SingleValueEncodingContainer

  var codingPath: [any CodingKey] { inner.codingPath }

  mutating func encodeNil() throws { try inner.encodeNil() }
  mutating func encode(_ value: Bool) throws { try inner.encode(value) }
  mutating func encode(_ value: String) throws { try inner.encode(value) }
  mutating func encode(_ value: Double) throws { try inner.encode(value) }
  mutating func encode(_ value: Float) throws { try inner.encode(value) }
  mutating func encode(_ value: Int) throws { try inner.encode(value) }
  mutating func encode(_ value: Int8) throws { try inner.encode(value) }
  mutating func encode(_ value: Int16) throws { try inner.encode(value) }
  mutating func encode(_ value: Int32) throws { try inner.encode(value) }
  mutating func encode(_ value: Int64) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt8) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt16) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt32) throws { try inner.encode(value) }
  mutating func encode(_ value: UInt64) throws { try inner.encode(value) }
  mutating func encode(_ value: some Encodable) throws { try inner.encode(CanonicalValue(value)) }
}
