// get: one key or several, put to the cache, and each step put into an answer; and release. Who has to wait is `Dispatcher+Waits`'s
// matter.

import PannierCore
import PannierWire

extension Dispatcher {
  /// The commonest answer to the commonest request; false, and nothing done, where it isn't.
  @inline(__always)
  func get(_ get: PlainGet, _ id: Bytes?, _ session: Session) -> Bool {
    guard let value = cache.freshValue(get.ns, get.key, seeks: get.lease, now: now) else { return false }
    session.output.plainHit(id: id, value: value)
    return true
  }

  func get(_ get: Request.Get, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let ns = try namespace(get.ns)
    var options = Cache.ReadOptions(
      stale: get.stale, maxAgeMilliseconds: get.maxAgeMilliseconds, unless: get.unless, lease: get.lease,
      waits: get.waitMilliseconds ?? 0 > 0, strict: get.strict)
    guard case .one(let key) = get.keys else { return try getMany(get, ns, options, id, session) }
    var step = cache.get(ns, key, options, by: session.asker, now: now)
    flags.value.mayNeedUpkeep = true
    if step.mustWait {
      if try park(WaitingGet(get, ns, options, id, session, since: now), after: step) { return answerWoken() }
      // It may not wait, by its policy or since the server is going: as if its time were up.
      if case .wait = step { options.hasWaited = true }
      options.waits = false
      options.fetchedSince = .max
      step = cache.get(ns, key, options, by: session.asker, now: now)
    }
    session.output.begin(id: id)
    write(step, meta: get.meta, session)
    session.output.end()
    answerWoken()
  }

  @inline(never)
  private func getMany(
    _ get: Request.Get, _ ns: NamespaceID, _ options: Cache.ReadOptions, _ id: Bytes?, _ session: Session
  ) throws(Refusal) {
    guard case .many(let keys) = get.keys else { return }
    flags.value.mayNeedUpkeep = true
    if options.waits || cache.isShared(ns) {
      if try park(WaitingGet(get, ns, options, id, session, since: now)) { return answerWoken() }
    }
    var options = options
    options.waits = false
    options.fetchedSince = .max
    try writeMany(keys, ns, meta: get.meta, id, session) { _ in options }
    answerWoken()
  }

  func writeMany(
    _ keys: [Bytes], _ ns: NamespaceID, meta: Bool, _ id: Bytes?, _ session: Session,
    _ options: (_ place: Int) -> Cache.ReadOptions
  ) throws(Refusal) {
    let mark = session.output.mark
    let counters = cache.counters(of: ns)
    var granted: [(key: Bytes, token: LeaseToken)] = []
    session.output.begin(id: id)
    session.output.beginItems()
    for (place, key) in keys.enumerated() {
      let step = cache.get(ns, key, options(place), by: session.asker, now: now)
      if case .granted(let token, _) = step { granted.append((key, token)) }
      session.output.beginObject()
      write(step, meta: meta, session)
      session.output.endObject()
      guard session.output.mark - mark <= limits.lineBytes else {
        session.output.truncate(to: mark)
        // Nobody would ever know of these leases. What was refused counts as an error, and as nothing else.
        for (key, token) in granted { _ = cache.release(ns, key, token, .released, retryMilliseconds: nil, now: now) }
        cache.restore(counters, of: ns)
        throw Refusal(
          .valueTooLarge,
          "the answer has more than \(limits.lineBytes) bytes (limits.line_bytes); ask for fewer keys")
      }
    }
    session.output.endArray()
    session.output.end()
  }

  func write(_ step: Cache.GetStep, meta: Bool, _ session: Session) {
    switch step {
    case .hit(let hit): write(hit, lease: nil, meta: meta, session)
    case .granted(let token, let hit?): write(hit, lease: token, meta: meta, session)
    case .granted(let token, nil):
      session.output.miss()
      session.output.member("lease", string: token.text)
    case .miss(.nothing): session.output.miss()
    // A wait that nobody asked for would be a defect; to the client it is the same as another's load.
    case .miss(.busy), .wait, .fetch, .claim:
      session.output.miss()
      session.output.member("busy", flag: true)
    case .miss(.failed(let retryMilliseconds)):
      session.output.miss()
      session.output.member("failed", flag: true)
      session.output.member("retry", seconds: retryMilliseconds)
    case .miss(.passed):
      session.output.miss()
      session.output.member("pass", flag: true)
    }
  }

  private func write(_ hit: Cache.Hit, lease: LeaseToken?, meta: Bool, _ session: Session) {
    let details = meta ? ValueMeta(cache.details(of: hit, now: now), isShared: hit.isShared) : nil
    session.output.hit(value: hit.isSame ? nil : hit.value, stale: hit.isStale, lease: lease?.text, meta: details)
  }

  func release(_ release: Request.Release, _ id: Bytes?, _ session: Session) throws(Refusal) {
    var isReleased = false
    if let ns = try knownNamespace(release.ns), let token = LeaseToken(text: release.lease) {
      let end: LeaseEnd =
        switch release.outcome {
        case .none: .released
        case .failed: .failed
        case .pass: .passed
        }
      isReleased = cache.release(
        ns, release.key, token, end, retryMilliseconds: release.retryMilliseconds, now: now)
    }
    session.output.begin(id: id)
    session.output.member("released", flag: isReleased)
    session.output.end()
    // In this turn, before the pause of a failed load can be over, or the client that is next can be gone.
    answerWoken()
  }
}

extension Cache.GetStep {
  /// The answer comes later, if its asker may wait.
  fileprivate var mustWait: Bool {
    switch self {
    case .wait, .fetch, .claim: true
    case .hit, .miss, .granted: false
    }
  }
}
