// The memory tier: entries by namespace and key, within budgets of bytes and entries. It knows nothing of requests,
// versions or who may ask; it is told the time.

/// Owned and called by one thread. Everything it does looks at a bounded number of entries.
struct MemoryTier: ~Copyable {
  /// The most entries one insertion evicts. What is still too much then goes in slices: a value of megabytes may take the
  /// place of many thousands of small ones.
  private static let evictionsPerInsertion = 64
  /// How far above the budget insertions may leave the tier: one part in 64. Beyond, they evict whatever it takes: as many
  /// bytes as came in, over time, and so no more than receiving them cost.
  private static let debtShare = 64
  /// The share of the budget that may go to remembering what is gone: one part in 64.
  private static let goneShare = 64

  let memoryBytes: Int
  let keyHash: KeyHash
  var namespaces: NamespaceList
  var arena = Arena()
  var wheel = ExpiryWheel()
  var gone: GoneRing
  var fillers = Fillers()
  var events = EventLog()
  private var entryCount = 0
  /// Namespaces that hold more than a bound of theirs allows, to be brought down in slices.
  private var trimmed: [NamespaceID] = []
  private var walked: [Walked] = []

  init(memoryBytes: Int, namespaceLimit: Int, keyHash: KeyHash) {
    self.memoryBytes = memoryBytes
    self.keyHash = keyHash
    namespaces = NamespaceList(limit: namespaceLimit)
    gone = GoneRing(bytes: memoryBytes / Self.goneShare)
  }

  /// Bytes in use, all overhead counted.
  var usedBytes: Int {
    arena.usedBytes + gone.byteCount + namespaces.count * NamespaceList.bytesEach
      + entryCount * ChainTable<EntryNode>.bytesPerEntry
  }

  /// The most bytes one entry can have.
  func room(under policy: borrowing Policy) -> Int {
    let free = memoryBytes - gone.byteCount - namespaces.count * NamespaceList.bytesEach
    return min(free, policy.maxBytes ?? free)
  }

  static func cost(of content: Entry.Content) -> Int {
    Arena.cost(of: content.byteCount) + ChainTable<EntryNode>.bytesPerEntry
  }

  // MARK: Finding

  @inline(__always)
  func find(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ hash: UInt64) -> Link {
    namespaces[id].pointee.table.find(key, hash, in: arena)
  }

  @inline(__always)
  func entry(_ link: Link) -> Entry { Entry(base: arena.pointer(link)) }

  // MARK: Storing

  /// Stores an entry whose key isn't there. `content.byteCount` fits in `room`. Nil where links reach no further.
  mutating func insert(_ content: Entry.Content, tags: [UnsafeRawBufferPointer], _ hash: UInt64, now: Int64) -> Link? {
    let id = content.namespace
    let cost = Self.cost(of: content)
    makeRoom(for: cost, in: id, now: now)
    var content = content
    content.tags = retain(tags, id)
    guard let link = allocate(content.byteCount, id, now: now) else {
      for tag in content.tags { release(tag: tag, of: id) }
      return nil
    }
    content.hashTag = ChainTable<EntryNode>.hashTag(hash)
    entry(link).write(content)
    let namespace = namespaces[id]
    namespace.pointee.table.insert(link, hash, in: arena, keyHash)
    namespace.pointee.recency.insert(link, in: arena)
    wheel.insert(link, in: arena)
    entryCount += 1
    namespaces.add(arena.bytes(of: link) + ChainTable<EntryNode>.bytesPerEntry, to: id)
    noteBounds(id)
    return link
  }

  /// For a value that `insert` found no block for: to a reader it was stored, and gone again at once.
  mutating func evictAtOnce(_ content: Entry.Content, _ hash: UInt64, now: Int64) {
    let namespace = namespaces[content.namespace]
    fillers.release(content.filler)
    namespace.pointee.counters.evictions[of: .memory] += 1
    gone.remember(Self.goneHash(hash, content.namespace), GoneRecord(reason: .evicted, at: now))
  }

  private mutating func retain(_ tags: [UnsafeRawBufferPointer], _ id: NamespaceID) -> [Link] {
    let namespace = namespaces[id]
    var links: [Link] = []
    let before = arena.usedBytes
    for tag in tags {
      guard let link = namespace.pointee.tags.retain(tag, in: &arena, keyHash) else { continue }
      if links.contains(link) {
        namespace.pointee.tags.release(link, in: &arena, keyHash)
      } else {
        links.append(link)
      }
    }
    namespaces.add(arena.usedBytes - before, to: id)
    return links
  }

