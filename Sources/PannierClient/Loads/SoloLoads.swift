// One load at a time of a process for each key, where no sidecar sees to that: those who come meanwhile take its result. It knows
// no requests.

import NIOConcurrencyHelpers

final class SoloLoads: Sendable {
  /// Of a namespace.
  struct Place: Hashable, Sendable {
    let ns: String
    let key: CacheKey
  }

  private enum Outcome: Sendable {
    case value(any Sendable)
    case failed(any Error)
    /// There is none: its caller was cancelled.
    case none
  }

  private enum Waiter: Sendable {
    case reserved
    /// Its task was cancelled before it began to wait.
    case cancelled
    case waiting(CheckedContinuation<Outcome, Never>)
  }

  private struct State: Sendable {
    /// By place, those who wait for the run there.
    var running: [Place: [UInt64: Waiter]] = [:]
    var lastID: UInt64 = 0
  }

  private let state = NIOLockedValueBox(State())

  /// How many wait for the run there: tests wait for them to come.
  func waiting(at place: Place) -> Int { state.withLockedValue { $0.running[place]?.count ?? 0 } }

  func value<Value: Sendable>(at place: Place, load: () async throws -> Value) async throws -> Value {
    let waiter = state.withLockedValue { state -> UInt64? in
      if state.running[place] == nil {
        state.running[place] = [:]
        return nil
      }
      state.lastID += 1
      state.running[place]?[state.lastID] = .reserved
      return state.lastID
    }
    guard let waiter else { return try await run(place, load) }
    switch await outcome(of: place, for: waiter) {
    case .value(let value as Value): return value
    case .failed(let error): throw error
    // Of another type.
    case .value: return try await load()
    case .none:
      try Task.checkCancellation()
      // The next of those who waited runs it, and the others wait for that.
      return try await self.value(at: place, load: load)
    }
  }

  private func run<Value: Sendable>(_ place: Place, _ load: () async throws -> Value) async throws -> Value {
    do {
      let value = try await load()
      end(place, .value(value))
      return value
    } catch {
      end(place, Task.isCancelled || error is CancellationError ? .none : .failed(error))
      throw error
    }
  }

  private func end(_ place: Place, _ outcome: Outcome) {
    let waiters = state.withLockedValue { $0.running.removeValue(forKey: place) }
    for case .waiting(let continuation) in (waiters ?? [:]).values { continuation.resume(returning: outcome) }
  }

  private func outcome(of place: Place, for id: UInt64) async -> Outcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waits = state.withLockedValue { state in
          // Else the run has ended meanwhile, or the waiter was cancelled.
          guard case .reserved = state.running[place]?[id] else { return false }
          state.running[place]?[id] = .waiting(continuation)
          return true
        }
        if !waits { continuation.resume(returning: .none) }
      }
    } onCancel: {
      let waiter = state.withLockedValue { state in
        guard let waiter = state.running[place]?[id] else { return nil as Waiter? }
        state.running[place]?[id] = .cancelled
        return waiter
      }
      if case .waiting(let continuation) = waiter { continuation.resume(returning: .none) }
    }
  }
}
