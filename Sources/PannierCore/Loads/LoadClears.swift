// Clears that have not met every load under way yet. It says which loads they end; it ends none.

/// A clear holds at once: whoever comes to a load asks `ends` first. A pass over the loads, in slices, ends the others, so that
/// those who wait for them are told.
struct LoadClears {
  enum Pattern: Equatable {
    case all
    case match(Glob)
    /// Pauses alone.
    case pauses
  }

  private struct Clear {
    let namespaces: Range<NamespaceID>
    let pattern: Pattern
    /// The change that it is: it ends what began before.
    var number: UInt64
    /// Of the shared tier: it ends what began knowing of none as new. Else `.max`.
    var bornBefore: UInt64
  }

  /// Above so many different ones a load of any key ends: that costs a load, and to look at more of them costs everybody.
  private static let maximum = 64

  private var clears: [Clear] = []
  /// Where the pass is, where it began, and whether it came to the end in between. Loads that come meanwhile are none of its
  /// matter.
  private var position = 0
  private var start = 0
  private var hasComeRound = false

  var isEmpty: Bool { clears.isEmpty }

  mutating func add(_ namespaces: Range<NamespaceID>, _ pattern: Pattern, _ number: UInt64, bornBefore: UInt64 = .max) {
    clears.removeAll { $0.namespaces == namespaces && $0.pattern == pattern && $0.bornBefore <= bornBefore }
    if clears.count >= Self.maximum {
      clears = [Clear(namespaces: 0..<NamespaceList.maximum, pattern: .all, number: number, bornBefore: .max)]
    } else {
      clears.append(Clear(namespaces: namespaces, pattern: pattern, number: number, bornBefore: bornBefore))
    }
    // One more round from here meets all that the earlier ones had not met, too.
    start = position
    hasComeRound = false
  }

  /// Whether one of them took in a load of the key, or the pause after it, that began when the last change was `stamp`. Adds to
  /// `steps` as a glob does.
  func ends(_ key: LoadKey, began stamp: LoadStamp, isPause: Bool, _ steps: inout Int) -> Bool {
    for clear in clears
    where clear.number > stamp.sequence && clear.bornBefore > stamp.known && clear.namespaces.contains(key.namespace) {
      switch clear.pattern {
      case .all: return true
      case .pauses: if isPause { return true }
      case .match(let glob): if key.bytes.withUnsafeBytes({ glob.matches($0, &steps) }) { return true }
      }
    }
    return false
  }

  /// The number of the load that is to be met next; nil: the pass is over, and the clears have no more to say.
  mutating func next(of loadCount: Int) -> Int? {
    if position >= loadCount, !hasComeRound {
      position = 0
      hasComeRound = true
    }
    if position >= loadCount || hasComeRound && position >= start {
      clears.removeAll()
      return nil
    }
    defer { position += 1 }
    return position
  }
}
