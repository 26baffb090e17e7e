// What must be true of leases, waiting and invalidation, as a record beside the cache that knows the rules of PROTOCOL.md
// and nothing of how the cache keeps them. Each thing that the cache did is told here, and judged.

@testable import PannierCore

/// A rule that didn't hold.
struct RuleBroken: Error {
  let rule: String

  init(_ rule: String) { self.rule = rule }
}

/// What happened, for who replays a schedule.
final class Trace {
  private(set) var lines: [String] = []
  private let isOn: Bool

  init(isOn: Bool) { self.isOn = isOn }

  func note(_ text: @autoclosure () -> String) {
    if isOn { lines.append(text()) }
  }
}

/// Versions below which a value must not be shown: as fresh, and at all.
struct Floors {
  var fresh = 0
  var shown = 0
}

struct LoadRules {
  struct Lease {
    let token: LeaseToken
    let client: Int
    let deadline: Int64
    /// Tags of its value were cleared: it stands, and its fill is refused.
    var isTagged = false
  }

  struct Waiter {
    let ticket: WaitTicket
    let client: Int
    let seeks: Bool
    let until: Int64
  }

  private struct Key {
    /// The version at the source.
    var source = 1
    var floors = Floors()
    var lease: Lease?
    var pauseUntil: Int64?
    /// In the order in which they began to wait.
    var waiters: [Waiter] = []
  }

  private var keys: [Key]
  let trace: Trace

  init(_ count: Int, _ trace: Trace) {
    keys = Array(repeating: Key(), count: count)
    self.trace = trace
  }

  func source(_ key: Int) -> Int { keys[key].source }
  func floors(_ key: Int) -> Floors { keys[key].floors }

  // MARK: Reads

  /// No read that began after an invalidation was answered sees what is older.
  mutating func isShown(_ read: SimulatedRead, _ version: Int, isStale: Bool) throws(RuleBroken) {
    trace.note("key \(read.key): shown \(version)\(isStale ? ", stale" : "")")
    if version < read.floors.shown { throw RuleBroken("\(version) shown after \(read.floors.shown) was invalidated") }
    if !isStale, version < read.floors.fresh {
      throw RuleBroken("\(version) fresh, invalidated at \(read.floors.fresh)")
    }
    if isStale, !read.options.stale, !read.options.lease { throw RuleBroken("a stale value to one who took none") }
  }

  /// At most one lease a key, none while there is a pause, and the longest waiter first.
  mutating func isGranted(
    _ read: SimulatedRead, _ lease: Lease, turn: WaitTicket?, mayRefresh: Bool, _ hit: Cache.Hit?, _ mode: Mode,
    now: Int64
  ) throws(RuleBroken) {
    trace.note("key \(read.key): lease to client \(lease.client), until \(lease.deadline)")
    let key = keys[read.key]
    if !read.options.lease { throw RuleBroken("a lease to one who asked for none") }
    if !mode.stores { throw RuleBroken("a lease where nothing is stored") }
    if let other = key.lease, now < other.deadline {
      throw RuleBroken("two leases, clients \(other.client) and \(lease.client)")
    }
    if let until = key.pauseUntil, now < until { throw RuleBroken("a lease while there is a pause") }
    if turn == nil, key.waiters.contains(where: \.seeks) { throw RuleBroken("a lease past those who wait") }
    if let hit, !hit.isStale, !mayRefresh { throw RuleBroken("a lease though the value is fresh") }
    keys[read.key].lease = lease
    keys[read.key].pauseUntil = nil
  }

  mutating func isMissed(_ read: SimulatedRead, _ miss: Cache.Miss, now: Int64) throws(RuleBroken) {
    trace.note("key \(read.key): \(miss)")
    let isPaused = keys[read.key].pauseUntil.map { now < $0 } ?? false
    let isHeld = keys[read.key].lease.map { now < $0.deadline } ?? false
    switch miss {
    case .failed(let retry):
      guard isPaused, keys[read.key].pauseUntil == now + retry else {
        throw RuleBroken("told of a pause that there isn't")
      }
    case .passed:
      guard isPaused else { throw RuleBroken("told of a pause that there isn't") }
    case .busy:
      guard isHeld || keys[read.key].waiters.contains(where: \.seeks) else {
        throw RuleBroken("busy, and nobody loads")
      }
    case .nothing:
      if isPaused { throw RuleBroken("not told of the pause") }
    }
  }

  // MARK: Waiting

  mutating func waits(_ key: Int, _ waiter: Waiter, now: Int64) throws(RuleBroken) {
    trace.note("key \(key): client \(waiter.client) waits until \(waiter.until)")
    if waiter.until <= now { throw RuleBroken("waiting beyond its time") }
    keys[key].waiters.append(waiter)
  }

