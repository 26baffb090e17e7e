// What a value's own `init(from:)` reads from, between it and JSONDecoder: types that JSON lacks are read as VALUES.md says. All else
// is handed on.

/// Decodes a value by way of ``CanonicalDecoder``.
struct Canonical<Value: Decodable>: Decodable {
  let value: Value

  init(from decoder: any Decoder) throws {
    if let text = CanonicalText.all[ObjectIdentifier(Value.self)], let value = try text.read(decoder) as? Value {
      self.value = value
    } else {
      value = try Value(from: CanonicalDecoder(inner: decoder))
    }
  }
}

private struct CanonicalDecoder: Decoder {
  let inner: any Decoder

  var codingPath: [any CodingKey] { inner.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { inner.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(Keyed(inner: try inner.container(keyedBy: type)))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { Unkeyed(inner: try inner.unkeyedContainer()) }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    Single(inner: try inner.singleValueContainer())
  }
}

private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let inner: KeyedDecodingContainer<Key>

  var codingPath: [any CodingKey] { inner.codingPath }
  var allKeys: [Key] { inner.allKeys }

  func contains(_ key: Key) -> Bool { inner.contains(key) }

  func decodeNil(forKey key: Key) throws -> Bool { try inner.decodeNil(forKey: key) }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try inner.decode(type, forKey: key) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try inner.decode(type, forKey: key) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try inner.decode(type, forKey: key) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try inner.decode(type, forKey: key) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try inner.decode(type, forKey: key) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try inner.decode(type, forKey: key) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try inner.decode(type, forKey: key) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try inner.decode(type, forKey: key) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try inner.decode(type, forKey: key) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try inner.decode(type, forKey: key) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try inner.decode(type, forKey: key) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try inner.decode(type, forKey: key) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try inner.decode(type, forKey: key) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try inner.decode(type, forKey: key) }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try inner.decode(Canonical<Value>.self, forKey: key).value
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    KeyedDecodingContainer(Keyed<Nested>(inner: try inner.nestedContainer(keyedBy: type, forKey: key)))
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    Unkeyed(inner: try inner.nestedUnkeyedContainer(forKey: key))
  }

  func superDecoder() throws -> any Decoder { CanonicalDecoder(inner: try inner.superDecoder()) }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    CanonicalDecoder(inner: try inner.superDecoder(forKey: key))
  }
}

private struct Unkeyed: UnkeyedDecodingContainer {
  var inner: any UnkeyedDecodingContainer

  var codingPath: [any CodingKey] { inner.codingPath }
  var count: Int? { inner.count }
  var isAtEnd: Bool { inner.isAtEnd }
  var currentIndex: Int { inner.currentIndex }

  mutating func decodeNil() throws -> Bool { try inner.decodeNil() }
  mutating func decode(_ type: Bool.Type) throws -> Bool { try inner.decode(type) }
  mutating func decode(_ type: String.Type) throws -> String { try inner.decode(type) }
  mutating func decode(_ type: Double.Type) throws -> Double { try inner.decode(type) }
  mutating func decode(_ type: Float.Type) throws -> Float { try inner.decode(type) }
  mutating func decode(_ type: Int.Type) throws -> Int { try inner.decode(type) }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try inner.decode(type) }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try inner.decode(type) }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try inner.decode(type) }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try inner.decode(type) }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try inner.decode(type) }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try inner.decode(type) }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try inner.decode(type) }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try inner.decode(type) }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try inner.decode(type) }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try inner.decode(Canonical<Value>.self).value
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    KeyedDecodingContainer(Keyed<Nested>(inner: try inner.nestedContainer(keyedBy: type)))
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    Unkeyed(inner: try inner.nestedUnkeyedContainer())
  }

  mutating func superDecoder() throws -> any Decoder { CanonicalDecoder(inner: try inner.superDecoder()) }
}

private struct Single: SingleValueDecodingContainer {
  let inner: any SingleValueDecodingContainer

  var codingPath: [any CodingKey] { inner.codingPath }

  func decodeNil() -> Bool { inner.decodeNil() }
  func decode(_ type: Bool.Type) throws -> Bool { try inner.decode(type) }
  func decode(_ type: String.Type) throws -> String { try inner.decode(type) }
  func decode(_ type: Double.Type) throws -> Double { try inner.decode(type) }
  func decode(_ type: Float.Type) throws -> Float { try inner.decode(type) }
  func decode(_ type: Int.Type) throws -> Int { try inner.decode(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try inner.decode(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try inner.decode(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try inner.decode(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try inner.decode(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try inner.decode(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try inner.decode(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try inner.decode(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try inner.decode(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try inner.decode(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try inner.decode(Canonical<Value>.self).value }
}