  /// One fewer names a tag, other than an entry: a clear is over. If it was the last, the tag's bytes are the namespace's no
  /// more.
  mutating func release(tag: Link, of id: NamespaceID) {
    let namespace = namespaces[id]
    let before = arena.usedBytes
    namespace.pointee.tags.release(tag, in: &arena, keyHash)
    namespaces.add(arena.usedBytes - before, to: id)
  }

  /// Evicts until there is a block: only where links reach no further does that take more than one look.
  private mutating func allocate(_ byteCount: Int, _ id: NamespaceID, now: Int64) -> Link? {
    for _ in 0..<Self.evictionsPerInsertion {
      if let link = arena.allocate(byteCount) { return link }
      guard evictForMemory(now: now) else { return nil }
    }
    return nil
  }

  // MARK: Removing

  /// Why an entry leaves.
  enum Departure {
    case replaced
    /// It comes back at once as it was, and clears under way meet it then.
    case rebuilt
    case deleted(pid: Int32)
    case expired
    case evicted(EvictionBound)
    /// A pending clear took it in, and the walk or a reader came by.
    case cleared

    var isOnlyForNow: Bool { if case .rebuilt = self { true } else { false } }
  }

  /// Takes an entry out. Whether a reader could have seen it until now.
  @discardableResult
  mutating func remove(_ link: Link, _ departure: Departure, now: Int64) -> Bool {
    let entry = entry(link)
    let id = entry.namespace
    let hash = keyHash(entry.key)
    var couldBeSeen = now < entry.end
    var departure = departure
    var record = GoneRecord(reason: .unknown, at: now)
    if !departure.isOnlyForNow, !namespaces[id].pointee.pending.isEmpty {
      switch settle(entry, hash, id) {
      case .stands(let life): couldBeSeen = now < life.end
      case .gone(let at, let clear, let tag):
        departure = .cleared
        couldBeSeen = false
        record.at = at
        record.clear = clear
        record.tag = tag
      }
    }
    // What is past its end makes room without being called evicted.
    if case .evicted = departure, !couldBeSeen { departure = .expired }
    count(departure, entry, id, &record, now: now)
    if record.reason != .unknown { gone.remember(Self.goneHash(hash, id), record) }
    discard(link, entry, hash, id)
    return couldBeSeen
  }

  private mutating func count(
    _ departure: Departure, _ entry: Entry, _ id: NamespaceID, _ record: inout GoneRecord, now: Int64
  ) {
    let namespace = namespaces[id]
    switch departure {
    case .replaced, .rebuilt: break
    case .deleted(let pid):
      record.reason = .deleted
      record.pid = pid
    case .expired:
      record.reason = .expired
      namespace.pointee.counters.expirations += 1
      events.append(Event(kind: .expire, namespace: id, scope: .key(Array(entry.key))), .expire)
    case .evicted(let bound):
      record.reason = .evicted
      namespace.pointee.counters.evictions[of: bound] += 1
      namespace.pointee.counters.evictedAgeMilliseconds = now - entry.storedAt
      events.append(Event(kind: .evict, namespace: id, scope: .key(Array(entry.key)), bound: bound), .evict)
    case .cleared: record.reason = .cleared
    }
  }

  private mutating func discard(_ link: Link, _ entry: Entry, _ hash: UInt64, _ id: NamespaceID) {
    let namespace = namespaces[id]
    let before = arena.usedBytes
    namespace.pointee.table.remove(link, hash, in: arena)
    namespace.pointee.recency.remove(link, in: arena)
    wheel.remove(link, in: arena)
    fillers.release(entry.filler)
    for tag in entry.tags { namespace.pointee.tags.release(tag, in: &arena, keyHash) }
    arena.free(link)
    entryCount -= 1
    namespaces.add(arena.usedBytes - before - ChainTable<EntryNode>.bytesPerEntry, to: id)
  }

  private mutating func settle(_ entry: Entry, _ hash: UInt64, _ id: NamespaceID) -> PendingClears.Outcome {
    let namespace = namespaces[id]
    return namespace.pointee.pending.settle(entry, at: ChainTable<EntryNode>.reversed(hash))
  }

  /// Under which hash a key that is gone is remembered: the same key of two namespaces is two keys.
  static func goneHash(_ hash: UInt64, _ id: NamespaceID) -> UInt64 { hash ^ UInt64(id + 1) &* 0x9E37_79B9_7F4A_7C15 }

  // MARK: Changing in place

  /// Ends an entry's freshness; it may be shown until `end`.
  mutating func soften(_ link: Link, end: Int64) {
    wheel.remove(link, in: arena)
    entry(link).soften(end: end)
    wheel.insert(link, in: arena)
  }

