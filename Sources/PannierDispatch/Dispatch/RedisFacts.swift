// What `stats` tells of Redis. It knows no connection: the numbers are given.

import PannierCore
import PannierWire

package struct RedisFacts {
  package var state = ""
  /// Since when, in milliseconds on the cache's clock.
  package var since: Int64 = 0
  /// Why it could not be used, the last time that it could not.
  package var reason: String?
  /// By which it may drop the log; nil: it never does.
  package var eviction: String?
  package var roundTripMicroseconds: (p50: UInt64, p99: UInt64) = (0, 0)
  /// By their code words, and by what was wrong with what was read.
  package var errors: [String: Int] = [:]
  /// How long ago the log was last proven to be followed to its end, in milliseconds; nil: never yet.
  package var provenAgo: Int64?
  /// Within which that is to be proven anew: `coherence.bound`.
  package var boundMilliseconds: Int64 = 0
  package var walk = Walk()

  /// How far the removal of what clears made void is.
  package struct Walk {
    package var namespaces = 0
    package var scanned = 0
    package var removed = 0
    package var isRunning = false

    package init() {}
  }

  package init() {}
}

extension Dispatcher {
  func write(_ facts: RedisFacts, _ output: inout OutputBuffer) {
    let counters = cache.sharedCounters ?? SharedCounters()
    output.name("redis")
    output.beginObject()
    output.member("state", string: facts.state)
    output.member("since", seconds: max(0, now - facts.since))
    if let reason = facts.reason { output.member("reason", string: reason) }
    if let eviction = facts.eviction { output.member("eviction", string: eviction) }
    output.name("round_trip")
    output.beginObject()
    output.member("p50", microseconds: facts.roundTripMicroseconds.p50)
    output.member("p99", microseconds: facts.roundTripMicroseconds.p99)
    output.endObject()
    output.member("in_flight", count: cache.sharedInFlight)
    output.member("hits", count: counters.hits)
    output.member("misses", count: counters.misses)
    output.member("voids", count: counters.voids)
    output.member("shed", count: counters.shed)
    output.member("timeouts", count: counters.timeouts)
    output.name("errors")
    output.beginObject()
    for name in facts.errors.keys.sorted() {
      output.name(name)
      output.append(number: facts.errors[name] ?? 0)
    }
    output.endObject()
    output.name("log")
    output.beginObject()
    let position = cache.sharedPosition
    output.member("incarnation", string: position.map { "\($0.incarnation)" } ?? "")
    output.member("position", count: position.map { Int($0.seen) } ?? 0)
    output.member("lag", count: position.map { Int($0.known - $0.seen) } ?? 0)
    output.member("proven", seconds: facts.provenAgo)
    output.member("bound", seconds: facts.boundMilliseconds)
    output.member("records", count: counters.records)
    output.member("gaps", count: counters.gaps)
    output.endObject()
    output.member("unproven", count: (0..<cache.namespaceCount).reduce(0) { $0 + cache.unproven(of: $1) })
    output.name("queue")
    output.beginObject()
    output.member("depth", count: cache.sharedQueueCount)
    output.member("queued", count: counters.queued)
    output.member("replayed", count: counters.replayed)
    output.endObject()
    let behind = cache.behind
    output.name("behind")
    output.beginObject()
    output.member("pending", count: behind.pending)
    output.member("oldest", seconds: behind.since.map { now - $0 })
    output.member("waiting", count: behind.waiting)
    output.member("sent", count: counters.behindSent)
    output.member("conflicts", count: counters.behindConflicts)
    output.endObject()
    output.name("walk")
    output.beginObject()
    output.member("namespaces", count: facts.walk.namespaces)
    output.member("scanned", count: facts.walk.scanned)
    output.member("removed", count: facts.walk.removed)
    output.member("running", flag: facts.walk.isRunning)
    output.endObject()
    output.endObject()
  }
}
