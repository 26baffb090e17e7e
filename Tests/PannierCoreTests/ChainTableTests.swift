// The table of chains against a dictionary: it finds everything however it grows and shrinks, and a walk meets what stays
// exactly once.

import Testing

@testable import PannierCore

/// A table of tags, which have the smallest nodes, with a dictionary beside it.
private struct TableModel: ~Copyable {
  var arena = Arena()
  var table = ChainTable<TagNode>()
  let keyHash: KeyHash
  var links: [String: Link] = [:]
  var random: RandomSource

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
    keyHash = KeyHash(seed: seed)
  }

  func hash(_ key: String) -> UInt64 { withBytes(key) { keyHash($0) } }
  func find(_ key: String) -> Link { withBytes(key) { table.find($0, keyHash($0), in: arena) } }

  mutating func insert(_ key: String) throws {
    let hash = hash(key)
    let link = try found(
      arena.allocate(TagNode.byteCount(UnsafeRawBufferPointer(start: nil, count: 0)) + key.utf8.count))
    let place = arena.pointer(link)
    withBytes(key) { TagNode.write($0, hash, to: place) }
    table.insert(link, hash, in: arena, keyHash)
    links[key] = link
  }

  mutating func remove(_ key: String) throws {
    let link = try found(links.removeValue(forKey: key))
    table.remove(link, hash(key), in: arena)
    arena.free(link)
  }

  func expectAllFound(missing: [String]) {
    check(table.count == links.count)
    let lost = links.filter { find($0.key) != $0.value }
    check(lost.isEmpty, "\(lost.count) of \(links.count) not found")
    check(missing.allSatisfy { find($0) == 0 })
    // At most two entries a bucket on average, at most two buckets an entry above the least.
    check(table.bucketCount >= table.count)
    check(table.bucketCount == 256 || table.bucketCount <= table.count * 2)
  }
}

@Test func tableFindsEverythingAcrossSegments() throws {
  var model = TableModel(seed: 5)
  // Around every size at which a segment of 256 buckets or a power of two begins.
  let sizes = [
    0, 1, 255, 256, 257, 300, 511, 512, 513, 769, 1025, 2600, 1030, 1024, 1023, 511, 258, 256, 127, 3, 0, 700, 0,
  ]
  var last: [String] = []
  for size in sizes {
    let keys = (0..<size).map { "key \($0)" }
    for key in keys where model.links[key] == nil { try model.insert(key) }
    let removed = last.filter { !keys.contains($0) || size == 0 }
    for key in removed where model.links[key] != nil { try model.remove(key) }
    model.expectAllFound(missing: Array(removed.prefix(200)))
    last = keys
  }
  check(model.arena.usedBytes == 0)
}

/// Walks while the table changes between the steps.
private struct Walk {
  var position: UInt64 = 0
  /// Present since before the walk began, and never removed since.
  var staying: Set<String>
  var met: [String: Int] = [:]
  var isOver = false
}

@Test(arguments: Array(1...12) as [UInt64])
func walkMeetsWhatStaysOnce(seed: UInt64) throws {
  var model = TableModel(seed: seed)
  var number = 0
  /// In an order that a seed decides, as a dictionary's keys are not.
  var present: [String] = []
  func insertNext(_ model: inout TableModel) throws {
    try model.insert("\(number)")
    present.append("\(number)")
    number += 1
  }
  for _ in 0..<model.random.below(1500) { try insertNext(&model) }
  var walks: [Walk] = []
  var finished = 0
  var grows = true
  for step in 0..<1200 * soakFactor {
    if step % 60 == 0 { grows = model.random.chance(50) }
    // Bursts large enough that the table splits and merges many buckets between two steps of a walk.
    for _ in 0..<model.random.below(60) {
      if grows || model.links.isEmpty {
        try insertNext(&model)
      } else {
        present.swapAt(model.random.below(present.count), present.count - 1)
        let key = present.removeLast()
        try model.remove(key)
        for index in walks.indices { walks[index].staying.remove(key) }
      }
    }
    if walks.count < 3, model.random.chance(20) { walks.append(Walk(staying: Set(model.links.keys))) }
    for index in walks.indices {
      for _ in 0..<1 + model.random.below(30) where !walks[index].isOver { advance(&walks[index], model) }
    }
    for walk in walks where walk.isOver {
      finished += 1
      let wrong = walk.staying.filter { walk.met[$0] != 1 }
      check(wrong.isEmpty, "seed \(seed), step \(step): \(wrong.count) of \(walk.staying.count) not met once")
      // What came or went in between is met once at most, too: no key here ever comes back.
      check(walk.met.values.allSatisfy { $0 == 1 })
    }
    walks.removeAll(where: \.isOver)
  }
  check(finished > 3)
}

private func advance(_ walk: inout Walk, _ model: borrowing TableModel) {
  var links: [Walked] = []
  let next = model.table.walk(from: walk.position, in: model.arena, model.keyHash, into: &links)
  for place in links {
    let isInOrder = place.position >= walk.position && (next == 0 || place.position < next)
    check(isInOrder, "met outside of what this step covers")
    walk.met[text(TagNode.key(of: model.arena.pointer(place.link))), default: 0] += 1
  }
  walk.position = next
  walk.isOver = next == 0
}

@Test func reversedBitsAreReversed() {
  check(ChainTable<TagNode>.reversed(1) == 1 << 63)
  check(ChainTable<TagNode>.reversed(0b1011) == 0b1101 << 60)
  var random = RandomSource(seed: 3)
  for _ in 0..<100 {
    let bits = random.next()
    let reversed = ChainTable<TagNode>.reversed(bits)
    check((0..<64).allSatisfy { bits >> $0 & 1 == reversed >> (63 - $0) & 1 })
  }
}
