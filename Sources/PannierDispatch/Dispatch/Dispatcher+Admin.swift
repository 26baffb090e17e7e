// hello, stats, policy, watch and the test clock: what operators and clients ask of the server itself.

import Logging
import PannierCore
import PannierWire

/// What only the process around the dispatcher knows. Times are in milliseconds.
package struct ServerFacts {
  package var connections = 0
  package var residentBytes = 0
  package var loopDelayMicroseconds: (p50: UInt64, p99: UInt64, max: UInt64) = (0, 0, 0)

  /// Nil: Redis is not used.
  package var redis: RedisFacts?

  package init() {}
}

/// What this build calls itself.
package let serverVersion = "0.1.0"

extension Dispatcher {
  private static let features: [StaticString] = [
    "tags", "stale", "soft", "conditional", "max_age", "unless", "dry_run", "watch", "lease",
  ]

  func hello(_ id: Bytes?, _ session: Session) {
    session.output.begin(id: id)
    session.output.member("server", string: "pannier/\(serverVersion)")
    session.output.member("protocol", count: 1)
    session.output.name("limits")
    session.output.beginObject()
    for limit in limits.named {
      session.output.name(limit.name)
      session.output.append(Array(limit.value.json.utf8))
    }
    session.output.endObject()
    if cache.sharedCounters != nil {
      session.output.member("redis_timeout", seconds: configuration.redis.timeoutMilliseconds)
    }
    session.output.name("features")
    session.output.beginArray()
    for feature in Self.features + (clock.isManual ? ["test_clock"] : []) {
      session.output.separate()
      session.output.append(string: "\(feature)")
    }
    session.output.endArray()
    session.output.end()
  }

  // MARK: stats

  func stats(_ name: Bytes?, _ id: Bytes?, _ session: Session) throws(Refusal) {
    if let name { try checkName(name) }
    let facts = facts()
    session.output.begin(id: id)
    session.output.member("uptime", seconds: clock.uptime)
    session.output.member("connections", count: facts.connections)
    session.output.member("resident", count: facts.residentBytes)
    session.output.name("memory")
    session.output.beginObject()
    session.output.member("used", count: cache.usedBytes)
    session.output.member("limit", count: cache.memoryBytes)
    session.output.endObject()
    session.output.name("requests")
    session.output.beginObject()
    for op in Op.allCases where op != .advance || clock.isManual {
      session.output.member(op.name, count: requestCounts[Int(op.rawValue)])
    }
    session.output.endObject()
    session.output.name("errors")
    session.output.beginObject()
    for code in ErrorCode.allCases {
      session.output.name(code.rawValue)
      session.output.append(number: errorCounts[code] ?? 0)
    }
    session.output.endObject()
    session.output.name("loop_delay")
    session.output.beginObject()
    session.output.member("p50", microseconds: facts.loopDelayMicroseconds.p50)
    session.output.member("p99", microseconds: facts.loopDelayMicroseconds.p99)
    session.output.member("max", microseconds: facts.loopDelayMicroseconds.max)
    session.output.endObject()
    if let redis = facts.redis { write(redis, &session.output) }
    namespaceStats(name, session)
    session.output.end()
  }

  private func namespaceStats(_ name: Bytes?, _ session: Session) {
    var ids = Array(0..<cache.namespaceCount)
    if let name { ids = cache.namespace(name).map { [$0] } ?? [] }
    session.output.name("namespaces")
    session.output.beginObject()
    for id in ids {
      session.output.name(String(decoding: cache.name(of: id), as: UTF8.self))
      write(cache.counters(of: id), id, &session.output)
    }
    session.output.endObject()
  }

  private func write(_ counters: Counters, _ id: NamespaceID, _ output: inout OutputBuffer) {
    let policy = cache.policy(of: id)
    output.beginObject()
    output.member("hits", count: counters.hits)
    if cache.sharedCounters != nil { output.member("hits_redis", count: counters.sharedHits) }
    output.member("stale_hits", count: counters.staleHits)
    output.member("misses", count: counters.misses.total)
    output.name("misses_by")
    output.beginObject()
    for reason in MissReason.allCases { output.member(reason.name, count: counters.misses[of: reason]) }
    output.endObject()
    output.member("sets", count: counters.sets)
    output.member("deletes", count: counters.deletes)
    output.member("clears", count: counters.clears)
    output.member("cleared", count: counters.cleared)
    output.member("clears_widened", count: counters.clearsWidened)
    output.name("evictions")
    output.beginObject()
    for bound in EvictionBound.allCases { output.member(bound.name, count: counters.evictions[of: bound]) }
    output.endObject()
    output.member("expirations", count: counters.expirations)
    output.member("entries", count: cache.entryCount(of: id))
    output.member("bytes", count: cache.byteCount(of: id))
    output.member("max_bytes", count: policy.maxBytes)
    output.member("max_entries", count: policy.maxEntries)
    output.member("evicted_age", seconds: counters.evictedAgeMilliseconds)
    writeLoads(counters, cache.loadTimes(of: id), &output)
    if cache.sharedCounters != nil {
      output.member("unproven", count: cache.unproven(of: id))
      output.name("claims")
      output.beginObject()
      output.member("won", count: counters.leases.fleet)
      output.member("elsewhere", count: counters.leases.elsewhere)
      output.endObject()
    }
    output.endObject()
  }

