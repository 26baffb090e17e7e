// Changes of what hosts share: sent at once, and told to their askers when the shared tier has them. Where it can't be reached they
// hold here, and wait in a queue to be told there.

extension Cache {
  /// The most keys of one change, as a record has them.
  private static let keysPerChange = 128

  // MARK: Asking

  /// A plain set of an admitted value; `nil`: the namespace stores nothing, and a delete was carried out in its place.
  package mutating func setShared(
    _ id: NamespaceID, _ new: NewValue, by caller: Caller, now: Int64
  ) -> ChangeTicket {
    let namespace = tier.namespaces[id]
    guard namespace.pointee.policy.mode.stores else {
      return deleteShared(id, [Array(new.key)], soft: false, by: caller, now: now)
    }
    let kept = kept(id, new, now: now)
    let ticket = openTicket(parts: 1)
    submit(.set(kept), id, ticket, caller, now: now)
    return ticket
  }

  mutating func kept(_ id: NamespaceID, _ new: NewValue, now: Int64) -> KeptValue {
    let rule = tier.namespaces[id].pointee.policy.lifetimes(for: new.key)
    let ttl = lifetime(new.ttl, rule, isNull: isNull(new.value))
    return KeptValue(
      key: Array(new.key), value: Array(new.value), tags: new.tags.map { Array($0) }, ttlMilliseconds: ttl,
      staleMilliseconds: ttl == nil ? 0 : new.staleMilliseconds ?? rule.staleMilliseconds, version: newVersion(),
      storedAt: now)
  }

  package mutating func deleteShared(
    _ id: NamespaceID, _ keys: [[UInt8]], soft: Bool, by caller: Caller, now: Int64
  ) -> ChangeTicket {
    var parts: [PendingChange.Action] = []
    var rest = keys[...]
    while !rest.isEmpty {
      let some = Array(rest.prefix(Self.keysPerChange))
      rest = rest.dropFirst(Self.keysPerChange)
      let stale = soft ? longestStale(id, some) : 0
      parts.append(stale > 0 ? .soften(some, staleMilliseconds: stale) : .delete(some))
    }
    let ticket = openTicket(parts: parts.count)
    for part in parts { submit(part, id, ticket, caller, now: now) }
    return ticket
  }

  private func longestStale(_ id: NamespaceID, _ keys: [[UInt8]]) -> Int64 {
    let policy = tier.namespaces[id].pointee.policy
    return keys.reduce(0) { longest, key in
      max(longest, key.withUnsafeBytes { policy.lifetimes(for: $0).staleMilliseconds })
    }
  }

  /// One namespace's part of a clear, counted under `clear`.
  mutating func clearShared(
    _ id: NamespaceID, _ scope: SharedScope, soft: Bool, clear: ClearTicket, by caller: Caller, now: Int64
  ) {
    clears.await(clear)
    for id in sharedNamespaces(id) { tier.namespaces[id].pointee.counters.clears += 1 }
    submit(.clear(scope, soft: soft, clear: clear), id, nil, caller, now: now)
  }

  /// Those that a change takes in.
  func sharedNamespaces(_ id: NamespaceID) -> [NamespaceID] {
    id == .everyNamespace ? (0..<namespaceCount).filter { isShared($0) } : [id]
  }

  func sharedName(_ id: NamespaceID) -> [UInt8] { id == .everyNamespace ? [] : name(of: id) }

  /// A version that no other value has, on any host: 53 random bits.
  mutating func newVersion() -> UInt64 { random.next() >> 11 }

  mutating func openTicket(parts: Int) -> ChangeTicket {
    let ticket = shared?.changes.nextTicket() ?? 0
    shared?.tallies[ticket] = ChangeTally(left: parts)
    return ticket
  }

