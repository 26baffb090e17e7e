// The client in a service group.

import Logging
import PannierTesting
import ServiceLifecycle
import Testing

@testable import PannierClient

@Suite(.timeLimit(.minutes(5))) struct ServiceTests {
  @Test(arguments: [true, false])
  func itsConnectionsAreClosedAtTheEnd(isGraceful: Bool) async throws {
    let fake = try FakePannier()
    let numbers = fake.client.namespace("n", of: Int.self)
    try await numbers.set("k", to: 1)
    let group = ServiceGroup(
      services: [fake.client], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let running = Task { try await group.run() }
    #expect(try await numbers.get("k") == 1)
    if isGraceful { await group.triggerGracefulShutdown() } else { running.cancel() }
    _ = try? await running.value
    // What is asked afterwards finds no cache, and is loaded.
    #expect(try await numbers.get("k") == nil)
    #expect(try await numbers.value(for: "k") { 2 } == 2)
    #expect(try await fake.makeClient().namespace("n", of: Int.self).get("k") == 1)
  }
}
