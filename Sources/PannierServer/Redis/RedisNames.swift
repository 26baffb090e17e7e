// The names of what stands in Redis, and the slot of a key. It knows no commands, and nothing of what stands under a
// name.

import PannierDispatch
package import PannierWire

/// The names under one prefix. What is no value has a `~` where a value has its namespace, which no namespace can.
package struct RedisNames: Sendable {
  /// A log and the floor that belongs to it: records of the same keys are in one log, and are numbered by one floor.
  package struct Home: Sendable, Equatable {
    package let log: [UInt8]
    package let floor: [UInt8]
  }

  /// Floors are kept for so many groups of keys. More make fewer fills be refused for a neighbour's change, and the
  /// hash larger.
  package static let slotCount = 4096

  package let prefix: [UInt8]
  /// Boot id → number of its live command connection.
  package let hosts: [UInt8]
  private let onlyHome: Home

  package init(prefix: [UInt8]) {
    self.prefix = prefix
    hosts = prefix + ":~hosts".utf8
    onlyHome = Home(log: prefix + ":~log".utf8, floor: prefix + ":~floor".utf8)
  }

  /// The one place that says which log a slot's keys belong to. Today all to one; a cluster would have one a shard.
  package func home(ofSlot slot: Int) -> Home { onlyHome }

  /// Every home there is: whom to join, and where a clear of groups must be written.
  package var homes: [Home] { [onlyHome] }

  package func value(_ ns: Bytes, _ key: Bytes) -> [UInt8] { joined("", ns, key) }

  /// The right to load a key, held by one host of all.
  package func lease(_ ns: Bytes, _ key: Bytes) -> [UInt8] { joined("~lease:", ns, key) }

  /// The group table of a namespace; of an empty name: that of all namespaces.
  package func groups(_ ns: Bytes) -> [UInt8] { prefix + ":~groups:".utf8 + ns }

  /// A pattern for SCAN that finds a namespace's values, and nothing else.
  package func pattern(_ ns: Bytes) -> [UInt8] {
    var pattern: [UInt8] = []
    for byte in prefix + ":".utf8 + ns + ":".utf8 {
      if "*?[]^-\\".utf8.contains(byte) { pattern.append(UInt8(ascii: "\\")) }
      pattern.append(byte)
    }
    return pattern + "*".utf8
  }

  /// The key of which `name` names the value; nil where it names none of this namespace.
  package func key(_ ns: Bytes, ofValue name: Bytes) -> Bytes? {
    let front = joined("", ns, Bytes(start: nil, count: 0))
    guard name.count > front.count, name.starts(with: front) else { return nil }
    return Bytes(rebasing: name[front.count...])
  }

  /// CRC-32 of `ns:key`; a namespace has no colon, so no two keys are one text.
  package static func slot(_ ns: Bytes, _ key: Bytes) -> Int {
    var checksum = Checksum()
    checksum.add(ns)
    checksum.add(UInt8(ascii: ":"))
    checksum.add(key)
    return Int(checksum.value) % slotCount
  }

  private func joined(_ kind: String, _ ns: Bytes, _ key: Bytes) -> [UInt8] {
    var name: [UInt8] = []
    name.reserveCapacity(prefix.count + kind.utf8.count + ns.count + key.count + 2)
    name += prefix
    name.append(UInt8(ascii: ":"))
    name += kind.utf8
    name += ns
    name.append(UInt8(ascii: ":"))
    name += key
    return name
  }
}

/// CRC-32 as IEEE 802.3 has it, which zlib and everybody else computes: whoever looks into Redis can find a slot.
struct Checksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { word, _ in word >> 1 ^ (word & 1 == 0 ? 0 : 0xEDB8_8320) }
  }

  private var state = UInt32.max

  var value: UInt32 { ~state }

  mutating func add(_ bytes: Bytes) {
    for byte in bytes { add(byte) }
  }

  mutating func add(_ byte: UInt8) {
    state = state >> 8 ^ Self.table[Int((state ^ UInt32(byte)) & 0xFF)]
  }
}
