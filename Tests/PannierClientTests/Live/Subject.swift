// What live tests have: a sidecar, a client of it, and a namespace of quizzes.

import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import PannierWire
import Testing

@testable import PannierClient

struct Quiz: Codable, Equatable, Sendable {
  var id: UUID
  var title: String
  var due: Date?

  static let first = Quiz(
    id: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)), title: "Zoë's \"quiz\"",
    due: Date(timeIntervalSinceReferenceDate: 800_000_000))
}

/// A sidecar, a client and a namespace of quizzes.
struct Subject {
  let sidecar: Sidecar
  let client: PannierClient
  let quizzes: CacheNamespace<Quiz>

  init(
    _ configuration: String = "defaults: {jitter: 0}", throwsErrors: Bool = true,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  ) throws {
    sidecar = try Sidecar(configuration)
    var settings = PannierConfiguration(socketPath: sidecar.socketPath)
    settings.throwsErrors = throwsErrors
    // The machine may be busy with other tests: what is told late isn't what they are about.
    settings.connectTimeout = .seconds(5)
    settings.requestTimeout = .seconds(10)
    client = PannierClient(configuration: settings, logger: logger)
    quizzes = client.namespace("quizzes")
  }

  func advance(seconds: Int) async throws {
    _ = try await client.links.ask(.line(.init(string: #"{"op":"advance","seconds":\#(seconds)}"#))).members()
  }

  /// Until something holds of a namespace's statistics: what others do is under way then.
  func until(_ ns: String? = nil, _ holds: (JSONValue) -> Bool) async throws {
    while true {
      let namespaces = try await client.links.ask(.stats(ns: ns)).members()["namespaces"]?.members ?? []
      if namespaces.contains(where: { holds($0.value) }) { return }
      try await nextTurn()
    }
  }
}

/// Where a test waits for what others do; ends with the test's own time.
func nextTurn() async throws {
  try Task.checkCancellation()
  await Task.yield()
}

/// A log, by what its lines say.
final class Lines: Sendable {
  private let said = NIOLockedValueBox<[String]>([])

  var lines: [String] { said.withLockedValue { $0 } }

  var logger: Logger { Logger(label: "test") { _ in Handler(said: self.said) } }

  private struct Handler: LogHandler {
    let said: NIOLockedValueBox<[String]>
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { said.withLockedValue { $0.append("\(event.message)") } }
  }
}
