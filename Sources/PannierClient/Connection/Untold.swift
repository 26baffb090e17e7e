// Changes that no sidecar could be told of. They are told before anything else is asked, as soon as one answers again: what it,
// or the Redis behind it, still has would be shown for what it is not. It knows no connections.

struct Untold: Sendable {
  /// Beyond them all that there is is cleared: some megabytes of requests, after an outage with as many changes.
  static let most = 10_000

  private var changes: [Call] = []
  private var isEverything = false

  var isEmpty: Bool { changes.isEmpty }

  mutating func add(_ change: Call) {
    if isEverything { return }
    if changes.count >= Self.most {
      isEverything = true
      changes = [.clear(ns: "*", .all, soft: false, dryRun: false)]
    } else {
      changes.append(change)
    }
  }

  /// Whoever takes them tells them, or puts them back.
  mutating func take() -> [Call] {
    defer {
      changes = []
      isEverything = false
    }
    return changes
  }
}
