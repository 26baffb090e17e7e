// Several caches before one Redis, in a seeded schedule: what is under way arrives late, in any order between connections, or
// never; hosts and Redis die and come back older. What must hold is checked with each value that is shown.

@testable import PannierCore

/// A stale value was shown.
struct PromiseBroken: Error { let what: String }

/// One schedule: who does what next is drawn from the seed.
struct World {
  enum Fault: CaseIterable { case breakLink, restart, trim, timeout, suspend, replicate, failover, lose, evict }

  /// How likely a host's links are to be next, each beside the others: so one's log may run far behind its replies.
  struct Speed {
    let commands: Int
    let replies: Int
    let fetches: Int
    let records: Int
  }

  var random: RandomSource
  let trace: Trace
  var redis = ModelRedis()
  var replica = ModelRedis()
  var runs = 1
  var boots = 0
  var lastIncarnation: UInt64 = 1
  var hosts: [WorldHost] = []
  private var speeds: [Speed] = []
  /// Those that are open, or still have commands under way.
  var connections: [WorldConnection] = []
  var lastConnection = 0
  var source = [0, 0, 0]
  var ops: [WorldOp] = []
  var loads: [WorldLoad] = []
  var time = 0
  var faults: [Fault] = []
  /// One host of all loads a key.
  let isFleet: Bool
  /// A process died, or Redis came back older.
  var hasLostLeases = false
  let keyCount: Int
  private var clientBudget: Int
  var faultBudget: Int
  /// Which hosts write behind.
  var behind: [Int: WriteBehind] = [:]
  var counts = WorldCounts()
  /// Reused from step to step: what may come next, and where its share of the draw ends.
  private var offers: [Offer] = []

  init(seed: UInt64, _ trace: Trace) {
    random = RandomSource(seed: seed)
    self.trace = trace
    for fault in Fault.allCases where random.chance(50) { faults.append(fault) }
    isFleet = random.chance(40)
    keyCount = [1, 1, 2, 2, 3][random.below(5)]
    clientBudget = 4 + random.below(21)
    faultBudget = random.below(6)
    for number in 0..<(random.chance(67) ? 2 : 3) {
      if random.chance(40) { behind[number] = drawBehind() }
      boot(number)
      speeds.append(Speed(commands: drawSpeed(), replies: drawSpeed(), fetches: drawSpeed(), records: drawSpeed()))
    }
    for host in hosts { connect(host) }
    // The others come when there are changes already.
    for connection in connections where random.chance(75) {
      while !connection.commands.isEmpty || !connection.replies.isEmpty {
        if connection.commands.isEmpty { try? deliver(connection) } else { execute(connection) }
      }
    }
    replica = redis
  }

  private mutating func drawBehind() -> WriteBehind {
    var behind = WriteBehind()
    behind.intervalMilliseconds = 1
    behind.maxPending = [1, 1, 2, 100][random.below(4)]
    return behind
  }

  private mutating func drawSpeed() -> Int { [1, 3, 3, 8][random.below(4)] }

  /// Everything happens, then comes to rest, and each host reads everything once more.
  mutating func run() throws(PromiseBroken) {
    for _ in 0..<160 where try !step() { break }
    faults = []
    clientBudget = 0
    for _ in 0..<800 where try !step() { break }
    try checkLeases()
    try outlastLeases()
    trace.note("--- rest")
    for host in hosts {
      for key in 0..<keyCount {
        time += 1
        try read(host, key, seeks: true)
        for _ in 0..<80 where try !step() { break }
        try checkLeases()
        try outlastLeases()
      }
    }
    for host in hosts where !host.reads.isEmpty && loads.isEmpty {
      throw PromiseBroken(what: "host \(host.number) leaves \(host.reads.count) reads waiting")
    }
    for host in hosts { bury(host) }
  }

  // MARK: The schedule

  private enum Choice {
    case execute(Int), deliver(Int)
    case record(Int), fetch(Int), connect(Int), resume(Int), upkeep(Int), batch(Int)
    case load(Int), client, fault
  }

  private struct Offer {
    let end: Int
    let choice: Choice
  }

  private mutating func offer(_ choice: Choice, _ weight: Int = 1) {
    offers.append(Offer(end: (offers.last?.end ?? 0) + weight, choice: choice))
  }

