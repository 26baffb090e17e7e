// What a namespace does against a real sidecar.

import Testing

@testable import PannierClient

@Suite(.timeLimit(.minutes(5))) struct NamespaceTests {
  @Test func valuesComeBackAsTheyWere() async throws {
    let subject = try Subject()
    let quizzes = subject.quizzes
    let key: CacheKey = "quiz:\(Quiz.first.id)"
    #expect(try await quizzes.get(key) == nil)
    #expect(try await quizzes.set(key, to: .first))
    #expect(try await quizzes.get(key) == .first)
    #expect(try await quizzes.exists(key))
    #expect(try await quizzes.delete(key, "other") == 1)
    #expect(try await quizzes.get(key) == nil)
    #expect(try await subject.client.ping())
  }

  @Test func whatIsKnownOfAValue() async throws {
    let subject = try Subject()
    try await subject.quizzes.set("q", to: .first, ttl: .minutes(1), stale: .seconds(30), tags: ["a,\"value\":", "b"])
    try await subject.advance(seconds: 20)
    let entry = try #require(try await subject.quizzes.entry("q"))
    #expect(entry.value == .first)
    #expect(!entry.isStale)
    #expect(entry.ttl == .seconds(40))
    #expect(entry.age == .seconds(20))
    #expect(entry.tier == .memory)
    #expect(entry.tags == ["a,\"value\":", "b"])
    try await subject.advance(seconds: 50)
    #expect(try await subject.quizzes.get("q") == nil)
    #expect(try await subject.quizzes.get("q", stale: true) == .first)
    #expect(try await subject.quizzes.entry("q", stale: true)?.isStale == true)
    #expect(try await subject.quizzes.get("q", stale: true, maxAge: .zero) == .first)
  }

  @Test func conditionsAreKept() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    #expect(try await !numbers.set("n", to: 1, if: .present))
    #expect(try await numbers.set("n", to: 1, if: .absent))
    #expect(try await !numbers.set("n", to: 2, if: .absent))
    let version = try #require(try await numbers.entry("n")).version
    #expect(try await !numbers.set("n", to: 3, if: .version(version + 1)))
    #expect(try await numbers.set("n", to: 3, if: .version(version)))
    #expect(try await numbers.get("n") == 3)
    #expect(try await numbers.set("u", to: 1, ttl: .unlimited))
    #expect(try await numbers.entry("u")?.ttl == nil)
  }

  @Test func many() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    #expect(try await numbers.set(["a": 1, "b": 2, "c": 3], tags: ["t"]) == 3)
    #expect(try await numbers.values(for: ["a", "x", "c", "a"]) == ["a": 1, "c": 3])
    #expect(try await numbers.values(for: []) == [:])
    var page = try await numbers.keys(limit: 2)
    var keys = page.keys
    while let next = page.next {
      page = try await numbers.keys(limit: 2, after: next)
      keys += page.keys
    }
    #expect(Set(keys) == ["a", "b", "c"])
    #expect(try await numbers.clear(tags: ["t"], soft: false) == 3)
  }

  /// Of more than it takes in one the sidecar would refuse all.
  @Test func asManyAsThereAre() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    let keys = (0..<2345).map { CacheKey("\($0)") }
    let all = Dictionary(uniqueKeysWithValues: zip(keys, 0...))
    #expect(try await numbers.set(all) == 2345)
    #expect(try await numbers.values(for: keys) == all)
    #expect(try await numbers.delete(keys) == 2345)
    #expect(try await numbers.values(for: keys) { missing in all.filter { missing.contains($0.key) } } == all)
    for tag in 0..<40 { try await numbers.set("t\(tag)", to: tag, tags: ["t:\(tag)"]) }
    #expect(try await numbers.clear(tags: (0..<40).map { "t:\($0)" }) == 40)
    #expect(try await numbers.delete([]) == 0)
    #expect(try await numbers.clear(tags: []) == 0)
  }

  @Test func clearsCoverWhatTheySay() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    try await numbers.set(["user:a*:1": 1, "user:ab:1": 2, "other": 3])
    let name = "a*"
    #expect(try await numbers.clear(matching: "user:\(name):*") == 1)
    #expect(try await numbers.clear() == 2)
    try await numbers.set(["a": 1])
    #expect(try await subject.client.clearAll() == 1)
  }

  @Test func lifeBeginsAnew() async throws {
    let subject = try Subject()
    try await subject.quizzes.set("q", to: .first, ttl: .seconds(10))
    try await subject.advance(seconds: 9)
    #expect(try await subject.quizzes.touch("q", ttl: .seconds(1.5)))
    try await subject.advance(seconds: 1)
    #expect(try await subject.quizzes.get("q") == .first)
    try await subject.advance(seconds: 1)
    #expect(try await subject.quizzes.get("q") == nil)
  }

  @Test func aStoredNullIsAHit() async throws {
    let subject = try Subject()
    let users = subject.client.namespace("users", of: String?.self)
    #expect(try await users.get("a") == .none)
    try await users.set("a", to: nil)
    #expect(try await users.get("a") == .some(nil))
  }

  @Test func rawValuesAreTheirBytes() async throws {
    let subject = try Subject()
    let raw = subject.client.namespace("raw", of: RawJSON.self)
    let value = try #require(RawJSON(#"{"b":1.0,  "a":12345678901234567890}"#.utf8))
    try await raw.set("r", to: value)
    #expect(try await raw.get("r") == value)
  }

  @Test func whatIsOfAnotherTypeIsAMiss() async throws {
    let subject = try Subject()
    try await subject.client.namespace("quizzes", of: Int.self).set("q", to: 1)
    #expect(try await subject.quizzes.get("q") == nil)
    #expect(try await subject.quizzes.entry("q") == nil)
    #expect(try await subject.quizzes.values(for: ["q"]) == [:])
  }

  @Test func refusalsAreThrownWhereThatIsWanted() async throws {
    let subject = try Subject()
    let long = CacheKey(String(repeating: "k", count: 2000))
    await #expect(throws: PannierError.self) { try await subject.quizzes.get(long) }
    do {
      try await subject.quizzes.set(long, to: .first)
    } catch PannierError.refused(let code, let message) {
      #expect(code == .keyTooLong)
      #expect(!message.isEmpty)
    }
    let quiet = try Subject(throwsErrors: false)
    #expect(try await quiet.quizzes.get(long) == nil)
    #expect(try await !quiet.quizzes.set(long, to: .first))
  }
}
