// One schedule: who does what next is drawn from the seed.

@testable import PannierCore

/// A stale value was shown.
struct PromiseBroken: Error { let what: String }

final class World {
  static let keyNames = ["k0", "k1", "k2"]
  static let tagged: Set<Int> = [0, 1]

  enum Fault: CaseIterable { case breakLink, restart, trim, timeout, replicate, failover, lose }

  private var random: RandomSource
  private let trace: Trace
  private var redis = ModelRedis()
  private var replica = ModelRedis()
  private var runs = 1
  private var lastIncarnation: UInt64 = 1
  private var hosts: [WorldHost] = []
  private var connections: [WorldConnection] = []
  private var source = [0, 0, 0]
  private var ops: [WorldOp] = []
  private var loads: [WorldLoad] = []
  private var time = 0
  private var faults: [Fault]
  private let keyCount: Int
  private var clientBudget: Int
  private var faultBudget: Int
  private(set) var shown = 0

  init(seed: UInt64, _ trace: Trace) {
    random = RandomSource(seed: seed)
    self.trace = trace
    faults = []
    for fault in Fault.allCases where random.chance(50) { faults.append(fault) }
    keyCount = [1, 1, 1, 2, 3][random.below(5)]
    clientBudget = 4 + random.below(21)
    faultBudget = random.below(5)
    for number in 0..<(random.chance(67) ? 2 : 3) { hosts.append(WorldHost(number, seed: random.next())) }
    for host in hosts { connect(host) }
    while let connection = connections.first(where: { !$0.commands.isEmpty || !$0.replies.isEmpty }) {
      if connection.commands.isEmpty { try? deliver(connection) } else { execute(connection) }
    }
    replica = redis
  }

  /// Everything happens, then comes to rest, and each host reads everything once more.
  func run() throws(PromiseBroken) {
    for _ in 0..<160 where try !step() { break }
    faults = []
    clientBudget = 0
    for _ in 0..<800 where try !step() { break }
    trace.note("--- rest")
    for host in hosts {
      for key in 0..<keyCount {
        time += 1
        try read(host, key)
        for _ in 0..<80 where try !step() { break }
      }
    }
    for host in hosts where !host.reads.isEmpty && loads.isEmpty {
      throw PromiseBroken(what: "host \(host.number) leaves \(host.reads.count) reads waiting")
    }
  }

  // MARK: The schedule

  private enum Choice {
    case execute(WorldConnection), deliver(WorldConnection)
    case record(WorldHost), fetch(WorldHost), connect(WorldHost), upkeep(WorldHost)
    case load(Int), client, fault
  }

  private func step() throws(PromiseBroken) -> Bool {
    time += 1
    var choices: [Choice] = []
    for connection in connections {
      if !connection.commands.isEmpty, connection.isOpen || random.chance(15) {
        choices += Array(repeating: .execute(connection), count: 3)
      }
      if connection.isOpen, !connection.replies.isEmpty {
        choices += Array(repeating: .deliver(connection), count: random.chance(50) ? 1 : 3)
      }
    }
    for host in hosts {
      if host.isJoined, !host.tail.isEmpty {
        choices += Array(repeating: .record(host), count: random.chance(50) ? 1 : 3)
      }
      if host.isJoined, redis.log.contains(where: { isNews($0.record, to: host) }) { choices.append(.fetch(host)) }
      if host.connection == nil { choices.append(.connect(host)) }
      if host.cache.needsUpkeep(now: host.now) { choices.append(.upkeep(host)) }
    }
    for place in loads.indices { choices.append(.load(place)) }
    if clientBudget > 0 { choices += Array(repeating: .client, count: 4) }
    if faultBudget > 0, !faults.isEmpty { choices.append(.fault) }
    guard !choices.isEmpty else { return connections.contains { !$0.commands.isEmpty } }
    try take(choices[random.below(choices.count)])
    return true
  }

  private func take(_ choice: Choice) throws(PromiseBroken) {
    switch choice {
    case .execute(let connection): execute(connection)
    case .deliver(let connection): try deliver(connection)
    case .record(let host): try deliverRecord(host)
    case .fetch(let host): fetchTail(host)
    case .connect(let host): connect(host)
    case .upkeep(let host):
      host.cache.upkeep(entries: 2, now: host.now)
      try settle(host)
    case .load(let place): try proceed(place)
    case .client: try act()
    case .fault: try fault()
    }
  }

