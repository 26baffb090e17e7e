// The cache against the reference: more than 100,000 random operations, in shapes that each press on something else.

import Testing

@testable import PannierCore

private let shapes = [
  ModelShape(
    name: "clears under way",
    policies: [
      { $0.lifetimes.staleMilliseconds = 150 }, { $0.lifetimes.ttlMilliseconds = nil }, { $0.lifetimes.jitter = 0.3 },
    ],
    weights: [36, 28, 5, 6, 3, 5, 3, 4, 0, 10], largestUpkeep: 30),
  // One bucket a slice: what clears have taken in is evicted, replaced and expires before they come by.
  ModelShape(
    name: "entries bounded", keys: 80,
    policies: [
      { $0.maxEntries = 20 },
      {
        $0.maxEntries = 33
        $0.lifetimes.staleMilliseconds = 80
      },
    ],
    weights: [36, 36, 4, 6, 2, 4, 2, 2, 0, 8], largestUpkeep: 1),
  ModelShape(
    name: "bytes bounded", memoryBytes: 20_000, keys: 80,
    policies: [{ $0.maxBytes = 6000 }, { $0.lifetimes.staleMilliseconds = 300 }, { $0.lifetimes.jitter = 0 }],
    weights: [34, 40, 2, 6, 2, 4, 2, 1, 0, 9]),
  ModelShape(
    name: "policies changed", keys: 40,
    policies: [{ $0.lifetimes.staleMilliseconds = 100 }, { $0.lifetimes.negativeTTLMilliseconds = 20 }],
    weights: [36, 30, 4, 5, 3, 4, 3, 2, 3, 10], largestUpkeep: 40),
  // Walks hardly move, so that clears pile up until they widen.
  ModelShape(
    name: "many clears", keys: 90, policies: [{ $0.lifetimes.staleMilliseconds = 5000 }],
    weights: [32, 34, 2, 3, 2, 3, 2, 20, 0, 2], largestUpkeep: 8, tags: 30),
  // So many that buckets split and merge beneath the walks.
  ModelShape(
    name: "tables that grow", keys: 900, policies: [{ $0.lifetimes.staleMilliseconds = 300 }],
    weights: [10, 70, 2, 3, 1, 2, 1, 1, 0, 10], largestUpkeep: 60, tags: 12, steps: 4000),
]

@Test(arguments: shapes, [1, 2] as [UInt64])
func cacheAgreesWithTheReference(shape: ModelShape, seed: UInt64) throws {
  let run = try ModelRun(shape, seed: seed)
  try run.run(steps: shape.steps * soakFactor)
  // The run did what it is for.
  let counters = (0..<shape.policies.count).map { run.subject.counters($0) }
  let cleared = counters.reduce(0) { $0 + $1.cleared }
  let expired = counters.reduce(0) { $0 + $1.expirations }
  check(
    counters.allSatisfy { $0.hits > 50 && $0.misses.total > 50 && $0.staleHits > 0 }, "hits and misses of all kinds")
  check(cleared > 100 && expired > 20, "\(cleared) cleared, \(expired) expired")
  let evicted = counters.reduce(0) { $0 + $1.evictions.total }
  if shape.name.hasSuffix("bounded") { check(evicted > 500, "\(evicted) evicted") }
  if shape.name == "tables that grow" { check(run.resized > 100, "\(run.resized) splits and merges") }
  if shape.name == "many clears" { check(counters[0].clearsWidened > 10, "\(counters[0].clearsWidened) widened") }
}