  /// Starts an entry's life anew. False where there is no place in it for the stale span.
  mutating func renew(_ link: Link, freshUntil: Int64, staleMilliseconds: Int64) -> Bool {
    guard staleMilliseconds == 0 || entry(link).hasStaleSpan else { return false }
    wheel.remove(link, in: arena)
    entry(link).renew(freshUntil: freshUntil, staleMilliseconds: staleMilliseconds)
    wheel.insert(link, in: arena)
    return true
  }

  // MARK: Bounds

  private mutating func makeRoom(for cost: Int, in id: NamespaceID, now: Int64) {
    for _ in 0..<Self.evictionsPerInsertion {
      if let bound = fullBound(id, cost, 1) {
        guard evict(from: id, bound, now: now) else { return }
      } else if usedBytes + cost > memoryBytes {
        guard evictForMemory(now: now) else { return }
      } else {
        return
      }
    }
    while usedBytes + cost > memoryBytes + memoryBytes / Self.debtShare, evictForMemory(now: now) {}
  }

  /// The bound of its own that a namespace is over, with `cost` bytes and `entries` entries more.
  private func fullBound(_ id: NamespaceID, _ cost: Int, _ entries: Int) -> EvictionBound? {
    let namespace = namespaces[id]
    if let most = namespace.pointee.policy.maxEntries, namespace.pointee.table.count + entries > most {
      return .entries
    }
    if let most = namespace.pointee.policy.maxBytes, namespaces.bytes(of: id) + cost > most { return .bytes }
    return nil
  }

  private mutating func evictForMemory(now: Int64) -> Bool {
    guard let largest = namespaces.largest else { return false }
    return evict(from: largest, .memory, now: now)
  }

  private mutating func evict(from id: NamespaceID, _ bound: EvictionBound, now: Int64) -> Bool {
    let victim = namespaces[id].pointee.recency.victim(in: arena)
    guard victim != 0 else { return false }
    remove(victim, .evicted(bound), now: now)
    return true
  }

  /// Notes that a namespace may be over a bound of its own: after an insertion, or since the bound has changed.
  mutating func noteBounds(_ id: NamespaceID) {
    guard !namespaces[id].pointee.isTrimmed, fullBound(id, 0, 0) != nil else { return }
    namespaces[id].pointee.isTrimmed = true
    trimmed.append(id)
  }

  // MARK: Upkeep, in slices

  /// Whether `trim` has something to do. What namespaces and memories of the gone take it can't give back.
  var isOverBounds: Bool { !trimmed.isEmpty || usedBytes > memoryBytes && entryCount > 0 }

  /// Brings what is over a bound below it, by at most `budget` entries.
  mutating func trim(now: Int64, budget: inout Int) {
    while budget > 0, let id = trimmed.last {
      if let bound = fullBound(id, 0, 0), evict(from: id, bound, now: now) {
        budget -= 1
      } else {
        namespaces[id].pointee.isTrimmed = false
        trimmed.removeLast()
      }
    }
    while budget > 0, usedBytes > memoryBytes, evictForMemory(now: now) { budget -= 1 }
  }

  /// Removes what is past its end, in at most `budget` steps.
  mutating func expire(now: Int64, budget: inout Int) {
    while budget > 0 {
      let link = wheel.due(now, in: arena, budget: &budget)
      if link == 0 { return }
      remove(link, .expired, now: now)
    }
  }

  /// Walks one bucket on behalf of a namespace's pending clears; returns those that are over.
  mutating func walkClears(_ id: NamespaceID, now: Int64, budget: inout Int) -> [PendingClear] {
    let namespace = namespaces[id]
    let cursor = namespace.pointee.pending.cursor
    let next = namespace.pointee.table.walk(from: cursor, in: arena, keyHash, into: &walked)
    // A merge during the removals below would only make later buckets larger: what was walked stays walked.
    let met = walked
    for place in met { visit(place, id, now: now) }
    budget -= 1 + met.count + namespace.pointee.pending.steps / Glob.stepsPerEntry
    namespace.pointee.pending.steps = 0
    return namespace.pointee.pending.advance(to: next)
  }

  private mutating func visit(_ place: Walked, _ id: NamespaceID, now: Int64) {
    let entry = entry(place.link)
    let namespace = namespaces[id]
    switch namespace.pointee.pending.settle(entry, at: place.position) {
    case .gone(let at, let clear, let tag):
      let hash = keyHash(entry.key)
      gone.remember(Self.goneHash(hash, id), GoneRecord(reason: .cleared, at: at, clear: clear, tag: tag))
      discard(place.link, entry, hash, id)
    case .stands(let life):
      if life != Life(freshUntil: entry.freshUntil, end: entry.end) { soften(place.link, end: life.end) }
    }
  }
}
