// How an entry lies in memory: one block with its links, times, key and value. It knows no table and no policy.

/// What hosts know of a value that they share: its version, and the number of the change that it reflects.
struct SharedMark {
  var version: UInt64
  var birth: UInt64
}

/// A view of one entry's block.
///
///     0  chain next      the table's (every node of a table has it first)
///     4  recency links   newer, older
///     12 wheel links     previous, next
///     20 value length
///     24 version 53      │ hash tag 11
///     32 fresh until 40  │ namespace 12 │ filler 12
///     40 stored at 40    │ key length 16 │ flags 8
///     48 [stale span 8] [shared version 8, birth 8] [tag count 4, tag links 4 each] key value
///
/// What other hosts share has a version that all of them know, and the number of the change that it reflects; the 53 bits are then the
/// order in which things happened on this host.
///
/// Times are in milliseconds since the cache began: 40 bits are 34 years.
struct Entry {
  static let headerBytes = 48
  private static let staleBytes = 8
  private static let sharedBytes = 16
  /// A deadline that never comes.
  static let never: Int64 = 1 << 40 - 1
  private static let timeMask: UInt64 = 1 << 40 - 1
  static let versionBits: UInt64 = 53
  private static let versionMask: UInt64 = 1 << 53 - 1

  private enum Flag {
    static let hasStale: UInt64 = 1
    static let hasTags: UInt64 = 2
    /// Freshness was ended early: what is otherwise the end of freshness is the end of all.
    static let softened: UInt64 = 4
    static let isShared: UInt64 = 8
  }

  let base: UnsafeMutableRawPointer

  /// What is known of an entry when it is made.
  struct Content {
    var key: UnsafeRawBufferPointer
    var value: UnsafeRawBufferPointer
    var tags: [Link] = []
    var staleMilliseconds: Int64 = 0
    var freshUntil: Int64 = Entry.never
    var storedAt: Int64 = 0
    var version: UInt64 = 0
    /// Nil: the host's own.
    var shared: SharedMark?
    var hashTag: UInt64 = 0
    var namespace: Int = 0
    var filler: Int = 0

    var byteCount: Int {
      Entry.headerBytes + (staleMilliseconds > 0 ? Entry.staleBytes : 0) + (shared == nil ? 0 : Entry.sharedBytes)
        + (tags.isEmpty ? 0 : 4 + 4 * tags.count) + key.count + value.count
    }
  }

  func write(_ content: Content) {
    store(UInt32(content.value.count), 20)
    store(content.version | content.hashTag << Self.versionBits, 24)
    store(UInt64(content.freshUntil) | UInt64(content.namespace) << 40 | UInt64(content.filler) << 52, 32)
    var flags: UInt64 = 0
    var offset = Self.headerBytes
    if content.staleMilliseconds > 0 {
      flags |= Flag.hasStale
      store(content.staleMilliseconds, offset)
      offset += Self.staleBytes
    }
    if let shared = content.shared {
      flags |= Flag.isShared
      store(shared.version, offset)
      store(shared.birth, offset + 8)
      offset += Self.sharedBytes
    }
    if !content.tags.isEmpty {
      flags |= Flag.hasTags
      store(UInt32(content.tags.count), offset)
      offset += 4
      for tag in content.tags {
        store(tag, offset)
        offset += 4
      }
    }
    store(UInt64(content.storedAt) | UInt64(content.key.count) << 40 | flags << 56, 40)
    if let key = content.key.baseAddress { (base + offset).copyMemory(from: key, byteCount: content.key.count) }
    offset += content.key.count
    if let value = content.value.baseAddress { (base + offset).copyMemory(from: value, byteCount: content.value.count) }
  }

  // MARK: Links

  var newer: Link {
    get { load(4) }
    nonmutating set { store(newValue, 4) }
  }
  var older: Link {
    get { load(8) }
    nonmutating set { store(newValue, 8) }
  }
  var wheelPrevious: Link {
    get { load(12) }
    nonmutating set { store(newValue, 12) }
  }
  var wheelNext: Link {
    get { load(16) }
    nonmutating set { store(newValue, 16) }
  }

