// Changes on their way to Redis, each in the place that it was given when it was asked for. It knows neither what they are nor
// what keeps one.

/// A change that is still being made ready holds back those behind it, what they ask first, and reads of what it stores: what was
/// answered as loaded and stored must be found. Other reads pass.
///
/// To let a change go when it is ready, behind what came later, would be simpler and wrong: one that took too long is told to
/// Redis anew, as a delete, and must not come after that and after whatever was answered since.
struct ChangeLine {
  typealias Place = UInt64

  private var ready: [Place: () -> Void] = [:]
  private var next: Place = 0
  private var end: Place = 0
  /// What those that have not been sent store, and how many of them store it.
  private var names: [Place: [UInt8]] = [:]
  private var counts: [[UInt8]: Int] = [:]

  /// For one that is to be made ready. `name`: what it stores, in Redis.
  mutating func hold(_ name: [UInt8]? = nil) -> Place {
    defer { end += 1 }
    if let name {
      names[end] = name
      counts[name, default: 0] += 1
    }
    return end
  }

  /// Nothing is on its way anywhere.
  var isEmpty: Bool { counts.isEmpty }

  /// Whether something is on its way there.
  func concerns(_ name: [UInt8]) -> Bool { counts[name] != nil }

  /// Its turn may have come; `takeNext` says. What has been cleared since is forgotten.
  mutating func fill(_ place: Place, _ send: @escaping () -> Void) {
    if place >= next { ready[place] = send }
  }

  /// What is to be sent now, one after another.
  mutating func takeNext() -> (() -> Void)? {
    guard let send = ready.removeValue(forKey: next) else { return nil }
    if let name = names.removeValue(forKey: next), let count = counts[name] {
      counts[name] = count > 1 ? count - 1 : nil
    }
    next += 1
    return send
  }

  /// Nothing that was asked for will be sent.
  mutating func clear() {
    ready = [:]
    names = [:]
    counts = [:]
    next = end
  }
}
