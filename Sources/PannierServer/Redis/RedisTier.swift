// The shell around the shared tier: keeps the connections to Redis, carries the cache's commands there and what is answered back.
// It decides nothing about values; that is the cache's.

import CUV
import Logging
import PannierCore
import PannierDispatch
import PannierWire

/// Two connections: one for commands, which are answered in their order, and one that waits for the log. What walks through
/// Redis after clears has its own.
final class RedisTier {
  /// How soon a connection is tried again, and the most that grows to, in milliseconds.
  private static let firstPauseMilliseconds: UInt64 = 100
  private static let longestPauseMilliseconds: UInt64 = 1000

  let settings: RedisSettings
  /// Of each connection.
  let limits: RedisConnection.Limits
  let dispatcher: Dispatcher
  private let loop: EventLoop
  private let log: Logger
  private(set) var address: RedisAddress
  private let retryTimer: LoopTimer
  private let tailTimer: LoopTimer
  let probeTimer: LoopTimer
  var commands: RedisConnection?
  private var tail: RedisTail?
  var walk: RedisWalk?
  let packer: PayloadPacker
  var line = ChangeLine()
  var breaker = RedisBreaker()
  /// Of commands, that the breaker knows of.
  var timeoutsSeen = 0
  private var pauseMilliseconds = RedisTier.firstPauseMilliseconds
  private var tailPauseMilliseconds = RedisTier.firstPauseMilliseconds
  private var isStopped = false
  /// What it can't be used for, as it was logged last, and what its log can't be followed for.
  private var loggedReason: String?
  private var loggedTailReason: String?
  /// As it was warned of last.
  private var loggedEviction: String?
  /// The time when an answer proved that nothing newer was in the log, in milliseconds.
  private var provenAt: Int64?
  private(set) var state = State.connecting
  /// When that began, in milliseconds.
  private(set) var since: Int64 = 0
  private(set) var roundTrips = DelayHistogram()
  private(set) var errorCounts: [String: Int] = [:]
  /// Whose connection it is: a number that only grows, over this boot's id.
  private(set) var connectionNumber: UInt64 = 0
  let writer: RedisWriter

  enum State: String { case connecting, joining, up, suspended, down }

  init(_ settings: RedisSettings, _ address: RedisAddress, dispatcher: Dispatcher, loop: EventLoop, log: Logger) {
    self.settings = settings
    self.address = address
    self.dispatcher = dispatcher
    self.loop = loop
    self.log = log
    var limits = RedisConnection.Limits()
    limits.silenceMilliseconds += UInt64(settings.timeoutMilliseconds)
    self.limits = limits
    retryTimer = LoopTimer(on: loop)
    tailTimer = LoopTimer(on: loop)
    probeTimer = LoopTimer(on: loop)
    // A line's own object is a level, too.
    packer = PayloadPacker(on: loop, nesting: dispatcher.limits.nesting - 1)
    writer = RedisWriter(names: RedisNames(prefix: Array(settings.prefix.utf8)), logRecords: settings.logRecords)
    retryTimer.action = { [unowned self] in connect() }
    tailTimer.action = { [unowned self] in followLog() }
    probeTimer.action = { [unowned self] in probe() }
  }

  func start() {
    walk = RedisWalk(self, loop: loop)
    connect()
  }

  func stop() {
    isStopped = true
    retryTimer.close()
    tailTimer.close()
    probeTimer.close()
    commands?.close()
    tail?.close()
    tail = nil
    walk?.pause()
    walk = nil
  }

  // MARK: Connecting

  private func connect() {
    guard !isStopped, commands == nil else { return }
    enter(.connecting)
    // Each time anew: whoever changes the password changes the file.
    do throws(ConfigurationFaults) {
      address = address.account(user: settings.user, password: try settings.currentPassword())
    } catch {
      note("redis.password_file: \(error.oneLine)")
      return retry()
    }
    connectionNumber += 1
    let number = connectionNumber
    let connection = RedisConnection(loop: loop, limits: limits) { [weak self] end in self?.ended(number, end) }
    commands = connection
    connection.connect(
      to: address, name: "pannier", timeoutMilliseconds: UInt64(settings.connectTimeoutMilliseconds)
    ) { [weak self] in self?.join(connection) }
  }

  private func join(_ connection: RedisConnection) {
    enter(.joining)
    RedisHandshake(connection, writer, isCommandConnection: true, connectionNumber, known: incarnation).run {
      [weak self] result in
      guard let self, connection === commands else { return }
      switch result {
      case .success(let joined): self.joined(joined)
      case .failure(let why):
        note(why.reason)
        connection.close()
      }
    }
  }

  var incarnation: UInt64 { dispatcher.cache.sharedPosition?.incarnation ?? 0 }

  private func joined(_ joined: RedisHandshake.Joined) {
    beginReply()
    writer.incarnation = joined.incarnation
    pauseMilliseconds = Self.firstPauseMilliseconds
    breaker.close()
    enter(.up)
    dispatcher.cache.sharedJoined(
      incarnation: joined.incarnation, base: joined.base, number: joined.number, now: dispatcher.now)
    noteUse("redis is there", ["log": "\(joined.incarnation)-\(joined.number)"])
    warnOfEviction()
    followLog()
    walk?.resume()
    endReply()
  }