  mutating func isWoken(_ key: Int, _ woken: Woken) throws(RuleBroken) {
    guard let place = keys[key].waiters.firstIndex(where: { $0.ticket == woken.ticket }) else {
      throw RuleBroken("woken, and did not wait")
    }
    if woken.isElected, keys[key].waiters.firstIndex(where: \.seeks) != place {
      throw RuleBroken("elected, and another has waited longer")
    }
    trace.note("key \(key): client \(keys[key].waiters[place].client) \(woken.isElected ? "elected" : "woken")")
    keys[key].waiters.remove(at: place)
  }

  /// Once all that is due was done: who waits has time left, and something to wait for.
  func checkWaiters(_ key: Int, isThere: Bool, now: Int64) throws(RuleBroken) {
    let waiters = keys[key].waiters
    if waiters.isEmpty { return }
    if let late = waiters.first(where: { $0.until <= now }) {
      throw RuleBroken("client \(late.client) waits beyond its time")
    }
    guard let lease = keys[key].lease, now < lease.deadline else { throw RuleBroken("waiting, and nobody loads") }
    if let until = keys[key].pauseUntil, now < until { throw RuleBroken("waiting while there is a pause") }
  }

  // MARK: The end of a lease

  /// A fill is stored exactly if its lease stands and nothing of its value was invalidated meanwhile.
  mutating func isFilled(_ load: SimulatedLoad, _ step: Cache.SetStep, _ mode: Mode, now: Int64) throws(RuleBroken) {
    trace.note("key \(load.key): fill with \(load.version ?? 0): \(step)")
    let lease = standing(load, now)
    switch step {
    case .stored:
      guard mode.stores, let lease, !lease.isTagged else { throw RuleBroken("stored without a standing lease") }
      end(load.key)
    case .leaseLost:
      if let lease, !lease.isTagged { throw RuleBroken("lost, and it stands until \(lease.deadline)") }
      if lease != nil { keys[load.key].lease = nil }
    case .disabled:
      if mode.stores { throw RuleBroken("disabled, and the mode stores") }
    default: throw RuleBroken("a fill was \(step)")
    }
  }

  mutating func isReleased(
    _ load: SimulatedLoad, _ end: LeaseEnd, stood: Bool, pauseUntil: Int64, now: Int64
  ) throws(RuleBroken) {
    trace.note("key \(load.key): \(end): \(stood)")
    if stood != (standing(load, now) != nil) { throw RuleBroken("released \(stood), and it was otherwise") }
    guard stood else { return }
    keys[load.key].lease = nil
    if end != .released { keys[load.key].pauseUntil = pauseUntil }
  }

  private func standing(_ load: SimulatedLoad, _ now: Int64) -> Lease? {
    guard let lease = keys[load.key].lease, lease.token == load.token, now < lease.deadline else { return nil }
    return lease
  }

  /// With a connection its leases and waits end.
  mutating func isGone(_ client: Int) {
    trace.note("client \(client) is gone")
    for key in keys.indices {
      if keys[key].lease?.client == client { keys[key].lease = nil }
      keys[key].waiters.removeAll { $0.client == client }
    }
  }

  mutating func endLoads(_ covered: [Int]) {
    for key in covered { end(key) }
  }

  private mutating func end(_ key: Int) {
    keys[key].lease = nil
    keys[key].pauseUntil = nil
  }

  // MARK: Changes

  /// The source's value changes, and nobody has said so yet.
  mutating func write(_ key: Int) {
    keys[key].source += 1
    trace.note("key \(key): \(keys[key].source) at the source")
  }

  mutating func isSet(_ key: Int, _ step: Cache.SetStep) {
    trace.note("key \(key): plain set of \(keys[key].source): \(step)")
    // Whether stored or not, what was there before must not be seen again.
    keys[key].floors = Floors(fresh: keys[key].source, shown: keys[key].source)
    end(key)
  }

  /// `endsLoads`: not of tags, which a load tells only when it fills.
  mutating func isInvalidated(_ covered: [Int], endsLoads: Bool, _ soft: Bool, _ policies: [Policy]) {
    for key in covered {
      trace.note(
        "key \(key): invalidated at \(keys[key].source)\(soft ? ", softly" : "")\(endsLoads ? "" : ", by tag")")
      keys[key].floors.fresh = keys[key].source
      let stays = soft && policies[LoadSimulation.keys[key].ns].lifetimes.staleMilliseconds > 0
      if !stays { keys[key].floors.shown = keys[key].source }
      if endsLoads { end(key) } else { keys[key].lease?.isTagged = true }
    }
  }

  // MARK: The end

  /// Each lease that was given has ended in one way.
  func checkCounters(_ counters: Counters) throws(RuleBroken) {
    let leases = counters.leases
    let ended = leases.filled + leases.released + leases.failed + leases.passed + leases.timedOut + leases.revoked
    if leases.held != 0 || ended != leases.granted { throw RuleBroken("\(leases.granted) leases, \(ended) ended") }
    if counters.waits.now != 0 { throw RuleBroken("\(counters.waits.now) wait still") }
  }
}
