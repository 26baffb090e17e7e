// The tags that entries bear, each kept once. It knows no entries, only how many name a tag.

/// A tag's block: `chain next 4 │ entries 4 │ hash tag 2 │ length 2 │ text`.
struct TagNode: ChainNode {
  private static let headerBytes = 12

  static func key(of node: UnsafeMutableRawPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: node + headerBytes, count: Int(node.load(fromByteOffset: 10, as: UInt16.self)))
  }

  static func hashTag(of node: UnsafeMutableRawPointer) -> UInt64 {
    UInt64(node.load(fromByteOffset: 8, as: UInt16.self))
  }

  static func byteCount(_ text: UnsafeRawBufferPointer) -> Int { headerBytes + text.count }

  static func write(_ text: UnsafeRawBufferPointer, _ hash: UInt64, to node: UnsafeMutableRawPointer) {
    node.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
    node.storeBytes(of: UInt16(truncatingIfNeeded: ChainTable<TagNode>.hashTag(hash)), toByteOffset: 8, as: UInt16.self)
    node.storeBytes(of: UInt16(text.count), toByteOffset: 10, as: UInt16.self)
    if let start = text.baseAddress { (node + headerBytes).copyMemory(from: start, byteCount: text.count) }
  }
}

/// One namespace's tags.
struct Tags: ~Copyable {
  private var table = ChainTable<TagNode>()

  var byteCount: Int { table.byteCount }

  /// What one more tag takes at most.
  static func cost(of text: UnsafeRawBufferPointer) -> Int {
    Arena.cost(of: TagNode.byteCount(text)) + ChainTable<TagNode>.bytesPerEntry
  }

  /// The tag, with one more that names it; nil where there is no memory.
  mutating func retain(_ text: UnsafeRawBufferPointer, in arena: inout Arena, _ keyHash: KeyHash) -> Link? {
    let hash = keyHash(text)
    var link = table.find(text, hash, in: arena)
    if link == 0 {
      guard let new = arena.allocate(TagNode.byteCount(text)) else { return nil }
      link = new
      TagNode.write(text, hash, to: arena.pointer(link))
      table.insert(link, hash, in: arena, keyHash)
    }
    add(1, to: link, in: arena)
    return link
  }

  /// One fewer names it; a tag that nothing names is gone.
  mutating func release(_ link: Link, in arena: inout Arena, _ keyHash: KeyHash) {
    let node = arena.pointer(link)
    guard add(-1, to: link, in: arena) == 0 else { return }
    table.remove(link, keyHash(TagNode.key(of: node)), in: arena)
    arena.free(link)
  }

  /// The tag where anything bears it.
  func find(_ text: UnsafeRawBufferPointer, in arena: borrowing Arena, _ keyHash: KeyHash) -> Link? {
    let link = table.find(text, keyHash(text), in: arena)
    return link == 0 ? nil : link
  }

  /// One more names a tag that is known.
  func retain(_ link: Link, in arena: borrowing Arena) { add(1, to: link, in: arena) }

  static func text(_ link: Link, in arena: borrowing Arena) -> UnsafeRawBufferPointer {
    TagNode.key(of: arena.pointer(link))
  }

  @discardableResult
  private func add(_ difference: Int, to link: Link, in arena: borrowing Arena) -> Int {
    let node = arena.pointer(link)
    let count = Int(node.load(fromByteOffset: 4, as: UInt32.self)) + difference
    node.storeBytes(of: UInt32(count), toByteOffset: 4, as: UInt32.self)
    return count
  }
}
