// Write-behind: a plain set holds here at once, and the shared tier gets each key's last value with the next batch. So many values
// may wait; who brings more waits for room.

extension Cache {
  /// How long a set waits for room at most, in milliseconds. Then it holds here, and is told as a delete.
  private static let longestWaitMilliseconds: Int64 = 5000
  /// What the values that wait in a namespace may take together, in bytes, and what those of all sets that wait for room; the last may
  /// take it beyond.
  private static let largestPendingBytes = 64 << 20
  /// How often a value is sent that something newer may have passed: beyond, it is given up.
  private static let mostConflicts = 8

  mutating func setBehind(_ kept: KeptValue, _ id: NamespaceID, _ ticket: ChangeTicket, _ caller: Caller, now: Int64) {
    let isWaiting = shared.waiting.first(id) != nil
    if shared.isUp, isWaiting || !hasRoom(for: kept, id) {
      if shared.waiting.bytes >= Self.largestPendingBytes {
        overtake(id, now: now) { $0.key == kept.key }
        return hold(kept, id, ticket, caller, now: now)
      }
      shared.queue.hurry(id, true)
      shared.waiting.add(
        WaitingSet(kept: kept, caller: caller, ticket: ticket, deadline: now + Self.longestWaitMilliseconds), id)
      return sendFromQueue(now: now)
    }
    hold(kept, id, ticket, caller, now: now)
  }

  private func hasRoom(for kept: KeptValue, _ id: NamespaceID) -> Bool {
    if shared.queue[.key(LoadKey(namespace: id, bytes: kept.key))]?.isUnsentValue == true { return true }
    return shared.queue.batches.count(id) < tier.namespaces[id].pointee.policy.behind.maxPending
      && shared.queue.batches.bytes(id) < Self.largestPendingBytes
  }

  /// It is the key's value here from now on. Where there is no room the shared tier is told that the key has changed, and no more.
  private mutating func hold(
    _ kept: KeptValue, _ id: NamespaceID, _ ticket: ChangeTicket, _ caller: Caller, now: Int64
  ) {
    let key = LoadKey(namespace: id, bytes: kept.key)
    guard tier.namespaces[id].pointee.policy.mode.stores, isShared(id) else {
      // It has waited, and the mode has changed.
      queueDelete(id, kept.key, caller, now: now)
      return settle(ticket, .done, isQueued: !shared.isUp)
    }
    let known = shared.known
    let hasRoom = hasRoom(for: kept, id)
    shared.flights.end(key)
    shared.changes.end(key)
    key.bytes.withUnsafeBytes { bytes in
      // Whatever it is, also what another host has set and the log is still to bring.
      let link = tier.find(id, bytes, tier.keyHash(bytes))
      if link != 0, standing(link, id, now: now) != nil { tier.remove(link, .replaced, now: now) }
    }
    store(kept, id, known, caller, now: now)
    if hasRoom {
      putBehind(key, kept, birth: known, caller, now: now)
    } else {
      shared.counters.queued += 1
      put(.key(key), .delete, caller)
    }
    let isUp = shared.isUp
    settle(ticket, .done, isQueued: !isUp || !hasRoom)
    if !hasRoom { sendFromQueue(now: now) }
  }

  private mutating func putBehind(_ key: LoadKey, _ kept: KeptValue, birth: UInt64, _ caller: Caller, now: Int64) {
    let interval = tier.namespaces[key.namespace].pointee.policy.behind.intervalMilliseconds
    let mark = BatchMark(notBefore: now + interval, since: now, bytes: kept.key.count + kept.value.count)
    shared.queue.put(
      QueueItem(target: .key(key), action: .set(kept, birth: birth), caller: caller, batch: mark))
  }

  /// A value was loaded while an older one waits: it takes its place. False: none does, or a conditional change was sent behind that
  /// one, which the loaded value must not come after.
  mutating func replaceBehind(_ key: LoadKey, _ new: NewValue, ttl: Int64?, stale: Int64, _ mark: SharedMark) -> Bool {
    guard shared.queue.value(key) != nil, let item = shared.queue[.key(key)], item.batch != nil,
      !isDependedOn(.key(key))
    else { return false }
    let link = tier.find(key.namespace, new.key, tier.keyHash(new.key))
    guard link != 0 else { return false }
    let now = tier.entry(link).storedAt
    let kept = KeptValue(
      key: key.bytes, value: Array(new.value), tags: new.tags.map { Array($0) }, ttlMilliseconds: ttl,
      staleMilliseconds: stale, version: mark.version, storedAt: now)
    putBehind(key, kept, birth: mark.birth, item.caller, now: now)
    return true
  }

