// Reads that go on to the tier that hosts share, and what its log tells. The rules are those of the log: what is newer is told by
// numbers, never by clocks.

extension Cache {
  /// Whether a namespace's values are shared with other hosts.
  package func isShared(_ id: NamespaceID) -> Bool {
    shared.isPresent && tier.namespaces[id].pointee.policy.isShared
  }

  // MARK: Reading

  /// Whether the shared tier is to be asked before a read comes to `prospect`.
  mutating func fetches(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ options: ReadOptions, usable: Bool
  ) -> Bool {
    guard options.fetchedSince == nil, shared.isUp, isShared(id) else { return false }
    if shared.queue.isEmpty, !usable { return true }
    let key = LoadKey(namespace: id, bytes: Array(key))
    if shared.queue.masks(key) { return false }
    // Whoever can be shown something need not wait for what another is reading already.
    return !usable || shared.flights.find(key) == nil
  }

  /// Whether what memory has must be proven before this reader sees it.
  package mutating func needsProof(_ id: NamespaceID, _ options: ReadOptions) -> Bool {
    guard options.strict || tier.namespaces[id].pointee.needsProof else { return false }
    return isShared(id) && !options.isProven
  }

  /// The entry, if this reader may see it at all.
  mutating func usable(_ link: Link, _ id: NamespaceID, _ options: ReadOptions) -> Link {
    if link == 0 || !shared.isPresent { return link }
    if needsProof(id, options) { return 0 }
    if tier.namespaces[id].pointee.policy.tiers.contains(.memory) { return link }
    // Where memory is no tier it passes on what was just read, and nothing else.
    return options.fetchedSince.map { tier.entry(link).version > $0 } ?? false ? link : 0
  }

  /// Asks what the log has that isn't applied here: reads that are sent after it show all of that.
  package mutating func barrier() -> UInt64? {
    guard shared.isUp, let position = sharedPosition else { return nil }
    let number = shared.changes.nextNumber()
    shared.send(.barrier(number: number, incarnation: position.incarnation, seen: position.seen))
    return number
  }

  /// What it found; `floor`: the incarnation and the last number before the log was read. Nil: no answer.
  package mutating func sharedBarrier(
    _ number: UInt64, _ records: [SharedRecord], floor: (incarnation: UInt64, number: UInt64)?, now: Int64
  ) {
    var holds = false
    if let floor, floor.incarnation == shared.incarnation, sharedRecords(records, now: now) {
      holds = shared.seen >= floor.number
    }
    if !holds { shared.flights.fail(barrier: number) }
  }

  /// The log was followed to its end when it was this late.
  package mutating func sharedProven(at time: Int64, bound: Int64) {
    let wasProven = shared.provenUntil != nil
    shared.provenUntil = time + bound
    if !wasProven { lookForProof(0..<namespaceCount) }
  }

  /// At the beginning of each turn: a process that stood still may be asked before its timers tell how much time has passed.
  package mutating func checkProof(now: Int64) {
    guard let until = shared.provenUntil, until <= now else { return }
    shared.provenUntil = nil
    lookForProof(0..<namespaceCount)
  }

  /// Whether what these namespaces have in memory must be proven for each read.
  mutating func lookForProof(_ ids: Range<NamespaceID>) {
    guard shared.isPresent else { return }
    let isProven = shared.provenUntil != nil
    for id in ids {
      let namespace = tier.namespaces[id]
      let isUnproven = !isProven && isShared(id)
      namespace.pointee.needsProof = isUnproven && namespace.pointee.policy.onLinkLoss == .verify
      namespace.pointee.servesUnproven = isUnproven && namespace.pointee.policy.onLinkLoss == .serve
    }
  }

  /// Waits for the shared tier's value of a key of which `get` said so. Nil where too many reads are under way: the asker is to ask again
  /// with `fetchedSince`, and gets what there is.
  package mutating func fetch(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, behind barrier: UInt64? = nil, by owner: OwnerID, now: Int64
  ) -> WaitTicket? {
    guard let timeout = shared.timeoutMilliseconds else { return nil }
    let key = LoadKey(namespace: id, bytes: Array(key))
    let joined = barrier == nil ? shared.flights.find(key) : nil
    guard let number = joined ?? depart(key, behind: barrier, until: now + timeout, now: now) else { return nil }
    let ticket = loads.newTicket()
    shared.flights.join(number, ticket, by: owner)
    return ticket
  }

