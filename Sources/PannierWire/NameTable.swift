// Finds which of a few short names some bytes are, in about ten instructions. It knows no particular names.

/// A closed set of names. Those of at most seven bytes are taken as one word with the quote that ends them: finding one is a
/// load, a multiplication and, nearly always, one comparison. Without the quote a name with NULs behind it would be the same
/// word. The few longer ones belong to rare requests, and are compared one by one.
struct NameTable<Value>: ~Copyable {
  /// Four times as many slots as there are names, at least: few share one.
  private static var slotBits: UInt64 { 7 }
  private static var slotCount: Int { 1 << Int(slotBits) }
  /// Spreads words over slots by their product's top bits (2^64 divided by the golden ratio, made odd; Knuth, The Art of
  /// Computer Programming, vol. 3, 6.4).
  private static var multiplier: UInt64 { 0x9E37_79B9_7F4A_7C15 }

  private let words: UnsafeMutablePointer<UInt64>
  private let values: UnsafeMutablePointer<Value?>
  private let longNames: [(name: StaticString, value: Value)]

  init(_ names: [(StaticString, Value)]) {
    precondition(names.count * 4 <= Self.slotCount, "more names than the table is made for")
    words = .allocate(capacity: Self.slotCount)
    words.initialize(repeating: 0, count: Self.slotCount)
    values = .allocate(capacity: Self.slotCount)
    values.initialize(repeating: nil, count: Self.slotCount)
    longNames = names.filter { $0.0.utf8CodeUnitCount >= 8 }
    for (name, value) in names where name.utf8CodeUnitCount < 8 {
      let count = name.utf8CodeUnitCount
      let word = (0..<count).reduce(Self.quote(after: count)) { $0 | UInt64(name.utf8Start[$1]) << UInt64($1 * 8) }
      var slot = Self.slot(word)
      while words[slot] != 0 { slot = (slot + 1) % Self.slotCount }
      words[slot] = word
      values[slot] = value
    }
  }

  deinit {
    words.deallocate()
    values.deinitialize(count: Self.slotCount)
    values.deallocate()
  }

  /// The value of the name that `bytes` are. They stand in a `Line`, so that eight bytes can be loaded wherever they begin.
  @inline(__always)
  subscript(bytes: Bytes) -> Value? {
    guard let start = bytes.baseAddress else { return nil }
    if bytes.count >= 8 { return longName(bytes) }
    let quote = Self.quote(after: bytes.count)
    return self[word: start.loadUnaligned(as: UInt64.self) & (1 &<< UInt64(bytes.count &* 8) &- 1) | quote]
  }

  @inline(never)
  private func longName(_ bytes: Bytes) -> Value? {
    longNames.first { Bytes(start: $0.name.utf8Start, count: $0.name.utf8CodeUnitCount).elementsEqual(bytes) }?.value
  }

  @inline(__always)
  private static func quote(after count: Int) -> UInt64 { UInt64(UInt8(ascii: "\"")) &<< UInt64(count &* 8) }

  /// The value of the name whose bytes, the first lowest, make up `word` with the quote behind them.
  @inline(__always)
  subscript(word word: UInt64) -> Value? {
    var slot = Self.slot(word)
    while words[slot] != word {
      if words[slot] == 0 { return nil }
      slot = (slot &+ 1) & (Self.slotCount &- 1)
    }
    return values[slot]
  }

  @inline(__always)
  private static func slot(_ word: UInt64) -> Int { Int(truncatingIfNeeded: (word &* multiplier) &>> (64 &- slotBits)) }
}