  // MARK: What it is

  /// When it was stored, in the order of this host's changes.
  var version: UInt64 { load(24) & Self.versionMask }
  /// The version that callers are told.
  var publicVersion: UInt64 { flags & Flag.isShared != 0 ? load(sharedOffset) : version }
  /// The change of the shared tier that it reflects; zero: it is this host's own.
  var birth: UInt64 { flags & Flag.isShared != 0 ? load(sharedOffset + 8) : 0 }
  var sharedMark: SharedMark? {
    flags & Flag.isShared != 0 ? SharedMark(version: load(sharedOffset), birth: load(sharedOffset + 8)) : nil
  }
  /// Of what is shared: it has its number in the order of changes.
  func raiseBirth(_ number: UInt64) {
    if flags & Flag.isShared != 0 { store(max(birth, number), sharedOffset + 8) }
  }
  var hashTag: UInt64 { load(24) as UInt64 >> Self.versionBits }
  var namespace: Int { Int(truncatingIfNeeded: load(32) as UInt64 >> 40 & 0xFFF) }
  var filler: Int { Int(truncatingIfNeeded: load(32) as UInt64 >> 52) }
  var storedAt: Int64 { Int64(load(40) & Self.timeMask) }

  private var flags: UInt64 { load(40) as UInt64 >> 56 }
  private var keyLength: Int { Int(truncatingIfNeeded: load(40) as UInt64 >> 40 & 0xFFFF) }
  private var valueLength: Int { Int(load(20) as UInt32) }

  private var keyOffset: Int {
    if flags & (Flag.hasStale | Flag.hasTags | Flag.isShared) == 0 { return Self.headerBytes }
    return tagOffset + (flags & Flag.hasTags != 0 ? 4 + 4 * tagCount : 0)
  }
  private var sharedOffset: Int { Self.headerBytes + (flags & Flag.hasStale != 0 ? Self.staleBytes : 0) }
  private var tagOffset: Int { sharedOffset + (flags & Flag.isShared != 0 ? Self.sharedBytes : 0) }
  private var tagCount: Int { Int(load(tagOffset) as UInt32) }

  var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + keyOffset, count: keyLength) }
  var value: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + keyOffset + keyLength, count: valueLength)
  }
  var tags: [Link] {
    guard flags & Flag.hasTags != 0 else { return [] }
    return (0..<tagCount).map { load(tagOffset + 4 + 4 * $0) }
  }

  // MARK: How long it lives

  /// Until when it is fresh; zero where its freshness was ended early.
  var freshUntil: Int64 { flags & Flag.softened != 0 ? 0 : deadline }

  /// Until when it may be shown at all.
  var end: Int64 {
    flags & (Flag.hasStale | Flag.softened) == Flag.hasStale ? min(deadline + staleSpan, Self.never) : deadline
  }

  private var deadline: Int64 { Int64(load(32) & Self.timeMask) }
  private var staleSpan: Int64 { load(Self.headerBytes) }

  /// Whether a stale span can be written where it stands.
  var hasStaleSpan: Bool { flags & Flag.hasStale != 0 }

  /// Ends freshness; it may be shown until `end`.
  func soften(end: Int64) {
    setDeadline(end)
    store(load(40) | Flag.softened << 56, 40)
  }

  /// Starts its life anew. A span above zero needs `hasStaleSpan`.
  func renew(freshUntil: Int64, staleMilliseconds: Int64) {
    setDeadline(freshUntil)
    if hasStaleSpan { store(staleMilliseconds, Self.headerBytes) }
  }

  private func setDeadline(_ deadline: Int64) { store(load(32) & ~Self.timeMask | UInt64(deadline), 32) }

  @inline(__always)
  private func load<Value: BitwiseCopyable>(_ offset: Int) -> Value {
    base.load(fromByteOffset: offset, as: Value.self)
  }

  @inline(__always)
  private func store<Value: BitwiseCopyable>(_ value: Value, _ offset: Int) {
    base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }
}
