// Finds a block by its key. It owns the buckets, and borrows the arena in which the nodes lie.

/// What a table's node must tell. Its first four bytes are the table's: the link to the next in its bucket.
protocol ChainNode {
  static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer
  /// Bits of the key's hash that the node keeps, to pass over others without looking at their keys.
  static func hashTag(of node: UnsafeMutableRawPointer) -> UInt64
}

/// A linear hash table (Litwin: "Linear hashing", VLDB 1980): it grows by splitting one bucket at each insertion, and
/// shrinks by merging one at each removal, so that no insertion ever pays for all entries.
///
/// A walk goes through the buckets in the order of their hashes with the bits reversed (as Redis' SCAN does): splitting and
/// merging keep that order, so that a place in it is a number that stays right however the table changes, and each
/// entry that stays is met exactly once.
struct ChainTable<Node: ChainNode>: ~Copyable {
  /// Buckets are allocated 256 at a time: 1 KiB.
  private static var segmentBits: Int { 8 }
  private static var segmentSize: Int { 1 << segmentBits }

  private var segments: UnsafeMutablePointer<UnsafeMutablePointer<Link>>
  private var segmentCount = 1
  private var segmentCapacity = 1
  private(set) var bucketCount = segmentSize
  /// One less than the power of two at or below `bucketCount`.
  private var lowMask: UInt64 = UInt64(segmentSize - 1)
  private(set) var count = 0

  init() {
    segments = .allocate(capacity: 1)
    segments[0] = Self.newSegment()
  }

  deinit {
    for index in 0..<segmentCount { segments[index].deallocate() }
    segments.deallocate()
  }

  /// What the table itself takes, in bytes.
  var byteCount: Int { segmentCount * Self.segmentSize * MemoryLayout<Link>.size + segmentCapacity * 8 }

  /// What one more entry adds to the buckets, in bytes: there is about one bucket an entry.
  static var bytesPerEntry: Int { MemoryLayout<Link>.size }

  @inline(__always)
  static func hashTag(_ hash: UInt64) -> UInt64 { hash &>> Entry.versionBits }

  /// The node with this key, or zero.
  @inline(__always)
  func find(_ key: UnsafeRawBufferPointer, _ hash: UInt64, in arena: borrowing Arena) -> Link {
    var link = bucket(index(hash)).pointee
    let tag = Self.hashTag(hash)
    while link != 0 {
      let node = arena.pointer(link)
      if Node.hashTag(of: node) == tag, same(Node.key(of: node), key) { return link }
      link = node.load(as: Link.self)
    }
    return 0
  }

  /// Adds a node whose key no node has.
  mutating func insert(_ link: Link, _ hash: UInt64, in arena: borrowing Arena, _ keyHash: KeyHash) {
    push(link, index(hash), arena)
    count += 1
    if count > bucketCount { split(arena, keyHash) }
  }

  mutating func remove(_ link: Link, _ hash: UInt64, in arena: borrowing Arena) {
    let head = bucket(index(hash))
    let next = arena.pointer(link).load(as: Link.self)
    if head.pointee == link {
      head.pointee = next
    } else {
      var node = arena.pointer(head.pointee)
      while node.load(as: Link.self) != link { node = arena.pointer(node.load(as: Link.self)) }
      node.storeBytes(of: next, as: Link.self)
    }
    count -= 1
    // Half as full as when it grew, so that a table at its bound doesn't split and merge by turns. Two buckets for one entry:
    // twice its count is the bound, so that with one a table that empties would keep half of its buckets.
    for _ in 0..<2 where count * 2 < bucketCount && bucketCount > Self.segmentSize { merge(arena) }
  }

  // MARK: Walking

  /// Puts the nodes of the bucket at `position` that a walk has not met into `links`, and returns the next position: zero when
  /// the walk is through.
  func walk(from position: UInt64, in arena: borrowing Arena, _ keyHash: KeyHash, into links: inout [Walked]) -> UInt64
  {
    links.removeAll(keepingCapacity: true)
    let low = Self.reversed(position)
    let bits = bits(of: low)
    var link = bucket(Int(low & (1 << UInt64(bits) - 1))).pointee
    while link != 0 {
      let node = arena.pointer(link)
      let place = Self.reversed(keyHash(Node.key(of: node)))
      // After a merge a bucket holds what came before this position too.
      if place >= position { links.append(Walked(link: link, position: place)) }
      link = node.load(as: Link.self)
    }
    let width: UInt64 = 1 << UInt64(64 - bits)
    return (position & ~(width - 1)) &+ width
  }

