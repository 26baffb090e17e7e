// What a service's metrics and traces show of its cache.

import InMemoryTracing
import Metrics
import MetricsTestKit
import PannierTesting
import Testing
import Tracing

@testable import PannierClient

@Suite(.serialized) struct ObservabilityTests {
  /// The process's own, set up once.
  private static let systems: (metrics: TestMetrics, tracer: InMemoryTracer) = {
    let systems = (TestMetrics(), InMemoryTracer())
    MetricsSystem.bootstrap(systems.0)
    InstrumentationSystem.bootstrap(systems.1)
    return systems
  }()

  private static func count(_ label: String, _ namespace: String, _ result: String) throws -> Int64 {
    try systems.metrics.expectCounter(label, [("namespace", namespace), ("result", result)]).totalValue
  }

  @Test func readsAndLoadsAreCounted() async throws {
    _ = Self.systems
    let fake = try FakePannier()
    let numbers = fake.client.namespace("counted", of: Int.self)
    for _ in 0..<3 { _ = try await numbers.value(for: "a") { 1 } }
    _ = try await numbers.get("b")
    _ = try await numbers.values(for: ["a", "b", "c"])
    try await fake.down { _ = try await numbers.get("a") }
    _ = try? await numbers.value(for: "x") { throw SourceFailed() }
    try await numbers.set("s", to: 1, ttl: .seconds(1), stale: .seconds(60))
    try await fake.advance(by: .seconds(2))
    _ = try await numbers.get("s", stale: true)
    #expect(try Self.count("pannier_client_reads", "counted", "hit") == 3)
    #expect(try Self.count("pannier_client_reads", "counted", "miss") == 5)
    #expect(try Self.count("pannier_client_reads", "counted", "stale") == 1)
    #expect(try Self.count("pannier_client_reads", "counted", "unanswered") == 1)
    #expect(try Self.count("pannier_client_loads", "counted", "loaded") == 1)
    #expect(try Self.count("pannier_client_loads", "counted", "failed") == 1)
    let duration = try Self.systems.metrics.expectTimer("pannier_client_load_duration", [("namespace", "counted")])
    #expect(duration.values.count == 1)
  }

  @Test func requestsAndLoadsAreSpans() async throws {
    let tracer = Self.systems.tracer
    let fake = try FakePannier()
    let numbers = fake.client.namespace("traced", of: Int.self)
    _ = try await numbers.value(for: "a") { 1 }
    _ = try? await numbers.value(for: "b") { throw SourceFailed() }
    let spans = tracer.finishedSpans.filter { $0.attributes.get("pannier.namespace") == "traced" }
    #expect(spans.filter { $0.operationName == "pannier.get" }.count == 2)
    let loads = spans.filter { $0.operationName == "pannier.load" }
    #expect(loads.count == 2)
    #expect(loads.filter { !$0.errors.isEmpty }.count == 1)
  }
}
