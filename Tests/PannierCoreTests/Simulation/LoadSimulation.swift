// One schedule of a seeded simulation: clients load a few keys from a source whose values have versions, while the keys are
// written, invalidated and waited for, clients die, and time jumps. What must hold is `LoadRules`' matter.

@testable import PannierCore

/// Everything follows from the seed. Times are in milliseconds.
struct LoadSimulation: ~Copyable {
  static let keys: [SimulatedKey] = [
    SimulatedKey(0, "user:1", tag: "users"), SimulatedKey(0, "quiz:1", tag: "quizzes"),
    SimulatedKey(1, "user:1", tag: "users"),
  ]
  private static let clientCount = 4
  private static let steps = 50
  /// Many times what a few keys can need.
  private static let mostSlices = 1000
  private static let names = ["a", "b"]
  /// Longer than any lease, wait or pause here.
  private static let longest: Int64 = 1000

  private var cache: Cache
  private var rules: LoadRules
  private var random: RandomSource
  private var now: Int64
  private var clients: [SimulatedClient]
  private var lastOwner: OwnerID
  private var policies: [Policy] = []

  init(seed: UInt64, _ trace: Trace) throws(RuleBroken) {
    random = RandomSource(seed: seed)
    var limits = LoadLimits()
    // Loads that a clear meets later must look to everybody as if it had met them at once.
    if random.chance(50) { limits.clearedAtOnce = random.below(2) }
    cache = Cache(memoryBytes: 1 << 20, namespaceLimit: 2, loadLimits: limits, seed: seed, tokens: .seeded(seed))
    rules = LoadRules(Self.keys.count, trace)
    now = 1000
    clients = (0..<Self.clientCount).map { SimulatedClient(owner: OwnerID($0 + 1)) }
    lastOwner = OwnerID(Self.clientCount)
    for name in Self.names {
      policies.append(Self.policy(&random))
      guard withBytes(name, { cache.addNamespace($0, policy: policies[policies.count - 1]) }) != nil else {
        throw RuleBroken("no namespace")
      }
    }
  }

  private static func policy(_ random: inout RandomSource) -> Policy {
    var policy = Policy()
    policy.lifetimes.jitter = 0
    policy.lifetimes.ttlMilliseconds = random.chance(80) ? 100 : 20
    policy.lifetimes.staleMilliseconds = random.chance(50) ? 80 : 0
    policy.lifetimes.refreshAhead = random.chance(40) ? 0.5 : nil
    policy.lifetimes.leaseTimeoutMilliseconds = random.chance(50) ? 60 : 200
    policy.lifetimes.maxWaitMilliseconds = random.chance(30) ? 50 : nil
    policy.lifetimes.retryAfterMilliseconds = random.chance(50) ? 30 : 0
    return policy
  }

  /// Runs it to its end; what became of the leases and waits.
  mutating func run() throws(RuleBroken) -> [Counters] {
    for _ in 0..<Self.steps {
      try step()
      try answerWoken()
      // A daemon's timer may come late; whoever asks meanwhile must be told the same.
      if random.chance(70) { try settle() }
    }
    try drain()
    return policies.indices.map { cache.counters(of: $0) }
  }

  private mutating func step() throws(RuleBroken) {
    let client = random.below(clients.count)
    let key = random.below(Self.keys.count)
    switch random.weighted([64, 10, 6, 4, 7, 3, 1]) {
    case 0: try act(client, key)
    case 1: advance()
    case 2: rules.write(key)
    case 3: plainSet(key)
    case 4: invalidate(key)
    case 5: try crash(client)
    default: changeMode(Self.keys[key].ns)
    }
  }

  // MARK: Time

  private mutating func advance() {
    now += random.chance(80) ? random.within(1...40) : random.within(1...300)
    rules.trace.note("now \(now)")
  }

  private mutating func settle() throws(RuleBroken) {
    var slices = 0
    while cache.needsUpkeep(now: now) {
      cache.upkeep(entries: 4, now: now)
      try answerWoken()
      slices += 1
      if slices == Self.mostSlices { throw RuleBroken("upkeep without end") }
    }
    for key in Self.keys.indices {
      let isThere = Self.keys[key].withBytes { cache.exists(Self.keys[key].ns, $0, now: now) }
      try rules.checkWaiters(key, isThere: isThere, now: now)
    }
  }

  /// Everybody stops; whatever was under way ends by itself.
  private mutating func drain() throws(RuleBroken) {
    now += Self.longest
    try settle()
    now += Self.longest
    try settle()
    for client in clients {
      if case .waiting = client.state { throw RuleBroken("a client waits for ever") }
    }
    guard cache.loads.isEmpty, cache.loads.waitingCount == 0 else { throw RuleBroken("loads are left") }
    for ns in policies.indices { try rules.checkCounters(cache.counters(of: ns)) }
  }

