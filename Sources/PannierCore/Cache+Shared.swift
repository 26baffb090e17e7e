// Reads that go on to the tier that hosts share, and what its log tells. The rules are those of the log: what is newer is told by
// numbers, never by clocks.

extension Cache {
  /// Whether a namespace's values are shared with other hosts.
  package func isShared(_ id: NamespaceID) -> Bool {
    shared != nil && tier.namespaces[id].pointee.policy.isShared
  }

  // MARK: Reading

  /// Whether the shared tier is to be asked before a read comes to `prospect`.
  mutating func fetches(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ options: ReadOptions, usable: Bool
  ) -> Bool {
    guard options.fetchedSince == nil, shared?.isUp == true, isShared(id) else { return false }
    let key = LoadKey(namespace: id, bytes: Array(key))
    if shared?.queue.masks(key) == true { return false }
    // Whoever can be shown something need not wait for what another is reading already.
    return !usable || shared?.flights.find(key) == nil
  }

  /// Waits for the shared tier's value of a key of which `get` said so. Nil where too many reads are under way: the asker is to ask again
  /// with `fetchedSince`, and gets what there is.
  package mutating func fetch(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, by owner: OwnerID, now: Int64
  ) -> WaitTicket? {
    guard let timeout = shared?.timeoutMilliseconds else { return nil }
    let key = LoadKey(namespace: id, bytes: Array(key))
    guard let number = shared?.flights.find(key) ?? depart(key, until: now + timeout, now: now) else { return nil }
    let ticket = loads.newTicket()
    shared?.flights.join(number, ticket, by: owner)
    return ticket
  }

  private mutating func depart(_ key: LoadKey, until deadline: Int64, now: Int64) -> UInt64? {
    guard shared?.flights.isFull == false else {
      shared?.counters.shed += 1
      return nil
    }
    let ns = name(of: key.namespace)
    let number = shared?.flights.open(key, now: now, until: deadline)
    if let number { shared?.send(.read(flight: number, ns: ns, key: key.bytes)) }
    return number
  }

  /// What a read found. Those who wait for it are told; each is to ask again with `fetchedSince`.
  package mutating func sharedReplied(flight number: UInt64, _ read: SharedRead, now: Int64) {
    let waiters = shared?.flights.takeWaiters(number) ?? []
    guard let flight = shared?.flights.close(number) else { return }
    if !flight.isOverdue { adopt(read, flight, now: now) }
    for ticket in waiters { loads.tell(ticket) }
  }

  private mutating func adopt(_ read: SharedRead, _ flight: Flight, now: Int64) {
    guard case .value(let value, let left) = read else {
      shared?.counters.misses += 1
      return
    }
    let id = flight.key.namespace
    let standing = shared?.standing(value, in: id) ?? .void
    guard standing != .void, !flight.isEnded, value.birth.number >= flight.cover else {
      shared?.counters.voids += 1
      return
    }
    shared?.counters.hits += 1
    promote(value, left, isStale: standing == .stale || value.isSoftened, id, sentAt: flight.sentAt, now: now)
  }

  /// Memory gets a copy, unless it has something newer. Its time is counted from when the read was sent: so no clock of another host
  /// matters, and no copy outlives its original.
  private mutating func promote(
    _ value: SharedValue, _ left: Int64?, isStale: Bool, _ id: NamespaceID, sentAt: Int64, now: Int64
  ) {
    let end = left.map { sentAt + $0 } ?? Entry.never
    let freshUntil = end >= Entry.never ? Entry.never : end - value.staleMilliseconds
    let whole = value.ttlMilliseconds.map { $0 + value.staleMilliseconds }
    let elapsed = whole.map { max(0, $0 - (left ?? $0)) } ?? 0
    guard now < end else { return }
    value.withBytes { key, bytes, tags in
      let hash = tier.keyHash(key)
      let link = tier.find(id, key, hash)
      if link != 0, let life = self.standing(link, id, now: now) {
        let entry = tier.entry(link)
        // What stands is as new: it may have been set here since.
        if entry.birth > value.birth.number || entry.birth == value.birth.number && now < life.freshUntil { return }
        tier.remove(link, .replaced, now: now)
      }
      sequence += 1
      let content = Entry.Content(
        key: key, value: bytes, staleMilliseconds: left == nil ? 0 : value.staleMilliseconds,
        freshUntil: freshUntil, storedAt: max(0, sentAt - elapsed - value.ageMilliseconds), version: sequence,
        shared: SharedMark(version: value.version, birth: value.birth.number), namespace: id)
      guard admit(NewValue(key: key, value: bytes, tags: tags), under: tier.namespaces[id].pointee.policy) == nil,
        let new = tier.insert(content, tags: tags, hash, now: now)
      else { return }
      if isStale { tier.soften(new, end: min(end, now + max(value.staleMilliseconds, 1))) }
    }
  }

  /// A value loaded under `lease` reflects what was known when the lease was given, and what has been applied since. Nil: the
  /// namespace is the host's own.
  mutating func sharedMark(of lease: Lease, _ id: NamespaceID) -> SharedMark? {
    guard isShared(id), let seen = shared?.seen else { return nil }
    return SharedMark(version: newVersion(), birth: max(lease.stamp.known, seen))
  }