  /// Nil where as many reads are under way as may be.
  mutating func depart(
    _ key: LoadKey, behind barrier: UInt64?, until deadline: Int64, now: Int64
  ) -> UInt64? {
    guard !shared.flights.isFull else {
      shared.counters.shed += 1
      return nil
    }
    let ns = name(of: key.namespace)
    let number = shared.flights.open(key, behind: barrier, now: now, until: deadline)
    shared.send(.read(flight: number, ns: ns, key: key.bytes))
    return number
  }

  /// What a read found. Those who wait for it are told; each is to ask again with `fetchedSince`.
  package mutating func sharedReplied(flight number: UInt64, _ read: SharedRead, now: Int64) {
    let waiters = shared.flights.takeWaiters(number)
    guard let flight = shared.flights.close(number) else { return }
    if !flight.isOverdue { adopt(read, flight, now: now) }
    let isProven = flight.barrier != nil && !flight.isUnproven && read != .failed
    for ticket in waiters { loads.tell(ticket, isProven: isProven) }
    settleClaim(ofFlight: number, now: now)
  }

  private mutating func adopt(_ read: SharedRead, _ flight: Flight, now: Int64) {
    guard case .value(let value, let left) = read else {
      shared.counters.misses += 1
      return
    }
    let id = flight.key.namespace
    let standing = shared.standing(value, in: id)
    guard standing != .void, !flight.isEnded, value.birth.number >= flight.cover else {
      shared.counters.voids += 1
      return
    }
    shared.counters.hits += 1
    promote(value, left, isStale: standing == .stale || value.isSoftened, id, sentAt: flight.sentAt, now: now)
  }

  /// Memory gets a copy, unless it has something newer. Its time is counted from when the read was sent: so no clock of another host
  /// matters, and no copy outlives its original.
  private mutating func promote(
    _ value: SharedValue, _ left: Int64?, isStale: Bool, _ id: NamespaceID, sentAt: Int64, now: Int64
  ) {
    let whenGone = left.map { sentAt + $0 } ?? Entry.never
    let whenStale = whenGone >= Entry.never ? Entry.never : whenGone - value.staleMilliseconds
    let whole = value.ttlMilliseconds.map { $0 + value.staleMilliseconds }
    let elapsed = whole.map { max(0, $0 - (left ?? $0)) } ?? 0
    guard now < whenGone else { return }
    let memory = memoryLife(id, value.key)
    let end = min(whenGone, now + memory)
    let freshUntil = min(whenStale, now + memory)
    value.withBytes { key, bytes, tags in
      let hash = tier.keyHash(key)
      let link = tier.find(id, key, hash)
      if link != 0, let life = self.standing(link, id, now: now) {
        let entry = tier.entry(link)
        // What stands is as new: it may have been set here since.
        let isEqual = entry.birth == value.birth.number && now < life.freshUntil
        // Where memory is no tier, what it passes on must have just come.
        let passesOn = !tier.namespaces[id].pointee.policy.tiers.contains(.memory)
        if entry.birth > value.birth.number || isEqual && !passesOn { return }
        tier.remove(link, .replaced, now: now)
      }
      sequence += 1
      let content = Entry.Content(
        key: key, value: bytes, staleMilliseconds: end >= Entry.never ? 0 : max(0, end - freshUntil),
        freshUntil: freshUntil, storedAt: max(0, sentAt - elapsed - value.ageMilliseconds), version: sequence,
        shared: SharedMark(version: value.version, birth: value.birth.number), namespace: id)
      guard admit(NewValue(key: key, value: bytes, tags: tags), under: tier.namespaces[id].pointee.policy) == nil,
        let new = tier.insert(content, tags: tags, hash, now: now)
      else { return }
      if isStale { tier.soften(new, end: min(end, now + max(value.staleMilliseconds, 1))) }
    }
  }

  /// How long memory may keep a copy.
  func memoryLife(_ id: NamespaceID, _ key: [UInt8]) -> Int64 {
    let policy = tier.namespaces[id].pointee.policy
    return key.withUnsafeBytes { policy.lifetimes(for: $0).memoryTTLMilliseconds } ?? Entry.never
  }

  /// A value loaded under `lease` reflects what was known when the lease was given, and what has been applied since. Nil: the
  /// namespace is the host's own.
  mutating func sharedMark(of lease: Lease, _ id: NamespaceID) -> SharedMark? {
    guard isShared(id) else { return nil }
    return SharedMark(version: newVersion(), birth: max(lease.stamp.known, shared.seen))
  }

