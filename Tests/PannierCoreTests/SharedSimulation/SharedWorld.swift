// What a world consists of: its hosts and their connections, and what it keeps of each change, read and load to judge by.

@testable import PannierCore

/// A place in the log, of whatever incarnation.
typealias LogPosition = (incarnation: UInt64, number: UInt64)

enum WorldKeys {
  static let names = ["k0", "k1", "k2"]
  static let bytes = names.map { Array($0.utf8) }
  static let tag = Array("t".utf8)
  /// Which keys' values bear the tag.
  static let tagged = [true, true, false]

  static func covers(_ scope: SharedScope, _ key: Int) -> Bool {
    switch scope {
    case .keys(let keys): keys.contains { $0.last == bytes[key].last }
    case .all, .match: true
    case .tags: tagged[key]
    }
  }
}

/// Something that a client asked to be changed.
final class WorldOp {
  let id: Int
  let host: Int
  let scope: SharedScope
  let at: Int
  /// The source's versions that came with it, by key; zero: it doesn't take in the key.
  let versions: [Int]
  var answeredAt: Int?
  var isQueued = false
  /// It is answered before Redis is told.
  var isBehind = false
  /// It was sent before it was queued: then it may be carried out at any time until it is settled.
  var wasSent = false
  /// Its first record of each key.
  var records: [LogPosition?] = [nil, nil, nil]
  /// Of a queued one: when it was told to Redis.
  var settledAt: Int?
  var isLost = false

  init(_ id: Int, _ host: Int, _ scope: SharedScope, at: Int, versions: [Int]) {
    self.id = id
    self.host = host
    self.scope = scope
    self.at = at
    self.versions = versions
  }

  /// Where in the log it has ended a pause of the key: a clear does so whatever it takes in.
  func endOfPause(_ key: Int) -> LogPosition? {
    if case .keys = scope { records[key] } else { records.lazy.compactMap { $0 }.first }
  }

  /// The log has both, and this one first: then it is the older, however long its answer took. What was queued may have a record
  /// that is a later change's, which took it in.
  func precedes(_ other: WorldOp, _ key: Int) -> Bool {
    guard !other.isQueued, let record = records[key], let next = other.records[key] else { return false }
    return record < next
  }

  /// Whether each key that it takes in has a record.
  var isRecorded: Bool {
    for key in versions.indices where versions[key] > 0 && records[key] == nil { return false }
    return true
  }
}

/// What each step looks at is not looked at for exclusive access each time: that took an eighth of all time.
final class WorldConnection {
  struct Command {
    /// Nil: a join.
    let asked: SharedCommand?
    /// The incarnation that its host knew.
    let known: UInt64
    let ops: [WorldOp]
  }

  let host: Int
  let boot: Int
  let number: Int
  @exclusivity(unchecked) var commands: [Command] = []
  @exclusivity(unchecked) var replies: [(Command, ModelRedis.Reply)] = []
  @exclusivity(unchecked) var isOpen = true

  init(host: Int, boot: Int, number: Int) {
    self.host = host
    self.boot = boot
    self.number = number
  }
}

final class WorldHost {
  let number: Int
  /// Names this run of its process.
  let boot: Int
  @exclusivity(unchecked) var cache: Cache
  @exclusivity(unchecked) var now: Int64 = 1000
  @exclusivity(unchecked) var connection: WorldConnection?
  @exclusivity(unchecked) var isJoined = false
  /// It takes its Redis for hung, and sends nothing.
  @exclusivity(unchecked) var isSuspended = false
  /// Something has kept it from asking its Redis, or from being answered.
  @exclusivity(unchecked) var hasHadTrouble = false
  @exclusivity(unchecked) var tail: [(record: SharedRecord, boot: Int)] = []
  /// Up to where the log was fetched.
  @exclusivity(unchecked) var fetched: UInt64 = 0
  /// Whether there was upkeep to do, and where in the log it was, when it was last looked at.
  @exclusivity(unchecked) var needsUpkeep = false
  @exclusivity(unchecked) var position: LogPosition = (0, 0)
  /// The newest pause after a load of its own, by key: from where in the log on a change would end it.
  var pauses: [LogPosition] = [(0, 0), (0, 0), (0, 0)]
  var reads: [WaitTicket: WorldRead] = [:]
  var changes: [ChangeTicket: WorldOp] = [:]
  var clears: [ClearTicket: WorldOp] = [:]
  var queued: [SharedScope: [WorldOp]] = [:]

