// Changes of what hosts share: sent at once, and told to their askers when the shared tier has them. Where it can't be reached they
// hold here, and wait in a queue to be told there.

extension Cache {
  /// The most keys of one change, as a record has them.
  private static let keysPerChange = 128

  // MARK: Asking

  /// A plain set of an admitted value. Where the namespace stores nothing a delete is carried out in its place.
  package mutating func setShared(
    _ id: NamespaceID, _ new: NewValue, by caller: Caller, now: Int64
  ) -> ChangeTicket {
    let namespace = tier.namespaces[id]
    guard namespace.pointee.policy.mode.stores else {
      return deleteShared(id, [Array(new.key)], soft: false, by: caller, now: now)
    }
    let kept = kept(id, new, now: now)
    let ticket = openTicket(parts: 1)
    if namespace.pointee.policy.writesBehind {
      setBehind(kept, id, ticket, caller, now: now)
      return ticket
    }
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
    // What Redis was never sent can't go stale there.
    let isUnsent = keys.map { soft && shared.queue.value(LoadKey(namespace: id, bytes: $0)) != nil }
    let unsent = zip(keys, isUnsent).filter(\.1).map(\.0)
    let others = zip(keys, isUnsent).filter { !$0.1 }.map(\.0)
    for (keys, soft) in [(others, soft), (unsent, false)] {
      var rest = keys[...]
      while !rest.isEmpty {
        let some = Array(rest.prefix(Self.keysPerChange))
        rest = rest.dropFirst(Self.keysPerChange)
        let stale = soft ? longestStale(id, some) : 0
        parts.append(stale > 0 ? .soften(some, staleMilliseconds: stale) : .delete(some))
      }
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
    for id in sharedNamespaces(id) {
      let namespace = tier.namespaces[id]
      namespace.pointee.counters.clears += 1
    }
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
    let ticket = shared.changes.nextTicket()
    shared.tallies[ticket] = ChangeTally(left: parts)
    return ticket
  }

  private mutating func submit(
    _ action: PendingChange.Action, _ id: NamespaceID, _ ticket: ChangeTicket?, _ caller: Caller, now: Int64
  ) {
    guard let timeout = shared.timeoutMilliseconds else { return }
    let number = shared.changes.nextNumber()
    let change = PendingChange(
      number: number, namespace: id, action: action, caller: caller, deadline: now + timeout, ticket: ticket)
    // A set that waits and is taken in must not follow it, where it is sent at once, and not be stored here once more when it is sent.
    if case .clear(let scope, _, _) = action { dropQueuedValues(id, scope, .max) }
    overtakeWaiting(change, now: now)
    guard shared.isUp else { return queue(change, wasSent: false, now: now) }
    for target in change.targets { shared.queue.remove(target) }
    send(change, guardNumber: nil)
  }

  mutating func send(_ change: PendingChange, guardNumber: UInt64?) {
    shared.changes.add(change)
    let asked: SharedChange =
      switch change.action {
      case .set(let kept): .set(sharedValue(kept), guardNumber: guardNumber)
      case .delete(let keys): .delete(keys)
      case .soften(let keys, let stale): .soften(keys, staleMilliseconds: stale)
      case .clear(let scope, let soft, _): .clear(scope, soft: soft)
      }
    let ns = sharedName(change.namespace)
    shared.send(.change(number: change.number, ns: ns, asked))
  }

  func sharedValue(_ kept: KeptValue) -> SharedValue {
    SharedValue(
      key: kept.key, value: kept.value, tags: kept.tags, ttlMilliseconds: kept.ttlMilliseconds,
      staleMilliseconds: kept.staleMilliseconds, version: kept.version,
      // The change itself gives it its number.
      birth: Birth(incarnation: shared.incarnation, number: 0))
  }

  // MARK: What became of it

  package mutating func sharedReplied(change number: UInt64, _ reply: SharedReply, now: Int64) {
    guard let change = shared.changes.close(number) else { return }
    shared.queue.answered(isBatched: change.isBatched)
    switch reply {
    case .done(let number, let count): carriedOut(change, number, count, stores: !change.isOverdue, now: now)
    case .conflict(let number):
      if !sendsAgain(change, number, now: now) { carriedOut(change, number, 0, stores: false, now: now) }
    case .refused, .lost:
      if let item = change.item {
        unsend(item, now: now)
      } else if !change.isOverdue {
        queue(change, wasSent: true, now: now)
      }
    }
    sendFromQueue(now: now)
    admitWaiting(now: now)
  }

  /// The shared tier has it, as the change `number`.
  private mutating func carriedOut(
    _ change: PendingChange, _ number: UInt64, _ count: Int, stores: Bool, now: Int64
  ) {
    shared.learn(number)
    if let item = change.item {
      shared.queue.remove(item.target, serial: item.serial)
      shared.queue.await(number, now: now)
      shared.counters.replayed += change.isBatched ? 0 : 1
      shared.counters.behindSent += change.isBatched ? 1 : 0
    }
    let id = change.namespace
    switch change.action {
    case .set(let kept):
      if stores, change.item != nil {
        confirm(kept, id, number, change.caller, now: now)
      } else if stores, !change.isEnded, change.cover <= number {
        store(kept, id, number, change.caller, now: now)
      } else {
        coverKey(id, kept.key, number, soft: false, isOwn: true, by: change.caller, now: now)
      }
      settle(change, count: 0, isQueued: false)
    case .delete(let keys), .soften(let keys, _):
      var soft = false
      if case .soften = change.action { soft = true }
      var here = change.countHere
      for key in keys where coverKey(id, key, number, soft: soft, isOwn: true, by: change.caller, now: now) {
        here += 1
      }
      let seen = max(here, count)
      let namespace = tier.namespaces[id]
      namespace.pointee.counters.deletes += change.ticket == nil ? 0 : seen
      settle(change, count: seen, isQueued: false)
    case .clear(let scope, let soft, let clear):
      if !change.isApplied, number > shared.seen { shared.appliedGroups.insert(number) }
      if !change.isApplied {
        coverGroup(id, scope, number, soft: soft, ticket: change.clearTicket, by: change.caller, now: now)
      }
      if change.item == nil, !change.isOverdue { clears.settle(clear, isQueued: false) }
    }
  }

  /// A set has its number: the value is this host's to show.
  mutating func store(_ kept: KeptValue, _ id: NamespaceID, _ number: UInt64, _ caller: Caller, now: Int64) {
    let key = LoadKey(namespace: id, bytes: kept.key)
    shared.flights.cover(key, number)
    shared.changes.cover(key, number)
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
        let namespace = tier.namespaces[id]
        namespace.pointee.counters.sets &+= 1
        let isStored = withBorrowed(kept.tags) { tier.insert(content, tags: $0, hash, now: now) != nil }
        if !isStored { tier.evictAtOnce(content, hash, now: now) }
      }
      fulfil(id, bytes, isFill: false, now: now)
    }
  }

  /// What was stored here before Redis had it has its number now.
  private mutating func confirm(_ kept: KeptValue, _ id: NamespaceID, _ number: UInt64, _ caller: Caller, now: Int64) {
    kept.key.withUnsafeBytes { bytes in
      let link = tier.find(id, bytes, tier.keyHash(bytes))
      if link != 0, tier.entry(link).publicVersion == kept.version { tier.entry(link).raiseBirth(number) }
    }
    coverKey(id, kept.key, number, soft: false, isOwn: true, by: caller, now: now)
  }

  mutating func settle(_ change: PendingChange, count: Int, isQueued: Bool) {
    guard !change.isOverdue, let ticket = change.ticket else { return }
    settle(ticket, .done, count: count, isQueued: isQueued)
  }

  /// One part of what an asker asked for.
  mutating func settle(
    _ ticket: ChangeTicket, _ result: SharedOutcome.Result, count: Int = 0, isQueued: Bool = false
  ) {
    guard var tally = shared.tallies[ticket] else { return }
    tally.left -= 1
    tally.count += count
    tally.isQueued = tally.isQueued || isQueued
    if result != .done { tally.result = result }
    shared.tallies[ticket] = tally.left > 0 ? tally : nil
    if tally.left == 0 {
      shared.settle(
        SharedOutcome(ticket: ticket, isQueued: tally.isQueued, count: tally.count, result: tally.result))
    }
  }

  package var hasSharedOutcomes: Bool { mutating get { shared.hasSettled } }

  /// What their askers are to be told, each once.
  package mutating func takeSharedOutcomes() -> [SharedOutcome] { shared.takeSettled() }
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
