// Several caches before one Redis, in a seeded schedule: what is under way arrives late, in any order between connections, or
// never; hosts and Redis die and come back older. What must hold is checked with each value that is shown.

@testable import PannierCore

/// Something that a client asked to be changed.
final class WorldOp {
  let id: Int
  let host: Int
  let scope: SharedScope
  let at: Int
  /// The source's versions that came with it, by key.
  let versions: [Int: Int]
  let isSet: Bool
  var answeredAt: Int?
  var isQueued = false
  /// Its first record.
  var record: (incarnation: UInt64, number: UInt64)?
  /// Of a queued one: when it was told to Redis.
  var settledAt: Int?
  var isLost = false

  init(_ id: Int, _ host: Int, _ scope: SharedScope, at: Int, versions: [Int: Int], isSet: Bool) {
    self.id = id
    self.host = host
    self.scope = scope
    self.at = at
    self.versions = versions
    self.isSet = isSet
  }
}

final class WorldConnection {
  struct Command {
    let asked: SharedCommand?
    /// The incarnation that its host knew; nil command: a join.
    let known: UInt64
    let ops: [WorldOp]
  }

  let host: Int
  let number: Int
  var commands: [Command] = []
  var replies: [(Command, ModelRedis.Reply)] = []
  var isOpen = true

  init(host: Int, number: Int) {
    self.host = host
    self.number = number
  }
}

final class WorldHost {
  let number: Int
  var cache: Cache
  var now: Int64 = 1000
  var connection: WorldConnection?
  var isJoined = false
  var tail: [(record: SharedRecord, host: Int)] = []
  /// Up to where the log was fetched.
  var fetched: UInt64 = 0
  var reads: [WaitTicket: WorldRead] = [:]
  var changes: [ChangeTicket: WorldOp] = [:]
  var clears: [ClearTicket: WorldOp] = [:]
  var queued: [SharedScope: [WorldOp]] = [:]

  init(_ number: Int, seed: UInt64) {
    self.number = number
    cache = Cache(
      memoryBytes: 1 << 20, namespaceLimit: 1, seed: seed, tokens: .seeded(seed), sharedTimeoutMilliseconds: 100)
    var policy = Policy()
    policy.lifetimes.ttlMilliseconds = nil
    policy.lifetimes.leaseTimeoutMilliseconds = 1 << 30
    policy.lifetimes.maxWaitMilliseconds = 1 << 30
    _ = withBytes("a") { cache.addNamespace($0, policy: policy) }
  }
}

struct WorldRead {
  let host: Int
  let key: Int
  let at: Int
  let seen: (incarnation: UInt64, number: UInt64)
  var fetchedSince: UInt64?
  var isStrict = false
  var isProven = false
  var waits = true
}

struct WorldLoad {
  let host: Int
  let key: Int
  let token: LeaseToken
  var version: Int?
}
