// The clears of one namespace that hosts have agreed on, by what they named: kept whether or not anything here bears the tag, for
// the sake of what is still to be read or loaded.

/// The number of the newest hard and of the newest soft clear of something; zero: there was none.
struct ClearBounds: Equatable {
  var hard: UInt64 = 0
  var soft: UInt64 = 0

  mutating func raise(_ number: UInt64, soft isSoft: Bool) {
    if isSoft { soft = max(soft, number) } else { hard = max(hard, number) }
  }

  mutating func raise(_ other: ClearBounds) {
    hard = max(hard, other.hard)
    soft = max(soft, other.soft)
  }
}

/// Bounded as it is in Redis: the oldest match too many counts as a clear of the whole namespace, the oldest tag too many as one
/// of every tag that isn't kept.
struct GroupTable {
  static let maximumMatches = 64
  static let maximumTags = 16_384

  private var all = ClearBounds()
  private var matches: [(glob: Glob, bounds: ClearBounds)] = []
  private var tags: [[UInt8]: ClearBounds] = [:]
  /// Of tags that are not kept.
  private var otherTags = ClearBounds()
  /// Tags as they came, the oldest first.
  private var order: [[UInt8]] = []
  private var first = 0

  /// The newest clears that take in a value with this key and these tags.
  func bounds(of key: UnsafeRawBufferPointer, tags borne: [[UInt8]]) -> ClearBounds {
    var bounds = all
    for match in matches where match.glob.matches(key) { bounds.raise(match.bounds) }
    for tag in borne { bounds.raise(tags[tag] ?? otherTags) }
    return bounds
  }

  mutating func raise(_ scope: SharedScope, _ number: UInt64, soft: Bool) {
    switch scope {
    case .keys: break
    case .all: all.raise(number, soft: soft)
    case .match(let pattern): raise(match: pattern, number, soft: soft)
    case .tags(let names): for name in names { raise(tag: name, number, soft: soft) }
    }
  }

  /// What is folded elsewhere into one bound for all tags that are not kept.
  mutating func raiseOtherTags(_ number: UInt64, soft: Bool) { otherTags.raise(number, soft: soft) }

  private mutating func raise(match pattern: [UInt8], _ number: UInt64, soft: Bool) {
    if let place = matches.firstIndex(where: { $0.glob.pattern == pattern }) {
      return matches[place].bounds.raise(number, soft: soft)
    }
    guard let glob = Glob(pattern) else { return all.raise(number, soft: soft) }
    if matches.count == Self.maximumMatches, let oldest = matches.indices.min(by: { age($0) < age($1) }) {
      all.raise(matches.remove(at: oldest).bounds)
    }
    var bounds = ClearBounds()
    bounds.raise(number, soft: soft)
    matches.append((glob, bounds))
  }

  private func age(_ place: Int) -> UInt64 { max(matches[place].bounds.hard, matches[place].bounds.soft) }

  private mutating func raise(tag: [UInt8], _ number: UInt64, soft: Bool) {
    if tags[tag] == nil {
      if tags.count == Self.maximumTags { fold() }
      // As far as is known: it may be among those folded before.
      tags[tag] = otherTags
      order.append(tag)
    }
    tags[tag]?.raise(number, soft: soft)
  }

  private mutating func fold() {
    if let bounds = tags.removeValue(forKey: order[first]) { otherTags.raise(bounds) }
    first += 1
    if first * 2 >= order.count {
      order.removeFirst(first)
      first = 0
    }
  }
}
