// One namespace's share of the cache, and the list of all. It holds state; what is done with it is the tier's and the cache's.

/// Names a namespace for as long as the process runs: namespaces are never removed.
package typealias NamespaceID = Int

extension NamespaceID {
  /// In the place of one, in changes of the shared tier alone.
  static let everyNamespace = -1
}

struct Namespace: ~Copyable {
  let name: [UInt8]
  var policy: Policy { didSet { derive() } }
  /// Some of its values are loaded anew before they are stale.
  private(set) var refreshesAhead = false
  /// A fresh value in memory is shown without asking anybody.
  private(set) var showsAtOnce = true
  /// Nothing proves that memory has heard of all changes, and the policy wants that proven.
  var needsProof = false { didSet { derive() } }
  /// Nothing proves that, and memory answers nevertheless. Counted by what the hits come to meanwhile, so that a hit itself has
  /// nothing to look at.
  var servesUnproven: Bool {
    get { memoryHitsWhenProven != nil }
    set {
      guard newValue != servesUnproven else { return }
      unprovenBefore = unproven
      memoryHitsWhenProven = newValue ? memoryHits : nil
    }
  }
  private var memoryHitsWhenProven: Int?
  private var unprovenBefore = 0
  var table = ChainTable<EntryNode>()
  var recency = LeastRecentlyUsed()
  var tags = Tags()
  var counters = Counters()
  var pending = PendingClears()
  /// How long loads took, from lease to fill; nil: there was none. Apart, since it takes 8 KB.
  private(set) var loadTimes: LoadTimes?
  /// It is on the list of those that hold more than a bound allows.
  var isTrimmed = false

  init(name: [UInt8], policy: Policy) {
    self.name = name
    self.policy = policy
    derive()
  }

  private mutating func derive() {
    refreshesAhead = policy.refreshesAhead
    showsAtOnce = !policy.mode.hidesEntries && policy.tiers.contains(.memory) && !needsProof
  }

  /// All that were answered so, those of now included.
  var unproven: Int { unprovenBefore + (memoryHitsWhenProven.map { memoryHits - $0 } ?? 0) }

  private var memoryHits: Int { counters.hits - counters.sharedHits - counters.provenHits }

  mutating func record(loadMilliseconds: Int64) {
    let times = loadTimes ?? LoadTimes()
    loadTimes = times
    times.histogram.record(UInt64(clamping: loadMilliseconds) &* 1000)
    times.milliseconds += loadMilliseconds
  }
}

/// How long a namespace's loads took.
package final class LoadTimes {
  package fileprivate(set) var histogram = DelayHistogram()
  /// All of them together.
  package fileprivate(set) var milliseconds: Int64 = 0
}

/// Lets the table find entries.
enum EntryNode: ChainNode {
  @inline(__always)
  static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer { Entry(base: node).key }
  @inline(__always)
  static func hashTag(of node: UnsafeMutableRawPointer) -> UInt64 { Entry(base: node).hashTag }
}

/// All namespaces, by number and by name. Each has a place of its own that doesn't move.
struct NamespaceList: ~Copyable {
  /// Entries have 12 bits for it.
  package static let maximum = 1 << 12 - 1

  private let limit: Int
  private let places: UnsafeMutablePointer<UnsafeMutablePointer<Namespace>>
  /// What each namespace's entries take, side by side: finding the largest is a scan of one array.
  private let bytes: UnsafeMutablePointer<Int>
  /// Numbers plus one, at the slot of the name's hash or the next free one; zero: none.
  private let slots: UnsafeMutablePointer<UInt16>
  private let slotMask: Int
  private(set) var count = 0

  init(limit: Int) {
    self.limit = min(limit, Self.maximum)
    places = .allocate(capacity: self.limit)
    bytes = .allocate(capacity: self.limit)
    // At least twice as many slots as names, so that a search for a name that isn't there ends soon.
    let slotCount = 4 << (Int.bitWidth - 1 - self.limit.leadingZeroBitCount)
    slotMask = slotCount - 1
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
  }

  deinit {
    for number in 0..<count {
      places[number].deinitialize(count: 1)
      places[number].deallocate()
    }
    places.deallocate()
    bytes.deallocate()
    slots.deallocate()
  }

  /// What a namespace takes before it has an entry, in bytes: its own place, and two tables' first buckets.
  static let bytesEach = MemoryLayout<Namespace>.size + 2 * 1032

  /// A namespace's place. Take it into a `let` before changing anything at it: Swift 6.3.1 crashes under the thread sanitizer
  /// where a change goes through a list that is itself a property.
  @inline(__always)
  subscript(id: NamespaceID) -> UnsafeMutablePointer<Namespace> { places[id] }

  func bytes(of id: NamespaceID) -> Int { bytes[id] }
  func add(_ difference: Int, to id: NamespaceID) { bytes[id] += difference }

  /// The one that holds most bytes; nil where there is none.
  var largest: NamespaceID? {
    (0..<count).max { bytes[$0] < bytes[$1] }
  }

  @inline(__always)
  func find(_ name: UnsafeRawBufferPointer, _ hash: UInt64) -> NamespaceID? {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while slots[slot] != 0 {
      let id = Int(slots[slot]) &- 1
      if isName(of: id, name) { return id }
      slot = (slot &+ 1) & slotMask
    }
    return nil
  }

  @inline(__always)
  private func isName(of id: NamespaceID, _ name: UnsafeRawBufferPointer) -> Bool {
    places[id].pointee.name.withUnsafeBytes { same($0, name) }
  }

  /// Nil where there are as many as there may be.
  mutating func add(_ name: UnsafeRawBufferPointer, _ hash: UInt64, _ policy: Policy) -> NamespaceID? {
    guard count < limit else { return nil }
    let place = UnsafeMutablePointer<Namespace>.allocate(capacity: 1)
    place.initialize(to: Namespace(name: Array(name), policy: policy))
    places[count] = place
    bytes[count] = 0
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while slots[slot] != 0 { slot = (slot + 1) & slotMask }
    slots[slot] = UInt16(count + 1)
    count += 1
    return count - 1
  }
}
