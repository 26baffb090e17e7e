// Gets whose answer comes later: for the shared tier, for its word on who loads a key, or for another's load. Parked here, asked
// again when what they wait for has come, and answered.

import PannierCore
package import PannierWire

extension Dispatcher {
  /// Waits for the keys that others load. False, and nothing done, where there are none, or where the caller is elected to
  /// load one itself: who holds a lease waits for nobody, since others might wait for it in turn. `step`: what its one key has
  /// just come to.
  func park(_ get: WaitingGet, after step: Cache.GetStep? = nil) throws(Refusal) -> Bool {
    if isLeaving { return false }
    let places: (fetched: [Int], claimed: [Int], awaited: [Int])
    if case .fetch = step { places = ([0], [], []) } else { places = awaitedPlaces(get) }
    let isFetch = get.fetchedSince == nil && !places.fetched.isEmpty
    if !isFetch, places.claimed.isEmpty, places.awaited.isEmpty { return false }
    if get.id != nil, get.session.inFlight >= limits.inFlight {
      throw Refusal(.overloaded, "\(get.session.inFlight) requests are in flight (limits.in_flight)")
    }
    if isFetch {
      guard fetch(places.fetched, for: get) else { return try park(get) }
    } else if !places.claimed.isEmpty {
      claim(places.claimed, for: get)
    } else {
      try wait(places.awaited, for: get)
    }
    block(get.session, get.id)
    return true
  }

  /// `exists` of a key that memory doesn't have, and the shared tier may.
  func parkExists(_ ns: NamespaceID, _ key: Bytes, _ id: Bytes?, _ session: Session) throws(Refusal) -> Bool {
    try park(WaitingGet(exists: key, ns, id, session, since: now))
  }

  /// Asks the shared tier for the keys at `places`. False where it can't take any more: the asker goes on without.
  private func fetch(_ places: [Int], for get: WaitingGet) -> Bool {
    get.fetchedSince = cache.lastChange
    // What the log has by now is asked for once, before the values.
    let barrier = cache.needsProof(get.ns, get.options) ? cache.barrier() : nil
    get.isProven = barrier != nil
    for place in places {
      let ticket = cache.fetch(
        get.ns, get.keys[place], behind: barrier, by: get.session.asker.owner, now: now)
      guard let ticket else {
        get.isProven = false
        continue
      }
      get.tickets.add(ticket, place)
      waiting[ticket] = get
    }
    return !get.tickets.isEmpty
  }

  /// Asks the shared tier who is to load the keys at `places`.
  private func claim(_ places: [Int], for get: WaitingGet) {
    get.isClaiming = true
    for place in places {
      // One key may be asked for at two places.
      guard let ticket = cache.claim(get.ns, get.keys[place], by: get.session.asker.owner, now: now) else { continue }
      get.tickets.add(ticket, place)
      waiting[ticket] = get
    }
  }

  private func wait(_ places: [Int], for get: WaitingGet) throws(Refusal) {
    let counters = cache.counters(of: get.ns)
    for place in places {
      let ticket = cache.wait(
        get.ns, get.keys[place], seeks: get.options.lease, by: get.session.asker.owner, since: now,
        until: end(ofWait: get, place))
      guard let ticket else {
        cancelWaits(of: get)
        cache.restore(counters, of: get.ns)
        throw Refusal(
          .overloaded, "as many wait for this key, or for all, as may (limits.waiting_per_key, limits.waiting)")
      }
      get.tickets.add(ticket, place)
      get.waitedFor.insert(place)
      waiting[ticket] = get
    }
  }

  private func awaitedPlaces(_ get: WaitingGet) -> (fetched: [Int], claimed: [Int], awaited: [Int]) {
    var fetched: [Int] = []
    var claimed: [Int] = []
    var awaited: [Int] = []
    var isElected = false
    var options = get.options
    let waits = options.waits
    options.fetchedSince = get.fetchedSince
    options.isProven = get.isProven
    for (place, key) in get.keys.enumerated() {
      options.waits = waits && end(ofWait: get, place) > now
      switch cache.outlook(get.ns, key, options, now: now) {
      case .fetch: fetched.append(place)
      case .claim: claimed.append(place)
      case .wait: awaited.append(place)
      case .elected: isElected = true
      case .answered: break
      }
    }
    return (fetched, claimed, isElected ? [] : awaited)
  }

  private func end(ofWait get: WaitingGet, _ place: Int) -> Int64 {
    get.since + min(get.waitMilliseconds, cache.maximumWait(get.ns, get.keys[place]))
  }

