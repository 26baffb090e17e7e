// Redis as far as the scripts' promises go: each command is one step. What a server would do with bytes is left out.

@testable import PannierCore

/// A value type, so that a replica is a copy.
struct ModelRedis {
  var run = 1
  private var floorRun = 1
  /// Nil: the floor is lost.
  private(set) var incarnation: UInt64?
  private var base: UInt64 = 1
  private(set) var number: UInt64 = 0
  private(set) var log: [(record: SharedRecord, boot: Int)] = []
  private var floors: [Int: UInt64] = [:]
  private var namespaceFloor: UInt64 = 0
  private var groups: [SharedScope: UInt64] = [:]
  private var values: [[UInt8]: SharedValue] = [:]
  /// Loads of keys, for all hosts: the token, or why nobody is to load.
  private var leases: [[UInt8]: Lease] = [:]
  /// The registered connection of each host's process.
  private var hosts: [Int: Int] = [:]
  /// Ops whose change was carried out.
  private(set) var done: Set<Int> = []
  /// To judge by, and never lost: the record of each key's last change in this incarnation.
  private var lastChanges: [[UInt8]: UInt64] = [:]

  /// To judge by, and never lost: where in the log each key's newest pause began.
  private(set) var pauses: [[UInt8]: LogPosition] = [:]

  private enum Lease { case held(LeaseToken), paused(PauseReason, at: LogPosition) }

  enum Reply {
    case joined(incarnation: UInt64, base: UInt64, number: UInt64)
    case groups(incarnation: UInt64, [(scope: SharedScope, number: UInt64, soft: Bool)])
    case read(SharedRead)
    case change(SharedReply)
    case filled(isPassed: Bool, isStored: Bool)
    case inspected(SharedInspection)
    case barrier([(record: SharedRecord, boot: Int)], floor: (incarnation: UInt64, number: UInt64)?)
    case conditional(SharedConditionalReply)
    case claimed(SharedClaimReply, at: UInt64, isRefused: Bool = false)
    case released
  }

  /// The first step of a connection, and of whoever asks for the groups: what was lost is made known before they are read.
  /// Incarnations are never used twice, whatever copy of it gives them.
  mutating func join(lastIncarnation: inout UInt64) {
    if incarnation == nil {
      lastIncarnation += 1
      incarnation = lastIncarnation
      base = lastIncarnation
      number = 0
      floorRun = run
      groups = [:]
      append(.open, .keys([]), by: Self.nobody)
    } else if namespaceFloor > 0, groups.isEmpty {
      append(.clear, .all, by: Self.nobody)
      namespaceFloor = number
      groups[.all] = number
    }
    if floorRun != run {
      lastIncarnation += 1
      incarnation = lastIncarnation
      floorRun = run
      append(.open, .keys([]), by: Self.nobody)
    }
  }

  mutating func join(boot: Int, connection: Int, lastIncarnation: inout UInt64) -> Reply {
    join(lastIncarnation: &lastIncarnation)
    hosts[boot] = connection
    return .joined(incarnation: incarnation ?? 0, base: base, number: number)
  }

  mutating func carryOut(
    _ command: SharedCommand, known: UInt64, boot: Int, connection: Int, op: Int?, lastIncarnation: inout UInt64
  ) -> Reply {
    switch command {
    case .read(_, _, let key):
      return .read(values[key].map { .value($0, leftMilliseconds: nil) } ?? .nothing)
    case .barrier(_, let from, let seen):
      let records = log.filter { entry in
        let record = entry.record
        return record.incarnation > from || record.incarnation == from && record.number > seen
      }
      return .barrier(records, floor: incarnation.map { ($0, number) })
    case .inspect(_, _, let key):
      let read = values[key].map { SharedRead.value($0, leftMilliseconds: nil) } ?? .nothing
      return .inspected(SharedInspection(read: read, front: front(key)))
    case .setIf(_, _, let value, let front, let seen):
      guard incarnation == known, hosts[boot] == connection else { return .conditional(.refused) }
      guard front == self.front(value.key), namespaceFloor <= seen else {
        return .conditional(.changed(number: number))
      }
      guard
        case .done(let reached, _) = carryOut(
          .set(value, guardNumber: nil), by: Sender(boot: boot, connection: connection, op: op, command: 0))
      else { return .conditional(.refused) }
      return .conditional(.done(number: reached))
    case .touch: return .conditional(.refused)
    case .groups(let ns):
      join(lastIncarnation: &lastIncarnation)
      // Nobody clears every namespace there is.
      if ns.isEmpty { return .groups(incarnation: incarnation ?? 0, []) }
      return .groups(incarnation: incarnation ?? 0, groups.map { ($0.key, $0.value, false) })
    case .fill(_, let value, let token):
      guard incarnation == value.birth.incarnation else { return .filled(isPassed: true, isStored: false) }
      guard floors[slot(value.key)] ?? 0 <= value.birth.number else { return .filled(isPassed: false, isStored: false) }
      if let token {
        guard holds(value.key, token) else { return .filled(isPassed: false, isStored: true) }
        endLease(value.key, by: Sender(boot: boot, connection: connection, op: nil, command: 0))
      }
      values[value.key] = value
      return .filled(isPassed: false, isStored: true)
    case .claim(_, _, let key, let token, _):
      guard incarnation == known, hosts[boot] == connection else { return .claimed(.unknown, at: 0, isRefused: true) }
      switch leases[key] {
      case .held: return .claimed(.elsewhere(leftMilliseconds: Self.leaseMilliseconds), at: number)
      case .paused(let reason, let paused) where paused.incarnation == known && namespaceFloor <= paused.number:
        return .claimed(.paused(reason, leftMilliseconds: Self.leaseMilliseconds), at: number)
      case nil, .paused:
        leases[key] = .held(token)
        return .claimed(.won, at: number)
      }
    case .release(_, let key, let token, let pause, _):
      if incarnation == known, holds(key, token) {
        endLease(key, by: Sender(boot: boot, connection: connection, op: nil, command: 0))
        if let pause {
          pauses[key] = (known, number)
          leases[key] = .paused(pause, at: (known, number))
        }
      }
      return incarnation == known ? .released : .filled(isPassed: true, isStored: false)
    case .change(let number, _, let change):
      guard incarnation == known else { return .change(.refused) }
      return .change(
        carryOut(change, by: Sender(boot: boot, connection: connection, op: op, command: number)))
    }
  }

