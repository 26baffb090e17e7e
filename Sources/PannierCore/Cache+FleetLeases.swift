// One load of a key among all hosts: before somebody here is elected, the shared tier is asked whether another host loads it. Where
// it can't say, each host has its own election, as with `lease_scope: host`.

extension Cache {
  /// Whether the shared tier is to say who loads a key before anybody here may.
  mutating func claims(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ options: ReadOptions) -> Bool {
    guard isFleet(id), shared.isUp, options.fetchedSince != .max else { return false }
    let key = LoadKey(namespace: id, bytes: Array(key))
    switch loads.find(key).flatMap({ loads[$0]?.claim }) {
    // It has said.
    case .won, .alone: return false
    case nil, .asked, .elsewhere: return !shared.queue.masks(key)
    }
  }

  func isFleet(_ id: NamespaceID) -> Bool {
    isShared(id) && tier.namespaces[id].pointee.policy.leaseScope == .fleet
  }

  /// Asks for the load of a key of which `get` said so. Who asked is told in any case, elected or not, and is to ask again. Nil: it
  /// has been asked for since.
  package mutating func claim(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, by owner: OwnerID, now: Int64
  ) -> WaitTicket? {
    let key = LoadKey(namespace: id, bytes: Array(key))
    let load = loads.open(key)
    if loads[load]?.claim != nil { return nil }
    let ticket = loads.newTicket()
    loads.setClaim(load, .asked)
    var claim = OpenClaim(
      number: shared.changes.nextNumber(), key: key, owner: owner, ticket: ticket, token: tokens.next(), askedAt: now)
    // Read behind it: what another host loaded since this one last looked.
    guard !shared.claims.isFull, !shared.flights.isFull, let timeout = shared.timeoutMilliseconds else {
      settle(claim, .unknown, now: now)
      return ticket
    }
    let span = key.bytes.withUnsafeBytes {
      tier.namespaces[id].pointee.policy.lifetimes(for: $0).leaseTimeoutMilliseconds
    }
    let ns = name(of: id)
    shared.send(.claim(number: claim.number, ns: ns, key: key.bytes, token: claim.token, milliseconds: span))
    claim.flight = depart(key, behind: nil, until: now + timeout, now: now) ?? 0
    shared.claims.add(claim)
    return ticket
  }

  // MARK: What became of it

  /// Who loads the key, as of the record `logNumber`. Acted on with the value that was read behind it.
  package mutating func sharedReplied(
    claim number: UInt64, _ reply: SharedClaimReply, at logNumber: UInt64, now: Int64
  ) {
    guard shared.claims.answer(number, reply, at: logNumber) else { return }
    // It came too late for who asked.
    guard let claim = shared.claims.takeLate(number), case .won = reply else { return }
    giveBack(claim.token, claim.key)
  }

  /// What was read behind a claim has come, or has taken too long, or never will.
  mutating func settleClaim(ofFlight number: UInt64, now: Int64) {
    guard let claim = shared.claims.take(flight: number) else { return }
    settle(claim, claim.reply ?? .unknown, now: now)
  }

  private mutating func settle(_ claim: OpenClaim, _ reply: SharedClaimReply, now: Int64) {
    guard let number = loads.find(claim.key) else { return tellClaimant(claim) }
    if claim.isOvertaken {
      if case .won = reply { giveBack(claim.token, claim.key) }
      loads.setClaim(number, nil)
      tellClaimant(claim, isAnew: true)
      return wakeAll(number, isAnew: true, now: now)
    }
    // What changes the key from then on has a higher number, even where a newer one is known.
    let stamp = LoadStamp(sequence: sequence, known: claim.repliedAt)
    switch reply {
    case .won: elect(claim, number, .won(claim.token, askedAt: claim.askedAt), now: now)
    case .unknown: elect(claim, number, .alone, now: now)
    case .elsewhere(let left):
      let namespace = tier.namespaces[claim.key.namespace]
      namespace.pointee.counters.leases.elsewhere += 1
      loads.setClaim(number, .elsewhere(until: now + max(1, left), stamp))
      tellClaimant(claim)
    case .paused(let reason, let left):
      loads.setClaim(number, nil)
      let until = now + max(1, left)
      _ = loads.end(number, pause: Pause(reason: reason, until: until, stamp: stamp))
      tellClaimant(claim)
      wakeAll(number, now: now)
    }
  }