  /// What it has been elected for meanwhile is the next one's.
  private func cancelWaits(of get: WaitingGet) {
    if get.tickets.isEmpty, get.turns.isEmpty { return }
    for (ticket, place) in get.tickets.removeAll() {
      waiting[ticket] = nil
      cache.cancel(ticket, now: now)
      cache.decline(get.ns, get.keys[place], turn: ticket, now: now)
    }
    for (place, ticket) in get.takeTurns() { cache.decline(get.ns, get.keys[place], turn: ticket, now: now) }
  }

  /// Answers those whose wait is over. One answer may end another's wait.
  func answerWoken() {
    while cache.hasWoken {
      for woken in cache.takeWoken() {
        guard let get = waiting.removeValue(forKey: woken.ticket),
          let place = get.tickets.remove(woken.ticket)
        else { continue }
        if !woken.isProven { get.isProven = false }
        // What was loaded is proven by a new read alone.
        if woken.isAnew || woken.isAfterLoad && cache.needsProof(get.ns, get.options) { get.fetchedSince = nil }
        if get.isClaiming {
          // Of several keys each is asked for: all answers first.
          if woken.isElected { get.turns[place] = woken.ticket }
          if get.tickets.isEmpty { resume(get, turns: get.takeTurns()) }
        } else if woken.isElected {
          // Of several keys more than one may be its turn by now.
          var turns = [place: woken.ticket]
          for (ticket, place) in get.tickets.all where cache.isTurn(get.ns, get.keys[place], ticket) {
            turns[place] = ticket
            waiting[ticket] = nil
            _ = get.tickets.remove(ticket)
          }
          resume(get, turns: turns)
        } else if get.tickets.isEmpty {
          resume(get, turns: [:])
        }
      }
    }
  }

  /// Asks again, and answers if that is not to wait once more. `turns`: the places of the keys that it is to load, and the waits
  /// after which it is.
  private func resume(_ get: WaitingGet, turns: [Int: WaitTicket]) {
    cancelWaits(of: get)
    // An election that it has no use for is the next one's.
    defer { for (place, ticket) in turns { cache.decline(get.ns, get.keys[place], turn: ticket, now: now) } }
    if get.session.isGone { return }
    unblock(get.session, get.id)
    do throws(Refusal) {
      if turns.isEmpty, get.mayWait, try park(get) { return }
      // As many as may wait would else be told a value each, whether or not they read.
      if get.session.unreadBytes >= limits.outputBytes {
        throw Refusal(.overloaded, "\(get.session.unreadBytes) bytes of answers are not read (limits.output_bytes)")
      }
      try answer(get, turns)
    } catch {
      refuse(error, get.id, get.session)
    }
    markDirty(get.session)
    sayFarewell(get.session)
  }

  private func answer(_ get: WaitingGet, _ turns: [Int: WaitTicket]) throws(Refusal) {
    let session = get.session
    func options(_ place: Int) -> Cache.ReadOptions {
      var options = get.options
      options.waits = false
      options.hasWaited = get.waitedFor.contains(place)
      options.fetchedSince = get.fetchedSince ?? .max
      options.isProven = get.isProven
      options.turn = turns[place]
      return options
    }
    if get.isExists {
      session.output.begin(id: get.id)
      session.output.member("exists", flag: cache.exists(get.ns, get.keys[0], now: now))
      return session.output.end()
    }
    if get.isMany { return try writeMany(get.keys, get.ns, meta: get.meta, get.id, session, options) }
    let step = cache.get(get.ns, get.keys[0], options(0), by: session.asker, now: now)
    session.output.begin(id: get.id)
    write(step, meta: get.meta, session)
    session.output.end()
  }

  // MARK: The end

  /// The session's client is gone: it is elected for nothing, and waits for nothing any more.
  func endLoads(of session: Session) {
    for get in waits(of: session) { cancelWaits(of: get) }
    cache.end(session.asker.owner, now: now)
  }

  /// Answers what waits without waiting any longer: with `refusal`, or nil, for a client that doesn't read any more, not at all.
  package func endWaits(of session: Session, _ refusal: Refusal?) {
    for get in waits(of: session) {
      cancelWaits(of: get)
      unblock(session, get.id)
      if let refusal { refuse(refusal, get.id, session) }
      markDirty(session)
    }
    sayFarewell(session)
  }

  /// In the order in which they were asked.
  private func waits(of session: Session) -> [WaitingGet] {
    var gets: [WaitingGet] = []
    for ticket in cache.waits(of: session.asker.owner) {
      if let get = waiting[ticket], !gets.contains(where: { $0 === get }) { gets.append(get) }
    }
    return gets
  }
}
