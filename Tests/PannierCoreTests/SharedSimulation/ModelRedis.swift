// Redis as far as the scripts' promises go: each command is one step. What a server would do with bytes is left out.

@testable import PannierCore

/// A value type, so that a replica is a copy.
struct ModelRedis {
  struct Stored {
    var value: SharedValue
  }

  var run = 1
  private var floorRun = 1
  /// Nil: the floor is lost.
  private(set) var incarnation: UInt64?
  private var base: UInt64 = 1
  private(set) var number: UInt64 = 0
  private(set) var log: [(record: SharedRecord, host: Int)] = []
  private var floors: [Int: UInt64] = [:]
  private var namespaceFloor: UInt64 = 0
  private var groups: [SharedScope: UInt64] = [:]
  private var values: [[UInt8]: SharedValue] = [:]
  /// Each host's registered connection.
  private var hosts: [Int: Int] = [:]
  /// Ops whose change was carried out.
  private(set) var done: Set<Int> = []

  enum Reply {
    case joined(incarnation: UInt64, base: UInt64, number: UInt64)
    case groups(incarnation: UInt64, [(scope: SharedScope, number: UInt64, soft: Bool)])
    case read(SharedRead)
    case change(SharedReply)
    case filled(isPassed: Bool)
    case inspected(SharedInspection)
    case barrier([SharedRecord], floor: (incarnation: UInt64, number: UInt64)?)
    case conditional(SharedConditionalReply)
  }

  /// Incarnations are never used twice, whatever copy of it gives them.
  mutating func join(host: Int, connection: Int, lastIncarnation: inout UInt64) -> Reply {
    if incarnation == nil {
      lastIncarnation += 1
      incarnation = lastIncarnation
      base = lastIncarnation
      number = 0
      floorRun = run
      groups = [:]
      append(.open, .keys([]), host: -1)
    } else if namespaceFloor > 0, groups.isEmpty {
      append(.clear, .all, host: -1)
      namespaceFloor = number
      groups[.all] = number
    }
    if floorRun != run {
      lastIncarnation += 1
      incarnation = lastIncarnation
      floorRun = run
      append(.open, .keys([]), host: -1)
    }
    hosts[host] = connection
    return .joined(incarnation: incarnation ?? 0, base: base, number: number)
  }

  mutating func carryOut(_ command: SharedCommand, known: UInt64, host: Int, connection: Int, op: Int?) -> Reply {
    switch command {
    case .read(_, _, let key):
      return .read(values[key].map { .value($0, leftMilliseconds: nil) } ?? .nothing)
    case .barrier(_, _, let seen):
      let records = log.filter { $0.record.incarnation == known && $0.record.number > seen }.map(\.record)
      return .barrier(records, floor: incarnation.map { ($0, number) })
    case .inspect(_, _, let key):
      let read = values[key].map { SharedRead.value($0, leftMilliseconds: nil) } ?? .nothing
      return .inspected(SharedInspection(read: read, front: front(key)))
    case .setIf(_, _, let value, let front, let seen):
      guard incarnation == known, hosts[host] == connection else { return .conditional(.refused) }
      guard front == self.front(value.key), namespaceFloor <= seen else {
        return .conditional(.changed(number: number))
      }
      guard
        case .done(let number, _) = carryOut(.set(value, guardNumber: nil), host: host, connection: connection, op: op)
      else { return .conditional(.refused) }
      return .conditional(.done(number: number))
    case .touch: return .conditional(.refused)
    case .groups:
      return .groups(incarnation: incarnation ?? 0, groups.map { ($0.key, $0.value, false) })
    case .fill(_, let value):
      guard incarnation == value.birth.incarnation else { return .filled(isPassed: true) }
      if floors[slot(value.key)] ?? 0 <= value.birth.number { values[value.key] = value }
      return .filled(isPassed: false)
    case .change(_, _, let change):
      guard incarnation == known else { return .change(.refused) }
      return .change(carryOut(change, host: host, connection: connection, op: op))
    }
  }

  private mutating func carryOut(_ change: SharedChange, host: Int, connection: Int, op: Int?) -> SharedReply {
    switch change {
    case .set(var value, let guardNumber):
      guard hosts[host] == connection else { return .refused }
      if let op { done.insert(op) }
      let slot = slot(value.key)
      if let guardNumber, max(floors[slot] ?? 0, namespaceFloor) > guardNumber {
        append(.delete, .keys([value.key]), host: host)
        floors[slot] = number
        values[value.key] = nil
        return .conflict(number: number)
      }
      append(.set, .keys([value.key]), host: host)
      floors[slot] = number
      value.birth = Birth(incarnation: incarnation ?? 0, number: number)
      values[value.key] = value
      return .done(number: number, count: 0)
    case .delete(let keys), .soften(let keys, _):
      if let op { done.insert(op) }
      append(.delete, .keys(keys), host: host)
      var count = 0
      for key in keys {
        floors[slot(key)] = number
        if values.removeValue(forKey: key) != nil { count += 1 }
      }
      return .done(number: number, count: count)
    case .clear(let scope, _):
      if let op { done.insert(op) }
      append(.clear, scope, host: host)
      namespaceFloor = number
      groups[scope] = number
      return .done(number: number, count: 0)
    }
  }

  private mutating func append(_ kind: SharedRecord.Kind, _ scope: SharedScope, host: Int) {
    number += 1
    log.append(
      (
        SharedRecord(
          incarnation: incarnation ?? 0, number: number, kind: kind, ns: Array("a".utf8), scope: scope, isOwn: false),
        host
      ))
  }

  /// Versions are never used twice.
  private func front(_ key: [UInt8]) -> [UInt8] { values[key].map { Array("\($0.version)".utf8) } ?? [] }

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
    if what == .all { values = [:] }
  }
}
