// Who loads a value, and what becomes of it, against a real sidecar whose time is moved.

import Foundation
import Logging
import NIOConcurrencyHelpers
import PannierWire
import Testing

@testable import PannierClient

struct SourceFailed: Error, Equatable {}

/// What loads are counted by, and what holds them up.
final class Source: Sendable {
  private let state = NIOLockedValueBox((runs: 0, gate: [CheckedContinuation<Void, Never>](), isOpen: true))

  var runs: Int { state.withLockedValue { $0.runs } }

  func load<Value: Sendable>(_ value: Value) async -> Value {
    let isOpen = state.withLockedValue { state in
      state.runs += 1
      return state.isOpen
    }
    if !isOpen {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLockedValue { state in
          if !state.isOpen { state.gate.append(continuation) }
          return state.isOpen
        }
        if isOpen { continuation.resume() }
      }
    }
    return value
  }

  func fail() async throws -> Quiz {
    state.withLockedValue { $0.runs += 1 }
    throw SourceFailed()
  }

  func close() { state.withLockedValue { $0.isOpen = false } }

  func open() {
    let gate = state.withLockedValue { state in
      state.isOpen = true
      defer { state.gate = [] }
      return state.gate
    }
    for continuation in gate { continuation.resume() }
  }
}

@Suite(.timeLimit(.minutes(5))) struct LoadTests {
  private let source = Source()

  @Test func whatIsLoadedIsKept() async throws {
    let subject = try Subject()
    for _ in 0..<3 {
      let quiz = try await subject.quizzes.value(for: "q", ttl: .minutes(5), tags: ["t"]) {
        await source.load(Quiz.first)
      }
      #expect(quiz == .first)
    }
    #expect(source.runs == 1)
    #expect(try await subject.quizzes.entry("q")?.tags == ["t"])
    #expect(try await subject.quizzes.entry("q")?.ttl == .seconds(300))
  }

  @Test func aThousandTasksOnAColdKeyLoadOnce() async throws {
    let subject = try Subject()
    source.close()
    try await withThrowingTaskGroup(of: Quiz.self) { group in
      for _ in 0..<1000 {
        group.addTask { try await subject.quizzes.value(for: "cold") { await source.load(.first) } }
      }
      try await subject.untilWaiting(999)
      source.open()
      for try await quiz in group { #expect(quiz == .first) }
    }
    #expect(source.runs == 1)
  }

  @Test func aThrowingLoadIsTheFunctionsOwnError() async throws {
    let subject = try Subject()
    await #expect(throws: SourceFailed()) { try await subject.quizzes.value(for: "q") { try await source.fail() } }
    // The pause: nobody is elected, and each runs for itself.
    #expect(try await subject.quizzes.value(for: "q") { await source.load(.first) } == .first)
    #expect(try await subject.quizzes.get("q") == nil)
    try await subject.advance(seconds: 6)
    #expect(try await subject.quizzes.value(for: "q") { await source.load(.first) } == .first)
    #expect(try await subject.quizzes.get("q") == .first)
  }

  @Test func aStaleValueIsShownWhereALoadFails() async throws {
    let log = Lines()
    let subject = try Subject(logger: log.logger)
    try await subject.quizzes.set("q", to: .first, ttl: .seconds(10), stale: .seconds(600))
    try await subject.advance(seconds: 11)
    for _ in 0..<5 {
      #expect(try await subject.quizzes.value(for: "q") { try await source.fail() } == .first)
    }
    #expect(source.runs == 1)
    #expect(log.lines == ["a load failed, and stale values are shown"])
  }

  @Test func whatIsNotToBeKeptIsntAndNobodyWaitsForIt() async throws {
    let subject = try Subject()
    for _ in 0..<2 {
      _ = try await subject.quizzes.value(for: "q", keptIf: { $0.title.isEmpty }) { await source.load(.first) }
    }
    #expect(source.runs == 2)
    #expect(try await subject.quizzes.get("q") == nil)
  }

  @Test func aCancelledLoadGivesItsLeaseBackAtOnce() async throws {
    let subject = try Subject()
    source.close()
    let first = Task { try await subject.quizzes.value(for: "q") { try await loadUntilCancelled() } }
    try await subject.untilLeased()
    let second = Task { try await subject.quizzes.value(for: "q") { await Source().load(.first) } }
    try await subject.untilWaiting(1)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(try await second.value == .first)
    // It was no failure: there is no pause.
    #expect(try await subject.quizzes.get("q") == .first)
  }

  private func loadUntilCancelled() async throws -> Quiz {
    try await withTaskCancellationHandler {
      _ = await source.load(Quiz.first)
      try Task.checkCancellation()
      return .first
    } onCancel: {
      source.open()
    }
  }

  @Test func whatIsOfAnotherTypeIsLoadedAnew() async throws {
    let subject = try Subject()
    try await subject.client.namespace("quizzes", of: Int.self).set("q", to: 1)
    #expect(try await subject.quizzes.value(for: "q") { await source.load(.first) } == .first)
    #expect(try await subject.quizzes.get("q") == .first)
  }

  @Test func whatIsTooLargeIsReturnedAndHoldsNobodyUp() async throws {
    let subject = try Subject("defaults: {jitter: 0, max_value_bytes: 16}", throwsErrors: false)
    for _ in 0..<2 { #expect(try await subject.quizzes.value(for: "q") { await source.load(.first) } == .first) }
    #expect(source.runs == 2)
  }

  @Test func aRefreshReplacesWhatIsThere() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    try await numbers.set("n", to: 1)
    #expect(try await numbers.refresh("n") { await source.load(2) } == 2)
    #expect(try await numbers.get("n") == 2)
  }

  @Test func withoutCacheNothingIsReadOrStored() async throws {
    let subject = try Subject()
    try await subject.quizzes.set("q", to: .first)
    try await PannierClient.withoutCache {
      #expect(try await subject.quizzes.get("q") == nil)
      _ = try await subject.quizzes.value(for: "q") { await source.load(.first) }
      #expect(try await subject.quizzes.delete("q") == 1)
    }
    #expect(source.runs == 1)
    #expect(try await subject.quizzes.get("q") == nil)
  }

  // MARK: Many

  @Test func manyAreLoadedWithOneCall() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    try await numbers.set("1", to: 1)
    let asked = NIOLockedValueBox<[[CacheKey]]>([])
    for _ in 0..<2 {
      let values = try await numbers.values(for: ["1", "2", "3", "2", "none"]) { missing in
        asked.withLockedValue { $0.append(missing) }
        return ["2": 2, "3": 3, "more": 4]
      }
      #expect(values == ["1": 1, "2": 2, "3": 3])
    }
    // What there is nothing for isn't kept, and isn't asked for under a lease again.
    #expect(asked.withLockedValue { $0 } == [["2", "3", "none"], ["none"]])
    #expect(try await numbers.get("more") == nil)
  }

  @Test func staleValuesAreShownWhereTheLoadOfManyFails() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    try await numbers.set(["a": 1, "b": 2], ttl: .seconds(1), stale: .seconds(60))
    try await subject.advance(seconds: 2)
    #expect(try await numbers.values(for: ["a", "b"]) { _ in throw SourceFailed() } == ["a": 1, "b": 2])
    await #expect(throws: SourceFailed()) { try await numbers.values(for: ["x"]) { _ in throw SourceFailed() } }
  }

  @Test func manyWaitForWhatOthersLoad() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("numbers", of: Int.self)
    source.close()
    async let one = numbers.value(for: "1") { await source.load(1) }
    try await subject.untilLeased()
    async let both = numbers.values(for: ["1", "2"]) { missing in
      #expect(missing == ["2"])
      return ["2": 2]
    }
    try await subject.untilWaiting(1)
    source.open()
    #expect(try await one == 1)
    #expect(try await both == ["1": 1, "2": 2])
  }

  @Test func oneTooLargeOfManyLeavesTheOthersKept() async throws {
    let subject = try Subject("defaults: {jitter: 0, max_value_bytes: 8}", throwsErrors: false)
    let texts = subject.client.namespace("texts", of: String.self)
    let loaded = ["a": "a", "b": String(repeating: "b", count: 100)] as [CacheKey: String]
    #expect(try await texts.values(for: ["a", "b"]) { _ in loaded } == loaded)
    #expect(try await texts.values(for: ["a", "b"]) == ["a": "a"])
  }
}

extension Subject {
  /// Until so many requests wait for others' loads.
  func untilWaiting(_ count: Int) async throws {
    try await until { $0["waits"]?["now"]?.integer == count }
  }

  func untilLeased() async throws { try await until { $0["leases"]?["held"]?.integer == 1 } }
}
