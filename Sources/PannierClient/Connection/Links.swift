// A client's connections: one an event loop, opened when it is first used. It decides whether the sidecar is asked at all, and
// knows no ops.

import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

package final class Links: Sendable {
  private struct State: Sendable {
    var connections: [ObjectIdentifier: Connection] = [:]
    var breaker: Breaker
    var untold = Untold()
    var isClosed = false
  }

  /// For so long an answer to a change that is told late is awaited: a clear's comes when its walk is over.
  private static let tellLimit = TimeAmount.seconds(10)

  private let configuration: PannierConfiguration
  private let group: any EventLoopGroup
  private let dial: Dial
  private let logger: Logger
  private let state: NIOLockedValueBox<State>

  /// Opens a connection, or ends it where that can't be done.
  package typealias Dial = @Sendable (Connection) -> Void

  init(configuration: PannierConfiguration, group: any EventLoopGroup, logger: Logger, dial: @escaping Dial) {
    self.configuration = configuration
    self.group = group
    self.dial = dial
    self.logger = logger
    state = NIOLockedValueBox(State(breaker: Breaker(pause: TimeAmount(configuration.breakerPause))))
  }

  deinit { for connection in state.withLockedValue({ $0.connections.values }) { connection.close() } }

  /// Throws PannierError.unavailable, or CancellationError where the task is cancelled.
  func ask(_ call: Call) async throws -> Answer {
    try await usable(call).ask(call, within: limit(call))
  }

  /// The answer, also where the task is cancelled.
  func insist(_ call: Call) async throws -> Answer {
    try await usable(call).insist(call, within: limit(call))
  }

  /// Sends a request now; `done` is called when it is answered, or can't be.
  func ask(_ call: Call, done: @escaping @Sendable (Result<Answer, any Error>) -> Void) throws(PannierError) {
    try usable(call).ask(call, within: limit(call), done: done)
  }

  /// Sends a request whose answer nobody waits for.
  func tell(_ call: Call) { try? usable(call).tell(call) }

  /// Of a change that no sidecar was told of.
  func tellLater(_ change: Call) { state.withLockedValue { $0.untold.add(change) } }

  /// A connection of its own, whose owner opens it, once it has asked what it is for, and closes it.
  func apart(_ observer: Connection.Observer) -> Connection { newConnection(group.any(), observer) }

  func open(_ connection: Connection) { dial(connection) }

  func close() {
    let connections = state.withLockedValue { state in
      state.isClosed = true
      defer { state.connections = [:] }
      return Array(state.connections.values)
    }
    for connection in connections { connection.close() }
  }

  func limit(_ call: Call) -> TimeAmount { TimeAmount(configuration.requestTimeout + call.wait) }

  private func usable(_ call: Call) throws(PannierError) -> Connection {
    let loop = group.any()
    let place = ObjectIdentifier(loop)
    let (found, made, untold) = state.withLockedValue { state -> (Connection?, Connection?, [Call]) in
      if state.isClosed { return (nil, nil, []) }
      if state.breaker.isOpen, !state.breaker.allows(isChange: call.later != nil, now: .now()) { return (nil, nil, []) }
      let untold = state.untold.isEmpty ? [] : state.untold.take()
      if let connection = state.connections[place], !connection.isLost { return (connection, nil, untold) }
      let connection = newConnection(loop, observer)
      state.connections[place] = connection
      return (connection, connection, untold)
    }
    guard let found else { throw .unavailable("the sidecar did not answer a moment ago, or the client is closed") }
    if let made { dial(made) }
    for change in untold { tellNow(change, on: found) }
    return found
  }

  private func tellNow(_ change: Call, on connection: Connection) {
    connection.ask(change, within: Self.tellLimit) { [weak self] result in
      if case .failure = result { self?.tellLater(change) }
    }
  }

  private var observer: Connection.Observer {
    Connection.Observer(
      heard: { [weak self] in self?.heard() }, failed: { [weak self] why, isCheap in self?.failed(why, isCheap) })
  }

  private func newConnection(_ loop: any EventLoop, _ observer: Connection.Observer) -> Connection {
    Connection(eventLoop: loop, patience: TimeAmount(configuration.requestTimeout), observer: observer)
  }

  private func heard() {
    if state.withLockedValue({ $0.breaker.succeed() }) {
      logger.notice("the cache is used again", metadata: ["socket": "\(configuration.socketPath)"])
    }
  }

  private func failed(_ why: String, _ isCheap: Bool) {
    if state.withLockedValue({ $0.breaker.fail(isCheap: isCheap, now: .now()) }) {
      logger.warning(
        "the cache can't be used, and values are simply loaded",
        metadata: ["socket": "\(configuration.socketPath)", "reason": "\(why)"])
    }
  }
}