  mutating func step() throws(PromiseBroken) -> Bool {
    time += 1
    offers.removeAll(keepingCapacity: true)
    var ghost: WorldConnection?
    for place in connections.indices {
      let connection = connections[place]
      let speed = speeds[connection.host]
      if !connection.commands.isEmpty {
        if connection.isOpen || random.chance(15) {
          offer(.execute(place), speed.commands)
        } else {
          ghost = connection
        }
      }
      if !connection.replies.isEmpty { offer(.deliver(place), speed.replies) }
    }
    for place in hosts.indices {
      let host = hosts[place]
      if host.isJoined {
        if !host.tail.isEmpty { offer(.record(place), speeds[place].records) }
        // The last record is the newest.
        if let last = redis.log.last, isNews(last.record, to: host) { offer(.fetch(place), speeds[place].fetches) }
      }
      if host.connection == nil { offer(.connect(place)) }
      if host.isSuspended { offer(.resume(place)) }
      if host.needsUpkeep { offer(.upkeep(place)) }
      if host.isJoined, !host.isSuspended, host.cache.behind.pending > 0 { offer(.batch(place)) }
    }
    for place in loads.indices { offer(.load(place), 2) }
    if clientBudget > 0 { offer(.client, 4) }
    if faultBudget > 0, !faults.isEmpty { offer(.fault) }
    guard let end = offers.last?.end else {
      if let ghost { execute(ghost) }
      return ghost != nil
    }
    let drawn = random.below(end)
    for offer in offers where drawn < offer.end { return try take(offer.choice) }
    return true
  }

  private mutating func take(_ choice: Choice) throws(PromiseBroken) -> Bool {
    switch choice {
    case .execute(let place): execute(connections[place])
    case .deliver(let place): try deliver(connections[place])
    case .record(let place): try deliverRecord(hosts[place])
    case .fetch(let place): fetchTail(hosts[place])
    case .connect(let place): connect(hosts[place])
    case .resume(let place): try resume(hosts[place])
    case .upkeep(let place):
      hosts[place].cache.upkeep(entries: random.chance(30) ? 2 : 100, now: hosts[place].now)
      try settle(hosts[place])
    case .batch(let place):
      let pause = hosts[place].cache.shared.queue.pausedUntil
      hosts[place].now = max(hosts[place].now + 1, pause)
      hosts[place].cache.upkeep(entries: 100, now: hosts[place].now)
      try settle(hosts[place])
    case .load(let place): try proceed(place)
    case .client: try act()
    case .fault: try fault()
    }
    return true
  }

  private mutating func act() throws(PromiseBroken) {
    clientBudget -= 1
    var host = hosts[random.below(hosts.count)]
    // What waits in a queue is rare otherwise.
    if random.chance(40), let cut = hosts.first(where: { !$0.isJoined || $0.isSuspended }) { host = cut }
    let key = random.below(keyCount)
    switch random.below(100) {
    case ..<48: try read(host, key, seeks: true)
    case ..<54: try read(host, key, seeks: false)
    case ..<64: try change(host, .keys([WorldKeys.bytes[key]]), isSet: false)
    case ..<66: try change(host, .keys(Array(WorldKeys.bytes[..<keyCount])), isSet: false)
    case ..<86: try change(host, .keys([WorldKeys.bytes[key]]), isSet: true)
    case ..<90: try change(host, .keys([WorldKeys.bytes[key]]), isSet: true, isConditional: true)
    case ..<94: try change(host, .all, isSet: false)
    case ..<98: try change(host, .tags([WorldKeys.tag]), isSet: false)
    default: try change(host, .match(Array("k*".utf8)), isSet: false)
    }
  }

  /// Its process is over, or the schedule.
  mutating func bury(_ host: WorldHost) {
    if let counters = host.cache.sharedCounters { counts.add(counters) }
  }

  // MARK: What must hold

  /// A value is shown that is older than a change which its reader must know of.
  mutating func check(_ read: WorldRead, version: Int, origin: WorldOp?) throws(PromiseBroken) {
    counts.shown += 1
    for op in ops where op.versions[read.key] > version && !op.isLost {
      if let origin, !origin.precedes(op, read.key) {
        // One that was under way at the same time may come after it.
        // What waited in the queue must not come after what followed it; only what was sent at once may, until it is settled.
        let end = origin.isQueued && origin.wasSent ? origin.settledAt : origin.answeredAt
        guard let end, end < op.at else { continue }
      }
      var why: String?
      if let answered = op.answeredAt, op.host == read.host, answered < read.at { why = "was answered there before" }
      if let record = op.records[read.key], record <= read.seen { why = "had its record come there" }
      if read.isStrict, let answered = op.answeredAt, !op.isQueued, answered < read.at { why = "was answered before" }
      guard let why else { continue }
      let by = origin.map { "op \($0.id)" } ?? "a load"
      throw PromiseBroken(what: "host \(read.host) shows \(read.key) = \(version) of \(by), and op \(op.id) \(why)")
    }
  }
}