  // MARK: What became of it

  /// Something had touched what it touches, and maybe the key: Redis has deleted it. Once the log has told what that was, and it
  /// wasn't the key, the value is sent again. False: it is not.
  mutating func sendsAgain(_ change: PendingChange, _ number: UInt64, now: Int64) -> Bool {
    guard let (target, serial) = change.item, let item = shared.queue[target], item.serial == serial,
      case .set = item.action, let mark = item.batch, mark.conflicts < Self.mostConflicts, !isDependedOn(target)
    else { return false }
    shared.learn(number)
    shared.queue.await(number, now: now)
    shared.counters.behindConflicts += 1
    shared.queue.unsend(target, serial: serial, until: now, isConflict: true)
    return true
  }

  /// A conditional change of the key is under way: it was sent behind the value, which must not come after it.
  func isDependedOn(_ target: QueueTarget) -> Bool {
    guard case .key(let key) = target, !shared.conditional.isEmpty else { return false }
    return shared.conditional.values.contains { $0.namespace == key.namespace && $0.key == key.bytes }
  }

  /// What depends on what Redis has of a key comes after the value that waits.
  mutating func sendAhead(_ key: LoadKey) {
    guard let item = shared.queue.takeAhead(key) else { return }
    send(item)
  }

  // MARK: Waiting for room

  /// Those for whom there is room, and those who wait no longer: where the shared tier isn't there, none does.
  mutating func admitWaiting(now: Int64) {
    guard !shared.waiting.isEmpty else { return }
    for id in shared.waiting.namespaces {
      while let next = shared.waiting.first(id) {
        guard !shared.isUp || next.deadline <= now || hasRoom(for: next.kept, id) else { break }
        guard let set = shared.waiting.takeFirst(id) else { break }
        hold(set.kept, id, set.ticket, set.caller, now: now)
      }
      if shared.waiting.first(id) == nil { shared.queue.hurry(id, false) }
    }
  }

  /// A change takes in sets that wait: they are as if they had come before it, and it had taken them away.
  mutating func overtakeWaiting(_ change: PendingChange, now: Int64) {
    guard !shared.waiting.isEmpty else { return }
    for id in sharedNamespaces(change.namespace) {
      overtake(id, now: now) { kept in
        switch change.action {
        case .set(let new): new.key == kept.key
        case .delete(let keys), .soften(let keys, _): keys.contains(kept.key)
        case .clear(let scope, _, _): scope.takesIn(kept.key, kept.tags)
        }
      }
    }
  }

  private mutating func overtake(_ id: NamespaceID, now: Int64, where takesIn: (KeptValue) -> Bool) {
    for set in shared.waiting.take(id, where: takesIn) {
      // What it would have replaced is not shown once it is answered, though the change itself isn't yet.
      actHere(id, [set.kept.key], soft: false, set.caller, now: now)
      settle(set.ticket, .done)
    }
    if shared.waiting.first(id) == nil { shared.queue.hurry(id, false) }
  }

  // MARK: The shell's

  /// The process is to end: nothing waits for its time any more.
  package mutating func drainShared(now: Int64) {
    shared.queue.isDraining = true
    sendFromQueue(now: now)
  }

  /// Nothing is left that the shared tier is to be told of, or is being told of.
  package var isSharedDrained: Bool {
    shared.queue.isEmpty && shared.waiting.isEmpty && shared.changes.count == 0 && shared.conditional.isEmpty
      && !shared.hasCommands
  }

  /// Values that wait for a batch, or are under way with one; since when the oldest does; and sets that wait for room.
  package var behind: (pending: Int, since: Int64?, waiting: Int) {
    mutating get { (shared.queue.batches.count, shared.queue.batchedSince(), shared.waiting.count) }
  }
}
