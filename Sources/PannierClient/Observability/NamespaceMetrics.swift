// What a client counts of one namespace, for whatever metrics the service has. It decides nothing.

import Metrics

/// `pannier_client_reads` by `result`: `hit`, `stale`, `miss`, and `unanswered` where the sidecar says nothing; a key each.
/// `pannier_client_loads` by `result`: `loaded`, `failed`; and `pannier_client_load_duration`, a timer. Each has the dimension
/// `namespace`. What all clients of a host did together is in the sidecar's statistics.
struct NamespaceMetrics: Sendable {
  private let hits: Counter
  private let staleHits: Counter
  private let misses: Counter
  private let unanswered: Counter
  private let loads: Counter
  private let failures: Counter
  private let duration: Timer

  init(_ namespace: String) {
    func reads(_ result: String) -> Counter {
      Counter(label: "pannier_client_reads", dimensions: [("namespace", namespace), ("result", result)])
    }
    func loads(_ result: String) -> Counter {
      Counter(label: "pannier_client_loads", dimensions: [("namespace", namespace), ("result", result)])
    }
    hits = reads("hit")
    staleHits = reads("stale")
    misses = reads("miss")
    unanswered = reads("unanswered")
    self.loads = loads("loaded")
    failures = loads("failed")
    duration = Timer(label: "pannier_client_load_duration", dimensions: [("namespace", namespace)])
  }

  /// A key was asked for. Nil: the sidecar said nothing. `hasValue`: the caller gets one.
  func read(_ found: Found?, hasValue: Bool) {
    guard let found else { return unanswered.increment() }
    if !hasValue { return misses.increment() }
    if found.isStale { staleHits.increment() } else { hits.increment() }
  }

  /// So many keys were asked for, and the sidecar said nothing.
  func unanswered(_ count: Int) { unanswered.increment(by: count) }

  func loaded(in time: Duration) {
    loads.increment()
    duration.record(duration: time)
  }

  func failed() { failures.increment() }
}
