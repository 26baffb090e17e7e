// What clients of the hosts do, and what their caches want of the world outside.

@testable import PannierCore

extension World {
  // MARK: Reads

  mutating func read(_ host: WorldHost, _ key: Int, seeks: Bool) throws(PromiseBroken) {
    trace.note("\(time) host \(host.number) reads \(key)")
    let read = WorldRead(
      host: host.number, key: key, at: time, seeks: seeks, seen: host.position, isStrict: random.chance(15))
    try ask(host, read, turn: nil)
    try settle(host)
  }

  private enum Answer {
    case none, again
    case loads(LeaseToken)
    /// Nobody is elected for a while.
    case paused
    case shown(version: Int, op: Int?)
  }

  private mutating func ask(_ host: WorldHost, _ read: WorldRead, turn: WaitTicket?) throws(PromiseBroken) {
    var read = read
    while true {
      switch answer(host, &read, turn: turn) {
      case .none: return
      case .again: continue
      case .paused: return try checkPause(host, read)
      case .loads(let token): return try begin(WorldLoad(host: host.number, key: read.key, token: token, version: nil))
      case .shown(let version, let op):
        trace.note("\(time) host \(read.host) is shown \(read.key) = \(version)")
        return try check(read, version: version, origin: op.map { ops[$0] })
      }
    }
  }

  private mutating func answer(_ host: WorldHost, _ read: inout WorldRead, turn: WaitTicket?) -> Answer {
    var options = Cache.ReadOptions(lease: read.seeks, waits: read.seeks)
    options.fetchedSince = read.fetchedSince
    options.strict = read.isStrict
    options.isProven = read.isProven
    options.turn = turn
    let owner = OwnerID(host.number + 1)
    let asker = Asker(owner: owner, caller: Caller(pid: 1, uid: 1))
    return withBytes(WorldKeys.names[read.key]) { name in
      switch host.cache.get(0, name, options, by: asker, now: host.now) {
      case .hit(let hit): return Self.parse(hit.value)
      case .granted(let token, _): return .loads(token)
      case .miss(.failed), .miss(.passed): return .paused
      case .miss: break
      case .wait:
        let ticket = host.cache.wait(0, name, seeks: true, by: owner, since: host.now, until: host.now + 1 << 30)
        if let ticket { host.reads[ticket] = read }
      case .fetch:
        read.fetchedSince = host.cache.lastChange
        let barrier = read.isStrict ? host.cache.barrier() : nil
        guard let ticket = host.cache.fetch(0, name, behind: barrier, by: owner, now: host.now) else { return .again }
        host.reads[ticket] = read
      case .claim:
        if let ticket = host.cache.claim(0, name, by: owner, now: host.now) { host.reads[ticket] = read }
      }
      return .none
    }
  }

  /// A value says its version, and the op that set it where it wasn't loaded: `7`, `7.3`.
  private static func parse(_ value: UnsafeRawBufferPointer) -> Answer {
    var numbers = [0, 0]
    var place = 0
    for byte in value {
      if byte == UInt8(ascii: ".") { place = 1 } else { numbers[place] = numbers[place] * 10 + Int(byte & 15) }
    }
    return .shown(version: numbers[0], op: place == 1 ? numbers[1] : nil)
  }

  /// A load goes on: it reads the source, or stores what it read.
  mutating func proceed(_ place: Int) throws(PromiseBroken) {
    let load = loads[place]
    guard let version = load.version else {
      loads[place].version = source[load.key]
      trace.note("\(time) load of \(load.key) on \(load.host) reads \(source[load.key])")
      return
    }
    loads.remove(at: place)
    let host = hosts[load.host]
    if isFleet, random.chance(15) {
      let end = [LeaseEnd.released, .failed, .passed][random.below(3)]
      let known = host.cache.sharedPosition
      let isReleased = withBytes(WorldKeys.names[load.key]) {
        host.cache.release(0, $0, load.token, end, retryMilliseconds: 200, now: host.now)
      }
      // Before it has joined, no record says what would end it.
      if isReleased, end != .released { host.pauses[load.key] = known.map { ($0.incarnation, $0.known) } ?? (.max, 0) }
      trace.note("\(time) host \(load.host) gives back \(load.key), \(end): \(isReleased)")
      return try settle(host)
    }
    let step = Self.store(load.key, "\(version)", lease: load.token) {
      host.cache.set(0, $0, by: Caller(pid: 1, uid: 1), now: host.now)
    }
    if step == .leaseLost { counts.lostLeases += 1 }
    trace.note("\(time) host \(load.host) fills \(load.key) with \(version): \(step)")
    try settle(host)
  }

  private static func store<Result>(
    _ key: Int, _ text: String, lease: LeaseToken?, _ body: (Cache.NewValue) -> Result
  ) -> Result {
    withBytes(of: [WorldKeys.names[key], text, "t"]) { texts in
      body(
        Cache.NewValue(
          key: texts[0], value: texts[1], ttl: .unlimited, tags: WorldKeys.tagged[key] ? [texts[2]] : [],
          lease: lease))
    }
  }

  // MARK: Changes

  mutating func change(
    _ host: WorldHost, _ scope: SharedScope, isSet: Bool, isConditional: Bool = false
  ) throws(PromiseBroken) {
    var versions = [0, 0, 0]
    for key in source.indices where WorldKeys.covers(scope, key) {
      source[key] += 1
      versions[key] = source[key]
    }
    let op = WorldOp(ops.count, host.number, scope, at: time, versions: versions)
    ops.append(op)
    trace.note(
      "\(time) host \(host.number) \(isSet ? "sets" : "ends") \(Self.describe(scope)), source \(source): op \(op.id)")
    let caller = Caller(pid: 1, uid: 1)
    op.isBehind = isSet && !isConditional && behind[host.number] != nil
    switch scope {
    case .keys(let keys) where isSet:
      guard let key = WorldKeys.bytes.firstIndex(of: keys[0]) else { return }
      let ticket = Self.store(key, "\(source[key]).\(op.id)", lease: nil) {
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
    if host.cache.behind.waiting > 0 { counts.waited += 1 }
    try settle(host, op: op.isBehind || isConditional ? nil : op)
  }

  private static func describe(_ scope: SharedScope) -> String {
    switch scope {
    case .keys(let keys): keys.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    case .all: "all"
    case .match: "match"
    case .tags: "tag"
    }
  }

  // MARK: What the cache wants

  /// Until it wants nothing more: commands are sent, and who is to be told is told. `op`: whose change is among the commands.
  mutating func settle(_ host: WorldHost, op: WorldOp? = nil) throws(PromiseBroken) {
    var op = op
    while true {
      if host.cache.hasSharedCommands {
        for command in host.cache.takeSharedCommands() { try send(command, host, &op) }
      }
      if host.cache.hasSharedOutcomes {
        for outcome in host.cache.takeSharedOutcomes() {
          guard let op = host.changes.removeValue(forKey: outcome.ticket) else { continue }
          if outcome.result == .done {
            answer(op, host, isQueued: outcome.isQueued || op.isBehind)
          } else {
            // It was refused, or nobody knows: it promises nothing.
            op.isLost = true
          }
        }
      }
      for outcome in host.cache.takeFinishedClears() {
        if let op = host.clears.removeValue(forKey: outcome.ticket) { answer(op, host, isQueued: outcome.isQueued) }
      }
      if host.cache.hasWoken {
        for woken in host.cache.takeWoken() { try wake(woken, host) }
      }
      if !host.cache.hasSharedCommands, !host.cache.hasSharedOutcomes, !host.cache.hasWoken { break }
    }
    host.look()
  }

  private mutating func wake(_ woken: Woken, _ host: WorldHost) throws(PromiseBroken) {
    guard var read = host.reads.removeValue(forKey: woken.ticket) else { return }
    if !woken.isElected { read.isProven = woken.isProven }
    if woken.isAnew { read.fetchedSince = nil }
    try ask(host, read, turn: woken.isElected ? woken.ticket : nil)
    if woken.isElected {
      withBytes(WorldKeys.names[read.key]) { host.cache.decline(0, $0, turn: woken.ticket, now: host.now) }
    }
  }

  private mutating func send(
    _ command: SharedCommand, _ host: WorldHost, _ op: inout WorldOp?
  ) throws(PromiseBroken) {
    if case .release(_, let key, let token, _, _) = command, host.lease(key)?.token == token {
      throw PromiseBroken(what: "host \(host.number) gives back a lease under which it loads")
    }
    guard let connection = host.connection else {
      switch command {
      case .read(let flight, _, _): host.cache.sharedReplied(flight: flight, .failed, now: host.now)
      case .change(let number, _, _): host.cache.sharedReplied(change: number, .lost, now: host.now)
      case .inspect(let number, _, _):
        host.cache.sharedInspected(number, SharedInspection(read: .failed, front: []), now: host.now)
      case .setIf(let number, _, _, _, _), .touch(let number, _, _, _, _):
        host.cache.sharedReplied(conditional: number, .lost, now: host.now)
      case .barrier(let number, _, _): host.cache.sharedBarrier(number, [], floor: nil, now: host.now)
      case .claim(let number, _, _, _, _): host.cache.sharedReplied(claim: number, .unknown, at: 0, now: host.now)
      case .fill(let ns, let value, let lease):
        if let lease { host.cache.sharedLost(releaseOf: ns, value.key, lease) }
      case .release(let ns, let key, let token, _, _): host.cache.sharedLost(releaseOf: ns, key, token)
      case .groups: break
      }
      return
    }
    var mine: [WorldOp] = []
    // Whoever set it says so in the value.
    if case .setIf(_, _, let value, _, _) = command,
      case .shown(_, let id?) = value.value.withUnsafeBytes({ Self.parse($0) })
    {
      mine = [ops[id]]
    }
    if case .change(_, _, let change) = command {
      if let direct = op, change.scope == direct.scope {
        mine = [direct]
        direct.wasSent = true
        op = nil
        // What waited for the same has been taken in.
        for part in change.scope.parts { mine += host.queued.removeValue(forKey: part) ?? [] }
      } else {
        // A clear is answered once its walk is over, and may be queued before.
        mine = host.queued[change.scope] ?? []
        mine += host.clears.values.filter { $0.scope == change.scope }
      }
    }
    let known = host.cache.sharedPosition?.incarnation ?? 0
    connection.commands.append(WorldConnection.Command(asked: command, known: known, ops: mine))
  }

  private mutating func answer(_ op: WorldOp, _ host: WorldHost, isQueued: Bool) {
    guard op.answeredAt == nil else { return }
    op.answeredAt = time
    op.isQueued = isQueued
    if isQueued { for part in op.scope.parts { host.queued[part, default: []].append(op) } }
    trace.note("\(time) op \(op.id) answered\(isQueued ? ", queued" : "")")
  }
}

extension SharedScope {
  /// What the queue keeps apart.
  var parts: [SharedScope] {
    if case .keys(let keys) = self, keys.count > 1 { return keys.map { .keys([$0]) } }
    return [self]
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
