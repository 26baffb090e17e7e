// Spans around what a client asks and loads, where the service traces. Where it doesn't, nothing is done.

import PannierWire
import Tracing

struct ClientTracer: Sendable {
  /// Nil: nobody traces.
  private let tracer: (any Tracer)?

  /// The service's own, as it is when the client is made.
  init() {
    let tracer = InstrumentationSystem.tracer
    self.tracer = tracer is NoOpTracer ? nil : tracer
  }

  /// `get`, `set`, …: a span of a client's.
  func request<Result>(_ call: Call, _ body: () async throws -> Result) async throws -> Result {
    guard let tracer else { return try await body() }
    return try await tracer.withAnySpan("pannier.\(call.op.map { "\($0.name)" } ?? "line")", ofKind: .client) { span in
      if let ns = call.namespace { span.attributes["pannier.namespace"] = ns }
      return try await body()
    }
  }

  func load<Result>(_ namespace: String, _ body: () async throws -> Result) async throws -> Result {
    guard let tracer else { return try await body() }
    return try await tracer.withAnySpan("pannier.load", ofKind: .internal) { span in
      span.attributes["pannier.namespace"] = namespace
      return try await body()
    }
  }
}