  private func act() throws(PromiseBroken) {
    clientBudget -= 1
    let host = hosts[random.below(hosts.count)]
    let key = random.below(keyCount)
    switch random.below(100) {
    case ..<64: try read(host, key)
    case ..<78: try change(host, .keys([bytes(key)]), isSet: false)
    case ..<86: try change(host, .keys([bytes(key)]), isSet: true)
    case ..<90: try change(host, .keys([bytes(key)]), isSet: true, isConditional: true)
    case ..<95: try change(host, .all, isSet: false)
    case ..<98: try change(host, .tags([Array("t".utf8)]), isSet: false)
    default: try change(host, .match(Array("k*".utf8)), isSet: false)
    }
  }

  private func bytes(_ key: Int) -> [UInt8] { Array(Self.keyNames[key].utf8) }

  private func covers(_ scope: SharedScope, _ key: Int) -> Bool {
    switch scope {
    case .keys(let keys): keys.contains(bytes(key))
    case .all, .match: true
    case .tags: Self.tagged.contains(key)
    }
  }

  // MARK: Clients

  private func read(_ host: WorldHost, _ key: Int) throws(PromiseBroken) {
    let position = host.cache.sharedPosition
    let read = WorldRead(
      host: host.number, key: key, at: time, seen: (position?.incarnation ?? 0, position?.seen ?? 0),
      isStrict: random.chance(20))
    trace.note("\(time) host \(host.number) reads \(key)")
    try ask(host, read, turn: nil)
    try settle(host)
  }

  private func ask(_ host: WorldHost, _ read: WorldRead, turn: WaitTicket?) throws(PromiseBroken) {
    var read = read
    var options = Cache.ReadOptions(lease: true, waits: read.waits)
    options.fetchedSince = read.fetchedSince
    options.strict = read.isStrict
    options.isProven = read.isProven
    options.turn = turn
    let owner = OwnerID(host.number + 1)
    let asker = Asker(owner: owner, caller: Caller(pid: 1, uid: 1))
    var found: String?
    var again = false
    withBytes(Self.keyNames[read.key]) { name in
      switch host.cache.get(0, name, options, by: asker, now: host.now) {
      case .hit(let hit): found = String(decoding: hit.value, as: UTF8.self)
      case .granted(let token, _): loads.append(WorldLoad(host: host.number, key: read.key, token: token))
      case .miss: break
      case .wait:
        let ticket = host.cache.wait(0, name, seeks: true, by: owner, since: host.now, until: host.now + 1 << 30)
        if let ticket { host.reads[ticket] = read }
      case .fetch:
        read.fetchedSince = host.cache.lastChange
        let barrier = read.isStrict ? host.cache.barrier() : nil
        if let ticket = host.cache.fetch(0, name, behind: barrier, by: owner, now: host.now) {
          host.reads[ticket] = read
        } else {
          again = true
        }
      }
    }
    if let found { try check(read, found) }
    if again { try ask(host, read, turn: turn) }
  }

  private func proceed(_ place: Int) throws(PromiseBroken) {
    guard let version = loads[place].version else {
      loads[place].version = source[loads[place].key]
      trace.note("\(time) load of \(loads[place].key) on \(loads[place].host) reads \(source[loads[place].key])")
      return
    }
    let load = loads.remove(at: place)
    let host = hosts[load.host]
    let step = store(host, load.key, "\(version)", lease: load.token) {
      host.cache.set(0, $0, by: Caller(pid: 1, uid: 1), now: host.now)
    }
    trace.note("\(time) host \(load.host) fills \(load.key) with \(version): \(step)")
    try settle(host)
  }

  private func store<Result>(
    _ host: WorldHost, _ key: Int, _ text: String, lease: LeaseToken?, _ body: (Cache.NewValue) -> Result
  ) -> Result {
    withBytes(of: [Self.keyNames[key], text, "t"]) { texts in
      body(
        Cache.NewValue(
          key: texts[0], value: texts[1], ttl: .unlimited, tags: Self.tagged.contains(key) ? [texts[2]] : [],
          lease: lease))
    }
  }

