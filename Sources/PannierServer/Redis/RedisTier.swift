// The shell around the shared tier: keeps the connections to Redis, carries the cache's commands there and what is answered back.
// It decides nothing about values; that is the cache's.

import CUV
import Logging
import PannierCore
import PannierWire

/// Two connections: one for commands, which are answered in their order, and one that waits for the log. What walks through
/// Redis after clears has its own.
final class RedisTier {
  /// How soon a connection is tried again, and the most that grows to, in milliseconds.
  private static let firstPauseMilliseconds: UInt64 = 100
  private static let longestPauseMilliseconds: UInt64 = 1000
  /// So many commands that took too long, with no reply in between, and Redis is left alone until it answers.
  private static let failuresToOpen = 5
  /// How long it is left alone before it is connected to anew, in milliseconds: the connection may be dead at the other end alone.
  static let silenceMilliseconds: UInt64 = 2000

  let settings: RedisSettings
  let dispatcher: Dispatcher
  private let loop: EventLoop
  private let log: Logger
  private(set) var address: RedisAddress
  private let retryTimer: LoopTimer
  var commands: RedisConnection?
  private var tail: RedisTail?
  var walk: RedisWalk?
  let packer: PayloadPacker
  var line = ChangeLine()
  /// For a Redis that takes commands and never answers.
  private let silenceTimer: LoopTimer
  private var pauseMilliseconds = RedisTier.firstPauseMilliseconds
  private var isStopped = false
  /// Commands that took too long when there was a reply last.
  private var timeoutsAtReply = 0
  /// What it can't be reached for, as it was logged last.
  private var loggedReason: String?
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
    retryTimer = LoopTimer(on: loop)
    silenceTimer = LoopTimer(on: loop)
    packer = PayloadPacker(on: loop)
    writer = RedisWriter(names: RedisNames(prefix: Array(settings.prefix.utf8)), logRecords: settings.logRecords)
    retryTimer.action = { [unowned self] in connect() }
    silenceTimer.action = { [unowned self] in rejoin("it has not answered for long") }
  }

  func start() {
    walk = RedisWalk(self, loop: loop)
    connect()
  }

  func stop() {
    isStopped = true
    retryTimer.close()
    silenceTimer.close()
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
    let connection = RedisConnection(loop: loop) { [weak self] end in self?.ended(number, end) }
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
    loggedReason = nil
    enter(.up)
    dispatcher.cache.sharedJoined(
      incarnation: joined.incarnation, base: joined.base, number: joined.number, now: dispatcher.now)
    log.notice("redis is there", metadata: ["at": "\(address)", "log": "\(joined.incarnation)-\(joined.number)"])
    if tail == nil { followLog() }
    walk?.resume()
    endReply()
  }

  private func ended(_ number: UInt64, _ end: RedisEnd) {
    guard number == connectionNumber else { return }
    commands = nil
    line.clear()
    silenceTimer.stop()
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
    tail = RedisTail(self, address, loop: loop)
    tail?.start()
  }

  /// The log's connection is gone; the other may stand.
  func tailEnded(_ end: RedisEnd) {
    tail = nil
    guard !isStopped, commands != nil else { return }
    count(end.word)
    // Whatever broke it, joining again says where the log is.
    rejoin("the log's connection: \(end)")
  }

  private func note(_ reason: String) {
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
    facts.reason = loggedReason
    facts.roundTripMicroseconds = (roundTrips.quantile(0.5), roundTrips.quantile(0.99))
    facts.errors = errorCounts
    facts.walk = walk?.progress ?? RedisWalk.Progress()
    facts.boundMilliseconds = settings.proofMilliseconds
    facts.provenAgo = tail?.provenAt.map { dispatcher.now - $0 }
    return facts
  }

  private func enter(_ new: State) {
    guard state != new else { return }
    state = new
    since = dispatcher.now
    guard dispatcher.flags.value.isWatched else { return }
    dispatcher.tellWatchers(redis: new.rawValue, new == .down || new == .suspended ? loggedReason : nil)
    // A timer's turn writes nothing by itself.
    loop.wantsBackground = true
  }

  // MARK: Replies

  func received(_ reply: RedisReply, _ sentAt: UInt64, _ body: (RedisTier) -> Void) {
    beginReply()
    switch reply {
    case .lost: break
    case .error(let error):
      count(error.code.rawValue)
      body(self)
      noteReply(sentAt)
      if error.code.needsJoin { rejoin("answered \(error)") }
      return endReply()
    default: noteReply(sentAt)
    }
    body(self)
    endReply()
  }

  private func noteReply(_ sentAt: UInt64) {
    roundTrips.record((uv_hrtime() - sentAt) / 1000)
    timeoutsAtReply = dispatcher.cache.sharedCounters?.timeouts ?? 0
  }

  func count(_ error: String) { errorCounts[error, default: 0] += 1 }

  /// What was answered changes the cache outside of a client's turn.
  func beginReply() {
    loop.beginWork()
    dispatcher.setTime(loop.now)
  }

  func endReply() { dispatcher.tellOfChange() }

  // MARK: Silence

  /// Redis takes commands and doesn't answer: nobody waits for it any more until it does.
  func breakIfSilent() {
    guard state == .up, let connection = commands,
      (dispatcher.cache.sharedCounters?.timeouts ?? 0) - timeoutsAtReply >= Self.failuresToOpen
    else { return }
    note("it does not answer")
    enter(.suspended)
    walk?.pause()
    dispatcher.cache.sharedSuspended(now: dispatcher.now)
    dispatcher.tellOfChange()
    silenceTimer.start(milliseconds: Self.silenceMilliseconds)
    // Answered after all that was sent before: then Redis has caught up.
    connection.send([Array("PING".utf8)]) { [weak self] reply in
      guard let self, connection === commands, state == .suspended, reply != .lost else { return }
      beginReply()
      timeoutsAtReply = dispatcher.cache.sharedCounters?.timeouts ?? 0
      if case .error(let error) = reply {
        rejoin("answered \(error)")
      } else {
        loggedReason = nil
        silenceTimer.stop()
        enter(.up)
        log.notice("redis answers again", metadata: ["at": "\(address)"])
        dispatcher.cache.sharedResumed()
        walk?.resume()
      }
      endReply()
    }
  }
}

extension RedisError.Code {
  /// This connection can't go on as it is.
  fileprivate var needsJoin: Bool { [.gap, .fenced, .noScript, .readOnly].contains(self) }
}

extension UInt64 {
  /// Shortened by up to a fifth, so that many hosts don't come back at once.
  fileprivate var jittered: UInt64 { self - UInt64.random(in: 0...self / 5) }
}