  private mutating func submit(
    _ action: PendingChange.Action, _ id: NamespaceID, _ ticket: ChangeTicket?, _ caller: Caller, now: Int64
  ) {
    guard let number = shared?.changes.nextNumber(), let timeout = shared?.timeoutMilliseconds else { return }
    let change = PendingChange(
      number: number, namespace: id, action: action, caller: caller, deadline: now + timeout, ticket: ticket)
    // A set that waits and is taken in must not follow it, where it is sent at once, and not be stored here once more when it is sent.
    if case .clear(let scope, _, _) = action { dropQueuedValues(id, scope, .max) }
    guard shared?.isUp == true else { return queue(change, wasSent: false, now: now) }
    for target in change.targets { shared?.queue.remove(target) }
    // It overtakes what waits: a set that it takes in must not follow it.
    if case .clear(let scope, _, _) = action { dropQueuedValues(id, scope, .max) }
    send(change, guardNumber: nil)
  }

  private mutating func send(_ change: PendingChange, guardNumber: UInt64?) {
    shared?.changes.add(change)
    let asked: SharedChange =
      switch change.action {
      case .set(let kept): .set(sharedValue(kept), guardNumber: guardNumber)
      case .delete(let keys): .delete(keys)
      case .soften(let keys, let stale): .soften(keys, staleMilliseconds: stale)
      case .clear(let scope, let soft, _): .clear(scope, soft: soft)
      }
    let ns = sharedName(change.namespace)
    shared?.send(.change(number: change.number, ns: ns, asked))
  }

  func sharedValue(_ kept: KeptValue) -> SharedValue {
    SharedValue(
      key: kept.key, value: kept.value, tags: kept.tags, ttlMilliseconds: kept.ttlMilliseconds,
      staleMilliseconds: kept.staleMilliseconds, version: kept.version,
      // The change itself gives it its number.
      birth: Birth(incarnation: shared?.incarnation ?? 0, number: 0))
  }

  // MARK: What became of it

  package mutating func sharedReplied(change number: UInt64, _ reply: SharedReply, now: Int64) {
    guard let change = shared?.changes.close(number) else { return }
    switch reply {
    case .done(let number, let count): carriedOut(change, number, count, stores: !change.isOverdue, now: now)
    case .conflict(let number): carriedOut(change, number, 0, stores: false, now: now)
    case .refused, .lost:
      if change.item != nil {
        shared?.queue.unsend()
      } else if !change.isOverdue {
        queue(change, wasSent: true, now: now)
      }
    }
    sendFromQueue()
  }

  /// The shared tier has it, as the change `number`.
  private mutating func carriedOut(
    _ change: PendingChange, _ number: UInt64, _ count: Int, stores: Bool, now: Int64
  ) {
    shared?.learn(number)
    if let item = change.item {
      shared?.queue.remove(item.target, serial: item.serial)
      shared?.counters.replayed += 1
    }
    let id = change.namespace
    switch change.action {
    case .set(let kept):
      if stores, !change.isEnded, change.cover <= number {
        store(kept, id, number, change.caller, now: now)
      } else {
        coverKey(id, kept.key, number, soft: false, by: change.caller, now: now)
      }
      settle(change, count: 0, isQueued: false)
    case .delete(let keys), .soften(let keys, _):
      var soft = false
      if case .soften = change.action { soft = true }
      var here = change.countHere
      for key in keys where coverKey(id, key, number, soft: soft, by: change.caller, now: now) { here += 1 }
      let seen = max(here, count)
      tier.namespaces[id].pointee.counters.deletes += change.ticket == nil ? 0 : seen
      settle(change, count: seen, isQueued: false)
    case .clear(let scope, let soft, let clear):
      if !change.isApplied, number > shared?.seen ?? 0 { shared?.appliedGroups.insert(number) }
      if !change.isApplied {
        coverGroup(id, scope, number, soft: soft, ticket: change.clearTicket, by: change.caller, now: now)
      }
      if change.item == nil, !change.isOverdue { clears.settle(clear, isQueued: false) }
    }
  }

