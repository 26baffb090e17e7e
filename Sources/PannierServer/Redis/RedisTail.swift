// The connection that waits for the log, and hands its records to the cache in their order. It knows nothing of values.

import PannierCore
import PannierWire

final class RedisTail {
  /// The most records of one reply: beyond, the log is read on at once.
  static let recordsAtOnce = 1000

  private unowned let tier: RedisTier
  private let address: RedisAddress
  private let connection: RedisConnection
  /// The time when an answer proved that nothing newer was there, in milliseconds.
  private(set) var provenAt: Int64?
  private let silenceTimer: LoopTimer

  init(_ tier: RedisTier, _ address: RedisAddress, loop: EventLoop) {
    self.tier = tier
    self.address = address
    silenceTimer = LoopTimer(on: loop)
    silenceTimer.action = { [weak tier] in tier?.rejoin("the log's connection is silent") }
    connection = RedisConnection(loop: loop) { [weak tier] end in
      if end != .closed { tier?.tailEnded(end) }
    }
  }

  func start() {
    connection.connect(
      to: address, name: "pannier-log", timeoutMilliseconds: UInt64(tier.settings.connectTimeoutMilliseconds)
    ) { [weak self] in self?.join() }
  }

  func close() {
    silenceTimer.stop()
    connection.close()
  }

  deinit { silenceTimer.close() }

  /// So that it is known to be the same Redis that the other connection has.
  private func join() {
    let known = tier.dispatcher.cache.sharedPosition?.incarnation ?? 0
    RedisHandshake(connection, tier.writer, isCommandConnection: false, 0, known: known).run { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let joined) where joined.incarnation == tier.dispatcher.cache.sharedPosition?.incarnation: follow()
      case .success: tier.rejoin("the log's connection found another incarnation")
      case .failure(let why): tier.rejoin("the log's connection: \(why.reason)")
      }
    }
  }

  private func follow() {
    guard let position = tier.dispatcher.cache.sharedPosition else { return }
    let sentAt = tier.dispatcher.now
    let command = tier.writer.follow(
      after: RecordID(incarnation: position.incarnation, number: position.seen), count: Self.recordsAtOnce,
      blockMilliseconds: tier.settings.beatMilliseconds)
    silenceTimer.start(
      milliseconds: UInt64(tier.settings.beatMilliseconds) + RedisTier.silenceMilliseconds)
    connection.send(command) { [weak self] in self?.received($0, sentAt) }
  }

  private func received(_ reply: RedisReply, _ sentAt: Int64) {
    switch reply {
    case .lost: return
    case .error(let error): return tier.rejoin("the log was answered with \(error)")
    default: break
    }
    guard let records = RedisReader.records(reply, boot: tier.writer.boot) else {
      tier.dispatcher.cache.sharedGap()
      return tier.rejoin("the log has a record that can't be read")
    }
    tier.beginReply()
    let isWhole = tier.dispatcher.cache.sharedRecords(records, now: tier.dispatcher.now)
    tier.endReply()
    guard isWhole else { return tier.rejoin("the log has a hole") }
    if records.isEmpty { return checkFloor(sentAt) }
    if records.count < Self.recordsAtOnce { prove(sentAt) }
    follow()
  }

  private func prove(_ sentAt: Int64) {
    provenAt = sentAt
    tier.dispatcher.cache.sharedProven(at: sentAt, bound: tier.settings.proofMilliseconds)
  }

  /// A log that was lost brings nothing, either: that nothing came proves something only while the floor says so.
  private func checkFloor(_ sentAt: Int64) {
    connection.send(tier.writer.floor()) { [weak self] reply in
      guard let self, reply != .lost else { return }
      guard RedisReader.floor(reply)?.incarnation == tier.writer.incarnation else {
        return tier.rejoin("the log has another incarnation")
      }
      prove(sentAt)
      follow()
    }
  }
}