  // MARK: Clients

  private mutating func act(_ client: Int, _ key: Int) throws(RuleBroken) {
    switch clients[client].state {
    case .idle: try ask(client, key)
    case .waiting: return
    case .loading(let load):
      if load.version == nil {
        clients[client].state = .loading(load.reading(rules.source(load.key)))
      } else {
        try finish(client, load)
      }
    }
  }

  private mutating func ask(_ client: Int, _ key: Int) throws(RuleBroken) {
    let place = Self.keys[key]
    var options = Cache.ReadOptions(stale: random.chance(30), lease: random.chance(75))
    if random.chance(10) { options.maxAgeMilliseconds = random.within(0...50) }
    let span = random.chance(70) ? random.within(1...150) : 0
    let most = place.withBytes { cache.maximumWait(place.ns, $0) }
    let read = SimulatedRead(
      key: key, options: options, since: now, until: now + min(span, most), floors: rules.floors(key))
    // As a server does: whoever asks for nothing but a value is answered without more ado where there is a fresh one.
    if options.maxAgeMilliseconds == nil, let version = freshVersion(place, seeks: options.lease) {
      return try rules.isShown(read, version, isStale: false)
    }
    options.waits = read.until > now
    let asker = clients[client].asker
    let step = place.withBytes { cache.get(place.ns, $0, options, by: asker, now: now) }
    if case .wait = step { return try wait(client, read) }
    try receive(step, client, read, turn: nil)
  }

  private mutating func freshVersion(_ place: SimulatedKey, seeks: Bool) -> Int? {
    withBytes(of: [Self.names[place.ns], place.name]) {
      cache.freshValue($0[0], $0[1], seeks: seeks, now: now).map(number)
    }
  }

  private mutating func wait(_ client: Int, _ read: SimulatedRead) throws(RuleBroken) {
    let place = Self.keys[read.key]
    let owner = clients[client].owner
    let ticket = place.withBytes {
      cache.wait(place.ns, $0, seeks: read.options.lease, by: owner, since: read.since, until: read.until)
    }
    guard let ticket else { throw RuleBroken("told to wait, and may not") }
    try rules.waits(
      read.key, LoadRules.Waiter(ticket: ticket, client: client, seeks: read.options.lease, until: read.until), now: now
    )
    clients[client].state = .waiting(ticket, read)
  }

  private mutating func answerWoken() throws(RuleBroken) {
    while cache.hasWoken {
      for woken in cache.takeWoken() {
        guard let client = clients.firstIndex(where: { $0.ticket == woken.ticket }),
          case .waiting(_, let read) = clients[client].state
        else { continue }
        try rules.isWoken(read.key, woken)
        clients[client].state = .idle
        try resume(client, read, woken)
      }
    }
  }

  private mutating func resume(_ client: Int, _ read: SimulatedRead, _ woken: Woken) throws(RuleBroken) {
    let place = Self.keys[read.key]
    var options = read.options
    let asker = clients[client].asker
    if !woken.isElected {
      options.waits = read.until > now
      let outlook = place.withBytes { cache.outlook(place.ns, $0, options, now: now) }
      if outlook == .wait { return try wait(client, read) }
      options.waits = false
    }
    options.hasWaited = true
    options.turn = woken.isElected ? woken.ticket : nil
    let step = place.withBytes { cache.get(place.ns, $0, options, by: asker, now: now) }
    try receive(step, client, read, turn: options.turn)
    if let turn = options.turn { place.withBytes { cache.decline(place.ns, $0, turn: turn, now: now) } }
  }

  private mutating func receive(
    _ step: Cache.GetStep, _ client: Int, _ read: SimulatedRead, turn: WaitTicket?
  ) throws(RuleBroken) {
    let policy = policies[Self.keys[read.key].ns]
    switch step {
    case .hit(let hit): try rules.isShown(read, number(hit.value), isStale: hit.isStale)
    case .granted(let token, let hit):
      if let hit { try rules.isShown(read, number(hit.value), isStale: hit.isStale) }
      let timeout = policy.lifetimes.leaseTimeoutMilliseconds
      let lease = LoadRules.Lease(token: token, client: client, deadline: now + timeout)
      try rules.isGranted(
        read, lease, turn: turn, mayRefresh: policy.lifetimes.refreshAhead != nil, hit, policy.mode, now: now)
      clients[client].state = .loading(SimulatedLoad(key: read.key, token: token))
    case .miss(let miss): try rules.isMissed(read, miss, now: now)
    case .wait: throw RuleBroken("told to wait without having asked to")
    case .fetch, .claim: throw RuleBroken("sent to a tier that there isn't")
    }
  }

