// Connections that something is to be done for before the turn ends. It knows not what.

/// A list that is filled and emptied in each turn without counting references: whoever is on it is open, and an open
/// connection is kept by its handle until the loop closes that, after the turn.
struct TurnList: ~Copyable {
  private var storage: UnsafeMutablePointer<Unmanaged<Connection>>
  private var capacity = 16
  private var count = 0

  init() { storage = .allocate(capacity: capacity) }

  deinit { storage.deallocate() }

  @inline(__always)
  var isEmpty: Bool { count == 0 }

  @inline(__always)
  mutating func append(_ connection: Connection) {
    if count == capacity { grow() }
    storage[count] = Unmanaged.passUnretained(connection)
    count &+= 1
  }

  /// Takes out the one that was put in last.
  @inline(__always)
  mutating func popLast() -> Unmanaged<Connection>? {
    guard count > 0 else { return nil }
    count &-= 1
    return storage[count]
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Unmanaged<Connection>>.allocate(capacity: capacity * 2)
    larger.update(from: storage, count: count)
    storage.deallocate()
    storage = larger
    capacity *= 2
  }
}