  /// A set has its number: the value is this host's to show.
  mutating func store(_ kept: KeptValue, _ id: NamespaceID, _ number: UInt64, _ caller: Caller, now: Int64) {
    let key = LoadKey(namespace: id, bytes: kept.key)
    shared?.flights.cover(key, number)
    shared?.changes.cover(key, number)
    kept.key.withUnsafeBytes { bytes in
      let hash = tier.keyHash(bytes)
      let link = tier.find(id, bytes, hash)
      if link != 0, standing(link, id, now: now) != nil {
        guard tier.entry(link).birth <= number else { return }
        tier.remove(link, .replaced, now: now)
      }
      kept.value.withUnsafeBytes { value in
        let version = record(
          .set(key: bytes, ttlMilliseconds: kept.ttlMilliseconds, size: value.count, lease: nil), id, by: caller)
        let content = Entry.Content(
          key: bytes, value: value, staleMilliseconds: kept.staleMilliseconds,
          freshUntil: min(
            kept.ttlMilliseconds.map { kept.storedAt + $0 } ?? Entry.never, now + memoryLife(id, kept.key)),
          storedAt: kept.storedAt,
          version: version, shared: SharedMark(version: kept.version, birth: number), namespace: id,
          filler: tier.fillers.retain(caller))
        tier.namespaces[id].pointee.counters.sets &+= 1
        let isStored = withBorrowed(kept.tags) { tier.insert(content, tags: $0, hash, now: now) != nil }
        if !isStored { tier.evictAtOnce(content, hash, now: now) }
      }
      fulfil(id, bytes, isFill: false, now: now)
    }
  }

  private mutating func settle(_ change: PendingChange, count: Int, isQueued: Bool) {
    guard !change.isOverdue, let ticket = change.ticket else { return }
    settle(ticket, .done, count: count, isQueued: isQueued)
  }

  /// One part of what an asker asked for.
  mutating func settle(
    _ ticket: ChangeTicket, _ result: SharedOutcome.Result, count: Int = 0, isQueued: Bool = false
  ) {
    guard var tally = shared?.tallies[ticket] else { return }
    tally.left -= 1
    tally.count += count
    tally.isQueued = tally.isQueued || isQueued
    if result != .done { tally.result = result }
    shared?.tallies[ticket] = tally.left > 0 ? tally : nil
    if tally.left == 0 {
      shared?.settle(
        SharedOutcome(ticket: ticket, isQueued: tally.isQueued, count: tally.count, result: tally.result))
    }
  }

  package var hasSharedOutcomes: Bool { shared?.hasSettled ?? false }

  /// What their askers are to be told, each once.
  package mutating func takeSharedOutcomes() -> [SharedOutcome] { shared?.takeSettled() ?? [] }

  // MARK: Without the shared tier

  /// It holds here from now on, and is told there later. `wasSent`: it may have been carried out, and then as something newer than
  /// what came after: so a set is told as a delete.
  private mutating func queue(_ change: PendingChange, wasSent: Bool, now: Int64) {
    let id = change.namespace
    shared?.counters.queued += 1
    let known = shared?.known ?? 0
    switch change.action {
    case .set(let kept):
      actHere(id, [kept.key], soft: false, change.caller, now: now)
      let isRefused = tier.namespaces[id].pointee.policy.write == .through
      let isKept = !wasSent && !isRefused
      if isKept { store(kept, id, known, change.caller, now: now) }
      put(.key(LoadKey(namespace: id, bytes: kept.key)), isKept ? .set(kept, birth: known) : .delete, change.caller)
      if !isRefused { return settle(change, count: 0, isQueued: true) }
      guard !change.isOverdue, let ticket = change.ticket else { return }
      settle(ticket, .unavailable)
    case .delete(let keys):
      let count = actHere(id, keys, soft: false, change.caller, now: now)
      for target in change.targets { put(target, .delete, change.caller) }
      settle(change, count: count, isQueued: true)
    case .soften(let keys, let stale):
      let count = actHere(id, keys, soft: true, change.caller, now: now)
      for target in change.targets { put(target, .soften(staleMilliseconds: stale), change.caller) }
      settle(change, count: count, isQueued: true)
    case .clear(let scope, let soft, let clear):
      for id in sharedNamespaces(id) {
        shared?.flights.end(id)
        shared?.changes.end(id) { scope.takesIn($0.key, $0.tags) }
        scope.withPattern { pattern in
          record(.clear(self.scope(pattern), soft: soft), id, by: change.caller)
          self.clear(id, pattern, soft, false, clear, change.caller, now)
          invalidateLoads(id..<id + 1, pattern, now: now)
        }
      }
      put(.group(id, scope), .clear(soft: soft), change.caller)
      clears.settle(clear, isQueued: true)
    }
  }

