// What the cache does between requests: walks for clears, expiry, trimming to changed bounds. All in slices that the caller
// times: this file knows budgets of entries, and no clock.

extension Cache {
  /// Whether `upkeep` has something to do by `now`.
  package mutating func needsUpkeep(now: Int64) -> Bool {
    hasPendingWork() || (tier.wheel.nextDue ?? .max) <= now || (nextDeadline ?? .max) <= now
  }

  /// Whether there is upkeep that doesn't wait for a time: a walk, or something over its bounds. Mutating as to its form alone, as
  /// is all that each turn asks: it is asked in place instead of being handed all the cache's bytes.
  package mutating func hasPendingWork() -> Bool {
    !clears.walking.isEmpty || tier.isOverBounds || tier.arena.hasUnused || loads.hasWoken || !loadClears.isEmpty
  }

  /// When something expires next, in milliseconds; nil: nothing does.
  package var nextExpiry: Int64? { tier.wheel.nextDue }

  /// When a lease, a pause or a wait is over next, in milliseconds; nil: there is none.
  package var nextDeadline: Int64? {
    mutating get {
      guard let shared = shared.nextDeadline else { return loads.nextDeadline }
      return min(shared, loads.nextDeadline ?? .max)
    }
  }

  /// One slice of at most about `entries` entries. Call it again while `needsUpkeep`.
  package mutating func upkeep(entries: Int, now: Int64) {
    tier.arena.giveBack()
    var budget = entries
    settleShared(now: now)
    meetClears(now: now, budget: &budget)
    settleLoads(now: now, budget: &budget)
    while budget > 0, let id = clears.rotate() { walk(id, now: now, &budget) }
    tier.trim(now: now, budget: &budget)
    tier.expire(now: now, budget: &budget)
  }

  private mutating func walk(_ id: NamespaceID, now: Int64, _ budget: inout Int) {
    let namespace = tier.namespaces[id]
    for clear in tier.walkClears(id, now: now, budget: &budget) {
      if case .tags(let links) = clear.pattern {
        for link in links where link != 0 { tier.release(tag: link, of: id) }
      }
      if !clear.dryRun, clears.isAwaited(clear.ticket) { namespace.pointee.counters.cleared += clear.count }
      clears.leave(clear)
    }
    if namespace.pointee.pending.isEmpty { clears.endWalk(id) }
  }

  /// Clears whose count is known now, each once.
  package mutating func takeFinishedClears() -> [ClearBook.Outcome] { clears.takeFinished() }

  // MARK: Watching

  /// Which events are collected from now on.
  package mutating func watch(_ kinds: Set<EventKind>) { tier.events.want(kinds) }

  /// What happened since this was last called.
  package mutating func takeEvents() -> [Event] { tier.events.take() }
}
