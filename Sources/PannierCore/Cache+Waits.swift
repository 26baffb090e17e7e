// Who waits for another's load, or for the shared tier: from when until when, and whose turn is next. What is loaded is not
// its concern.

extension Cache {
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

  package var hasWoken: Bool { mutating get { loads.hasWoken } }

  /// The waits of `owner`, in their order.
  package func waits(of owner: OwnerID) -> [WaitTicket] {
    let reads = shared.flights.waits(of: owner)
    let claims = shared.claims.waits(of: owner)
    if reads.isEmpty, claims.isEmpty { return loads.waits(of: owner) }
    return (loads.waits(of: owner) + reads + claims).sorted()
  }

  /// Ends a wait before its time, without a word.
  package mutating func cancel(_ ticket: WaitTicket, now: Int64) {
    if shared.flights.cancel(ticket) || shared.claims.cancel(ticket) { return }
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
  var stamp: LoadStamp { LoadStamp(sequence: sequence, known: shared.known) }

  mutating func ended(_ waiter: Waiter, now: Int64) {
    if let id = loads[waiter.load]?.key.namespace {
      let namespace = tier.namespaces[id]
      namespace.pointee.counters.waits.now -= 1
      namespace.pointee.counters.waits.milliseconds += now - waiter.since
    }
    loads.close(waiter.load)
  }
}