  private func change(
    _ host: WorldHost, _ scope: SharedScope, isSet: Bool, isConditional: Bool = false
  ) throws(PromiseBroken) {
    var versions: [Int: Int] = [:]
    for key in 0..<3 where covers(scope, key) {
      source[key] += 1
      versions[key] = source[key]
    }
    let op = WorldOp(ops.count, host.number, scope, at: time, versions: versions, isSet: isSet)
    ops.append(op)
    trace.note(
      "\(time) host \(host.number) \(isSet ? "sets" : "ends") \(describe(scope)), source \(source): op \(op.id)")
    let caller = Caller(pid: 1, uid: 1)
    switch scope {
    case .keys(let keys) where isSet:
      guard let key = (0..<3).first(where: { bytes($0) == keys[0] }) else { return }
      let ticket = store(host, key, "\(source[key]).\(op.id)", lease: nil) {
        isConditional
          ? host.cache.setSharedIf(0, $0.absent, by: caller, now: host.now)
          : host.cache.setShared(0, $0, by: caller, now: host.now)
      }
      host.changes[ticket] = op
    case .keys(let keys):
      host.changes[host.cache.deleteShared(0, keys, soft: false, by: caller, now: host.now)] = op
    default:
      var ticket: ClearTicket = 0
      scope.withPattern { ticket = host.cache.clear(0..<1, $0, soft: false, dryRun: false, by: caller, now: host.now) }
      host.clears[ticket] = op
    }
    try settle(host, op: op)
  }

  private func describe(_ scope: SharedScope) -> String {
    switch scope {
    case .keys(let keys): keys.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    case .all: "all"
    case .match: "match"
    case .tags: "tag"
    }
  }

  // MARK: What the cache wants

  /// Until it wants nothing more: commands are sent, and who is to be told is told. `op`: whose change is among the commands.
  private func settle(_ host: WorldHost, op: WorldOp? = nil) throws(PromiseBroken) {
    var op = op
    repeat {
      for command in host.cache.takeSharedCommands() { send(command, host, &op) }
      for outcome in host.cache.takeSharedOutcomes() {
        guard let op = host.changes.removeValue(forKey: outcome.ticket) else { continue }
        if outcome.result == .done {
          answer(op, host, isQueued: outcome.isQueued)
        } else {
          // It was refused, or nobody knows: it promises nothing.
          op.isLost = true
        }
      }
      for outcome in host.cache.takeFinishedClears() {
        if let op = host.clears.removeValue(forKey: outcome.ticket) { answer(op, host, isQueued: outcome.isQueued) }
      }
      for woken in host.cache.takeWoken() {
        guard var read = host.reads.removeValue(forKey: woken.ticket) else { continue }
        if !woken.isElected { read.isProven = woken.isProven }
        try ask(host, read, turn: woken.isElected ? woken.ticket : nil)
        if woken.isElected {
          withBytes(Self.keyNames[read.key]) { host.cache.decline(0, $0, turn: woken.ticket, now: host.now) }
        }
      }
    } while host.cache.hasSharedCommands || host.cache.hasSharedOutcomes || host.cache.hasWoken
  }

  private func send(_ command: SharedCommand, _ host: WorldHost, _ op: inout WorldOp?) {
    guard let connection = host.connection, connection.isOpen else {
      switch command {
      case .read(let flight, _, _): host.cache.sharedReplied(flight: flight, .failed, now: host.now)
      case .change(let number, _, _): host.cache.sharedReplied(change: number, .lost, now: host.now)
      case .inspect(let number, _, _):
        host.cache.sharedInspected(number, SharedInspection(read: .failed, front: []), now: host.now)
      case .setIf(let number, _, _, _, _), .touch(let number, _, _, _, _):
        host.cache.sharedReplied(conditional: number, .lost, now: host.now)
      case .barrier(let number, _, _): host.cache.sharedBarrier(number, [], floor: nil, now: host.now)
      default: break
      }
      return
    }
    var mine: [WorldOp] = []
    // Whoever set it says so in the value.
    if case .setIf(_, _, let value, _, _) = command,
      let id = String(decoding: value.value, as: UTF8.self).split(separator: ".").last.flatMap({ Int($0) })
    {
      mine = [ops[id]]
    }
    if case .change(_, _, let change) = command {
      if let direct = op, change.scope == direct.scope {
        mine = [direct]
        op = nil
        // What waited for the same has been taken in.
        mine += host.queued.removeValue(forKey: direct.scope) ?? []
      } else {
        mine = host.queued[change.scope] ?? []
      }
    }
    connection.commands.append(
      WorldConnection.Command(asked: command, known: host.cache.sharedPosition?.incarnation ?? 0, ops: mine))
  }

  private func answer(_ op: WorldOp, _ host: WorldHost, isQueued: Bool) {
    guard op.answeredAt == nil else { return }
    op.answeredAt = time
    op.isQueued = isQueued
    if isQueued { host.queued[op.scope, default: []].append(op) }
    trace.note("\(time) op \(op.id) answered\(isQueued ? ", queued" : "")")
  }