  /// Where in the order of walks a hash stands.
  static func reversed(_ hash: UInt64) -> UInt64 {
    var bits = hash
    bits = (bits & 0x5555_5555_5555_5555) << 1 | bits >> 1 & 0x5555_5555_5555_5555
    bits = (bits & 0x3333_3333_3333_3333) << 2 | bits >> 2 & 0x3333_3333_3333_3333
    bits = (bits & 0x0F0F_0F0F_0F0F_0F0F) << 4 | bits >> 4 & 0x0F0F_0F0F_0F0F_0F0F
    return bits.byteSwapped
  }

  /// By how many low bits of the hash the bucket of `hash` is chosen.
  private func bits(of hash: UInt64) -> Int {
    let high = hash & (lowMask << 1 | 1)
    let isSplit = high < UInt64(bucketCount) && (high > lowMask || high < UInt64(bucketCount) - lowMask - 1)
    return (~lowMask).trailingZeroBitCount + (isSplit ? 1 : 0)
  }

  // MARK: Buckets

  @inline(__always)
  private func index(_ hash: UInt64) -> Int {
    let high = Int(truncatingIfNeeded: hash & (lowMask &<< 1 | 1))
    return high < bucketCount ? high : Int(truncatingIfNeeded: hash & lowMask)
  }

  @inline(__always)
  private func bucket(_ index: Int) -> UnsafeMutablePointer<Link> {
    segments[index &>> Self.segmentBits] + (index & (Self.segmentSize &- 1))
  }

  private func push(_ link: Link, _ index: Int, _ arena: borrowing Arena) {
    let head = bucket(index)
    arena.pointer(link).storeBytes(of: head.pointee, as: Link.self)
    head.pointee = link
  }

  /// One bucket more: the oldest unsplit one gives it those whose next bit is set.
  private mutating func split(_ arena: borrowing Arena, _ keyHash: KeyHash) {
    let new = bucketCount
    if new >> Self.segmentBits == segmentCount { addSegment() }
    let old = new & Int(lowMask)
    bucketCount += 1
    if UInt64(bucketCount) > lowMask << 1 | 1 { lowMask = lowMask << 1 | 1 }
    var link = bucket(old).pointee
    bucket(old).pointee = 0
    while link != 0 {
      let node = arena.pointer(link)
      let next = node.load(as: Link.self)
      push(link, index(keyHash(Node.key(of: node))), arena)
      link = next
    }
  }

  /// One bucket less: the newest goes back to the one it was split from.
  private mutating func merge(_ arena: borrowing Arena) {
    let last = bucketCount - 1
    if UInt64(last) <= lowMask { lowMask >>= 1 }
    var link = bucket(last).pointee
    bucketCount = last
    while link != 0 {
      let next = arena.pointer(link).load(as: Link.self)
      push(link, last & Int(lowMask), arena)
      link = next
    }
    if last & (Self.segmentSize - 1) == 0 {
      segmentCount -= 1
      segments[segmentCount].deallocate()
    } else {
      bucket(last).pointee = 0
    }
  }

  private mutating func addSegment() {
    if segmentCount == segmentCapacity {
      // Doubling: at 4 million entries it moves 128 KiB of pointers, some microseconds.
      let larger = UnsafeMutablePointer<UnsafeMutablePointer<Link>>.allocate(capacity: segmentCapacity * 2)
      larger.update(from: segments, count: segmentCount)
      segments.deallocate()
      segments = larger
      segmentCapacity *= 2
    }
    segments[segmentCount] = Self.newSegment()
    segmentCount += 1
  }

  private static func newSegment() -> UnsafeMutablePointer<Link> {
    let segment = UnsafeMutablePointer<Link>.allocate(capacity: segmentSize)
    segment.initialize(repeating: 0, count: segmentSize)
    return segment
  }
}

/// A node that a walk has met, and where in the walk's order it stands.
struct Walked {
  let link: Link
  let position: UInt64
}