  /// A value was loaded and stored here: the shared tier gets it too, unless something newer has changed its key.
  mutating func sendFill(
    _ id: NamespaceID, _ new: NewValue, ttl: Int64?, stale: Int64, _ mark: SharedMark
  ) {
    guard shared?.isUp == true, let incarnation = shared?.incarnation,
      shared?.queue.masks(LoadKey(namespace: id, bytes: Array(new.key))) == false
    else { return }
    let value = SharedValue(
      key: Array(new.key), value: Array(new.value), tags: new.tags.map { Array($0) }, ttlMilliseconds: ttl,
      staleMilliseconds: stale, version: mark.version,
      birth: Birth(incarnation: incarnation, number: mark.birth))
    let ns = name(of: id)
    shared?.send(.fill(ns: ns, value))
  }

  // MARK: The link

  /// The shared tier is there, and this host may take part in its log, which is at `number`.
  package mutating func sharedJoined(incarnation: UInt64, base: UInt64, number: UInt64, now: Int64) {
    if shared?.incarnation != incarnation || shared?.isLost == true {
      dropShared(now: now)
      shared?.incarnation = incarnation
      shared?.seen = number
      shared?.known = number
      shared?.isLost = false
    }
    shared?.base = base
    shared?.link = .up
    for id in [.everyNamespace] + sharedNamespaces(.everyNamespace) { askGroups(id) }
    sendFromQueue()
  }

  /// What is read after this is asked comes after its answer: one connection keeps the order.
  mutating func askGroups(_ id: NamespaceID) {
    let ns = sharedName(id)
    shared?.send(.groups(ns: ns))
  }

  /// Clears of a namespace that were agreed on before this host came; see `SharedCommand.groups`.
  package mutating func sharedGroups(
    _ ns: [UInt8], _ clears: [(scope: SharedScope, number: UInt64, soft: Bool)],
    otherTags: (hard: UInt64, soft: UInt64)
  ) {
    guard let id = sharedID(ns) else { return }
    var table = shared?.groups[id] ?? GroupTable()
    for clear in clears { table.raise(clear.scope, clear.number, soft: clear.soft) }
    table.raiseOtherTags(otherTags.hard, soft: false)
    table.raiseOtherTags(otherTags.soft, soft: true)
    shared?.groups[id] = table
  }

  /// The shared tier can't be reached: nothing that is under way will be answered.
  package mutating func sharedLost(now: Int64) {
    guard shared != nil else { return }
    shared?.link = .down
    for number in shared?.flights.all ?? [] {
      for ticket in shared?.flights.takeWaiters(number) ?? [] { loads.tell(ticket) }
      _ = shared?.flights.close(number)
    }
    for number in shared?.changes.all ?? [] { sharedReplied(change: number, .lost, now: now) }
    endConditional(now, until: nil)
    shared?.queue.unsend()
  }

  /// It takes commands and doesn't answer: nobody waits for it until it does. What was sent may still be carried out.
  package mutating func sharedSuspended(now: Int64) {
    shared?.link = .down
    settleShared(now: now, until: .max)
  }

  /// It answers again, on the connection that it had.
  package mutating func sharedResumed() {
    shared?.link = .up
    sendFromQueue()
  }

  /// What is here may lack changes that others made: it is dropped, and nothing that began before is stored.
  private mutating func dropShared(now: Int64) {
    if shared?.incarnation != 0 { shared?.counters.gaps += 1 }
    shared?.flights.end(nil)
    shared?.queue.dropValues { _, _, _ in true }
    shared?.groups = [:]
    shared?.appliedGroups = []
    for id in sharedNamespaces(.everyNamespace) { dropAll(id, now: now) }
  }

  // MARK: The log

  /// What the log tells, in its order. False where it can't be followed any more: the shell is to join again.
  package mutating func sharedRecords(_ records: [SharedRecord], now: Int64) -> Bool {
    for record in records {
      guard let seen = shared?.seen, shared?.isLost == false else { return false }
      let isSame = record.incarnation == shared?.incarnation
      if isSame, record.number <= seen { continue }
      guard isSame, record.number == seen + 1 else {
        sharedGap()
        return false
      }
      shared?.seen = record.number
      shared?.learn(record.number)
      shared?.counters.records += 1
      apply(record, now: now)
    }
    resumeConditional()
    return true
  }

  /// A record is missing, or can't be read.
  package mutating func sharedGap() { shared?.isLost = true }

  private mutating func apply(_ record: SharedRecord, now: Int64) {
    guard let id = sharedID(record.ns) else { return }
    let own = record.isOwn ? shared?.changes[record.op] : nil
    let caller = own?.caller ?? .elsewhere
    let soft = record.kind == .soften || record.kind == .softClear
    switch record.kind {
    case .open, .filled: return
    case .set, .delete, .touch, .soften:
      guard case .keys(let keys) = record.scope else { return }
      var count = 0
      for key in keys {
        if !record.isOwn { shared?.queue.dropValues { $0.namespace == id && $0.bytes == key && $2 < record.number } }
        if coverKey(id, key, record.number, soft: soft, by: caller, now: now) { count += 1 }
      }
      if own != nil { shared?.changes.apply(record.op, countHere: count) }
    case .clear, .softClear:
      if shared?.appliedGroups.remove(record.number) != nil { return }
      if !record.isOwn { dropQueuedValues(id, record.scope, record.number) }
      coverGroup(id, record.scope, record.number, soft: soft, ticket: own?.clearTicket, by: caller, now: now)
      if own != nil { shared?.changes.apply(record.op, countHere: 0) }
    }
  }