  // MARK: Redis

  private func connect(_ host: WorldHost) {
    let connection = WorldConnection(host: host.number, number: connections.count + 1)
    connections.append(connection)
    host.connection = connection
    host.isJoined = false
    connection.commands.append(
      WorldConnection.Command(asked: nil, known: host.cache.sharedPosition?.incarnation ?? 0, ops: []))
    trace.note("\(time) host \(host.number) connects")
  }

  private func execute(_ connection: WorldConnection) {
    let command = connection.commands.removeFirst()
    var reply: ModelRedis.Reply
    if let asked = command.asked {
      reply = redis.carryOut(
        asked, known: command.known, host: connection.host, connection: connection.number, op: command.ops.first?.id)
      if case .change(.done(let number, _)) = reply { note(command, number) }
      if case .change(.conflict(let number)) = reply { note(command, number) }
      if case .conditional(.done(let number)) = reply { note(command, number) }
    } else {
      reply = redis.join(host: connection.host, connection: connection.number, lastIncarnation: &lastIncarnation)
    }
    trace.note("\(time) redis: host \(connection.host) \(command.asked.map { "\($0)" } ?? "join") -> \(reply)")
    if connection.isOpen { connection.replies.append((command, reply)) }
  }

  private func note(_ command: WorldConnection.Command, _ number: UInt64) {
    for op in command.ops where op.record == nil { op.record = (redis.incarnation ?? 0, number) }
  }

  private func deliver(_ connection: WorldConnection) throws(PromiseBroken) {
    let (command, reply) = connection.replies.removeFirst()
    let host = hosts[connection.host]
    switch reply {
    case .joined(let incarnation, let base, let number):
      host.isJoined = true
      host.tail = []
      host.cache.sharedJoined(incarnation: incarnation, base: base, number: number, now: host.now)
      host.fetched = host.cache.sharedPosition?.seen ?? 0
      trace.note("\(time) host \(host.number) joined at \(incarnation)-\(number)")
    case .groups(let incarnation, let clears):
      if incarnation != command.known {
        hangUp(host)
      } else {
        host.cache.sharedGroups(Array("a".utf8), clears, otherTags: (0, 0))
      }
    case .read(let read):
      guard case .read(let flight, _, _) = command.asked else { return }
      host.cache.sharedReplied(flight: flight, read, now: host.now)
    case .change(let outcome):
      guard case .change(let number, _, _) = command.asked else { return }
      host.cache.sharedReplied(change: number, outcome, now: host.now)
      switch outcome {
      case .done, .conflict:
        for op in command.ops where op.settledAt == nil { op.settledAt = time }
        if case .change(_, _, let change) = command.asked {
          let settled = Set(command.ops.map(\.id))
          host.queued[change.scope]?.removeAll { settled.contains($0.id) }
        }
      case .refused: hangUp(host)
      case .lost: break
      }
    case .filled(let isPassed): if isPassed { hangUp(host) }
    case .barrier(let records, let floor):
      guard case .barrier(let number, _, _) = command.asked else { return }
      host.cache.sharedBarrier(number, records, floor: floor, now: host.now)
    case .inspected(let found):
      guard case .inspect(let number, _, _) = command.asked else { return }
      host.cache.sharedInspected(number, found, now: host.now)
    case .conditional(let outcome):
      guard case .setIf(let number, _, _, _, _) = command.asked else { return }
      host.cache.sharedReplied(conditional: number, outcome, now: host.now)
      if outcome == .refused { hangUp(host) }
    }
    try settle(host)
  }

  /// `ghost`: some of what was sent is still carried out.
  private func hangUp(_ host: WorldHost, ghost: Bool = false) {
    guard let connection = host.connection else { return }
    connection.isOpen = false
    connection.commands = ghost ? Array(connection.commands.prefix(random.below(connection.commands.count + 1))) : []
    connection.replies = []
    host.connection = nil
    host.isJoined = false
    host.tail = []
    host.cache.sharedLost(now: host.now)
    trace.note("\(time) host \(host.number) loses its connection")
  }

  // MARK: The log

  private func isNews(_ record: SharedRecord, to host: WorldHost) -> Bool {
    guard let position = host.cache.sharedPosition else { return false }
    if record.incarnation != position.incarnation { return record.incarnation > position.incarnation }
    return record.number > host.fetched
  }

