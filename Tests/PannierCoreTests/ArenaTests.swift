// The arena against a list of what was allocated: nothing overlaps, nothing is lost, and all of it merges again.

import Foundation
import Testing

@testable import PannierCore

private struct Block {
  let link: Link
  let byteCount: Int
  let fill: UInt8
  /// What the arena says it takes.
  let cost: Int
  let isLarge: Bool

  var chunk: Int { Int(link >> 19) }
}

/// The largest block that shares a chunk, in bytes, its header counted.
private let largestSharedBytes = 1 << 20

extension Arena {
  /// Walks a shared chunk's blocks and says what is wrong with them, with the blocks in use met on the way.
  fileprivate func inspect(chunk: Int, used: inout [Link]) -> String? {
    var block = Link(chunk) << 19 | 1
    var beforeIsFree = false
    var units = 0
    while true {
      let header = pointer(block).load(fromByteOffset: -4, as: UInt32.self)
      let size = Int(header >> 2)
      let isFree = header & 1 != 0
      if (header & 2 != 0) != beforeIsFree { return "block \(block) is wrong about the one before it" }
      if size == 0 { return units == 1 << 19 - 2 ? nil : "chunk \(chunk) ends after \(units) units" }
      if isFree {
        if beforeIsFree { return "two free neighbours at \(block)" }
        let footer = pointer(block + Link(size)).load(fromByteOffset: -8, as: UInt32.self)
        if Int(footer) != size { return "block \(block) of \(size) units ends with \(footer)" }
      } else {
        used.append(block)
      }
      beforeIsFree = isFree
      units += size
      block += Link(size)
    }
  }
}

private struct ArenaModel: ~Copyable {
  var arena = Arena()
  var blocks: [Block] = []
  var usedBytes = 0
  var random: RandomSource

  init(seed: UInt64) { random = RandomSource(seed: seed) }

  mutating func allocate(_ byteCount: Int) throws {
    let before = arena.usedBytes
    let link = try found(arena.allocate(byteCount))
    let cost = arena.usedBytes - before
    // A block of one unit more is taken where the rest would be too small to stand alone.
    let expected = Arena.cost(of: byteCount)
    check(cost == expected || cost == expected + 8, "\(byteCount) bytes took \(cost)")
    let fill = UInt8(truncatingIfNeeded: random.next())
    let pointer = arena.pointer(link)
    check(UInt(bitPattern: pointer) % 8 == 0)
    memset(pointer, Int32(fill), byteCount)
    blocks.append(
      Block(link: link, byteCount: byteCount, fill: fill, cost: cost, isLarge: byteCount + 4 > largestSharedBytes))
    usedBytes += cost
  }

  mutating func freeAny() {
    let index = random.below(blocks.count)
    blocks.swapAt(index, blocks.count - 1)
    let block = blocks.removeLast()
    let pointer = arena.pointer(block.link)
    let first = pointer.load(as: UInt8.self)
    // All bytes equal the first: each equals the next.
    let isIntact = first == block.fill && memcmp(pointer, pointer + 1, block.byteCount - 1) == 0
    check(isIntact, "a block of \(block.byteCount) bytes was written over")
    arena.free(block.link)
    usedBytes -= block.cost
  }

  /// Blocks tile their chunks, and those in use are the model's.
  func validate() {
    let shared = blocks.filter { !$0.isLarge }
    var used: [Link] = []
    for chunk in Set(shared.map(\.chunk)) {
      if let fault = arena.inspect(chunk: chunk, used: &used) { Issue.record("\(fault)") }
    }
    check(used.sorted() == shared.map(\.link).sorted())
    let large = Set(blocks.filter(\.isLarge).map(\.chunk))
    check(large.isDisjoint(with: shared.map(\.chunk)), "a large block has its chunk to itself")
  }
}

private func anySize(_ random: inout RandomSource) -> Int {
  switch random.weighted([60, 25, 12, 2, 1]) {
  case 0: 1 + random.below(200)
  case 1: 1 + random.below(2000)
  case 2: 1 + random.below(40_000)
  case 3: 1 + random.below(largestSharedBytes - 4)
  default: largestSharedBytes - 8 + random.below(1 << 20)
  }
}

