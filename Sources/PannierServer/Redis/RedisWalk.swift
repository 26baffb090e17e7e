// The walk through Redis for values that clears have made void, to give back what they take. It owns its connection and
// its pace. What is void is the cache's to say; nothing depends on the walk but Redis's memory.

import CUV
import PannierCore
import PannierDispatch
import PannierWire

/// Whoever makes a clear walks. What is left when the process ends, or of namespaces that only other hosts know, goes with
/// its ttl.
final class RedisWalk {
  /// The names that Redis goes through for one SCAN, which takes it about 0.1 ms; more would keep reads of others waiting.
  private static let namesAtOnce = 256
  /// The most values that are asked for before a reply, as many as a change has keys.
  private static let valuesAtOnce = 128
  /// What is read of each value first, in bytes: nearly every line ends within.
  private static let frontBytes = 512
  /// So many times what a batch took is rested after it. So Redis gives the walk less than a tenth of its time: the way
  /// there and back and the work here are counted, too. And the busier it is the longer it is left alone.
  private static let restFactor: UInt64 = 9
  /// Beyond, it was not the batch that took so long. In milliseconds.
  private static let longestRestMilliseconds: UInt64 = 1000
  /// Between tries, growing while they fail, in milliseconds.
  private static let firstPauseMilliseconds: UInt64 = 1000
  private static let longestPauseMilliseconds: UInt64 = 60_000

  private enum Stage { case idle, opening, asking, resting, pausing }

  private unowned let tier: RedisTier
  private let loop: EventLoop
  private let timer: LoopTimer
  private var stage = Stage.idle
  private var list = WalkList()
  /// Redis can be used, and isn't slow.
  private var isAllowed = false
  private var connection: RedisConnection?
  /// Which connection this is: one that is closed may end later.
  private var connectionNumber = 0
  private var pauseMilliseconds = RedisWalk.firstPauseMilliseconds
  /// Values of the batch that are still to be looked at, and how much of each.
  private var pending: [(name: [UInt8], bytes: Int)] = []
  private var batchBegan: UInt64 = 0
  /// Why it could not go on, as it was logged last.
  private var loggedReason: String?

  init(_ tier: RedisTier, loop: EventLoop) {
    self.tier = tier
    self.loop = loop
    timer = LoopTimer(on: loop)
    timer.action = { [unowned self] in goOn() }
  }

  deinit { timer.close() }

  var progress: RedisFacts.Walk {
    var walk = RedisFacts.Walk()
    walk.namespaces = list.count
    walk.scanned = list.scanned
    walk.removed = list.removed
    walk.isRunning = list.count > 0 && (stage == .asking || stage == .resting)
    return walk
  }

  /// Something of the namespace was cleared.
  func add(_ ns: [UInt8]) {
    list.add(ns)
    if stage == .idle { begin() }
  }

  /// Redis is there.
  func resume() {
    isAllowed = true
    if stage == .idle { begin() }
  }

  /// Redis is away, or slow: the walk waits where it is.
  func pause() {
    isAllowed = false
    settle()
  }

  private func settle() {
    stage = .idle
    timer.stop()
    pending = []
    let connection = connection
    self.connection = nil
    connection?.close()
  }

  private func goOn() {
    switch stage {
    case .idle, .opening, .asking: break
    case .resting: ask()
    case .pausing:
      stage = .idle
      begin()
    }
  }

  // MARK: Its connection

  private func begin() {
    guard isAllowed, list.count > 0 else { return }
    if connection != nil { return ask() }
    stage = .opening
    connectionNumber += 1
    let number = connectionNumber
    let new = RedisConnection(loop: loop, limits: tier.limits) { [weak self] end in
      guard let self, number == connectionNumber, connection != nil else { return }
      connection = nil
      // Kept open, it may be closed for having been idle.
      if stage != .idle { retry("\(end)") }
    }
    connection = new
    new.connect(
      to: tier.address, name: "pannier-walk", timeoutMilliseconds: UInt64(tier.settings.connectTimeoutMilliseconds)
    ) { [weak self] in self?.join(new) }
  }

