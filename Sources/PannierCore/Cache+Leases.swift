// How a lease ends: by its fill, a release, its holder's end, its time, or a change that takes in its key; and who is told.

extension Cache {
  /// Gives a lease back. False where it doesn't stand any more.
  package mutating func release(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ token: LeaseToken, _ end: LeaseEnd, retryMilliseconds: Int64?,
    now: Int64
  ) -> Bool {
    guard let number = standingLoad(id, key, now: now), loads[number]?.lease?.token == token else { return false }
    var pause: Pause?
    if end == .failed || end == .passed {
      let span = retryMilliseconds ?? tier.namespaces[id].pointee.policy.lifetimes(for: key).retryAfterMilliseconds
      // At least as long as it takes to tell those who wait.
      pause = Pause(reason: end == .failed ? .failed : .passed, until: now + max(1, span), stamp: stamp)
    }
    endLease(number, end, pause: pause, now: now)
    return true
  }

  /// A connection is gone, and with it its leases and waits.
  package mutating func end(_ owner: OwnerID, now: Int64) {
    for ticket in waits(of: owner) { cancel(ticket, now: now) }
    for number in loads.loads(of: owner) {
      if loads[number]?.lease?.holder.owner == owner {
        endLease(number, .disconnected, now: now)
      } else {
        loads.takeReservation(number)
        handOver(number, now: now)
      }
    }
  }

  /// The lease with this token, if it stands and what was loaded under it may be stored with these tags.
  mutating func fillable(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ token: LeaseToken, _ tags: [UnsafeRawBufferPointer], now: Int64
  ) -> Lease? {
    guard let number = standingLoad(id, key, now: now), let lease = loads[number]?.lease, lease.token == token else {
      return nil
    }
    for tag in tags where tagClears.isCleared(id, tier.keyHash(tag), since: lease.stamp.sequence) {
      endLease(number, .revoked, now: now)
      return nil
    }
    if isShared(id) {
      let bounds = shared.bounds(of: key, tags: tags.map { Array($0) }, in: id)
      if max(bounds.hard, bounds.soft) > lease.stamp.known {
        endLease(number, .revoked, now: now)
        return nil
      }
    }
    return lease
  }

  /// A value was stored: no load of the key is needed any more, and all who wait may see it.
  mutating func fulfil(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, isFill: Bool, now: Int64) {
    guard !loads.isEmpty, let number = loads.find(LoadKey(namespace: id, bytes: Array(key))) else { return }
    if let lease = loads.end(number) {
      if isFill {
        let namespace = tier.namespaces[id]
        namespace.pointee.counters.leases.held -= 1
        namespace.pointee.counters.leases.filled += 1
        namespace.pointee.record(loadMilliseconds: now - lease.grantedAt)
      } else {
        giveBack(lease, id, Array(key))
        noteEnd(of: lease, id, key, .revoked)
      }
    }
    wakeAll(number, now: now)
  }

  /// The key was invalidated: what is being loaded was read too early, and what is known of its failing is old.
  mutating func invalidateLoad(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, bornBefore: UInt64 = .max, now: Int64
  ) {
    guard !loads.isEmpty, let number = loads.find(LoadKey(namespace: id, bytes: Array(key))) else { return }
    if let standing = loads[number]?.standing, standing.stamp.known >= bornBefore { return }
    endLease(number, .revoked, now: now)
  }

  /// The same for all keys that a clear takes in, the last change. The first of them are met at once.
  mutating func invalidateLoads(
    _ namespaces: Range<NamespaceID>, _ pattern: ClearPattern, bornBefore: UInt64 = .max, now: Int64
  ) {
    guard !loads.isEmpty else { return }
    switch pattern {
    case .all: loadClears.add(namespaces, .all, sequence, bornBefore: bornBefore)
    case .match(let glob): loadClears.add(namespaces, .match(glob), sequence, bornBefore: bornBefore)
    case .tags(let tags):
      for id in namespaces { for tag in tags { tagClears.record(id, tier.keyHash(tag), sequence) } }
    }
    // Which keys a clear takes in Redis doesn't know, and so any ends a pause of all hosts: here, too.
    for id in namespaces where isFleet(id) { loadClears.add(id..<id + 1, .pauses, sequence, bornBefore: bornBefore) }
    var budget = loads.limits.clearedAtOnce
    meetClears(now: now, budget: &budget)
  }

