// Remembers why keys are no longer there, by hash, for as long as its room lasts. It never says what it isn't sure of.

/// Why and when a key went, and on whose word.
package struct GoneRecord {
  package var reason: MissReason
  package var at: Int64
  /// Who deleted it; zero where nobody did.
  package var pid: Int32 = 0
  /// The clear that took it, and which of its tags did; zero: none did.
  var clear: UInt32 = 0
  package var tag: UInt8 = 0

  /// Of a key in a namespace that nobody has used.
  package static let neverStored = GoneRecord(reason: .neverStored, at: 0)
  /// Of one that there is nothing to say of.
  package static let unknown = GoneRecord(reason: .unknown, at: 0)
}

/// The most recently gone keys, the oldest overwritten first; the newest of a key is found first.
struct GoneRing: ~Copyable {
  private struct Slot {
    var hash: UInt64
    /// The next older in its bucket, as a serial number; one that has been overwritten ends the chain.
    var next: UInt64
    var record: GoneRecord
  }

  /// Bytes a remembered key takes: its slot and its share of the heads.
  private static var bytesPerSlot: Int { MemoryLayout<Slot>.stride + MemoryLayout<UInt64>.stride }

  private let slots: UnsafeMutablePointer<Slot>
  private let heads: UnsafeMutablePointer<UInt64>
  private let capacity: Int
  private let headMask: Int
  /// How many were ever remembered. The last `capacity` of them still are.
  private var serial: UInt64 = 0

  /// `bytes`: the most it may take.
  init(bytes: Int) {
    let wanted = max(16, bytes / Self.bytesPerSlot)
    // The largest power of two at or below: heads are chosen by mask.
    capacity = 1 << (Int.bitWidth - 1 - wanted.leadingZeroBitCount)
    headMask = capacity - 1
    slots = .allocate(capacity: capacity)
    heads = .allocate(capacity: capacity)
    heads.initialize(repeating: 0, count: capacity)
  }

  deinit {
    slots.deallocate()
    heads.deallocate()
  }

  var byteCount: Int { capacity * Self.bytesPerSlot }

  /// Whether any record has been overwritten: then a key without one may have gone nevertheless.
  var hasForgotten: Bool { serial > UInt64(capacity) }

  mutating func remember(_ hash: UInt64, _ record: GoneRecord) {
    serial += 1
    let head = Int(truncatingIfNeeded: hash) & headMask
    (slots + Int(serial) % capacity).initialize(to: Slot(hash: hash, next: heads[head], record: record))
    heads[head] = serial
  }

  /// The newest record of a key; at most a few steps, since there are as many heads as slots.
  func recall(_ hash: UInt64) -> GoneRecord? {
    var number = heads[Int(truncatingIfNeeded: hash) & headMask]
    while number > 0, serial - number < UInt64(capacity) {
      let slot = slots[Int(number) % capacity]
      if slot.hash == hash { return slot.record }
      number = slot.next
    }
    return nil
  }
}
