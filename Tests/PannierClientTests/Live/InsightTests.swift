// What can be seen of the cache: statistics, explanations, policies, events.

import PannierTesting
import Testing

@testable import PannierClient

@Suite(.timeLimit(.minutes(5))) struct InsightTests {
  @Test func statisticsAreTheSidecars() async throws {
    let subject = try Subject()
    #expect(try await subject.quizzes.statistics() == nil)
    try await subject.quizzes.set("a", to: .first)
    _ = try await subject.quizzes.values(for: ["a", "b", "c"])
    _ = try await subject.quizzes.value(for: "d") { .first }
    try await subject.advance(seconds: 400)
    _ = try await subject.quizzes.get("a")
    let found = try #require(try await subject.quizzes.statistics())
    #expect(found.hits == 1)
    #expect(found.misses == 4)
    #expect(found.missesByReason["never_stored"] == 3)
    #expect(found.missesByReason["expired"] == 1)
    #expect(found.missesByReason.values.reduce(0, +) == found.misses)
    #expect(found.sets == 2)
    #expect(found.loads == 1)
    #expect(found.hitRate == 0.2)
    #expect(try await subject.client.statistics().keys.sorted() == ["quizzes"])
    let raw = try #require(try await subject.client.rawStatistics())
    #expect(raw.description.contains(#""uptime""#))
  }

  @Test func aKeysStateIsExplained() async throws {
    let subject = try Subject()
    try await subject.quizzes.set("a", to: .first)
    try await subject.quizzes.delete("a")
    let said = try #require(try await subject.quizzes.explain("a"))
    #expect(said.description.contains(#""state":"absent","reason":"deleted""#))
  }

  @Test func policiesAreShownAndChanged() async throws {
    let subject = try Subject()
    let changed = try await subject.quizzes.policy(changing: RawJSON(#"{"ttl":"10m"}"#.utf8))
    #expect(changed.map { $0.description.contains(#""ttl":600"#) } == true)
    try await subject.quizzes.set("a", to: .first)
    #expect(try await subject.quizzes.entry("a")?.ttl == .seconds(600))
    await #expect(throws: PannierError.self) {
      try await subject.quizzes.policy(changing: RawJSON(#"{"tll":"10m"}"#.utf8))
    }
  }

  @Test func eventsComeAsTheyHappen() async throws {
    let subject = try Subject()
    let events = subject.client.watch(namespace: "quizzes", kinds: [.set, .delete])
    // Both are asked on connections of their own: what is done before the watch has begun isn't seen.
    let changes = Task {
      while !Task.isCancelled {
        try await subject.quizzes.set("a", to: .first)
        try await subject.quizzes.delete("a")
      }
    }
    var seen: [CacheEvent.Kind] = []
    for try await event in events {
      #expect(event.namespace == "quizzes")
      #expect(event.key == "a")
      #expect(event.pid != nil)
      seen.append(event.kind)
      if seen.count == 4 { break }
    }
    changes.cancel()
    #expect(Set(seen) == [.set, .delete])
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 != $1 })
  }

  @Test func aWatchEndsWithItsSidecar() async throws {
    let subject = try Subject()
    let events = subject.client.watch()
    try await subject.quizzes.set("a", to: .first)
    let seen = Task { for try await _ in events {} }
    subject.sidecar.kill()
    // It may be gone before the watch has begun.
    _ = try? await seen.value
    await #expect(throws: PannierError.self) { for try await _ in subject.client.watch() {} }
    let fake = try FakePannier()
    await #expect(throws: PannierError.self) { for try await _ in fake.client.watch(sample: 7) {} }
  }
}