  /// Ends the loads that clears took in, looking at `budget` of them at most.
  mutating func meetClears(now: Int64, budget: inout Int) {
    while budget > 0, !loadClears.isEmpty, let number = loadClears.next(of: loads.numberCount) {
      budget -= 1 + settle(number, now: now) / Glob.stepsPerEntry
    }
  }

  /// Without a fill: the one who has waited longest is next, unless there is a pause, of which all who wait are told. Where nobody
  /// would load the key there is nothing to wait for any more.
  private mutating func endLease(_ number: Int, _ end: LeaseEnd, pause: Pause? = nil, now: Int64) {
    guard let key = loads[number]?.key else { return }
    if let lease = loads.end(number, pause: pause) {
      giveBack(lease, key.namespace, key.bytes, pause: pause, now: now)
      key.bytes.withUnsafeBytes { noteEnd(of: lease, key.namespace, $0, end) }
    }
    if pause != nil { wakeAll(number, now: now) } else { handOver(number, now: now) }
  }

  private mutating func noteEnd(of lease: Lease, _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ end: LeaseEnd) {
    let namespace = tier.namespaces[id]
    namespace.pointee.counters.leases.held -= 1
    namespace.pointee.counters.leases.count(end)
    tier.events.append(
      Event(kind: .release, namespace: id, scope: .key(Array(key)), pid: lease.holder.caller.pid, end: end), .release)
  }

  mutating func handOver(_ number: Int, now: Int64) {
    // Invalidated between an election and its answer: who is elected has not begun to load.
    if loads[number]?.reserved != nil { return }
    // Who waits is told with the answer.
    if case .asked = loads[number]?.claim { return }
    // Who is to load it is all hosts' matter: whoever waits asks anew, the longest waiter first.
    if endClaim(number) { return wakeAll(number, isAnew: true, now: now) }
    guard storesLoads(number), let next = loads.elect(number) else { return wakeAll(number, now: now) }
    ended(next, now: now)
    if loads.leaseCount == 0 { tagClears.forgetAll() }
  }

  private func storesLoads(_ number: Int) -> Bool {
    loads[number].map { tier.namespaces[$0.key.namespace].pointee.policy.mode.stores } ?? false
  }

  mutating func wakeAll(_ number: Int, isAnew: Bool = false, now: Int64) {
    while let waiter = loads.wakeOne(number, isAnew: isAnew) { ended(waiter, now: now) }
    loads.close(number)
    if loads.leaseCount == 0 { tagClears.forgetAll() }
  }

  // MARK: Time

  /// The load of a key as it stands now: what is past its deadline has ended.
  mutating func standingLoad(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> Int? {
    let loadKey = LoadKey(namespace: id, bytes: Array(key))
    guard let number = loads.find(loadKey) else { return nil }
    settle(number, now: now)
    return loads.find(loadKey)
  }

  /// Ends a lease or a pause whose time is over, or that a clear took in. Returns how many steps it took to see that, as a glob's.
  @discardableResult
  private mutating func settle(_ number: Int, now: Int64) -> Int {
    guard let load = loads[number], let (stamp, deadline) = load.standing else { return 0 }
    var steps = 0
    if deadline <= now {
      endLease(number, load.lease == nil ? .released : .timedOut, now: now)
    } else if !loadClears.isEmpty, loadClears.ends(load.key, began: stamp, isPause: load.pause != nil, &steps) {
      endLease(number, .revoked, now: now)
    }
    return steps
  }

  /// Ends what is past its deadline, in at most `budget` steps.
  mutating func settleLoads(now: Int64, budget: inout Int) {
    while budget > 0, let number = loads.due(now) {
      settle(number, now: now)
      budget -= 1
    }
    while budget > 0, let waiter = loads.wakeDue(now) {
      ended(waiter, now: now)
      budget -= 1
    }
  }

  // MARK: explain

  /// A lease that is held, for `explain`. Times are in milliseconds.
  package struct LeaseDetails {
    package let ageMilliseconds: Int64
    package let pid: Int32
    package let waiting: Int
  }

  /// The lease on a key; nil where nobody holds one.
  package mutating func lease(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> LeaseDetails? {
    guard !loads.isEmpty, let number = standingLoad(id, key, now: now), let load = loads[number], let lease = load.lease
    else { return nil }
    return LeaseDetails(ageMilliseconds: now - lease.grantedAt, pid: lease.holder.caller.pid, waiting: load.waiting)
  }
}
