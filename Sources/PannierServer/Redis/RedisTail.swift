// The connection that waits for the log, and hands its records to the cache in their order. It knows nothing of values.

import PannierCore
import PannierDispatch
import PannierWire

final class RedisTail {
  /// The most records of one reply: beyond, the log is read on at once.
  static let recordsAtOnce = 1000

  private unowned let tier: RedisTier
  private let address: RedisAddress
  private let connection: RedisConnection

  init(_ tier: RedisTier, _ address: RedisAddress, loop: EventLoop) {
    self.tier = tier
    self.address = address
    var limits = tier.limits
    // It is asked to wait.
    limits.silenceMilliseconds += UInt64(tier.settings.beatMilliseconds)
    connection = RedisConnection(loop: loop, limits: limits) { [weak tier] end in
      guard end != .closed else { return }
      tier?.count(end.word)
      tier?.tailEnded(end.description)
    }
  }

  func start() {
    connection.connect(
      to: address, name: "pannier-log", timeoutMilliseconds: UInt64(tier.settings.connectTimeoutMilliseconds)
    ) { [weak self] in self?.join() }
  }

  func close() { connection.close() }

  /// So that it is known to be the same Redis that the other connection has.
  private func join() {
    let known = tier.dispatcher.cache.sharedPosition?.incarnation ?? 0
    RedisHandshake(connection, tier.writer, isCommandConnection: false, 0, known: known).run { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let joined) where joined.incarnation == tier.dispatcher.cache.sharedPosition?.incarnation: follow()
      case .success: tier.rejoin("the log's connection found another incarnation")
      case .failure(let why): fail(why.reason)
      }
    }
  }

  private func follow() {
    guard let position = tier.dispatcher.cache.sharedPosition else { return }
    let sentAt = tier.dispatcher.now
    let command = tier.writer.follow(
      after: RecordID(incarnation: position.incarnation, number: position.seen), count: Self.recordsAtOnce,
      blockMilliseconds: tier.settings.beatMilliseconds)
    connection.send(command) { [weak self] in self?.received($0, sentAt) }
  }

  private func received(_ reply: RedisReply, _ sentAt: Int64) {
    switch reply {
    case .lost: return
    case .error(let error):
      tier.count(error.code.rawValue)
      return fail("answered \(error)")
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
    if records.count < Self.recordsAtOnce { tier.proved(at: sentAt) }
    follow()
  }

  /// Another connection may do better.
  private func fail(_ why: String) {
    connection.close()
    tier.tailEnded(why)
  }

  /// A log that was lost brings nothing, either: that nothing came proves something only while the floor says so.
  private func checkFloor(_ sentAt: Int64) {
    connection.send(tier.writer.floor()) { [weak self] reply in
      guard let self, reply != .lost else { return }
      guard RedisReader.floor(reply)?.incarnation == tier.writer.incarnation else {
        return tier.rejoin("the log has another incarnation")
      }
      tier.proved(at: sentAt)
      follow()
    }
  }
}
