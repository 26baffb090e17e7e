// A host that writes behind, and a Redis that answers as a test wants.

import Testing

@testable import PannierCore

/// It has joined.
final class Behind {
  let subject = Subject()
  /// The last number given.
  var number: UInt64 = 10

  init(_ policy: (inout Policy) -> Void = { _ in }) throws {
    subject.cache = Cache(memoryBytes: 64 << 20, namespaceLimit: 4, seed: 1, sharedTimeoutMilliseconds: 100)
    try subject.add("n") {
      $0.write = .behind
      $0.lifetimes.staleMilliseconds = 1000
      policy(&$0)
    }
    subject.cache.sharedJoined(incarnation: 1, base: 1, number: number, now: subject.now)
    _ = subject.cache.takeSharedCommands()
  }

  var now: Int64 { subject.now }
  var isDrained: Bool { subject.cache.isSharedDrained }
  var nextDeadline: Int64? { subject.cache.nextDeadline }
  var standing: (pending: Int, since: Int64?, waiting: Int) { subject.cache.behind }

  @discardableResult
  func set(_ key: String, _ value: String = "1") -> ChangeTicket {
    withBytes(of: [key, value]) {
      subject.cache.setShared(0, Cache.NewValue(key: $0[0], value: $0[1]), by: subject.caller, now: now)
    }
  }

  func delete(_ keys: String..., soft: Bool = false) {
    _ = subject.cache.deleteShared(0, keys.map { Array($0.utf8) }, soft: soft, by: subject.caller, now: now)
  }

  func touch(_ key: String) {
    withBytes(key) {
      _ = subject.cache.touchShared(0, $0, .policy, staleMilliseconds: nil, by: subject.caller, now: now)
    }
  }

  /// Moves the clock, and does what is due.
  /// Memory has lost the key, and somebody loads it anew.
  func load(_ key: String, _ value: String) {
    let asker = Asker(owner: 1, caller: subject.caller)
    withBytes(of: [key, value]) { texts in
      let link = subject.cache.tier.find(0, texts[0], subject.cache.tier.keyHash(texts[0]))
      subject.cache.tier.remove(link, .evicted(.memory), now: now)
      let step = subject.cache.get(0, texts[0], Cache.ReadOptions(lease: true), by: asker, now: now)
      guard case .granted(let token, nil) = step else {
        Issue.record("\(step)")
        return
      }
      let new = Cache.NewValue(key: texts[0], value: texts[1], lease: token)
      #expect(subject.cache.set(0, new, by: subject.caller, now: now) == .stored)
    }
  }

  func pass(_ milliseconds: Int64) {
    subject.now += milliseconds
    subject.cache.upkeep(entries: 100, now: now)
  }

  /// The changes sent since this was called last, in words.
  func sent() -> [String] { commands().map(\.text) }

  /// How often the log was asked for. Nothing else may have been.
  func barriers() -> Int {
    let commands = subject.cache.takeSharedCommands()
    let count = commands.count { if case .barrier = $0 { true } else { false } }
    #expect(count == commands.count)
    return count
  }

  func commands() -> [(number: UInt64, text: String)] {
    subject.cache.takeSharedCommands().compactMap { command in
      guard case .change(let number, _, let change) = command else { return nil }
      return (number, Self.text(change))
    }
  }

  private static func text(_ change: SharedChange) -> String {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    return switch change {
    case .set(let value, let guardNumber):
      "\(text(value.key))=\(text(value.value)) \(guardNumber.map { "\($0)" } ?? "-")"
    case .delete(let keys): "delete \(keys.map(text).joined(separator: ","))"
    case .soften(let keys, _): "soften \(keys.map(text).joined(separator: ","))"
    case .clear: "clear"
    }
  }

  /// Redis has carried them out; `log`: the log has brought that.
  func answer(_ sent: [(number: UInt64, text: String)], log: Bool = true) {
    for command in sent {
      number += 1
      subject.cache.sharedReplied(change: command.number, .done(number: number, count: 0), now: now)
    }
    if log { catchUp() }
  }

  func catchUp(_ foreign: (number: UInt64, key: String)? = nil) {
    let seen = subject.cache.sharedPosition?.seen ?? 0
    guard seen < number else { return }
    _ = subject.cache.sharedRecords(
      (seen + 1...number).map { number in
        let isForeign = foreign?.number == number
        return SharedRecord(
          incarnation: 1, number: number, kind: isForeign ? .set : .open, ns: Array("n".utf8),
          scope: .keys([Array((foreign?.key ?? "").utf8)]), isOwn: !isForeign)
      }, now: now)
  }

  func outcomes() -> [SharedOutcome] { subject.cache.takeSharedOutcomes() }

  func shows(_ key: String) -> String? {
    withBytes(key) { bytes in
      guard
        case .hit(let hit) = subject.cache.get(
          0, bytes, Cache.ReadOptions(), by: Asker(owner: 1, caller: subject.caller), now: now)
      else { return nil }
      return String(decoding: hit.value, as: UTF8.self)
    }
  }

  /// All that waits is due.
  func due() -> [(number: UInt64, text: String)] {
    pass(100)
    return commands()
  }
}
