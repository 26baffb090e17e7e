// The client of one sidecar: what services hold. It hands out namespaces, and asks for them.

public import Logging
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// A client of the Pannier sidecar on this host.
///
/// ```swift
/// let pannier = PannierClient(logger: logger)
/// let users = pannier.namespace("users", of: User.self)
/// let user = try await users.value(for: "user:\(id)", ttl: .minutes(10)) {
///   try await database.user(id)
/// }
/// ```
///
/// It connects when it is first asked, and needs no start. As a `Service` it closes its connections when the service group
/// shuts down; without one, ``close()`` does. Trouble with the sidecar never reaches a caller, unless
/// ``PannierConfiguration/throwsErrors`` says so: it is a miss, and values are loaded.
public final class PannierClient: Service, Sendable {
  /// In this task, as if the cache were switched off: see ``withoutCache(_:)``.
  @TaskLocal static var isBypassed = false

  let configuration: PannierConfiguration
  let logger: Logger
  let links: Links
  let solo = SoloLoads()
  let tracer = ClientTracer()
  private let told = NIOLockedValueBox<Set<String>>([])
  private let metrics = NIOLockedValueBox<[String: NamespaceMetrics]>([:])

  /// `eventLoopGroup`: one connection is made for each of its loops that is used.
  public convenience init(
    configuration: PannierConfiguration = PannierConfiguration(),
    eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "pannier.client")
  ) {
    let path = configuration.socketPath
    let timeout = TimeAmount(configuration.connectTimeout)
    self.init(configuration: configuration, eventLoopGroup: eventLoopGroup, logger: logger) {
      $0.open(path: path, timeout: timeout)
    }
  }

  /// `dial`: opens its connections.
  package init(
    configuration: PannierConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger, dial: @escaping Links.Dial
  ) {
    self.configuration = configuration
    self.logger = logger
    links = Links(configuration: configuration, group: eventLoopGroup, logger: logger, dial: dial)
  }

  /// Until the service group shuts down, or the task is cancelled; then its connections are closed.
  public func run() async throws {
    // That the task is cancelled is as good an end.
    try? await gracefulShutdown()
    close()
  }

  /// Closes its connections. What is asked afterwards finds no cache.
  public func close() { links.close() }

  // MARK: Namespaces

  /// The values of one type in a namespace. `name`: 1 to 64 letters, digits, `_`, `.` and `-`. What is there and is no such
  /// `Value` any more is a miss.
  public func namespace<Value: Codable & Sendable>(
    _ name: String, of type: Value.Type = Value.self
  ) -> CacheNamespace<Value> {
    CacheNamespace(client: self, name: name, coding: .codable, metrics: metrics(of: name))
  }

  /// A namespace whose values stay the JSON that they are.
  public func namespace(_ name: String, of type: RawJSON.Type) -> CacheNamespace<RawJSON> {
    CacheNamespace(client: self, name: name, coding: .raw, metrics: metrics(of: name))
  }

  /// Made once for each name: some backends keep all that they are asked for.
  private func metrics(of name: String) -> NamespaceMetrics {
    metrics.withLockedValue { known in
      if let found = known[name] { return found }
      let made = NamespaceMetrics(name)
      known[name] = made
      return made
    }
  }

  /// Whether the sidecar answers.
  public func ping() async throws -> Bool {
    try await ask(.ping, otherwise: false, always: true) { (answer) throws(PannierError) in
      _ = try answer.members()
      return true
    }
  }

  /// Clears every namespace. Returns how many values a reader could have seen.
  @discardableResult
  public func clearAll() async throws -> Int {
    let call = Call.clear(ns: "*", .all, soft: false, dryRun: false)
    return try await ask(call, otherwise: 0, always: true) { (answer) throws(PannierError) in
      try answer.count("cleared")
    }
  }

  /// Runs `body` as if there were no cache: nothing is read or stored in this task. Invalidations are sent.
  public nonisolated(nonsending) static func withoutCache<Result>(
    _ body: nonisolated(nonsending) () async throws -> Result
  ) async rethrows -> Result {
    try await $isBypassed.withValue(true, operation: body)
  }

  var isEnabled: Bool { configuration.isEnabled && !Self.isBypassed }

  // MARK: Asking

  /// What `read` makes of the answer; `otherwise` where there is none. `always`: also where the cache is switched off, as
  /// invalidations are.
  func ask<Result>(
    _ call: Call, otherwise: Result, always: Bool = false, read: (Answer) throws(PannierError) -> Result
  ) async throws -> Result {
    guard always || isEnabled else { return otherwise }
    do {
      return try read(await request(call))
    } catch let error as PannierError {
      if case .unavailable = error, let change = call.later { links.tellLater(change) }
      try report(error)
      return otherwise
    }
  }

  /// Throws a PannierError, whatever the configuration says.
  func request(_ call: Call) async throws -> Answer {
    try await tracer.request(call) { try await links.ask(call) }
  }

  /// An error that is to go no further, unless the configuration says so. An outage the breaker tells.
  func report(_ error: PannierError) throws(PannierError) {
    if configuration.throwsErrors { throw error }
    if case .refused(let code, let message) = error {
      warnOnce(
        "the sidecar refuses a request", ["code": "\(code.rawValue)", "message": "\(message)"], about: code.rawValue)
    }
  }

  /// A service sees nothing of it but a cache that never hits: so it is told, once.
  func warnOnce(_ message: Logger.Message, _ metadata: Logger.Metadata, about what: String) {
    guard told.withLockedValue({ $0.insert(what).inserted }) else { return }
    logger.warning(message, metadata: metadata)
  }
}