  private mutating func elect(_ claim: OpenClaim, _ number: Int, _ outcome: Claim, now: Int64) {
    loads.setClaim(number, outcome)
    if let ticket = claim.ticket { return loads.reserve(number, ticket, claim.owner) }
    // Nobody wants it any more.
    handOver(number, now: now)
  }

  private mutating func tellClaimant(_ claim: OpenClaim, isAnew: Bool = false) {
    if let ticket = claim.ticket { loads.tell(ticket, isAnew: isAnew) }
  }

  // MARK: The end

  /// Another host has filled a key, or given up loading it.
  mutating func sharedLoadEnded(_ id: NamespaceID, _ key: [UInt8], _ record: UInt64, now: Int64) {
    let key = LoadKey(namespace: id, bytes: key)
    shared.claims.end(key, record)
    guard !loads.isEmpty, let number = loads.find(key), case .elsewhere(_, let stamp) = loads[number]?.claim,
      stamp.known < record
    else { return }
    _ = loads.end(number)
    wakeAll(number, isAnew: true, now: now)
  }

  /// The shared tier can't be asked any more: what other hosts load is not awaited.
  mutating func forgetOtherHosts(now: Int64) {
    for number in loads.elsewhere.sorted() {
      _ = loads.end(number)
      wakeAll(number, isAnew: true, now: now)
    }
  }

  /// A load has lost its lease, or who was elected doesn't want it. True: it is all hosts' matter who is next.
  mutating func endClaim(_ number: Int) -> Bool {
    guard let load = loads[number] else { return false }
    if case .won(let token, _) = load.claim { giveBack(token, load.key) }
    loads.setClaim(number, nil)
    return isFleet(load.key.namespace) && shared.isUp
  }

  /// Other hosts may load the key, or are told of the pause.
  mutating func giveBack(_ lease: Lease, _ id: NamespaceID, _ key: [UInt8], pause: Pause? = nil, now: Int64 = 0) {
    guard lease.isFleet else { return }
    giveBack(lease.token, LoadKey(namespace: id, bytes: key), pause: pause.map { ($0.reason, $0.until - now) })
  }

  private mutating func giveBack(
    _ token: LeaseToken, _ key: LoadKey, pause: (reason: PauseReason, milliseconds: Int64)? = nil
  ) {
    guard shared.isUp else { return shared.claims.owe(token, key) }
    let ns = name(of: key.namespace)
    shared.send(
      .release(ns: ns, key: key.bytes, token: token, pause: pause?.reason, milliseconds: pause?.milliseconds ?? 0))
  }

  /// The shared tier is there again: what ended meanwhile keeps no host from loading.
  mutating func giveBackOwed() {
    for (token, key) in shared.claims.takeOwed() { giveBack(token, key) }
  }

  /// It isn't known whether the shared tier has been told that nobody loads a key under this token.
  package mutating func sharedLost(releaseOf ns: [UInt8], _ key: [UInt8], _ token: LeaseToken) {
    guard let id = oneSharedID(ns) else { return }
    shared.claims.owe(token, LoadKey(namespace: id, bytes: key))
  }

  /// A fill was refused, since its key has changed: its lease stands, and nobody loads under it.
  package mutating func sharedRefused(fillOf ns: [UInt8], _ key: [UInt8], _ token: LeaseToken) {
    guard let id = oneSharedID(ns) else { return }
    giveBack(token, LoadKey(namespace: id, bytes: key))
  }

  /// Whether a namespace's loads are all hosts' matter: then a change of a key ends its lease in the shared tier, too.
  package func endsSharedLeases(_ ns: [UInt8]) -> Bool {
    oneSharedID(ns).map { isFleet($0) } ?? false
  }
}
