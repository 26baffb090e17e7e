// Which namespaces are still to be walked through for void values, and how far the walk under way has come. It knows no
// connection.

/// One walk looks for everything that is void when it comes by. So clears of a namespace that come before its walk begins
/// share it; what comes later may concern what was passed already, and has the namespace walked through again.
struct WalkList {
  private(set) var scanned = 0
  private(set) var removed = 0
  private var current: Place?
  /// As they came, each once.
  private var waiting: [[UInt8]] = []
  private var isWaiting: Set<[UInt8]> = []
  /// Which the cursor belongs to: another server, or one that lost everything, has other places.
  private var incarnation: UInt64 = 0

  struct Place: Equatable {
    let ns: [UInt8]
    /// As SCAN wants it next.
    var cursor = Self.start

    fileprivate static let start = Array("0".utf8)
  }

  /// Namespaces that are not walked through to their end.
  var count: Int { waiting.count + (current == nil ? 0 : 1) }

  mutating func add(_ ns: [UInt8]) {
    if isWaiting.insert(ns).inserted { waiting.append(ns) }
  }

  /// Where to go on; nil: there is nothing left to do.
  mutating func next() -> Place? {
    if current == nil, !waiting.isEmpty {
      let ns = waiting.removeFirst()
      isWaiting.remove(ns)
      current = Place(ns: ns)
    }
    return current
  }

  /// What stood at its place is done with; SCAN's cursor says where the next is, and is 0 at the end.
  mutating func advance(to cursor: [UInt8], scanned: Int) {
    self.scanned += scanned
    current?.cursor = cursor
    if cursor == Place.start { current = nil }
  }

  mutating func count(removed: Int) { self.removed += removed }

  /// A new connection goes on where the last one ended, unless its log is another.
  mutating func joined(_ incarnation: UInt64) {
    if incarnation != self.incarnation, let ns = current?.ns { current = Place(ns: ns) }
    self.incarnation = incarnation
  }
}
