// What the shared log tells: each change in its order, whoever made it, and what it takes in here.

extension Cache {
  /// What the log tells, in its order. False where it can't be followed any more: the shell is to join again.
  package mutating func sharedRecords(_ records: [SharedRecord], now: Int64) -> Bool {
    for record in records {
      if shared.isLost { return false }
      let isSame = record.incarnation == shared.incarnation
      if isSame, record.number <= shared.seen { continue }
      guard isSame, record.number == shared.seen + 1 else {
        sharedGap()
        return false
      }
      shared.seen = record.number
      shared.learn(record.number)
      shared.counters.records += 1
      apply(record, now: now)
    }
    resumeConditional()
    sendFromQueue(now: now)
    return true
  }

  /// A record is missing, or can't be read.
  package mutating func sharedGap() { shared.isLost = true }

  private mutating func apply(_ record: SharedRecord, now: Int64) {
    guard let id = sharedID(record.ns) else { return }
    let own = record.isOwn ? shared.changes[record.op] : nil
    let caller = own?.caller ?? .elsewhere
    let soft = record.kind == .soften || record.kind == .softClear
    switch record.kind {
    case .open: return
    case .filled:
      guard case .keys(let keys) = record.scope else { return }
      for key in keys { sharedLoadEnded(id, key, record.number, now: now) }
    case .set, .delete, .touch, .soften:
      guard case .keys(let keys) = record.scope else { return }
      var count = 0
      for key in keys {
        if !record.isOwn { shared.queue.dropValue(LoadKey(namespace: id, bytes: key), bornBefore: record.number) }
        if coverKey(id, key, record.number, soft: soft, isOwn: record.isOwn, by: caller, now: now) { count += 1 }
      }
      if own != nil { shared.changes.apply(record.op, countHere: count) }
    case .clear, .softClear:
      if shared.appliedGroups.remove(record.number) != nil { return }
      if !record.isOwn { dropQueuedValues(id, record.scope, record.number) }
      coverGroup(id, record.scope, record.number, soft: soft, ticket: own?.clearTicket, by: caller, now: now)
      if own != nil { shared.changes.apply(record.op, countHere: 0) }
    }
  }

  /// Nil: this host has no such namespace, or keeps it to itself.
  func sharedID(_ ns: [UInt8]) -> NamespaceID? {
    if ns.isEmpty { return .everyNamespace }
    guard let id = ns.withUnsafeBytes({ namespace($0) }), isShared(id) else { return nil }
    return id
  }

  /// The same, of one namespace alone.
  func oneSharedID(_ ns: [UInt8]) -> NamespaceID? { ns.isEmpty ? nil : sharedID(ns) }

  mutating func dropQueuedValues(_ id: NamespaceID, _ scope: SharedScope, _ number: UInt64) {
    if shared.queue.isEmpty { return }
    let takesIn = scope.matcher
    shared.queue.dropValues { key, kept, birth in
      (id == .everyNamespace || key.namespace == id) && birth < number && takesIn(key.bytes, kept.tags)
    }
  }

  /// A change took in a key: what is older goes, here and wherever it is under way. Whether a reader could have seen it until now.
  ///
  /// What waits to be told is newer than any change of this host's own: each of those after it would have taken its place.
  @discardableResult
  mutating func coverKey(
    _ id: NamespaceID, _ key: [UInt8], _ number: UInt64, soft: Bool, isOwn: Bool = false, by caller: Caller, now: Int64
  ) -> Bool {
    let loadKey = LoadKey(namespace: id, bytes: key)
    shared.flights.cover(loadKey, number)
    shared.changes.cover(loadKey, number)
    shared.coverConditional(id, number) { $0.key == key }
    shared.claims.change(loadKey, number)
    return key.withUnsafeBytes { bytes in
      invalidateLoad(id, bytes, bornBefore: number, now: now)
      let link = tier.find(id, bytes, tier.keyHash(bytes))
      guard link != 0, let life = standing(link, id, now: now), tier.entry(link).birth < number else { return false }
      if isOwn, shared.queue.value(loadKey)?.version == tier.entry(link).publicVersion { return false }
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
    shared.groups[id, default: GroupTable()].raise(scope, number, soft: soft)
    for id in sharedNamespaces(id) { cover(id, scope, number, soft: soft, ticket: ticket, by: caller, now: now) }
  }

  private mutating func cover(
    _ id: NamespaceID, _ scope: SharedScope, _ number: UInt64, soft: Bool, ticket: ClearTicket?, by caller: Caller,
    now: Int64
  ) {
    // A read says its tags with its value, and is then looked at by the table just raised.
    shared.flights.cover(id, number) { scope.takesIn($0.bytes, []) }
    shared.changes.cover(id, number) { scope.takesIn($0.key, $0.tags) }
    shared.coverConditional(id, number) { scope.takesIn($0.key, $0.tags) }
    // Any clear in the namespace ends a pause, whatever it takes in.
    shared.claims.end(id, number)
    scope.withPattern { pattern in
      record(.clear(self.scope(pattern), soft: soft), id, by: caller)
      let walk = ticket ?? clears.open()
      clear(id, pattern, soft, false, walk, caller, bornBefore: number, now)
      if ticket == nil { clears.abandon(walk) }
      invalidateLoads(id..<id + 1, pattern, bornBefore: number, now: now)
    }
  }
}
