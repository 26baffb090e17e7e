// One load a key: who is elected to load what isn't there, who waits, and what ends a lease. The rules are those of
// PROTOCOL.md, "Leases"; the records are `LoadTable`'s.

extension Cache {
  /// Why a key that was asked for has no value to show.
  package enum Miss: Equatable {
    case nothing
    /// Another loads it.
    case busy
    /// A load failed lately; nobody is elected before this time has passed.
    case failed(retryMilliseconds: Int64)
    /// A load had a result that isn't to be stored: each caller loads for itself.
    case passed
  }

  /// What a read would come to.
  private enum Prospect {
    case show(Link, isStale: Bool)
    case fetch
    /// The caller is elected; zero: there is nothing to show it meanwhile.
    case elect(Link, isStale: Bool)
    case wait
    /// `link`: what is there but doesn't do.
    case miss(Miss, Link)
  }

  /// What a reader gets, and whether it is to load the key.
  package mutating func get(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ options: ReadOptions, by asker: Asker, now: Int64
  ) -> GetStep {
    let hash = tier.keyHash(key)
    let link = usable(tier.find(id, key, hash), id, options)
    let prospect = prospect(id, key, link, options, now: now)
    switch fetching(id, key, prospect, options) ? .fetch : prospect {
    case .fetch: return .fetch
    case .show(let link, let isStale): return .hit(show(link, id, isStale: isStale, options))
    case .elect(let link, let isStale):
      let token = grant(id, key, link, isStale: isStale, options, asker, now: now)
      if link != 0 { return .granted(token, show(link, id, isStale: isStale, options)) }
      count(missOf: 0, id, hash)
      return .granted(token, nil)
    case .wait: return .wait
    case .miss(let miss, let link):
      count(missOf: link, id, hash)
      return .miss(miss)
    }
  }

  /// Whether the shared tier is to be asked first.
  private mutating func fetching(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ prospect: Prospect, _ options: ReadOptions
  ) -> Bool {
    if shared == nil { return false }
    if needsProof(id, options) {
      return !tier.namespaces[id].pointee.policy.mode.hidesEntries && fetches(id, key, options, usable: false)
    }
    switch prospect {
    case .elect(let link, let isStale):
      return fetches(id, key, options, usable: link != 0 && !isStale)
    case .miss(.nothing, _):
      return !tier.namespaces[id].pointee.policy.mode.hidesEntries && fetches(id, key, options, usable: false)
    default: return false
    }
  }

  /// What a read would come to, as far as its asker must know beforehand.
  package enum Outlook { case answered, elected, wait, fetch }

  /// What `get` would come to now. Nothing is counted, and nobody elected.
  package mutating func outlook(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ options: ReadOptions, now: Int64
  ) -> Outlook {
    let link = usable(tier.find(id, key, tier.keyHash(key)), id, options)
    let prospect = prospect(id, key, link, options, now: now)
    return switch fetching(id, key, prospect, options) ? .fetch : prospect {
    case .fetch: .fetch
    case .elect: .elected
    case .wait: .wait
    case .show, .miss: .answered
    }
  }

  private mutating func prospect(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ link: Link, _ options: ReadOptions, now: Int64
  ) -> Prospect {
    let mode = tier.namespaces[id].pointee.policy.mode
    if mode.hidesEntries { return .miss(.nothing, 0) }
    var link = link
    var isStale = true
    var isDue = true
    if link != 0, let life = standing(link, id, now: now) {
      let age = now - tier.entry(link).storedAt
      isStale = now >= life.freshUntil || options.maxAgeMilliseconds.map { age > $0 } ?? false
      isDue = isStale || isDueForRefresh(link, id, life, now: now)
    } else {
      link = 0
    }
    if !isDue { return .show(link, isStale: false) }
    let isUsable = link != 0 && (!isStale || options.stale || options.lease)
    let seeks = options.lease && mode.stores
    if isUsable, !seeks { return .show(link, isStale: isStale) }
    let miss = isUsable ? Prospect.show(link, isStale: isStale) : .miss(.nothing, link)
    if loads.isEmpty, !seeks { return miss }
    let number = standingLoad(id, key, now: now)
    if let pause = number.flatMap({ loads[$0]?.pause }) {
      if isUsable { return miss }
      return .miss(pause.reason == .passed ? .passed : .failed(retryMilliseconds: pause.until - now), link)
    }
    let isHeld = number.map { loads[$0]?.lease != nil || loads.isReserved($0, except: options.turn) } ?? false
    // Where as many loads are under way as may be, the caller is not told to load unseen: it is told to come again.
    let isFull = number == nil && loads.isFull
    if seeks, !isHeld, !isFull { return .elect(link, isStale: isStale) }
    if isUsable { return miss }
    if isHeld, options.waits { return .wait }
    // To be busy is worth saying to one that would load the key, or has waited for it.
    return seeks || isHeld && options.hasWaited ? .miss(.busy, link) : miss
  }

  private func isDueForRefresh(_ link: Link, _ id: NamespaceID, _ life: Life, now: Int64) -> Bool {
    guard tier.namespaces[id].pointee.refreshesAhead, life.freshUntil < Entry.never else { return false }
    let entry = tier.entry(link)
    guard let share = tier.namespaces[id].pointee.policy.lifetimes(for: entry.key).refreshAhead else { return false }
    return Double(now - entry.storedAt) >= Double(life.freshUntil - entry.storedAt) * share
  }

