// The sidecar that tests of services have in their own process.

import NIOConcurrencyHelpers
import PannierClient
import PannierTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct FakePannierTests {
  @Test func timePassesWhenItIsMoved() async throws {
    let fake = try FakePannier()
    let users = fake.client.namespace("users", of: String.self)
    try await users.set("1", to: "Ann", ttl: .minutes(5))
    try await fake.advance(by: .milliseconds(299_999))
    #expect(try await users.get("1") == "Ann")
    try await fake.advance(by: .milliseconds(1))
    #expect(try await users.get("1") == nil)
    await #expect(throws: (any Error).self) { try await fake.advance(by: .seconds(-1)) }
  }

  @Test func clientsOfOneFakeSeeTheSame() async throws {
    let fake = try FakePannier()
    try await fake.client.namespace("n", of: Int.self).set("k", to: 1)
    #expect(try await fake.makeClient().namespace("n", of: Int.self).get("k") == 1)
    let other = try FakePannier()
    #expect(try await other.client.namespace("n", of: Int.self).get("k") == nil)
  }

  @Test func whileItIsDownValuesAreLoadedAndWhatChangedIsToldAfterwards() async throws {
    let fake = try FakePannier()
    let numbers = fake.client.namespace("n", of: Int.self)
    try await numbers.set("a", to: 1)
    try await numbers.set("b", to: 2)
    try await fake.down { () async throws in
      #expect(try await numbers.get("a") == nil)
      #expect(try await numbers.value(for: "a") { 3 } == 3)
      #expect(try await numbers.delete("a") == 0)
      #expect(try await !fake.client.ping())
    }
    #expect(try await numbers.get("a") == nil)
    #expect(try await numbers.get("b") == 2)
  }

  @Test func itIsDownUntilTheLastHasDone() async throws {
    let fake = try FakePannier()
    let numbers = fake.client.namespace("n", of: Int.self)
    try await numbers.set("a", to: 1)
    try await fake.down {
      await #expect(throws: CancellationError.self) { try await fake.down { throw CancellationError() } }
      let found = try await numbers.get("a")
      #expect(found == nil)
    }
    #expect(try await numbers.get("a") == 1)
  }

  @Test func waitersAreToldWhenTheirTimeIsUp() async throws {
    let fake = try FakePannier(configuration: "defaults: {jitter: 0, lease_timeout: 10}")
    let numbers = fake.client.namespace("n", of: Int.self)
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    let holder = Task {
      try await numbers.value(for: "k") {
        start.yield()
        for await _ in ended { break }
        return 1
      }
    }
    for await _ in started { break }
    let isDone = NIOLockedValueBox(false)
    let other = Task {
      defer { isDone.withLockedValue { $0 = true } }
      return try await fake.makeClient().namespace("n", of: Int.self).value(for: "k") { 2 }
    }
    // It is elected when the lease is over, however soon or late it began to wait.
    while !isDone.withLockedValue({ $0 }) {
      try Task.checkCancellation()
      try await fake.advance(by: .seconds(10))
    }
    #expect(try await other.value == 2)
    end.yield()
    #expect(try await holder.value == 1)
    // What came too late isn't kept.
    #expect(try await numbers.get("k") != 1)
  }

  @Test(arguments: ["defaults: {tll: 5}", "memory: lots", "["])
  func aMistakeInItsConfigurationIsThrown(yaml: String) {
    #expect(throws: (any Error).self) { try FakePannier(configuration: yaml) }
  }
}
