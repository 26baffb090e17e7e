// A host in a namespace whose loads are all hosts' matter, for tests that say what the shared tier answers and move the clock by hand.

import Testing

@testable import PannierCore

private let owner: OwnerID = 7
private let bytes = Array("k".utf8)

/// A host whose link is up, with a namespace whose loads are all hosts'.
final class FleetHost {
  /// How long the shared tier may take, in milliseconds.
  static let timeout: Int64 = 100

  var cache: Cache
  var now: Int64 = 1000

  init() {
    cache = Cache(
      memoryBytes: 4 << 20, namespaceLimit: 4, seed: 1, tokens: .seeded(1),
      sharedTimeoutMilliseconds: FleetHost.timeout)
    var policy = Policy()
    policy.leaseScope = .fleet
    policy.lifetimes.leaseTimeoutMilliseconds = 5000
    _ = withBytes("f") { cache.addNamespace($0, policy: policy) }
    cache.sharedJoined(incarnation: 1, base: 1, number: 10, now: now)
    _ = cache.takeSharedCommands()
  }

  /// As a client that would load the key, and has asked the shared tier for its value.
  func get(turn: WaitTicket? = nil, waits: Bool = false, hasWaited: Bool = false) -> Cache.GetStep {
    var options = Cache.ReadOptions(lease: true, waits: waits)
    options.hasWaited = hasWaited
    options.fetchedSince = 0
    options.turn = turn
    let asker = Asker(owner: owner, caller: Caller(pid: 1, uid: 1))
    return withBytes("k") { cache.get(0, $0, options, by: asker, now: now) }
  }

  func claim(by owner: OwnerID = owner) throws -> WaitTicket {
    try found(withBytes("k") { cache.claim(0, $0, by: owner, now: now) })
  }

  func wait() throws -> WaitTicket {
    try found(withBytes("k") { cache.wait(0, $0, seeks: true, by: owner, since: now, until: now + 60_000) })
  }

  /// The claim, and the read behind it, as they were sent.
  func asked() throws -> (claim: UInt64, flight: UInt64, token: LeaseToken) {
    let commands = sent()
    guard case .claim(let number, _, bytes, let token, 5000) = commands.first,
      case .read(let flight, _, bytes) = commands.last, commands.count == 2
    else { throw Unexpected(what: "\(commands)") }
    return (number, flight, token)
  }

  func sent() -> [SharedCommand] { cache.takeSharedCommands() }

  func answer(_ asked: (claim: UInt64, flight: UInt64, token: LeaseToken), _ reply: SharedClaimReply) {
    cache.sharedReplied(claim: asked.claim, reply, at: seen, now: now)
    cache.sharedReplied(flight: asked.flight, .nothing, now: now)
  }

  /// Whoever asks is elected, by the shared tier's word.
  func elect() throws -> LeaseToken {
    let ticket = try claim()
    answer(try asked(), .won)
    let woken = cache.takeWoken()
    #expect(woken.map(\.ticket) == [ticket])
    guard case .granted(let token, _) = get(turn: ticket) else { throw Unexpected(what: "no lease") }
    return token
  }

  func store(_ token: LeaseToken) -> Cache.SetStep {
    withBytes("k") { key in
      withBytes("1") { value in
        cache.set(0, Cache.NewValue(key: key, value: value, lease: token), by: Caller(pid: 1, uid: 1), now: now)
      }
    }
  }

  /// The last record that it was told.
  var seen: UInt64 { cache.sharedPosition?.seen ?? 0 }

  func tell(_ kind: SharedRecord.Kind, _ scope: SharedScope = .keys([bytes])) {
    let number = seen + 1
    let record = SharedRecord(
      incarnation: 1, number: number, kind: kind, ns: Array("f".utf8), scope: scope, isOwn: false)
    check(cache.sharedRecords([record], now: now))
  }

  func pass(_ milliseconds: Int64) {
    now += milliseconds
    cache.upkeep(entries: 100, now: now)
  }

  func woken() -> [Woken] { cache.takeWoken() }

  var hasWoken: Bool { cache.hasWoken }
  var counters: LeaseCounters { cache.counters(of: 0).leases }
}

struct Unexpected: Error { let what: String }

func isClaim(_ step: Cache.GetStep) -> Bool { if case .claim = step { true } else { false } }
func isBusy(_ step: Cache.GetStep) -> Bool { if case .miss(.busy) = step { true } else { false } }
func isWait(_ step: Cache.GetStep) -> Bool { if case .wait = step { true } else { false } }
func isGranted(_ step: Cache.GetStep) -> Bool { if case .granted = step { true } else { false } }