  private func writeLoads(_ counters: Counters, _ times: LoadTimes?, _ output: inout OutputBuffer) {
    let leases = counters.leases
    output.name("leases")
    output.beginObject()
    output.member("granted", count: leases.granted)
    output.member("filled", count: leases.filled)
    output.member("lost", count: leases.lost)
    output.member("released", count: leases.released)
    output.member("failed", count: leases.failed)
    output.member("passed", count: leases.passed)
    output.member("timed_out", count: leases.timedOut)
    output.member("revoked", count: leases.revoked)
    output.member("handed_over", count: leases.handedOver)
    output.member("held", count: leases.held)
    output.endObject()
    output.name("waits")
    output.beginObject()
    output.member("count", count: counters.waits.count)
    output.member("now", count: counters.waits.now)
    output.member("seconds", seconds: counters.waits.milliseconds)
    output.endObject()
    output.name("loads")
    output.beginObject()
    output.member("count", count: leases.filled)
    output.member("p50", microseconds: times?.histogram.quantile(0.5) ?? 0)
    output.member("p99", microseconds: times?.histogram.quantile(0.99) ?? 0)
    output.member("seconds", seconds: times?.milliseconds ?? 0)
    output.endObject()
    output.member("refreshes", count: counters.refreshes)
    // Hits times the mean time of a load.
    let saved =
      leases.filled == 0 ? 0 : Double(counters.hits) * Double(times?.milliseconds ?? 0) / Double(leases.filled)
    output.member("saved_seconds", seconds: Int64(saved))
  }

  // MARK: policy

  func policy(_ name: Bytes, _ set: Bytes?, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let text = try allowedName(name)
    if let set { try change(name, text, set, session) }
    session.output.begin(id: id)
    session.output.name("policy")
    session.output.append(policyJSON(policies.policy(for: text)))
    session.output.end()
  }

  private func change(_ name: Bytes, _ text: String, _ set: Bytes, _ session: Session) throws(Refusal) {
    guard session.isAdmin else {
      throw Refusal(.forbidden, "uid \(session.caller.uid) may not change policies (access.admins)")
    }
    switch PolicyPatch.parse(json: Array(set)) {
    case .failure(let faults): throw Refusal(.badRequest, faults.oneLine)
    case .success(let patch):
      let ns = try namespace(name)
      policies.change(text, patch)
      cache.setPolicy(policies.policy(for: text), of: ns, by: session.caller, now: now)
      answerShared()
      log.notice(
        "policy changed", metadata: ["ns": "\(text)", "pid": "\(session.caller.pid)", "uid": "\(session.caller.uid)"])
    }
  }

  /// Takes over a configuration that was found good. What needs a restart is the caller's to say.
  package func reload(_ new: Configuration) {
    policies.reload(new)
    configuration.defaults = new.defaults
    configuration.namespaces = new.namespaces
    configuration.unknownNamespaces = new.unknownNamespaces
    configuration.access = new.access
    let operatorCaller = Caller(pid: 0, uid: 0)
    for name in new.namespaces.keys.sorted() { withBytes(name) { name in _ = try? namespace(name) } }
    for id in 0..<cache.namespaceCount {
      let policy = policies.policy(for: String(decoding: cache.name(of: id), as: UTF8.self))
      if policy != cache.policy(of: id) { cache.setPolicy(policy, of: id, by: operatorCaller, now: now) }
    }
    tellOfChange()
  }

  // MARK: The test clock

  /// Moves the clock; what is due by then is done before the answer.
  func advance(_ milliseconds: Int64, _ id: Bytes?, _ session: Session) throws(Refusal) {
    guard clock.advance(milliseconds) else {
      throw Refusal(.badRequest, "\"seconds\" would move the clock more than 14 years beyond its start")
    }
    while needsUpkeep { upkeep() }
    session.output.done(id: id)
  }
}

extension OutputBuffer {
  mutating func member(_ name: StaticString, microseconds: UInt64) {
    self.name(name)
    append(microseconds: microseconds)
  }
}