  /// A value was loaded and stored here: the shared tier gets it too, unless something newer has changed its key.
  mutating func sendFill(
    _ id: NamespaceID, _ new: NewValue, ttl: Int64?, stale: Int64, _ mark: SharedMark, under lease: Lease?
  ) {
    let key = LoadKey(namespace: id, bytes: Array(new.key))
    let isReplacing = replaceBehind(key, new, ttl: ttl, stale: stale, mark)
    guard !isReplacing, shared.isUp, !shared.queue.masks(key) else {
      if let lease { giveBack(lease, id, key.bytes) }
      return
    }
    let value = SharedValue(
      key: Array(new.key), value: Array(new.value), tags: new.tags.map { Array($0) }, ttlMilliseconds: ttl,
      staleMilliseconds: stale, version: mark.version,
      birth: Birth(incarnation: shared.incarnation, number: mark.birth))
    let ns = name(of: id)
    shared.send(.fill(ns: ns, value, lease: lease?.isFleet == true ? lease?.token : nil))
  }

  // MARK: The shell's

  package var hasSharedCommands: Bool { mutating get { shared.hasCommands } }

  /// To be carried out at once, in their order.
  package mutating func takeSharedCommands() -> [SharedCommand] { shared.takeCommands() }

  package var sharedCounters: SharedCounters? { shared.isPresent ? shared.counters : nil }

  /// Of these, what the shell looks at in each turn.
  package var sharedTimeouts: Int { mutating get { shared.counters.timeouts } }

  /// Where this host is in the log; nil while it takes no part.
  package var sharedPosition: (incarnation: UInt64, seen: UInt64, known: UInt64)? {
    shared.incarnation == 0 ? nil : (shared.incarnation, shared.seen, shared.known)
  }

  /// Whether a value in the shared tier is void, by the clears known here: no host will show it again.
  package func isSharedVoid(_ ns: [UInt8], _ key: [UInt8], tags: [[UInt8]], birth: Birth) -> Bool {
    guard let id = sharedID(ns) else { return false }
    return shared.standing(key, tags: tags, birth: birth, in: id) == .void
  }

  /// The namespaces that hosts share.
  package var sharedNames: [[UInt8]] { sharedNamespaces(.everyNamespace).map { name(of: $0) } }

  /// The largest value of a namespace that is taken, in bytes; 0: it is not shared.
  package func largestSharedValue(_ ns: [UInt8]) -> Int {
    oneSharedID(ns).map { tier.namespaces[$0].pointee.policy.maxValueBytes } ?? 0
  }

  /// From which size on values of a namespace are compressed there; nil: none is.
  package func compressedFromBytes(_ ns: [UInt8]) -> Int? {
    oneSharedID(ns).flatMap { tier.namespaces[$0].pointee.policy.compressedFromBytes }
  }

  package var sharedQueueCount: Int { shared.queue.count }
  package var sharedInFlight: Int {
    shared.flights.count + shared.changes.count + shared.conditional.count + shared.questions.count
  }
  package var isSharedUp: Bool { shared.isUp }
}

extension SharedValue {
  /// Lends its key, value and tags.
  func withBytes(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, [UnsafeRawBufferPointer]) -> Void) {
    key.withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        withBorrowed(tags) { body(key, value, $0) }
      }
    }
  }
}

extension SharedScope {
  /// Lends it as a clear has it; not of keys.
  func withPattern(_ body: (Cache.ClearPattern) -> Void) {
    switch self {
    case .keys: break
    case .all: body(.all)
    case .match(let pattern): if let glob = Glob(pattern) { body(.match(glob)) }
    case .tags(let tags): withBorrowed(tags) { body(.tags($0)) }
    }
  }

  /// Whether it takes in a value with this key and these tags.
  func takesIn(_ key: [UInt8], _ borne: [[UInt8]]) -> Bool { matcher(key, borne) }

  /// The same, to be asked of many.
  var matcher: (_ key: [UInt8], _ tags: [[UInt8]]) -> Bool {
    switch self {
    case .keys(let keys): return { key, _ in keys.contains(key) }
    case .all: return { _, _ in true }
    case .match(let pattern):
      let glob = Glob(pattern)
      return { key, _ in glob.map { glob in key.withUnsafeBytes { glob.matches($0) } } ?? true }
    case .tags(let tags): return { _, borne in tags.contains(where: borne.contains) }
    }
  }
}

extension Caller {
  /// Somebody on another host.
  static let elsewhere = Caller(pid: 0, uid: 0)
}
