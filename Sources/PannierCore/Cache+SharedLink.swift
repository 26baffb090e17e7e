// The link to the tier that hosts share: what is taken up when it is there, and what is given up when it is gone.

extension Cache {
  /// The shared tier is there, and this host may take part in its log, which is at `number`.
  package mutating func sharedJoined(incarnation: UInt64, base: UInt64, number: UInt64, now: Int64) {
    if shared.incarnation != incarnation || shared.isLost {
      dropShared(now: now)
      shared.incarnation = incarnation
      shared.seen = number
      shared.known = number
      shared.isLost = false
    }
    shared.base = base
    shared.link = .up
    giveBackOwed()
    for id in [.everyNamespace] + sharedNamespaces(.everyNamespace) { askGroups(id) }
    shared.queue.pausedUntil = 0
    sendFromQueue(now: now)
  }

  /// A namespace is new here, or is shared from now on.
  mutating func beginSharing(_ id: NamespaceID) {
    lookForProof(id..<id + 1)
    if shared.isUp, isShared(id) { askGroups(id) }
  }

  /// What is read after this is asked comes after its answer: one connection keeps the order.
  mutating func askGroups(_ id: NamespaceID) {
    let ns = sharedName(id)
    shared.send(.groups(ns: ns))
  }

  /// Clears of a namespace that were agreed on before this host came; see `SharedCommand.groups`.
  package mutating func sharedGroups(
    _ ns: [UInt8], _ clears: [(scope: SharedScope, number: UInt64, soft: Bool)],
    otherTags: (hard: UInt64, soft: UInt64)
  ) {
    guard let id = sharedID(ns) else { return }
    var table = shared.groups[id] ?? GroupTable()
    for clear in clears { table.raise(clear.scope, clear.number, soft: clear.soft) }
    table.raiseOtherTags(otherTags.hard, soft: false)
    table.raiseOtherTags(otherTags.soft, soft: true)
    shared.groups[id] = table
  }

  /// The shared tier can't be reached: nothing that is under way will be answered.
  package mutating func sharedLost(now: Int64) {
    guard shared.isPresent else { return }
    shared.link = .down
    for number in shared.flights.all {
      for ticket in shared.flights.takeWaiters(number) { loads.tell(ticket) }
      _ = shared.flights.close(number)
      settleClaim(ofFlight: number, now: now)
    }
    shared.claims.oweLate()
    forgetOtherHosts(now: now)
    for number in shared.changes.all { sharedReplied(change: number, .lost, now: now) }
    endConditional(now, until: nil)
    dropQuestions()
    admitWaiting(now: now)
  }

  /// It takes commands and doesn't answer: nobody waits for it until it does. What was sent may still be carried out.
  package mutating func sharedSuspended(now: Int64) {
    shared.link = .down
    settleShared(now: now, until: .max)
    forgetOtherHosts(now: now)
    admitWaiting(now: now)
  }

  /// It answers again, on the connection that it had.
  package mutating func sharedResumed(now: Int64) {
    shared.link = .up
    giveBackOwed()
    sendFromQueue(now: now)
  }

  /// What is here may lack changes that others made: it is dropped, and nothing that began before is stored.
  mutating func dropShared(now: Int64) {
    if shared.incarnation != 0 {
      shared.counters.gaps += 1
      tier.events.append(Event(kind: .redis, namespace: .everyNamespace, scope: .all), .redis)
    }
    shared.flights.end(nil)
    shared.queue.dropValues { _, _, _ in true }
    shared.queue.awaitNothing()
    shared.groups = [:]
    shared.appliedGroups = []
    for id in sharedNamespaces(.everyNamespace) { dropAll(id, now: now) }
  }
}
