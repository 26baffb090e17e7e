// The clears of one namespace that hold already and whose walk isn't over. It decides what they did to an entry, and counts;
// it walks nothing and frees nothing.

/// Names a clear until its answer is given.
package typealias ClearTicket = UInt64

/// Until when an entry is fresh and until when it may be shown, in milliseconds.
struct Life: Equatable {
  var freshUntil: Int64
  var end: Int64
}

/// One clear of one namespace.
struct PendingClear {
  enum Pattern: Equatable {
    case all
    case match(Glob)
    /// The tags asked for, in that order; zero stands for one that nothing bore.
    case tags([Link])
  }

  /// Names it in the memory of what is gone.
  let number: UInt32
  let ticket: ClearTicket
  let pattern: Pattern
  let soft: Bool
  let dryRun: Bool
  /// As it was when the clear was asked for: whenever the walk comes by, a soft clear leaves the stale span that held then.
  let policy: Policy
  /// It takes in what was stored before: entries of a lower version…
  let sequence: UInt64
  /// …that reflect an older change of the shared tier than the clear; entries of this host's own reflect none.
  var bornBefore = UInt64.max
  let at: Int64
  /// Where in the walk's order it joined; it is over when the walk comes round to there.
  let start: UInt64
  var hasComeRound = false
  var count = 0
  var sample: [[UInt8]] = []

  /// Which of its tags takes the entry in, zero for other patterns; nil where it doesn't. Adds to `steps` what looking took.
  func covers(_ entry: Entry, _ steps: inout Int) -> UInt8? {
    guard entry.version < sequence, bornBefore == .max || entry.birth < bornBefore else { return nil }
    steps += 8
    switch pattern {
    case .all: return 0
    case .match(let glob): return glob.matches(entry.key, &steps) ? 0 : nil
    case .tags(let tags):
      let borne = entry.tags
      return tags.firstIndex(where: borne.contains).map { UInt8($0) }
    }
  }

  /// How long the entry may be shown after a soft clear; zero: not at all.
  func staleMilliseconds(for entry: Entry) -> Int64 {
    soft ? policy.lifetimes(for: entry.key).staleMilliseconds : 0
  }

  func hasVisited(_ position: UInt64, cursor: UInt64) -> Bool {
    hasComeRound ? position >= start || position < cursor : position >= start && position < cursor
  }
}

/// Clears take effect at once: an entry older than `horizon` is looked at together with the pending clears before it is shown. One
/// walk over the table serves all of them: each joins where the walk is and leaves when it has come round, and what
/// leaves the table before the walk reaches it is settled then. So each entry is counted exactly once by each clear, as it
/// was when that clear was asked for.
struct PendingClears {
  /// Above so many different matches the next takes in the whole namespace: reads look at each.
  static let maximumMatches = 64
  private static let sampleSize = 10

  private(set) var clears: [PendingClear] = []
  /// Where the walk is, in the order of `ChainTable.walk`.
  var cursor: UInt64 = 0
  /// What looking at entries has taken since it was last taken down, in a glob's steps: a walk's slices are measured by it.
  var steps = 0
  /// Entries of this version and above are touched by no pending clear; zero while there is none.
  private(set) var horizon: UInt64 = 0

  var isEmpty: Bool { clears.isEmpty }

  var differentMatches: Int {
    var matches: [Glob] = []
    // Readers pass over dry runs.
    for clear in clears where !clear.dryRun {
      if case .match(let glob) = clear.pattern, !matches.contains(glob) { matches.append(glob) }
    }
    return matches.count
  }

  func hasMatch(_ glob: Glob) -> Bool { clears.contains { !$0.dryRun && $0.pattern == .match(glob) } }

  mutating func add(_ clear: PendingClear) {
    clears.append(clear)
    if !clear.dryRun { horizon = max(horizon, clear.sequence) }
  }

  enum Outcome {
    case stands(Life)
    /// Void since a clear: when that was, its number and the index of its tag.
    case gone(at: Int64, clear: UInt32, tag: UInt8)
  }

  /// What the clears did to an entry, without counting it: for a reader. What was over before a clear was asked for is none
  /// of its matter.
  func outcome(of entry: Entry) -> Outcome {
    var life = Life(freshUntil: entry.freshUntil, end: entry.end)
    var steps = 0
    for clear in clears where !clear.dryRun {
      guard clear.at < life.end, let tag = clear.covers(entry, &steps) else { continue }
      if let gone = Self.apply(clear, tag, entry, &life) { return gone }
    }
    return .stands(life)
  }

  /// The same, and each clear that hadn't visited it counts it: for the walk, and for whatever takes an entry out of the
  /// table before the walk reaches it.
  mutating func settle(_ entry: Entry, at position: UInt64) -> Outcome {
    var life = Life(freshUntil: entry.freshUntil, end: entry.end)
    for index in clears.indices where !clears[index].hasVisited(position, cursor: cursor) {
      guard clears[index].at < life.end, let tag = clears[index].covers(entry, &steps) else { continue }
      clears[index].count += 1
      if clears[index].dryRun {
        if clears[index].sample.count < Self.sampleSize { clears[index].sample.append(Array(entry.key)) }
      } else if let gone = Self.apply(clears[index], tag, entry, &life) {
        return gone
      }
    }
    return .stands(life)
  }

  private static func apply(_ clear: PendingClear, _ tag: UInt8, _ entry: Entry, _ life: inout Life) -> Outcome? {
    let stale = clear.staleMilliseconds(for: entry)
    guard stale > 0 else { return .gone(at: clear.at, clear: clear.number, tag: tag) }
    life.end = min(life.end, clear.at + stale)
    life.freshUntil = min(life.freshUntil, 0)
    return nil
  }

  /// The walk moved on; returns the clears that are over.
  mutating func advance(to position: UInt64) -> [PendingClear] {
    if position <= cursor {
      for index in clears.indices { clears[index].hasComeRound = true }
    }
    cursor = position
    let over = clears.filter { $0.hasComeRound && position >= $0.start }
    guard !over.isEmpty else { return [] }
    clears.removeAll { $0.hasComeRound && position >= $0.start }
    if clears.isEmpty { cursor = 0 }
    horizon = clears.lazy.filter { !$0.dryRun }.map(\.sequence).max() ?? 0
    return over
  }
}
