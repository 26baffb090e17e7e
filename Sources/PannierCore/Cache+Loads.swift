// One load a key: what a reader gets, and who is elected to load what isn't there. The rules are those of PROTOCOL.md,
// "Leases"; the records are `LoadTable`'s. Waiting is `Cache+Waits`, how a lease ends `Cache+Leases`.

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
    case claim
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
    switch asking(id, key, prospect, options) ?? prospect {
    case .fetch: return .fetch
    case .claim: return .claim
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

  /// What the shared tier is to be asked first: for the value, and then who is to load it.
  private mutating func asking(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ prospect: Prospect, _ options: ReadOptions
  ) -> Prospect? {
    if !shared.isPresent { return nil }
    if fetches(id, key, prospect, options) { return .fetch }
    if case .elect = prospect, claims(id, key, options) { return .claim }
    return nil
  }

  private mutating func fetches(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ prospect: Prospect, _ options: ReadOptions
  ) -> Bool {
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
  package enum Outlook { case answered, elected, wait, fetch, claim }

  /// What `get` would come to now. Nothing is counted, and nobody elected.
  package mutating func outlook(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ options: ReadOptions, now: Int64
  ) -> Outlook {
    let link = usable(tier.find(id, key, tier.keyHash(key)), id, options)
    let prospect = prospect(id, key, link, options, now: now)
    return switch asking(id, key, prospect, options) ?? prospect {
    case .fetch: .fetch
    case .claim: .claim
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
    let isHeld =
      number.map {
        loads[$0]?.lease != nil || loads[$0]?.isClaimed == true || loads.isReserved($0, except: options.turn)
      } ?? false
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
    // Who claimed it has its turn from that, and not from having waited.
    let isTurn = options.turn != nil && loads[number]?.reserved?.ticket == options.turn
    let isHandedOver = isTurn && (loads[number]?.claim == nil || options.hasWaited)
    var lease = Lease(token: tokens.next(), holder: asker, grantedAt: now, deadline: now + timeout, stamp: stamp)
    if case .won(let token, let askedAt) = loads[number]?.claim {
      lease = Lease(
        token: token, holder: asker, grantedAt: now, deadline: max(askedAt + timeout, now + 1), stamp: stamp,
        isFleet: true)
      namespace.pointee.counters.leases.fleet += 1
    }
    loads.setClaim(number, nil)
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
}
