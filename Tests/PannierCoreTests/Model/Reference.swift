// What the cache should do, in dictionaries and arrays: obvious, slow, and eager. A clear is over when it is asked for. What no
// reader may see takes up room until the cache is seen to have let go of it; nothing else is taken from the cache's own word.

@testable import PannierCore

final class Reference {
  struct Value {
    var text: String
    var tags: [String]
    var version: UInt64
    var filler: Caller
    var storedAt: Int64
    /// Until when it is fresh; zero where that was ended early.
    var freshUntil: Int64
    var end: Int64
    /// The clear that made it void.
    var void: Gone?
  }

  /// Why a key went.
  struct Gone {
    let reason: MissReason
    var pid: Int32 = 0
    var at: Int64 = 0
    var clear = ""
    /// Between which serial numbers of the memory of what is gone its own lies: what goes in one step has no known order.
    var after = 0
    var upTo = Int.max
  }

  final class Space {
    var policy: Policy
    var values: [String: Value] = [:]
    /// Keys with something in memory, the least recently used first.
    var order: [String] = []
    var gone: [String: Gone] = [:]
    var counters = Counters()

    init(_ policy: Policy) { self.policy = policy }

    func use(_ key: String) {
      order.removeAll { $0 == key }
      order.append(key)
    }
  }

  var spaces: [Space] = []
  var now: Int64
  var sequence: UInt64
  /// How many keys that went were remembered, and how many are at a time.
  private(set) var remembered = 0
  let goneCapacity: Int
  private var rememberedBefore = 0
  private var goneInStep: [(space: Int, key: String)] = []

  init(now: Int64, sequence: UInt64, goneCapacity: Int) {
    self.now = now
    self.sequence = sequence
    self.goneCapacity = goneCapacity
  }

  // MARK: What there is

  /// The value of a key that some reader may be shown.
  func alive(_ id: Int, _ key: String) -> Value? {
    guard let value = spaces[id].values[key], isAlive(value) else { return nil }
    return value
  }

  func isAlive(_ value: Value) -> Bool { value.void == nil && now < value.end }

  func fresh(_ id: Int, _ key: String) -> Value? { alive(id, key).flatMap { now < $0.freshUntil ? $0 : nil } }

  func shown(_ id: Int) -> [String] { spaces[id].values.filter { isAlive($0.value) }.keys.sorted() }

  var hasForgotten: Bool { remembered > goneCapacity }

  /// What may be said of a key that isn't there.
  func whyGone(_ id: Int, _ key: String) -> (gone: Gone?, reasons: Set<MissReason>) {
    guard let gone = spaces[id].gone[key] else { return (nil, [hasForgotten ? .unknown : .neverStored]) }
    if gone.upTo == .max || remembered - (gone.after + 1) < goneCapacity { return (gone, [gone.reason]) }
    return (gone, remembered - gone.upTo >= goneCapacity ? [.unknown] : [.unknown, gone.reason])
  }

  // MARK: Leaving

  /// The cache lets go of what no reader may see any more.
  func dropOver(_ id: Int, _ key: String) {
    guard let value = spaces[id].values[key], !isAlive(value) else { return }
    if value.void == nil { spaces[id].counters.expirations += 1 }
    drop(id, key, value.void ?? Gone(reason: .expired))
  }

  /// Nil: what went is not to be remembered, since it is replaced.
  func drop(_ id: Int, _ key: String, _ gone: Gone?) {
    spaces[id].values[key] = nil
    spaces[id].order.removeAll { $0 == key }
    guard var gone else { return }
    gone.after = rememberedBefore
    gone.upTo = .max
    spaces[id].gone[key] = gone
    remembered += 1
    goneInStep.append((id, key))
  }

  func wentInThisStep(_ id: Int, _ key: String) -> Bool { goneInStep.contains { $0 == (id, key) } }

  func endStep() {
    for (id, key) in goneInStep { spaces[id].gone[key]?.upTo = remembered }
    goneInStep.removeAll(keepingCapacity: true)
    rememberedBefore = remembered
  }

  // MARK: Lives

  /// For how long a value is fresh before jitter; nil: for good.
  func span(_ asked: Cache.Lifetime, _ lifetimes: Lifetimes, _ text: String) -> Int64? {
    let wanted: Int64? =
      switch asked {
      case .policy: lifetimes.ttlMilliseconds
      case .unlimited: nil
      case .milliseconds(let span): span
      }
    var caps = [wanted, lifetimes.maxTTLMilliseconds].compactMap { $0 }
    if text == "null", let negative = lifetimes.negativeTTLMilliseconds { caps.append(negative) }
    return caps.min()
  }

  func soften(_ id: Int, _ key: String, stale: Int64) {
    guard let end = spaces[id].values[key]?.end else { return }
    spaces[id].values[key]?.freshUntil = 0
    spaces[id].values[key]?.end = min(end, now + stale)
  }

  // MARK: Clears

  /// The keys that a clear takes in, with the name of what in it did.
  func covered(_ id: Int, _ target: Target) -> [String: String] {
    var names: [String: String] = [:]
    for key in shown(id) {
      switch target {
      case .all: names[key] = "all"
      case .match(let pattern):
        if Glob(pattern.utf8).map({ glob in withBytes(key) { glob.matches($0) } }) ?? false {
          names[key] = "match \(pattern)"
        }
      case .tags(let tags):
        let borne = spaces[id].values[key]?.tags ?? []
        if let tag = tags.first(where: borne.contains) { names[key] = "tag \(tag)" }
      }
    }
    return names
  }

  /// Takes them in; how many.
  func clear(_ id: Int, _ covered: [String: String], soft: Bool, pid: Int32) {
    for (key, name) in covered {
      let stale = withBytes(key) { spaces[id].policy.lifetimes(for: $0).staleMilliseconds }
      if soft, stale > 0 {
        soften(id, key, stale: stale)
      } else {
        spaces[id].values[key]?.void = Gone(reason: .cleared, pid: pid, at: now, clear: name)
      }
    }
  }
}