  private mutating func finish(_ client: Int, _ load: SimulatedLoad) throws(RuleBroken) {
    let place = Self.keys[load.key]
    clients[client].state = .idle
    switch random.weighted([70, 10, 8, 6, 6]) {
    case 0:
      let step = store(load.version ?? 0, load.key, lease: load.token)
      try rules.isFilled(load, step, policies[place.ns].mode, now: now)
    case 1: try release(load, .failed)
    case 2: try release(load, .passed)
    case 3: try release(load, .released)
    // It forgets its lease, and keeps its connection.
    default: rules.trace.note("client \(client) forgets its lease")
    }
  }

  private mutating func release(_ load: SimulatedLoad, _ end: LeaseEnd) throws(RuleBroken) {
    let place = Self.keys[load.key]
    let retry = random.chance(30) ? random.within(0...60) : nil
    let stood = place.withBytes {
      cache.release(place.ns, $0, load.token, end, retryMilliseconds: retry, now: now)
    }
    let pause = max(1, retry ?? policies[place.ns].lifetimes.retryAfterMilliseconds)
    try rules.isReleased(load, end, stood: stood, pauseUntil: now + pause, now: now)
  }

  private mutating func crash(_ client: Int) throws(RuleBroken) {
    cache.end(clients[client].owner, now: now)
    rules.isGone(client)
    lastOwner += 1
    clients[client] = SimulatedClient(owner: lastOwner)
  }

  // MARK: Changes

  private mutating func store(_ version: Int, _ key: Int, lease: LeaseToken?) -> Cache.SetStep {
    let place = Self.keys[key]
    return place.withBytes { bytes in
      withBytes(of: [place.tag, String(version)]) { texts in
        let new = Cache.NewValue(key: bytes, value: texts[1], tags: [texts[0]], lease: lease)
        return cache.set(place.ns, new, by: Caller(pid: 1, uid: 1), now: now)
      }
    }
  }

  /// Written through: the source first, and then the cache.
  private mutating func plainSet(_ key: Int) {
    rules.write(key)
    rules.isSet(key, store(rules.source(key), key, lease: nil))
  }

  private mutating func invalidate(_ key: Int) {
    let place = Self.keys[key]
    let soft = random.chance(30)
    let caller = Caller(pid: 1, uid: 1)
    switch random.below(5) {
    case 0, 1:
      _ = place.withBytes { cache.delete(place.ns, $0, soft: soft, by: caller, now: now) }
      return rules.isInvalidated([key], endsLoads: true, soft, policies)
    case 2:
      let all = random.chance(30) ? 0..<2 : place.ns..<place.ns + 1
      _ = cache.clear(all, .all, soft: soft, dryRun: false, by: caller, now: now)
      rules.isInvalidated(Self.keys.indices.filter { all.contains(Self.keys[$0].ns) }, endsLoads: true, soft, policies)
    case 3:
      guard let glob = Glob("user:*".utf8) else { return }
      _ = cache.clear(place.ns..<place.ns + 1, .match(glob), soft: soft, dryRun: false, by: caller, now: now)
      let covered = Self.keys.indices.filter { Self.keys[$0].ns == place.ns && Self.keys[$0].name.hasPrefix("user:") }
      rules.isInvalidated(covered, endsLoads: true, soft, policies)
    default:
      _ = withBytes(of: [place.tag]) {
        cache.clear(place.ns..<place.ns + 1, .tags($0), soft: soft, dryRun: false, by: caller, now: now)
      }
      let covered = Self.keys.indices.filter { Self.keys[$0].ns == place.ns && Self.keys[$0].tag == place.tag }
      rules.isInvalidated(covered, endsLoads: false, soft, policies)
    }
  }

  private mutating func changeMode(_ ns: NamespaceID) {
    policies[ns].mode = policies[ns].mode == .on ? (random.chance(50) ? .readOnly : .bypass) : .on
    cache.setPolicy(policies[ns], of: ns, by: Caller(pid: 1, uid: 1), now: now)
    rules.trace.note("mode of \(ns): \(policies[ns].mode)")
    if !policies[ns].mode.stores { rules.endLoads(Self.keys.indices.filter { Self.keys[$0].ns == ns }) }
  }
}

/// The number that a value's text is.
private func number(_ text: UnsafeRawBufferPointer) -> Int { text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } }
