// What goes on between the hosts and their Redis: commands, replies, the log, and the bad days of each.

@testable import PannierCore

extension World {
  // MARK: Connections

  mutating func boot(_ number: Int) {
    boots += 1
    let host = WorldHost(number, boot: boots, seed: random.next(), isFleet: isFleet, behind: behind[number])
    if number < hosts.count { hosts[number] = host } else { hosts.append(host) }
  }

  mutating func connect(_ host: WorldHost) {
    lastConnection += 1
    let connection = WorldConnection(host: host.number, boot: host.boot, number: lastConnection)
    connections.append(connection)
    host.connection = connection
    host.isJoined = false
    connection.commands.append(WorldConnection.Command(asked: nil, known: host.position.incarnation, ops: []))
    trace.note("\(time) host \(host.number) connects")
  }

  /// `ghost`: some of what was sent is still carried out.
  mutating func hangUp(_ host: WorldHost, ghost: Bool = false) {
    guard let connection = host.connection else { return }
    connection.isOpen = false
    host.hasHadTrouble = true
    for command in connection.replies.map(\.0) + connection.commands { Self.lose(command, host) }
    connection.commands.removeLast(
      ghost ? random.below(connection.commands.count + 1) : connection.commands.count)
    connection.replies = []
    sweep()
    host.connection = nil
    host.isJoined = false
    host.isSuspended = false
    host.tail = []
    host.cache.sharedLost(now: host.now)
    host.look()
    trace.note("\(time) host \(host.number) loses its connection")
  }

  /// What a command would have done to a lease isn't known.
  private static func lose(_ command: WorldConnection.Command, _ host: WorldHost) {
    switch command.asked {
    case .fill(let ns, let value, let lease?): host.cache.sharedLost(releaseOf: ns, value.key, lease)
    case .release(let ns, let key, let token, _, _): host.cache.sharedLost(releaseOf: ns, key, token)
    default: break
    }
  }

  private mutating func sweep() { connections.removeAll { !$0.isOpen && $0.commands.isEmpty } }

  // MARK: Commands

  mutating func execute(_ connection: WorldConnection) {
    let command = connection.commands.remove(at: 0)
    let reply: ModelRedis.Reply
    if let asked = command.asked {
      reply = redis.carryOut(
        asked, known: command.known, boot: connection.boot, connection: connection.number, op: command.ops.first?.id,
        lastIncarnation: &lastIncarnation)
      note(command, reply)
    } else {
      reply = redis.join(boot: connection.boot, connection: connection.number, lastIncarnation: &lastIncarnation)
    }
    trace.note("\(time) redis: host \(connection.host) \(command.asked.map { "\($0)" } ?? "join") -> \(reply)")
    if connection.isOpen { connection.replies.append((command, reply)) } else { sweep() }
  }

  private mutating func note(_ command: WorldConnection.Command, _ reply: ModelRedis.Reply) {
    switch reply {
    case .conditional(.done(let number)): for op in command.ops { note(op, number, by: op.scope) }
    case .change(.done(let number, _)), .change(.conflict(let number)):
      guard case .change(_, _, let change) = command.asked else { return }
      for op in command.ops { note(op, number, by: change.scope) }
      guard case .set(_, .some) = change else { return }
      if case .change(.conflict) = reply { counts.conflicts += 1 } else { counts.replayedSets += 1 }
    case .change(.refused): if case .change(_, _, .set) = command.asked { counts.refused += 1 }
    case .filled(let isPassed, let isStored): if !isPassed, !isStored { counts.refusedFills += 1 }
    default: break
    }
  }

  private func note(_ op: WorldOp, _ number: UInt64, by scope: SharedScope) {
    for key in op.versions.indices
    where op.versions[key] > 0 && op.records[key] == nil && WorldKeys.covers(scope, key) {
      op.records[key] = (redis.incarnation ?? 0, number)
    }
  }

  mutating func deliver(_ connection: WorldConnection) throws(PromiseBroken) {
    let (command, reply) = connection.replies.remove(at: 0)
    let host = hosts[connection.host]
    switch reply {
    case .joined(let incarnation, let base, let number):
      host.isJoined = true
      host.tail = []
      host.cache.sharedJoined(incarnation: incarnation, base: base, number: number, now: host.now)
      host.fetched = host.cache.sharedPosition?.seen ?? 0
      trace.note("\(time) host \(host.number) joined at \(incarnation)-\(number)")
    case .groups(let incarnation, let clears):
      guard case .groups(let ns) = command.asked else { return }
      if incarnation != command.known {
        hangUp(host)
      } else {
        host.cache.sharedGroups(ns, clears, otherTags: (0, 0))
      }
    case .read(let read):
      guard case .read(let flight, _, _) = command.asked else { return }
      if case .value(let value, _) = read, let flying = host.cache.shared.flights[flight],
        flying.cover > value.birth.number
      {
        counts.covered += 1
      }
      host.cache.sharedReplied(flight: flight, read, now: host.now)
    case .change(let outcome):
      guard case .change(let number, _, _) = command.asked else { return }
      host.cache.sharedReplied(change: number, outcome, now: host.now)
      switch outcome {
      case .done, .conflict: settled(command, host)
      case .refused: hangUp(host)
      case .lost: break
      }
    case .filled(let isPassed, let isStored):
      if isPassed {
        Self.lose(command, host)
        hangUp(host)
      } else if !isStored, case .fill(let ns, let value, let lease?) = command.asked {
        host.cache.sharedRefused(fillOf: ns, value.key, lease)
      }
    case .claimed(let outcome, let last, let isRefused):
      guard case .claim(let number, _, _, _, _) = command.asked else { return }
      host.cache.sharedReplied(claim: number, outcome, at: last, now: host.now)
      if isRefused { hangUp(host) }
      if outcome == .won { counts.claims += 1 }
      if case .elsewhere = outcome { counts.claimsElsewhere += 1 }
    case .released: break
    case .barrier(let records, let floor):
      guard case .barrier(let number, _, _) = command.asked else { return }
      let own = records.map { entry in
        var record = entry.record
        record.isOwn = entry.boot == host.boot
        return record
      }
      host.cache.sharedBarrier(number, own, floor: floor, now: host.now)
    case .inspected(let found):
      guard case .inspect(let number, _, _) = command.asked else { return }
      host.cache.sharedInspected(number, found, now: host.now)
    case .conditional(let outcome):
      guard case .setIf(let number, _, _, _, _) = command.asked else { return }
      host.cache.sharedReplied(conditional: number, outcome, now: host.now)
      if case .done = outcome { counts.conditional += 1 }
      if outcome == .refused { hangUp(host) }
    }
    try settle(host)
  }

  private func settled(_ command: WorldConnection.Command, _ host: WorldHost) {
    guard case .change(_, _, let change) = command.asked else { return }
    for op in command.ops {
      if op.settledAt == nil { op.settledAt = time }
      for part in change.scope.parts { host.queued[part]?.removeAll { $0 === op } }
    }
  }

  // MARK: The log

  func isNews(_ record: SharedRecord, to host: WorldHost) -> Bool {
    let incarnation = host.position.incarnation
    if record.incarnation != incarnation { return incarnation != 0 && record.incarnation > incarnation }
    return record.number > host.fetched
  }

  mutating func fetchTail(_ host: WorldHost) {
    let start = redis.log.lastIndex { !isNews($0.record, to: host) }.map { $0 + 1 } ?? 0
    for entry in redis.log[start...] {
      host.tail.append(entry)
      host.fetched = entry.record.incarnation == host.position.incarnation ? entry.record.number : .max
    }
  }

  mutating func deliverRecord(_ host: WorldHost) throws(PromiseBroken) {
    let entry = host.tail.remove(at: 0)
    var record = entry.record
    record.isOwn = entry.boot == host.boot
    trace.note("\(time) host \(host.number) is told \(record.incarnation)-\(record.number) \(record.kind)")
    if !host.cache.sharedRecords([record], now: host.now) {
      trace.note("\(time) host \(host.number) sees a hole")
      hangUp(host)
    }
    try settle(host)
  }

  // MARK: Bad days

  mutating func fault() throws(PromiseBroken) {
    faultBudget -= 1
    let host = hosts[random.below(hosts.count)]
    let fault = faults[random.below(faults.count)]
    trace.note("\(time) host \(host.number): \(fault)")
    switch fault {
    case .breakLink: hangUp(host, ghost: true)
    case .restart: restart(host)
    case .trim: redis.trim(random.below(redis.log.count + 1))
    case .timeout:
      host.hasHadTrouble = true
      host.now += 101
      host.cache.upkeep(entries: 2, now: host.now)
    case .suspend:
      if host.isJoined, !host.isSuspended {
        host.isSuspended = true
        host.hasHadTrouble = true
        host.cache.sharedSuspended(now: host.now)
      }
    case .replicate: replica = redis
    case .lose: redis.lose(ModelRedis.Loss.allCases[random.below(ModelRedis.Loss.allCases.count)])
    case .failover: failover()
    case .evict: withBytes(WorldKeys.names[random.below(WorldKeys.names.count)]) { host.evict($0) }
    }
    for host in hosts { try settle(host) }
  }

  mutating func resume(_ host: WorldHost) throws(PromiseBroken) {
    host.isSuspended = false
    host.cache.sharedResumed(now: host.now)
    trace.note("\(time) host \(host.number) finds its Redis alive")
    try settle(host)
  }

  private mutating func restart(_ host: WorldHost) {
    hangUp(host, ghost: true)
    hasLostLeases = true
    // Also what a newer change has taken out of the queue, and was to carry out.
    for op in ops where op.host == host.number && (op.isQueued || op.answeredAt == nil) && !op.isRecorded {
      op.isLost = true
    }
    loads.removeAll { $0.host == host.number }
    bury(host)
    boot(host.number)
  }

  /// What had not been told when a later change of the same host took it in was told with that one alone.
  private func loseTakenIn(by lost: WorldOp) {
    for op in ops where op.host == lost.host && op.id < lost.id && op.answeredAt != nil && !op.isRecorded {
      let isTakenIn = op.versions.indices.allSatisfy { op.versions[$0] == 0 || lost.versions[$0] > op.versions[$0] }
      if isTakenIn { op.isLost = true }
    }
  }

  private mutating func failover() {
    guard replica.incarnation != nil else { return }
    hasLostLeases = true
    let old = redis.done
    redis = replica
    runs += 1
    redis.run = runs
    replica = redis
    for op in ops {
      let isAhead = op.records.contains { $0.map { $0.number > redis.number } ?? false }
      if old.contains(op.id) && !redis.done.contains(op.id) || isAhead {
        op.isLost = true
        op.records = [nil, nil, nil]
        loseTakenIn(by: op)
      }
    }
    for connection in connections { connection.commands = [] }
    for host in hosts { hangUp(host) }
    sweep()
  }
}

extension WorldHost {
  /// Memory gives up a value, as when it is full.
  fileprivate func evict(_ name: UnsafeRawBufferPointer) {
    let link = cache.tier.find(0, name, cache.tier.keyHash(name))
    if link != 0 { cache.tier.remove(link, .evicted(.memory), now: now) }
  }
}
