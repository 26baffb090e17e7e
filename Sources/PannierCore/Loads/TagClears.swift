// Which tags were cleared lately, whether or not an entry bears them: a load under way doesn't say its tags before its fill.

/// The last clear of each tag, as the number of that change. Bounded: what is forgotten counts as cleared when it was
/// forgotten last, for every tag.
struct TagClears {
  static let maximum = 16_384

  private struct Tag: Hashable {
    let namespace: NamespaceID
    let hash: UInt64
  }

  private var numbers: [Tag: UInt64] = [:]
  /// The tags as they were cleared, oldest first; one that was cleared again stands there twice.
  private var order: [(tag: Tag, number: UInt64)] = []
  private var first = 0
  /// Of the newest that was forgotten.
  private var floor: UInt64 = 0

  mutating func record(_ id: NamespaceID, _ hash: UInt64, _ number: UInt64) {
    let tag = Tag(namespace: id, hash: hash)
    numbers[tag] = number
    order.append((tag, number))
    while order.count - first > Self.maximum { forgetOldest() }
  }

  private mutating func forgetOldest() {
    let oldest = order[first]
    if numbers[oldest.tag] == oldest.number {
      numbers[oldest.tag] = nil
      floor = max(floor, oldest.number)
    }
    first += 1
    // Half of it at least is past: moving the rest costs each record one move.
    if first * 2 >= order.count {
      order.removeFirst(first)
      first = 0
    }
  }

  /// Whether a tag was, or may have been, cleared by a change above `stamp`.
  func isCleared(_ id: NamespaceID, _ hash: UInt64, since stamp: UInt64) -> Bool {
    (numbers[Tag(namespace: id, hash: hash)] ?? floor) > stamp
  }

  /// No load is under way that any of it could matter to.
  mutating func forgetAll() {
    if order.isEmpty { return }
    self = TagClears()
  }
}
