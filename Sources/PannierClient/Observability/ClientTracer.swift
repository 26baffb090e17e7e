// Spans around what a client asks and loads, where the service traces. Where it doesn't, nothing is done.

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
    return try await tracer.withAnySpan("pannier.\(call.name)", ofKind: .client) { span in
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

extension Call {
  /// The op's, as the protocol has it.
  fileprivate var name: String {
    switch self {
    case .ping: "ping"
    case .get: "get"
    case .set: "set"
    case .release: "release"
    case .delete: "delete"
    case .touch: "touch"
    case .exists: "exists"
    case .keys: "keys"
    case .clear: "clear"
    case .stats: "stats"
    case .explain: "explain"
    case .policy: "policy"
    case .watch: "watch"
    case .line: "line"
    }
  }

  fileprivate var namespace: String? {
    switch self {
    case .get(let ns, _, _), .set(let ns, _), .release(let ns, _, _, _), .delete(let ns, _, _), .touch(let ns, _, _),
      .exists(let ns, _), .keys(let ns, _, _, _), .clear(let ns, _, _, _), .explain(let ns, _), .policy(let ns, _):
      ns
    case .stats(let ns), .watch(let ns, _, _): ns
    case .ping, .line: nil
    }
  }
}