  /// `behind`: nil where its sets wait for Redis.
  init(_ number: Int, boot: Int, seed: UInt64, isFleet: Bool, behind: WriteBehind?) {
    self.number = number
    self.boot = boot
    cache = Cache(
      memoryBytes: 1 << 20, namespaceLimit: 1, seed: seed, tokens: .seeded(seed), sharedTimeoutMilliseconds: 100)
    var policy = Policy()
    policy.lifetimes.ttlMilliseconds = nil
    policy.lifetimes.leaseTimeoutMilliseconds = 1 << 30
    policy.lifetimes.maxWaitMilliseconds = 1 << 30
    if isFleet { policy.leaseScope = .fleet }
    if let behind {
      policy.write = .behind
      policy.behind = behind
    }
    _ = withBytes("a") { cache.addNamespace($0, policy: policy) }
  }

  func lease(_ key: [UInt8]) -> Lease? {
    cache.loads.find(LoadKey(namespace: 0, bytes: key)).flatMap { cache.loads[$0]?.lease }
  }

  /// Whether another host has the load of a key, as far as this one knows.
  func awaitsAnother(_ key: [UInt8]) -> Bool {
    guard let number = cache.loads.find(LoadKey(namespace: 0, bytes: key)), case .elsewhere = cache.loads[number]?.claim
    else { return false }
    return true
  }

  func look() {
    needsUpkeep = cache.needsUpkeep(now: now)
    let known = cache.sharedPosition
    position = (known?.incarnation ?? 0, known?.seen ?? 0)
  }
}

struct WorldRead {
  let host: Int
  let key: Int
  let at: Int
  /// It would load the key itself.
  let seeks: Bool
  let seen: LogPosition
  /// It would be told of what any host was answered.
  let isStrict: Bool
  var fetchedSince: UInt64?
  var isProven = false
}

struct WorldLoad {
  let host: Int
  let key: Int
  let token: LeaseToken
  var version: Int?
}

/// How often the schedules came to what the rules are about.
struct WorldCounts {
  var shown = 0
  var promoted = 0
  var voids = 0
  var covered = 0
  var gaps = 0
  var replayed = 0
  var replayedSets = 0
  var conflicts = 0
  var refused = 0
  var refusedFills = 0
  var lostLeases = 0
  var timeouts = 0
  var conditional = 0
  var claims = 0
  var claimsElsewhere = 0
  var behindSent = 0
  var behindConflicts = 0
  var waited = 0
  var rests = 0
  var loadsAlone = 0
  var pauses = 0

  mutating func add(_ other: SharedCounters) {
    promoted += other.hits
    voids += other.voids
    gaps += other.gaps
    replayed += other.replayed
    timeouts += other.timeouts
    behindSent += other.behindSent
    behindConflicts += other.behindConflicts
  }

  static func += (sum: inout WorldCounts, other: WorldCounts) {
    sum.shown += other.shown
    sum.promoted += other.promoted
    sum.voids += other.voids
    sum.covered += other.covered
    sum.gaps += other.gaps
    sum.behindSent += other.behindSent
    sum.behindConflicts += other.behindConflicts
    sum.waited += other.waited
    sum.replayed += other.replayed
    sum.replayedSets += other.replayedSets
    sum.conflicts += other.conflicts
    sum.refused += other.refused
    sum.refusedFills += other.refusedFills
    sum.lostLeases += other.lostLeases
    sum.timeouts += other.timeouts
    sum.conditional += other.conditional
    sum.claims += other.claims
    sum.claimsElsewhere += other.claimsElsewhere
    sum.rests += other.rests
    sum.loadsAlone += other.loadsAlone
    sum.pauses += other.pauses
  }
}