  private func join(_ new: RedisConnection) {
    RedisHandshake(new, tier.writer, isCommandConnection: false, 0, known: tier.incarnation).run {
      [weak self] result in
      guard let self, new === connection else { return }
      switch result {
      case .success(let joined) where joined.incarnation == tier.incarnation:
        list.joined(joined.incarnation)
        ask()
      case .success: tier.rejoin("the walk's connection found another incarnation")
      case .failure(let why): retry(why.reason)
      }
    }
  }

  private func retry(_ why: String) {
    settle()
    stage = .pausing
    if why != loggedReason { tier.noteWalk(why) }
    loggedReason = why
    timer.start(milliseconds: pauseMilliseconds)
    pauseMilliseconds = min(pauseMilliseconds * 2, Self.longestPauseMilliseconds)
  }

  // MARK: A batch

  private func ask() {
    guard let place = list.next() else {
      stage = .idle
      return
    }
    stage = .asking
    batchBegan = uv_hrtime()
    connection?.send(tier.writer.scan(place.ns, place.cursor, count: Self.namesAtOnce)) { [weak self] reply in
      guard let self, reply != .lost else { return }
      guard let page = RedisReader.page(reply) else { return refused(reply, "SCAN") }
      pending = page.names.map { ($0, Self.frontBytes) }
      look(place.ns) { [weak self] in self?.finish(page) }
    }
  }

  /// Looks at what is pending, some at a time, and removes what is void of it.
  private func look(_ ns: [UInt8], then done: @escaping () -> Void) {
    let some = pending.suffix(Self.valuesAtOnce)
    pending.removeLast(some.count)
    guard let last = some.indices.last else { return done() }
    var void: [(name: [UInt8], front: [UInt8])] = []
    for index in some.indices {
      let (name, bytes) = some[index]
      connection?.send(tier.writer.front(name, bytes: bytes)) { [weak self] reply in
        guard let self, reply != .lost else { return }
        // Anything else than bytes is none of ours.
        if case .bytes(let front) = reply {
          if bytes == Self.frontBytes, front.count == bytes, !front.contains(UInt8(ascii: "\n")) {
            pending.append((name, Layout.longestLineBytes(keyBytes: name.count)))
          } else if let front = voidFront(front, name, ns) {
            void.append((name, front))
          }
        }
        if index == last { remove(void, ns, then: done) }
      }
    }
  }

  /// What must still stand when the value is removed; nil: it is not to be.
  private func voidFront(_ front: [UInt8], _ name: [UInt8], _ ns: [UInt8]) -> [UInt8]? {
    guard let key = tier.writer.key(ns, ofValue: name), let line = RedisReader.line(front, key: key) else { return nil }
    let isVoid = tier.dispatcher.cache.isSharedVoid(ns, key, tags: line.tags, birth: line.birth)
    return isVoid ? Envelope.origin(of: front) : nil
  }

  private func remove(_ void: [(name: [UInt8], front: [UInt8])], _ ns: [UInt8], then done: @escaping () -> Void) {
    guard !void.isEmpty else { return look(ns, then: done) }
    guard let command = tier.writer.remove(ns, void) else { return }
    connection?.send(command) { [weak self] reply in
      guard let self, reply != .lost else { return }
      guard case .integer(let count) = reply else { return refused(reply, "the script") }
      list.count(removed: Int(clamping: count))
      look(ns, then: done)
    }
  }

  private func finish(_ page: RedisReader.Page) {
    list.advance(to: page.cursor, scanned: page.names.count)
    pauseMilliseconds = Self.firstPauseMilliseconds
    loggedReason = nil
    stage = .resting
    // The loop's time is as of the turn's beginning.
    uv_update_time(loop.loop)
    let took = (uv_hrtime() - batchBegan) * Self.restFactor / 1_000_000
    timer.start(milliseconds: min(max(took, 1), Self.longestRestMilliseconds))
  }

  private func refused(_ reply: RedisReply, _ command: String) {
    guard case .error(let error) = reply else { return retry("\(command) was answered with something else") }
    tier.count(error.code.rawValue)
    if error.code == .gap { return tier.rejoin("the walk was answered with \(error)") }
    retry("\(command) was answered with \(error)")
  }
}
