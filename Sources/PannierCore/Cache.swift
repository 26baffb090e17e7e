// The cache: what the sidecar decides, op by op. It is given an operation and the time, and returns what to answer; it knows
// no JSON, no sockets and no clock. This file has its state and its reads; changes and upkeep have files of their own.

/// Owned and called by one thread, which is what makes invalidation exact without clocks or locks: whatever happened has a
/// number, its sequence, and a change takes in exactly what has a lower one.
package struct Cache: ~Copyable {
  var tier: MemoryTier
  var random: RandomSource
  /// The number of the last change. It begins anywhere below 2^52, so that numbers of two runs hardly ever meet, and versions
  /// made of it stay below 2^53.
  var sequence: UInt64
  var clears = ClearBook()
  var loads: LoadTable
  var loadClears = LoadClears()
  var tagClears = TagClears()
  /// Not an optional, which would be copied, large as it is, with each look into it.
  var shared: SharedTier
  var tokens: TokenMaker

  /// `seed` decides hashing, jitter and the first version: random in a daemon, fixed in a test.
  package init(
    memoryBytes: Int, namespaceLimit: Int, loadLimits: LoadLimits = LoadLimits(), seed: UInt64,
    tokens: TokenSource = .system, sharedTimeoutMilliseconds: Int64? = nil
  ) {
    shared = SharedTier(timeoutMilliseconds: sharedTimeoutMilliseconds)
    loads = LoadTable(limits: loadLimits)
    self.tokens = TokenMaker(tokens)
    var random = RandomSource(seed: seed)
    tier = MemoryTier(
      memoryBytes: memoryBytes, namespaceLimit: namespaceLimit, keyHash: KeyHash(seed: random.next()))
    sequence = random.next() >> 12
    self.random = random
  }

  // MARK: Namespaces

  package func namespace(_ name: UnsafeRawBufferPointer) -> NamespaceID? {
    tier.namespaces.find(name, tier.keyHash(name))
  }

  /// Nil where there are as many as may be.
  package mutating func addNamespace(_ name: UnsafeRawBufferPointer, policy: Policy) -> NamespaceID? {
    let id = tier.namespaces.add(name, tier.keyHash(name), policy)
    if let id { beginSharing(id) }
    return id
  }

  /// So many namespaces that empty ones take no more than a quarter of the memory: the rest is for values.
  package static func mostNamespaces(memoryBytes: Int) -> Int { max(1, memoryBytes / 4 / NamespaceList.bytesEach) }

  /// The number of this host's last change.
  package var lastChange: UInt64 { sequence }

  package var namespaceCount: Int { tier.namespaces.count }
  package func name(of id: NamespaceID) -> [UInt8] { tier.namespaces[id].pointee.name }
  package func policy(of id: NamespaceID) -> Policy { tier.namespaces[id].pointee.policy }
  package func counters(of id: NamespaceID) -> Counters { tier.namespaces[id].pointee.counters }
  /// Takes back what was counted since: the request comes to nothing. Others' waits that it ended stay ended.
  package func restore(_ counters: Counters, of id: NamespaceID) {
    let namespace = tier.namespaces[id]
    let waits = namespace.pointee.counters.waits
    namespace.pointee.counters = counters
    namespace.pointee.counters.waits.now = waits.now
    namespace.pointee.counters.waits.milliseconds = waits.milliseconds
  }
  package func loadTimes(of id: NamespaceID) -> LoadTimes? { tier.namespaces[id].pointee.loadTimes }
  /// What memory answered while nothing proved it to be current, though the namespace serves it.
  package func unproven(of id: NamespaceID) -> Int { tier.namespaces[id].pointee.unproven }
  package func entryCount(of id: NamespaceID) -> Int { tier.namespaces[id].pointee.table.count }
  package func byteCount(of id: NamespaceID) -> Int { tier.namespaces.bytes(of: id) }
  package var memoryBytes: Int { tier.memoryBytes }
  package var usedBytes: Int { tier.usedBytes }

  // MARK: get

  /// What a reader asks beyond the key.
  package struct ReadOptions {
    package var stale: Bool
    /// An older value counts as stale; nil: none is too old.
    package var maxAgeMilliseconds: Int64?
    /// The asker has this version.
    package var unless: UInt64?
    /// It can load the key, and would be elected to. A stale value will do, too.
    package var lease: Bool
    /// It would wait for another's load.
    package var waits: Bool
    /// It has waited, and its time is up.
    package var hasWaited = false
    /// The wait after which it was elected.
    package var turn: WaitTicket?
    /// The shared tier has been asked since this change of the host's; nil: it hasn't.
    package var fetchedSince: UInt64?
    /// Not older than what the shared tier has confirmed by now.
    package var strict = false
    /// It has been asked for that, and what memory has by now is proven.
    package var isProven = false

    package init(
      stale: Bool = false, maxAgeMilliseconds: Int64? = nil, unless: UInt64? = nil, lease: Bool = false,
      waits: Bool = false, strict: Bool = false
    ) {
      self.strict = strict
      self.stale = stale
      self.maxAgeMilliseconds = maxAgeMilliseconds
      self.unless = unless
      self.lease = lease
      self.waits = waits
    }
  }

  /// What a read comes to. Later tiers add a step that fetches.
  package enum GetStep {
    case hit(Hit)
    case miss(Miss)
    /// The asker is elected to load the key; meanwhile it may have this.
    case granted(LeaseToken, Hit?)
    /// Another loads it, and the asker would wait. Nothing was counted: it is to `wait`, or to ask again without.
    case wait
    /// The shared tier may have it. Nothing was counted: it is to `fetch`, and to ask again.
    case fetch
    /// Another host may be loading it. Nothing was counted: it is to `claim`, and to ask again.
    case claim
  }

  /// A value found. It is borrowed until the cache next changes.
  package struct Hit {
    package let value: UnsafeRawBufferPointer
    package let isStale: Bool
    /// The asker has this version already.
    package let isSame: Bool
    /// The shared tier had it, and memory didn't.
    package let isShared: Bool
    let link: Link
  }

  /// The value that every reader would be shown who asks for nothing but a value: the commonest read by far, told apart by a few
  /// comparisons. Nil says nothing: `get` knows. `seeks`: the reader would be elected.
  @inline(__always)
  package mutating func freshValue(
    _ name: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, seeks: Bool, now: Int64
  ) -> UnsafeRawBufferPointer? {
    guard let id = namespace(name) else { return nil }
    let namespace = tier.namespaces[id]
    let link = tier.find(id, key, tier.keyHash(key))
    if link == 0 || !namespace.pointee.showsAtOnce || seeks && namespace.pointee.refreshesAhead {
      return nil
    }
    let entry = tier.entry(link)
    // A clear may be pending for it, or it isn't fresh.
    if entry.version < namespace.pointee.pending.horizon || now >= entry.freshUntil { return nil }
    namespace.pointee.counters.hits &+= 1
    namespace.pointee.recency.hit(link, in: tier.arena)
    return entry.value
  }

  /// A reader gets to see an entry.
  mutating func show(_ link: Link, _ id: NamespaceID, isStale: Bool, _ options: ReadOptions) -> Hit {
    let namespace = tier.namespaces[id]
    if isStale { namespace.pointee.counters.staleHits &+= 1 }
    namespace.pointee.counters.hits &+= 1
    namespace.pointee.recency.hit(link, in: tier.arena)
    let entry = tier.entry(link)
    let isShared = options.fetchedSince.map { entry.version > $0 } ?? false
    if isShared {
      namespace.pointee.counters.sharedHits &+= 1
    } else if options.isProven {
      namespace.pointee.counters.provenHits &+= 1
    }
    let isSame = options.unless.map { $0 == entry.publicVersion } ?? false
    return Hit(value: entry.value, isStale: isStale, isSame: isSame, isShared: isShared, link: link)
  }

  /// The life an entry has now, pending clears considered; nil where it is over, and then the entry is gone.
  mutating func standing(_ link: Link, _ id: NamespaceID, now: Int64) -> Life? {
    let entry = tier.entry(link)
    let namespace = tier.namespaces[id]
    var life = Life(freshUntil: entry.freshUntil, end: entry.end)
    if entry.version < namespace.pointee.pending.horizon {
      switch namespace.pointee.pending.outcome(of: entry) {
      case .stands(let known): life = known
      case .gone:
        tier.remove(link, .cleared, now: now)
        return nil
      }
    }
    if now < life.end { return life }
    tier.remove(link, .expired, now: now)
    return nil
  }

  /// `link`: an entry that is there but doesn't do for this reader; zero: there is none.
  mutating func count(missOf link: Link, _ id: NamespaceID, _ hash: UInt64) {
    let namespace = tier.namespaces[id]
    var reason = MissReason.unknown
    if !namespace.pointee.policy.mode.hidesEntries {
      // What could be shown as stale to another has expired for this one.
      reason = link != 0 ? .expired : whyGone(id, hash).reason
    }
    namespace.pointee.counters.misses[of: reason] += 1
  }

  private func whyGone(_ id: NamespaceID, _ hash: UInt64) -> GoneRecord {
    tier.gone.recall(MemoryTier.goneHash(hash, id))
      ?? GoneRecord(reason: tier.gone.hasForgotten ? .unknown : .neverStored, at: 0)
  }

  /// What a plain get would say; no counter moves.
  package mutating func exists(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> Bool {
    guard !tier.namespaces[id].pointee.policy.mode.hidesEntries else { return false }
    let link = tier.find(id, key, tier.keyHash(key))
    guard link != 0, let life = standing(link, id, now: now) else { return false }
    return now < life.freshUntil
  }

  // MARK: What is known of a value

  /// Times are in milliseconds.
  package struct Details {
    package let isStale: Bool
    /// What is left of its freshness, zero when stale; nil: it doesn't expire.
    package let ttlMilliseconds: Int64?
    package let ageMilliseconds: Int64
    package let version: UInt64
    package let tags: [UnsafeRawBufferPointer]
    package let size: Int
    package let filler: Caller?
  }

  package mutating func details(of hit: Hit, now: Int64) -> Details {
    details(hit.link, isStale: hit.isStale, now: now)
  }

  private func details(_ link: Link, isStale: Bool, now: Int64) -> Details {
    let entry = tier.entry(link)
    let left = entry.freshUntil >= Entry.never ? nil : max(0, entry.freshUntil - now)
    return Details(
      isStale: isStale, ttlMilliseconds: isStale ? 0 : left, ageMilliseconds: now - entry.storedAt,
      version: entry.publicVersion, tags: entry.tags.map { Tags.text($0, in: tier.arena) }, size: entry.value.count,
      filler: tier.fillers.caller(entry.filler))
  }

  package enum Explanation {
    case present(Details)
    case absent(GoneRecord, clear: ClearBook.Record?)
  }

  /// Where a key stands, or why it doesn't; no counter moves.
  package mutating func explain(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> Explanation {
    let hash = tier.keyHash(key)
    let link = tier.find(id, key, hash)
    if link != 0, let life = standing(link, id, now: now) {
      return .present(details(link, isStale: now >= life.freshUntil, now: now))
    }
    let record = whyGone(id, hash)
    return .absent(record, clear: clears.record(record.clear))
  }

  // MARK: keys

  /// How many entries one listing looks at: some hundred microseconds' work.
  private static let listedAtOnce = 4096

  /// Up to `limit` keys, and of more than one no more than `bytes`, from `position` on in an order that doesn't depend on what is stored or removed meanwhile. `next` nil: there
  /// are no more.
  package mutating func list(
    _ id: NamespaceID, from position: UInt64, match: Glob?, limit: Int, bytes: Int = .max, now: Int64
  ) -> (keys: [UnsafeRawBufferPointer], next: UInt64?) {
    var keys: [UnsafeRawBufferPointer] = []
    var position = position
    var met: [Walked] = []
    var looked = 0
    var steps = 0
    var room = bytes
    repeat {
      let next = tier.namespaces[id].pointee.table.walk(from: position, in: tier.arena, tier.keyHash, into: &met)
      met.sort { $0.position < $1.position }
      for place in met {
        let entry = tier.entry(place.link)
        if keys.count == limit || !keys.isEmpty && entry.key.count > room { return (keys, place.position) }
        if mayBeShown(entry, id, now: now), match?.matches(entry.key, &steps) ?? true {
          keys.append(entry.key)
          room -= entry.key.count
        }
      }
      looked += met.count + 1 + steps / Glob.stepsPerEntry
      steps = 0
      position = next
    } while position != 0 && keys.count < limit && looked < Self.listedAtOnce
    return (keys, position == 0 ? nil : position)
  }

  /// As `standing`, for a walk: nothing is removed, so that the keys listed before stay where they are.
  private func mayBeShown(_ entry: Entry, _ id: NamespaceID, now: Int64) -> Bool {
    let namespace = tier.namespaces[id]
    guard entry.version < namespace.pointee.pending.horizon else { return now < entry.end }
    guard case .stands(let life) = namespace.pointee.pending.outcome(of: entry) else { return false }
    return now < life.end
  }
}

extension Mode {
  /// Reads miss, whatever is there.
  var hidesEntries: Bool { self == .bypass || self == .off }
  /// Sets are stored.
  var stores: Bool { self == .on }
}