  private func warnOfEviction() {
    guard writer.eviction != loggedEviction else { return }
    loggedEviction = writer.eviction
    guard let policy = writer.eviction else { return }
    log.warning(
      "redis may drop the log where it is full, and hosts then empty their memory",
      metadata: ["at": "\(address)", "maxmemory-policy": "\(policy)", "better": "volatile-lru"])
  }

  private func ended(_ number: UInt64, _ end: RedisEnd) {
    guard number == connectionNumber else { return }
    commands = nil
    line.clear()
    probeTimer.stop()
    tailTimer.stop()
    tail?.close()
    tail = nil
    walk?.pause()
    beginReply()
    dispatcher.cache.sharedLost(now: dispatcher.now)
    if !isStopped {
      if end != .closed {
        count(end.word)
        note(end.description)
      }
      retry()
    }
    endReply()
  }

  private func retry() {
    enter(.down)
    retryTimer.start(milliseconds: pauseMilliseconds.jittered)
    pauseMilliseconds = min(pauseMilliseconds * 2, Self.longestPauseMilliseconds)
  }

  /// Begins anew with whoever answers: this connection is not the host's any more, or what it knew has passed.
  func rejoin(_ why: String) {
    note(why)
    commands?.close()
  }

  private func followLog() {
    guard tail == nil, commands != nil else { return }
    tail = RedisTail(self, address, loop: loop)
    tail?.start()
  }

  /// The log's connection is gone. The one for commands goes on, since what it does depends on none: the log is taken up
  /// where it was left, and where that is not to be had the next tail finds it.
  func tailEnded(_ why: String) {
    tail = nil
    guard !isStopped, let commands else { return }
    if loggedTailReason != why {
      loggedTailReason = why
      log.warning("redis's log can't be followed", metadata: ["at": "\(address)", "why": "\(why)"])
    }
    tailTimer.start(milliseconds: tailPauseMilliseconds.jittered)
    tailPauseMilliseconds = min(tailPauseMilliseconds * 2, Self.longestPauseMilliseconds)
    // It may be as dead, with nothing in flight that would show it.
    commands.send([Array("PING".utf8)]) { _ in }
  }

  /// The log was followed to where it ended at that time.
  func proved(at time: Int64) {
    provenAt = time
    tailPauseMilliseconds = Self.firstPauseMilliseconds
    if loggedTailReason != nil {
      loggedTailReason = nil
      log.notice("redis's log is followed again", metadata: ["at": "\(address)"])
    }
    dispatcher.cache.sharedProven(at: time, bound: settings.proofMilliseconds)
  }

  func noteUse(_ what: String, _ more: Logger.Metadata = [:]) {
    loggedReason = nil
    log.notice("\(what)", metadata: more.merging(["at": "\(address)"]) { $1 })
  }

  func note(_ reason: String) {
    guard loggedReason != reason else { return }
    loggedReason = reason
    log.warning("redis can't be used", metadata: ["at": "\(address)", "why": "\(reason)"])
  }

  func noteWalk(_ reason: String) {
    log.warning("what clears made void stays in redis for now", metadata: ["at": "\(address)", "why": "\(reason)"])
  }

  var facts: RedisFacts {
    var facts = RedisFacts()
    facts.state = state.rawValue
    facts.since = since
    facts.reason = loggedReason ?? loggedTailReason
    facts.roundTripMicroseconds = (roundTrips.quantile(0.5), roundTrips.quantile(0.99))
    facts.errors = errorCounts
    facts.eviction = writer.eviction
    facts.walk = walk?.progress ?? RedisFacts.Walk()
    facts.boundMilliseconds = settings.proofMilliseconds
    facts.provenAgo = provenAt.map { dispatcher.now - $0 }
    return facts
  }

  func enter(_ new: State) {
    guard state != new else { return }
    state = new
    since = dispatcher.now
    guard dispatcher.isWatched else { return }
    dispatcher.tellWatchers(redis: new.rawValue, new == .down || new == .suspended ? loggedReason : nil)
    // A timer's turn writes nothing by itself.
    loop.wantsBackground = true
  }

  // MARK: Replies

  func received(_ reply: RedisReply, _ sentAt: UInt64, _ body: (RedisTier) -> Void) {
    beginReply()
    if case .error(let error) = reply { count(error.code.rawValue) }
    body(self)
    switch reply {
    case .lost: break
    case .error(let error): noteError(error, sentAt)
    default: noteReply(sentAt)
    }
    endReply()
  }

  private func noteReply(_ sentAt: UInt64) {
    roundTrips.record((uv_hrtime() - sentAt) / 1000)
    breaker.succeed()
  }

  private func noteError(_ error: RedisError, _ sentAt: UInt64) {
    if error.code.isOutage { return failed("answered \(error)") }
    noteReply(sentAt)
    if error.code.needsJoin { rejoin("answered \(error)") }
  }

  func count(_ error: String) { errorCounts[error, default: 0] += 1 }

  /// What was answered changes the cache outside of a client's turn.
  func beginReply() {
    loop.beginWork()
    dispatcher.setTime(loop.now)
  }

  func endReply() { dispatcher.tellOfChange() }
}