  /// Nil: this host has no such namespace, or keeps it to itself.
  private func sharedID(_ ns: [UInt8]) -> NamespaceID? {
    if ns.isEmpty { return .everyNamespace }
    guard let id = ns.withUnsafeBytes({ namespace($0) }), isShared(id) else { return nil }
    return id
  }

  mutating func dropQueuedValues(_ id: NamespaceID, _ scope: SharedScope, _ number: UInt64) {
    shared?.queue.dropValues { key, kept, birth in
      (id == .everyNamespace || key.namespace == id) && birth < number && scope.takesIn(key.bytes, kept.tags)
    }
  }

  /// A change took in a key: what is older goes, here and wherever it is under way. Whether a reader could have seen it until now.
  @discardableResult
  mutating func coverKey(
    _ id: NamespaceID, _ key: [UInt8], _ number: UInt64, soft: Bool, by caller: Caller, now: Int64
  ) -> Bool {
    let loadKey = LoadKey(namespace: id, bytes: key)
    shared?.flights.cover(loadKey, number)
    shared?.changes.cover(loadKey, number)
    return key.withUnsafeBytes { bytes in
      invalidateLoad(id, bytes, bornBefore: number, now: now)
      let link = tier.find(id, bytes, tier.keyHash(bytes))
      guard link != 0, let life = standing(link, id, now: now), tier.entry(link).birth < number else { return false }
      let stale = soft ? tier.namespaces[id].pointee.policy.lifetimes(for: bytes).staleMilliseconds : 0
      record(.delete(key: bytes, soft: stale > 0), id, by: caller)
      if stale > 0 {
        tier.soften(link, end: min(life.end, now + stale))
      } else {
        tier.remove(link, .deleted(pid: caller.pid), now: now)
      }
      return true
    }
  }

  /// The same for all that a clear takes in. `ticket`: who is to be told how many values that were.
  mutating func coverGroup(
    _ id: NamespaceID, _ scope: SharedScope, _ number: UInt64, soft: Bool, ticket: ClearTicket?, by caller: Caller,
    now: Int64
  ) {
    shared?.groups[id, default: GroupTable()].raise(scope, number, soft: soft)
    for id in sharedNamespaces(id) { cover(id, scope, number, soft: soft, ticket: ticket, by: caller, now: now) }
  }

  private mutating func cover(
    _ id: NamespaceID, _ scope: SharedScope, _ number: UInt64, soft: Bool, ticket: ClearTicket?, by caller: Caller,
    now: Int64
  ) {
    // A read says its tags with its value, and is then looked at by the table just raised.
    shared?.flights.cover(id, number) { scope.takesIn($0.bytes, []) }
    shared?.changes.cover(id, number) { scope.takesIn($0.key, $0.tags) }
    scope.withPattern { pattern in
      record(.clear(self.scope(pattern), soft: soft), id, by: caller)
      let walk = ticket ?? clears.open()
      clear(id, pattern, soft, false, walk, caller, bornBefore: number, now)
      if ticket == nil { clears.abandon(walk) }
      invalidateLoads(id..<id + 1, pattern, bornBefore: number, now: now)
    }
  }

  // MARK: The shell's

  package var hasSharedCommands: Bool { shared?.hasCommands ?? false }

  /// To be carried out at once, in their order.
  package mutating func takeSharedCommands() -> [SharedCommand] { shared?.takeCommands() ?? [] }

  package var sharedCounters: SharedCounters? { shared?.counters }

  /// Where this host is in the log; nil while it takes no part.
  package var sharedPosition: (incarnation: UInt64, seen: UInt64, known: UInt64)? {
    guard let incarnation = shared?.incarnation, incarnation != 0, let seen = shared?.seen, let known = shared?.known
    else { return nil }
    return (incarnation, seen, known)
  }

  package var sharedQueueCount: Int { shared?.queue.count ?? 0 }
  package var sharedInFlight: Int { (shared?.flights.count ?? 0) + (shared?.changes.count ?? 0) }
  package var isSharedUp: Bool { shared?.isUp ?? false }
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
  func takesIn(_ key: [UInt8], _ borne: [[UInt8]]) -> Bool {
    switch self {
    case .keys(let keys): keys.contains(key)
    case .all: true
    case .match(let pattern): Glob(pattern).map { glob in key.withUnsafeBytes { glob.matches($0) } } ?? true
    case .tags(let tags): tags.contains(where: borne.contains)
    }
  }
}

extension Caller {
  /// Somebody on another host.
  static let elsewhere = Caller(pid: 0, uid: 0)
}