  private func fetchTail(_ host: WorldHost) {
    let position = host.cache.sharedPosition
    for entry in redis.log where isNews(entry.record, to: host) {
      host.tail.append(entry)
      if entry.record.incarnation == position?.incarnation {
        host.fetched = max(host.fetched, entry.record.number)
      } else {
        host.fetched = .max
      }
    }
  }

  private func deliverRecord(_ host: WorldHost) throws(PromiseBroken) {
    let entry = host.tail.removeFirst()
    var record = entry.record
    record.isOwn = entry.host == host.number
    trace.note("\(time) host \(host.number) is told \(record.incarnation)-\(record.number) \(record.kind)")
    if !host.cache.sharedRecords([record], now: host.now) {
      trace.note("\(time) host \(host.number) sees a hole")
      hangUp(host)
    }
    try settle(host)
  }

  // MARK: Bad days

  private func fault() throws(PromiseBroken) {
    faultBudget -= 1
    let host = hosts[random.below(hosts.count)]
    switch faults[random.below(faults.count)] {
    case .breakLink: hangUp(host, ghost: true)
    case .restart:
      trace.note("\(time) host \(host.number) restarts")
      hangUp(host, ghost: true)
      for op in host.queued.values.joined() { op.isLost = true }
      for op in host.changes.values { op.isLost = op.record == nil }
      for op in host.clears.values { op.isLost = op.record == nil }
      loads.removeAll { $0.host == host.number }
      hosts[host.number] = WorldHost(host.number, seed: random.next())
    case .trim:
      trace.note("\(time) the log is trimmed")
      redis.trim(random.below(redis.log.count + 1))
    case .timeout:
      trace.note("\(time) host \(host.number) waits too long")
      host.now += 101
      host.cache.upkeep(entries: 2, now: host.now)
    case .replicate: replica = redis
    case .lose:
      let what = ModelRedis.Loss.allCases[random.below(ModelRedis.Loss.allCases.count)]
      trace.note("\(time) redis loses \(what)")
      redis.lose(what)
    case .failover:
      guard replica.incarnation != nil else { return }
      let old = redis.done
      redis = replica
      runs += 1
      redis.run = runs
      replica = redis
      trace.note("\(time) failover to \(redis.number)")
      for op in ops
      where old.contains(op.id) && !redis.done.contains(op.id) || op.record.map({ $0.number > redis.number }) ?? false {
        op.isLost = true
        op.record = nil
      }
      for connection in connections { connection.commands = [] }
      for host in hosts { hangUp(host) }
    }
    for host in hosts { try settle(host) }
  }

  // MARK: What must hold

  /// A value is shown that is older than a change which its reader must know of.
  private func check(_ read: WorldRead, _ text: String) throws(PromiseBroken) {
    shown += 1
    let parts = text.split(separator: ".").compactMap { Int($0) }
    let version = parts[0]
    let origin = parts.count > 1 ? ops[parts[1]] : nil
    trace.note("\(time) host \(read.host) is shown \(read.key) = \(text)")
    for op in ops where !op.isLost && covers(op.scope, read.key) && op.versions[read.key] ?? 0 > version {
      if let origin {
        // One that was under way at the same time may come after it.
        let end = origin.isQueued ? origin.settledAt : origin.answeredAt
        guard let end, end < op.at else { continue }
      }
      if let answered = op.answeredAt, op.host == read.host, answered < read.at {
        throw PromiseBroken(
          what: "host \(read.host) shows \(read.key) = \(text), and op \(op.id) was answered there before")
      }
      if read.isStrict, let answered = op.answeredAt, !op.isQueued, answered < read.at {
        throw PromiseBroken(what: "a strict read of host \(read.host) shows \(text), after op \(op.id)")
      }
      if let record = op.record, record <= read.seen {
        throw PromiseBroken(what: "host \(read.host) shows \(read.key) = \(text), and op \(op.id)'s record had come")
      }
    }
  }
}

extension SharedChange {
  var scope: SharedScope {
    switch self {
    case .set(let value, _): .keys([value.key])
    case .delete(let keys), .soften(let keys, _): .keys(keys)
    case .clear(let scope, _): scope
    }
  }
}

extension Cache.NewValue {
  fileprivate var absent: Cache.NewValue {
    Cache.NewValue(
      key: key, value: value, ttl: ttl, staleMilliseconds: staleMilliseconds, tags: tags, condition: .absent)
  }
}
