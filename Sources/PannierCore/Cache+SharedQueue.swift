// Changes of what hosts share while it can't be told: they hold here, and wait to be told one after another.

extension Cache {
  /// It holds here from now on, and is told there later. `wasSent`: it may have been carried out, and then as something newer than
  /// what came after: so a set is told as a delete.
  mutating func queue(_ change: PendingChange, wasSent: Bool, now: Int64) {
    let id = change.namespace
    shared.counters.queued += 1
    let known = shared.known
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
        shared.flights.end(id)
        shared.changes.end(id) { scope.takesIn($0.key, $0.tags) }
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
    shared.counters.queued += 1
    actHere(id, [key], soft: false, caller, now: now)
    put(.key(LoadKey(namespace: id, bytes: key)), .delete, caller)
    sendFromQueue(now: now)
  }

  @discardableResult
  mutating func actHere(
    _ id: NamespaceID, _ keys: [[UInt8]], soft: Bool, _ caller: Caller, now: Int64
  ) -> Int {
    var count = 0
    for key in keys {
      let loadKey = LoadKey(namespace: id, bytes: key)
      shared.flights.end(loadKey)
      shared.changes.end(loadKey)
      if key.withUnsafeBytes({ delete(id, $0, soft: soft, by: caller, now: now) }) { count += 1 }
    }
    return count
  }

  mutating func put(_ target: QueueTarget, _ action: QueueItem.Action, _ caller: Caller) {
    shared.queue.put(QueueItem(target: target, action: action, caller: caller))
  }

  /// The next of what waits, once the one before was answered; where that is nothing, a batch.
  mutating func sendFromQueue(now: Int64) {
    guard shared.isUp, !shared.queue.isEmpty, shared.queue.pausedUntil <= now else { return }
    shared.queue.pausedUntil = 0
    if let item = shared.queue.takeNext() { return send(item) }
    let seen = shared.seen
    for item in shared.queue.takeBatch(now: now, seen: seen) { send(item) }
    if shared.queue.asks(now: now, seen: seen) { _ = barrier() }
  }

  mutating func send(_ item: QueueItem) {
    var guardNumber: UInt64?
    let action: PendingChange.Action
    switch (item.action, item.target) {
    case (.set(let kept, let birth), _):
      action = .set(kept)
      guardNumber = max(birth, shared.seen)
    case (.soften(let stale), .key(let key)): action = .soften([key.bytes], staleMilliseconds: stale)
    case (.clear(let soft), .group(_, let scope)): action = .clear(scope, soft: soft, clear: 0)
    case (_, .key(let key)): action = .delete([key.bytes])
    case (_, .group(_, let scope)): action = .clear(scope, soft: false, clear: 0)
    }
    var change = PendingChange(
      number: shared.changes.nextNumber(), namespace: item.target.namespace, action: action, caller: item.caller,
      deadline: .max, ticket: nil
    )
    change.item = (item.target, item.serial)
    change.isBatched = item.batch != nil
    send(change, guardNumber: guardNumber)
  }

  /// It is to be sent once more, if nothing has taken its place. Where Redis refuses it and is there, not at once.
  mutating func unsend(_ item: (target: QueueTarget, serial: UInt64), now: Int64) {
    if shared.isUp { shared.queue.pausedUntil = now + Self.pauseMilliseconds }
    if case .key(let key) = item.target, isDependedOn(item.target), shared.queue[item.target]?.serial == item.serial {
      return queueDelete(key.namespace, key.bytes, .elsewhere, now: now)
    }
    shared.queue.unsend(item.target, serial: item.serial, until: now)
  }

  /// How long the queue rests when Redis has answered it with an error, in milliseconds.
  private static let pauseMilliseconds: Int64 = 100

  // MARK: Time

  /// Answers those whom the shared tier has kept waiting too long.
  mutating func settleShared(now: Int64, until end: Int64? = nil) {
    checkProof(now: now)
    while let number = shared.flights.takeOverdue(end ?? now) {
      shared.counters.timeouts += 1
      for ticket in shared.flights.takeWaiters(number) { loads.tell(ticket) }
      settleClaim(ofFlight: number, now: now)
    }
    while let change = shared.changes.takeOverdue(end ?? now) {
      shared.counters.timeouts += 1
      queue(change, wasSent: true, now: now)
    }
    sendFromQueue(now: now)
    admitWaiting(now: now)
    endConditional(now, until: end ?? now)
    endQuestions(end ?? now)
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