  /// Whose change it is, and the number that it has there.
  private struct Sender {
    let boot: Int
    let connection: Int
    let op: Int?
    let command: UInt64
  }

  private static let nobody = Sender(boot: -1, connection: -1, op: nil, command: 0)

  private mutating func carryOut(_ change: SharedChange, by sender: Sender) -> SharedReply {
    switch change {
    case .set(var value, let guardNumber):
      guard hosts[sender.boot] == sender.connection else { return .refused }
      if let op = sender.op { done.insert(op) }
      let slot = slot(value.key)
      if let guardNumber, max(floors[slot] ?? 0, namespaceFloor) > guardNumber {
        append(.delete, .keys([value.key]), by: sender)
        leases[value.key] = nil
        floors[slot] = number
        values[value.key] = nil
        return .conflict(number: number)
      }
      append(.set, .keys([value.key]), by: sender)
      leases[value.key] = nil
      floors[slot] = number
      value.birth = Birth(incarnation: incarnation ?? 0, number: number)
      values[value.key] = value
      return .done(number: number, count: 0)
    case .delete(let keys), .soften(let keys, _):
      if let op = sender.op { done.insert(op) }
      append(.delete, .keys(keys), by: sender)
      var count = 0
      for key in keys {
        floors[slot(key)] = number
        leases[key] = nil
        if values.removeValue(forKey: key) != nil { count += 1 }
      }
      return .done(number: number, count: count)
    case .clear(let scope, _):
      if let op = sender.op { done.insert(op) }
      append(.clear, scope, by: sender)
      namespaceFloor = number
      groups[scope] = number
      return .done(number: number, count: 0)
    }
  }

  static let leaseMilliseconds: Int64 = 400

  func isHeld(_ key: [UInt8]) -> Bool { if case .held = leases[key] { true } else { false } }

  func holds(_ key: [UInt8], _ token: LeaseToken) -> Bool {
    if case .held(token) = leases[key] { true } else { false }
  }

  private mutating func endLease(_ key: [UInt8], by sender: Sender) {
    leases[key] = nil
    append(.filled, .keys([key]), by: sender)
  }

  /// So much time has passed that none stands any more.
  mutating func expireLeases() { leases = [:] }

  private mutating func append(_ kind: SharedRecord.Kind, _ scope: SharedScope, by sender: Sender) {
    number += 1
    if kind == .open { lastChanges = [:] }
    if case .keys(let keys) = scope, kind != .filled { for key in keys { lastChanges[key] = number } }
    log.append(
      (
        SharedRecord(
          incarnation: incarnation ?? 0, number: number, kind: kind, ns: Self.namespace, scope: scope, isOwn: false,
          op: sender.command),
        sender.boot
      ))
  }

  /// Somebody has joined it since it came back older: until then its incarnation says nothing of that.
  var isJoined: Bool { floorRun == run }

  func lastChange(of key: [UInt8]) -> UInt64 { lastChanges[key] ?? 0 }

  /// Versions are never used twice.
  private func front(_ key: [UInt8]) -> [UInt8] { values[key].map { Array("\($0.version)".utf8) } ?? [] }

  private static let namespace = Array("a".utf8)

  /// Two keys in three share one.
  private func slot(_ key: [UInt8]) -> Int { Int(key.last ?? 0) % 2 }

  // MARK: Bad days

  mutating func trim(_ count: Int) { log.removeFirst(min(count, log.count)) }

  enum Loss: CaseIterable { case floor, groups, log, all }

  mutating func lose(_ what: Loss) {
    if what == .floor || what == .all {
      floors = [:]
      namespaceFloor = 0
      incarnation = nil
      hosts = [:]
    }
    if what == .groups || what == .all { groups = [:] }
    if what == .log || what == .all { log = [] }
    if what == .all {
      values = [:]
      leases = [:]
    }
  }
}