  private mutating func grant(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ link: Link, isStale: Bool, _ options: ReadOptions,
    _ asker: Asker,
    now: Int64
  ) -> LeaseToken {
    let namespace = tier.namespaces[id]
    let timeout = namespace.pointee.policy.lifetimes(for: key).leaseTimeoutMilliseconds
    let number = loads.open(LoadKey(namespace: id, bytes: Array(key)))
    let isHandedOver = options.turn != nil && loads[number]?.reserved?.ticket == options.turn
    let lease = Lease(token: tokens.next(), holder: asker, grantedAt: now, deadline: now + timeout, stamp: stamp)
    loads.grant(number, lease)
    namespace.pointee.counters.leases.granted += 1
    namespace.pointee.counters.leases.held += 1
    if isHandedOver { namespace.pointee.counters.leases.handedOver += 1 }
    if link != 0, !isStale { namespace.pointee.counters.refreshes += 1 }
    tier.events.append(
      Event(kind: .lease, namespace: id, scope: .key(Array(key)), pid: asker.caller.pid, handedOver: isHandedOver),
      .lease
    )
    return lease.token
  }

  // MARK: Waiting

  /// Waits for a key of which `get` said so. Nil where as many wait as may.
  package mutating func wait(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, seeks: Bool, by owner: OwnerID, since: Int64, until: Int64
  ) -> WaitTicket? {
    guard let number = loads.find(LoadKey(namespace: id, bytes: Array(key))),
      let ticket = loads.wait(number, by: owner, seeks: seeks, since: since, until: until)
    else { return nil }
    let namespace = tier.namespaces[id]
    namespace.pointee.counters.waits.count += 1
    namespace.pointee.counters.waits.now += 1
    return ticket
  }

  /// The longest that a request may wait for a key.
  package func maximumWait(_ id: NamespaceID, _ key: UnsafeRawBufferPointer) -> Int64 {
    let rule = tier.namespaces[id].pointee.policy.lifetimes(for: key)
    return rule.maxWaitMilliseconds ?? rule.leaseTimeoutMilliseconds
  }

  /// Those whose wait is over, in their turn. Each is to ask again at once, with its ticket as `turn` where it is elected.
  package mutating func takeWoken() -> [Woken] { loads.takeWoken() }

  package var hasWoken: Bool { loads.hasWoken }

  /// The waits of `owner`, in their order.
  package func waits(of owner: OwnerID) -> [WaitTicket] {
    guard let reads = shared?.flights.waits(of: owner), !reads.isEmpty else { return loads.waits(of: owner) }
    return (loads.waits(of: owner) + reads).sorted()
  }

  /// Ends a wait before its time, without a word.
  package mutating func cancel(_ ticket: WaitTicket, now: Int64) {
    if shared?.flights.cancel(ticket) == true { return }
    guard let waiter = loads.cancel(ticket) else { return }
    ended(waiter, now: now)
  }

  /// Whether `ticket` is who the key's next load is reserved for.
  package func isTurn(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ ticket: WaitTicket) -> Bool {
    loads.find(LoadKey(namespace: id, bytes: Array(key))).map { loads[$0]?.reserved?.ticket == ticket } ?? false
  }

  /// Gives back an election that its caller had no use for.
  package mutating func decline(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, turn: WaitTicket, now: Int64) {
    guard let number = loads.find(LoadKey(namespace: id, bytes: Array(key))),
      loads[number]?.reserved?.ticket == turn
    else { return }
    loads.takeReservation(number)
    handOver(number, now: now)
  }

  /// Of a load that begins now.
  private var stamp: LoadStamp { LoadStamp(sequence: sequence, known: shared?.known ?? 0) }

  private mutating func ended(_ waiter: Waiter, now: Int64) {
    if let id = loads[waiter.load]?.key.namespace {
      let namespace = tier.namespaces[id]
      namespace.pointee.counters.waits.now -= 1
      namespace.pointee.counters.waits.milliseconds += now - waiter.since
    }
    loads.close(waiter.load)
  }

  // MARK: The end of a lease

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
    if isShared(id), let bounds = shared?.bounds(of: key, tags: tags.map { Array($0) }, in: id) {
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

  private mutating func handOver(_ number: Int, now: Int64) {
    // Invalidated between an election and its answer: who is elected has not begun to load.
    if loads[number]?.reserved != nil { return }
    guard storesLoads(number), let next = loads.elect(number) else { return wakeAll(number, now: now) }
    ended(next, now: now)
    if loads.leaseCount == 0 { tagClears.forgetAll() }
  }

  private func storesLoads(_ number: Int) -> Bool {
    loads[number].map { tier.namespaces[$0.key.namespace].pointee.policy.mode.stores } ?? false
  }

  private mutating func wakeAll(_ number: Int, now: Int64) {
    while let waiter = loads.wakeOne(number) { ended(waiter, now: now) }
    loads.close(number)
    if loads.leaseCount == 0 { tagClears.forgetAll() }
  }

  // MARK: Time

  /// The load of a key as it stands now: what is past its deadline has ended.
  private mutating func standingLoad(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> Int? {
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
    } else if !loadClears.isEmpty, loadClears.ends(load.key, began: stamp, &steps) {
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