  /// A key whose value nobody may go by any more, here and as soon as it can be told.
  mutating func queueDelete(_ id: NamespaceID, _ key: [UInt8], _ caller: Caller, now: Int64) {
    shared?.counters.queued += 1
    actHere(id, [key], soft: false, caller, now: now)
    put(.key(LoadKey(namespace: id, bytes: key)), .delete, caller)
    sendFromQueue()
  }

  @discardableResult
  private mutating func actHere(
    _ id: NamespaceID, _ keys: [[UInt8]], soft: Bool, _ caller: Caller, now: Int64
  ) -> Int {
    var count = 0
    for key in keys {
      let loadKey = LoadKey(namespace: id, bytes: key)
      shared?.flights.end(loadKey)
      shared?.changes.end(loadKey)
      if key.withUnsafeBytes({ delete(id, $0, soft: soft, by: caller, now: now) }) { count += 1 }
    }
    return count
  }

  private mutating func put(_ target: QueueTarget, _ action: QueueItem.Action, _ caller: Caller) {
    shared?.queue.put(QueueItem(target: target, action: action, caller: caller))
  }

  /// The next of what waits, once the one before was answered.
  mutating func sendFromQueue() {
    guard shared?.isUp == true, let item = shared?.queue.takeNext(), let number = shared?.changes.nextNumber() else {
      return
    }
    var guardNumber: UInt64?
    let action: PendingChange.Action
    switch (item.action, item.target) {
    case (.set(let kept, let birth), _):
      action = .set(kept)
      guardNumber = max(birth, shared?.seen ?? 0)
    case (.soften(let stale), .key(let key)): action = .soften([key.bytes], staleMilliseconds: stale)
    case (.clear(let soft), .group(_, let scope)): action = .clear(scope, soft: soft, clear: 0)
    case (_, .key(let key)): action = .delete([key.bytes])
    case (_, .group(_, let scope)): action = .clear(scope, soft: false, clear: 0)
    }
    var change = PendingChange(
      number: number, namespace: item.target.namespace, action: action, caller: item.caller, deadline: .max, ticket: nil
    )
    change.item = (item.target, item.serial)
    send(change, guardNumber: guardNumber)
  }

  // MARK: Time

  /// Answers those whom the shared tier has kept waiting too long.
  mutating func settleShared(now: Int64, until end: Int64? = nil) {
    checkProof(now: now)
    while let number = shared?.flights.takeOverdue(end ?? now) {
      shared?.counters.timeouts += 1
      for ticket in shared?.flights.takeWaiters(number) ?? [] { loads.tell(ticket) }
    }
    while let change = shared?.changes.takeOverdue(end ?? now) {
      shared?.counters.timeouts += 1
      queue(change, wasSent: true, now: now)
    }
    endConditional(now, until: end ?? now)
  }

  /// Frees a namespace's memory, without it being a clear that anybody asked for.
  mutating func dropAll(_ id: NamespaceID, now: Int64) {
    sequence += 1
    let ticket = clears.open()
    clear(id, .all, false, false, ticket, .elsewhere, now)
    clears.abandon(ticket)
    invalidateLoads(id..<id + 1, .all, now: now)
  }
}

extension PendingChange {
  /// Under which its walk here is counted; nil: for nobody.
  var clearTicket: ClearTicket? {
    guard case .clear(_, _, let clear) = action, item == nil, !isOverdue else { return nil }
    return clear
  }

  /// What the queue would keep of it.
  var targets: [QueueTarget] {
    switch action {
    case .set(let kept): [.key(LoadKey(namespace: namespace, bytes: kept.key))]
    case .delete(let keys), .soften(let keys, _): keys.map { .key(LoadKey(namespace: namespace, bytes: $0)) }
    case .clear(let scope, _, _): [.group(namespace, scope)]
    }
  }
}