@Test(arguments: [1, 2, 3, 4] as [UInt64])
func arenaAgreesWithAList(seed: UInt64) throws {
  var model = ArenaModel(seed: seed)
  var grows = true
  for step in 0..<25_000 * soakFactor {
    // It fills and empties by turns, so that chunks come and go.
    if model.blocks.count > 1500 { grows = false }
    if model.blocks.count < 20 { grows = true }
    if model.blocks.isEmpty || model.random.chance(grows ? 60 : 35) {
      try model.allocate(anySize(&model.random))
    } else {
      model.freeAny()
    }
    check(model.arena.usedBytes == model.usedBytes, "seed \(seed), step \(step)")
    if step % 500 == 0 { model.validate() }
  }
  while !model.blocks.isEmpty { model.freeAny() }
  check(model.arena.usedBytes == 0)
  try expectMerged(&model)
}

/// The chunk that is kept is one free block: what is taken of it leaves exactly one rest.
private func expectMerged(_ model: inout ArenaModel) throws {
  try model.allocate(100)
  model.validate()
  let after = model.blocks[0].link + Link(model.blocks[0].cost / 8)
  let header = model.arena.pointer(after).load(fromByteOffset: -4, as: UInt32.self)
  check(header & 1 == 1)
  check(Int(header >> 2) == 1 << 19 - 2 - model.blocks[0].cost / 8)
}

@Test func arenaUsesChunkNumbersAgain() throws {
  var arena = Arena()
  let first = try (0..<20).map { _ in try found(arena.allocate(2 << 20)) }
  check(Set(first.map { $0 >> 19 }).count == 20)
  for link in first { arena.free(link) }
  let second = try (0..<20).map { _ in try found(arena.allocate(3 << 20)) }
  check(Set(second.map { $0 >> 19 }) == Set(first.map { $0 >> 19 }))
  // A number that a large block had serves a shared chunk as well.
  for link in second.prefix(3) { arena.free(link) }
  let small = try found(arena.allocate(64))
  check(second.prefix(3).map { $0 >> 19 }.contains(small >> 19))
  arena.free(small)
  for link in second.dropFirst(3) { arena.free(link) }
  check(arena.usedBytes == 0)
}

@Test func arenaFillsManyChunksWithoutHoles() throws {
  var model = ArenaModel(seed: 9)
  // 160 MiB asked for, none of it touched but by a byte a block.
  for _ in 0..<40 * 16 {
    let link = try found(model.arena.allocate(256 << 10 - 4))
    model.arena.pointer(link).storeBytes(of: 7, as: UInt8.self)
    let cost = model.arena.sharedBytes(link)
    model.blocks.append(Block(link: link, byteCount: 1, fill: 7, cost: cost, isLarge: false))
    model.usedBytes += cost
  }
  model.validate()
  // A chunk loses one block of that size to its two outer headers.
  check(Set(model.blocks.map(\.chunk)).count <= 40 * 16 / 15 + 1)
  let chunks = Set(model.blocks.map(\.chunk))
  while !model.blocks.isEmpty { model.freeAny() }
  check(model.arena.usedBytes == 0)
  try expectMerged(&model)
  // All but one were given back: a large block finds one of their numbers free.
  let large = try found(model.arena.allocate(2 << 20))
  check(chunks.contains(Int(large >> 19)), "chunks are kept for good")
  model.arena.free(large)
}

/// Freeing gives nothing back by itself: emptied chunks come in crowds, and each takes the system a while.
@Test(arguments: [(256 << 10) - 4, 2 << 20])
func arenaGivesChunksBackOneAtATime(byteCount: Int) throws {
  var arena = Arena()
  let links = try (0..<200).map { _ in try found(arena.allocate(byteCount)) }
  let chunks = Set(links.map { $0 >> 19 }).count
  check(!arena.hasUnused)
  for link in links { arena.free(link) }
  check(arena.usedBytes == 0)
  // A chunk taken anew gives one back: what waits doesn't add to what is held.
  arena.free(try found(arena.allocate(3 << 20)))
  var given = 0
  while arena.hasUnused {
    arena.giveBack()
    given += 1
  }
  // One shared chunk is kept for what comes next.
  check(given == (byteCount < largestSharedBytes ? chunks - 1 : chunks))
}
