// What must hold of leases that are all hosts': who may load a key, and that none stands, or is awaited, once nobody loads under it.

@testable import PannierCore

extension World {
  /// Somebody is elected: by Redis, where nothing has kept its host from asking, and then as the only one.
  mutating func begin(_ load: WorldLoad) throws(PromiseBroken) {
    loads.append(load)
    guard isFleet else { return }
    let host = hosts[load.host]
    let key = WorldKeys.bytes[load.key]
    guard host.lease(key)?.isFleet == true else {
      counts.loadsAlone += 1
      // What waits to be told of the key must be told before anything is asked about it.
      let isMasked = host.cache.shared.queue.masks(LoadKey(namespace: 0, bytes: key))
      if host.isJoined, !host.isSuspended, !host.hasHadTrouble, !isMasked {
        throw PromiseBroken(what: "host \(host.number) loads \(load.key) without having asked")
      }
      return
    }
    // What a change has ended stands until a host is told of it.
    for other in hosts where other !== host {
      guard let standing = other.lease(key), standing.isFleet, redis.holds(key, standing.token) else { continue }
      if !redis.holds(key, load.token), isUntold(host, key) { continue }
      throw PromiseBroken(what: "hosts \(host.number) and \(other.number) load \(load.key)")
    }
  }

  /// A reader is told of a pause that a change has ended of which it must know.
  mutating func checkPause(_ host: WorldHost, _ read: WorldRead) throws(PromiseBroken) {
    guard isFleet else { return }
    counts.pauses += 1
    let pause = redis.pauses[WorldKeys.bytes[read.key]] ?? (0, 0)
    for op in ops where !op.isLost {
      guard let record = op.endOfPause(read.key), pause < record, host.pauses[read.key] < record else { continue }
      // A queued one was answered before it had its record, and the pause may have begun between.
      let isAnswered = op.host == read.host && !op.isQueued && op.answeredAt.map { $0 < read.at } ?? false
      if isAnswered || record <= read.seen {
        throw PromiseBroken(what: "host \(read.host) is told of a pause of \(read.key) that op \(op.id) has ended")
      }
    }
  }

  /// The host hasn't been told of a change of the key, whether or not the log still has it, or that Redis came back older.
  private func isUntold(_ host: WorldHost, _ key: [UInt8]) -> Bool {
    host.position.incarnation != redis.incarnation || !redis.isJoined
      || redis.lastChange(of: key) > host.position.number
  }

  /// Everybody has been told everything, and a lease stands that nobody has; or a host awaits one that doesn't stand. Who waits there
  /// would wait until its time is over.
  mutating func checkLeases() throws(PromiseBroken) {
    // Where the log has lost its end, nobody is told.
    let end = (redis.incarnation ?? 0, redis.number)
    guard isFleet, loads.isEmpty, hosts.allSatisfy({ $0.isJoined && !$0.isSuspended && $0.position == end }) else {
      return
    }
    counts.rests += 1
    for host in hosts {
      for key in 0..<keyCount {
        let name = WorldKeys.bytes[key]
        // What a dead process had, or an older Redis, nobody gives back.
        if !hasLostLeases, redis.isHeld(name) {
          throw PromiseBroken(what: "a lease of \(key) stands, and nobody has it")
        }
        if host.awaitsAnother(name), !redis.isHeld(name) {
          throw PromiseBroken(what: "host \(host.number) awaits a load of \(key) that nobody has")
        }
      }
    }
  }

  /// Who holds a lease may be gone, and those who wait elsewhere wait until its time is over.
  mutating func outlastLeases() throws(PromiseBroken) {
    for _ in 0..<20 where hosts.contains(where: { !$0.reads.isEmpty }) {
      redis.expireLeases()
      for host in hosts {
        host.hasHadTrouble = true
        host.now += ModelRedis.leaseMilliseconds
        host.cache.upkeep(entries: 100, now: host.now)
        try settle(host)
      }
      for _ in 0..<80 where try !step() { break }
    }
  }
}
