// A sidecar within a test's own process: the same decisions as the real one's, no socket, and a clock to move.

public import Logging
import NIOCore
import NIOPosix
public import PannierClient

/// Stands in for a sidecar in tests of a service.
///
/// ```swift
/// let fake = try FakePannier()
/// let users = fake.client.namespace("users", of: User.self)
/// try await users.set("1", to: user, ttl: .minutes(5))
/// try await fake.advance(by: .seconds(301))
/// #expect(try await users.get("1") == nil)
/// ```
///
/// It runs the sidecar's own code, and passes the protocol's transcripts. Its time stands still until it is moved; Redis it
/// has none.
public final class FakePannier: Sendable {
  /// A client of it. Others are made by ``makeClient(_:logger:)``: of one fake all see the same values.
  public let client: PannierClient
  private let sidecar: FakeSidecar

  /// `configuration`: a sidecar's, as YAML; a mistake in it is thrown, with what would do. Without one ttls are not jittered,
  /// and a namespace has the policies that it would have.
  public init(
    configuration: String = "defaults: {jitter: 0}", logger: Logger = Logger(label: "pannier.testing")
  ) throws {
    let sidecar = try FakeSidecar(configuration, on: MultiThreadedEventLoopGroup.singleton.any())
    self.sidecar = sidecar
    client = Self.makeClient(of: sidecar, Self.settings, logger)
  }

  /// Another client of it, which holds leases of its own. A connection's timeouts are in real time.
  public func makeClient(
    _ configuration: PannierConfiguration? = nil, logger: Logger = Logger(label: "pannier.testing")
  ) -> PannierClient { Self.makeClient(of: sidecar, configuration ?? Self.settings, logger) }

  /// Moves its time. Returns when all that is due by then has been done: what expires has expired, and who waited too
  /// long has been told.
  public func advance(by duration: Duration) async throws { try await sidecar.advance(by: duration) }

  /// While `body` runs nobody answers, as if the sidecar had been killed; it keeps its values.
  public nonisolated(nonsending) func down<Result>(
    _ body: nonisolated(nonsending) () async throws -> Result
  ) async throws -> Result {
    try await sidecar.goDown()
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    try await sidecar.comeUp()
    return try result.get()
  }

  /// Whatever the environment says: a test's own fake is asked. Time enough for a busy machine; a fake that is down says so at
  /// once, and is asked again at once.
  private static var settings: PannierConfiguration {
    var settings = PannierConfiguration(socketPath: "fake")
    settings.isEnabled = true
    settings.requestTimeout = .seconds(10)
    settings.breakerPause = .zero
    return settings
  }

  private static func makeClient(
    of sidecar: FakeSidecar, _ configuration: PannierConfiguration, _ logger: Logger
  ) -> PannierClient {
    PannierClient(configuration: configuration, eventLoopGroup: sidecar.eventLoop, logger: logger) {
      sidecar.accept($0)
    }
  }
}
