// Memory for entries, in blocks that a 32-bit link names. It owns bytes, and knows nothing of what is in them.

/// Names a block of the arena; zero names none. A quarter of a pointer pair, which is what keeps an entry's overhead small.
package typealias Link = UInt32

/// A good-fit allocator with constant time for both allocating and freeing: two-level segregated fit (Masmano, Ripoll,
/// Crespo, Real: "TLSF: a new dynamic memory allocator for real-time systems", ECRTS 2004). Free neighbours merge at once,
/// so memory that one size of values gave up serves any other; a slab per size would keep it.
///
///     chunk   ┊....│h│ payload      │h│ payload │h│ free: next prev ······ size│ … │0│
///              ^4   ^ a header of 4 bytes before each payload, so that payloads stand at multiples of 8
///
/// Sizes are counted in units of 8 bytes. A link is a chunk's number and the unit at which its payload stands.
struct Arena: ~Copyable {
  private static let unitBytes = 8
  /// 4 MiB: large enough that a value of a common size finds a hole, small enough to be given back when it empties.
  private static let chunkUnitBits: UInt32 = 19
  private static let chunkUnits = 1 << Int(chunkUnitBits)
  /// The block that an empty chunk is: the unit before it holds its header, the one behind it the header that ends the chunk.
  private static let wholeUnits = chunkUnits - 2
  private static let unitMask: UInt32 = (1 << chunkUnitBits) - 1
  /// What 32-bit links reach: 8,192 chunks, 32 GiB.
  private static let maximumChunks = 1 << (32 - Int(chunkUnitBits))
  /// Larger blocks have a chunk to themselves: inside a shared one they would leave holes of the worst size.
  private static let largestSharedUnits = chunkUnits / 4
  private static let pageBytes = 4096
  /// A header, two links and a footer: what a free block holds.
  private static let smallestUnits = 2

  private static let isFree: UInt32 = 1
  private static let previousIsFree: UInt32 = 2

  /// Second-level lists to each power of two: sizes below 64 units have a list each.
  private static let secondBits = 5
  private static let secondCount = 1 << secondBits
  private static let firstCount = Int(chunkUnitBits) - secondBits + 2

  private let chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// Of a chunk with one large block: its bytes. Zero: shared, or none.
  private let largeBytes: UnsafeMutablePointer<Int>
  private var chunkCount = 0
  private var freeChunkNumbers: [Int] = []
  private var emptyChunks = 0
  /// Chunks that nothing is in, still to be given back.
  private var unusedChunks: [Int] = []
  private let heads: UnsafeMutablePointer<Link>
  private var firstBitmap: UInt32 = 0
  private let secondBitmaps: UnsafeMutablePointer<UInt32>

  /// Bytes of all blocks in use, headers and rounding counted.
  private(set) var usedBytes = 0

  init() {
    chunks = .allocate(capacity: Self.maximumChunks)
    largeBytes = .allocate(capacity: Self.maximumChunks)
    heads = .allocate(capacity: Self.firstCount * Self.secondCount)
    heads.initialize(repeating: 0, count: Self.firstCount * Self.secondCount)
    secondBitmaps = .allocate(capacity: Self.firstCount)
    secondBitmaps.initialize(repeating: 0, count: Self.firstCount)
  }

  deinit {
    let free = Set(freeChunkNumbers)
    for number in 0..<chunkCount where !free.contains(number) { chunks[number].deallocate() }
    chunks.deallocate()
    largeBytes.deallocate()
    heads.deallocate()
    secondBitmaps.deallocate()
  }

  /// The payload of a block, at a multiple of 8.
  @inline(__always)
  func pointer(_ link: Link) -> UnsafeMutableRawPointer {
    chunks[Int(truncatingIfNeeded: link &>> Self.chunkUnitBits)] + Int(link & Self.unitMask) &* Self.unitBytes
  }

  /// What a payload of `byteCount` takes from the budget.
  static func cost(of byteCount: Int) -> Int {
    let units = units(for: byteCount)
    return units <= largestSharedUnits ? units * unitBytes : pages(byteCount + unitBytes)
  }

  /// What a block in use takes from the budget.
  func bytes(of link: Link) -> Int {
    let large = largeBytes[Int(link >> Self.chunkUnitBits)]
    return large > 0 ? large : size(of: link) * Self.unitBytes
  }

  /// A block for `byteCount` bytes, or nil where links reach no further.
  mutating func allocate(_ byteCount: Int) -> Link? {
    let units = Self.units(for: byteCount)
    if units > Self.largestSharedUnits { return allocateLarge(byteCount) }
    guard let block = takeFit(units) ?? addChunk() else { return nil }
    split(block, units)
    usedBytes += size(of: block) * Self.unitBytes
    return block
  }

  mutating func free(_ link: Link) {
    let chunk = Int(link >> Self.chunkUnitBits)
    if largeBytes[chunk] > 0 {
      usedBytes -= largeBytes[chunk]
      unusedChunks.append(chunk)
      return
    }
    var block = link
    var units = size(of: block)
    usedBytes -= units * Self.unitBytes
    if header(block) & Self.previousIsFree != 0 {
      let before = Int(pointer(block).load(fromByteOffset: -8, as: UInt32.self))
      block -= Link(before)
      units += before
      unlist(block)
    }
    let after = block + Link(units)
    if header(after) & Self.isFree != 0 {
      units += size(of: after)
      unlist(after)
    }
    if units == Self.wholeUnits {
      // One empty chunk is kept: a cache at its bound frees and takes a block by turns.
      if emptyChunks > 0 { return unusedChunks.append(chunk) }
      emptyChunks += 1
    }
    setFree(block, units)
  }

  /// Whether `giveBack` has something to do.
  var hasUnused: Bool { !unusedChunks.isEmpty }

  /// Gives one chunk back to the system. That takes it some 0.4 ms for 4 MiB, and when everything is freed in no order, all
  /// chunks empty within the last few blocks: so `free` leaves it to whoever has the time.
  mutating func giveBack() {
    if let chunk = unusedChunks.popLast() { release(chunk) }
  }

  // MARK: Blocks

  private static func units(for byteCount: Int) -> Int {
    max(smallestUnits, (byteCount + 4 + unitBytes - 1) / unitBytes)
  }

  private static func pages(_ byteCount: Int) -> Int { (byteCount + pageBytes - 1) / pageBytes * pageBytes }

  private func header(_ block: Link) -> UInt32 { pointer(block).load(fromByteOffset: -4, as: UInt32.self) }

  private func setHeader(_ block: Link, _ header: UInt32) {
    pointer(block).storeBytes(of: header, toByteOffset: -4, as: UInt32.self)
  }

  private func size(of block: Link) -> Int { Int(header(block) >> 2) }

  /// Writes a free block's header and footer, tells its neighbour, and lists it.
  private mutating func setFree(_ block: Link, _ units: Int) {
    // What stands before a free block is in use: two free neighbours would have merged.
    setHeader(block, UInt32(units) << 2 | Self.isFree)
    let after = block + Link(units)
    pointer(after).storeBytes(of: UInt32(units), toByteOffset: -8, as: UInt32.self)
    setHeader(after, header(after) | Self.previousIsFree)
    list(block, units)
  }

  /// Takes a free, unlisted block into use, and gives back what it has beyond `units`.
  private mutating func split(_ block: Link, _ units: Int) {
    let whole = size(of: block)
    let rest = whole - units
    if rest >= Self.smallestUnits {
      setHeader(block, UInt32(units) << 2)
      // Its header is made before `setFree` looks at it.
      setFree(block + Link(units), rest)
    } else {
      setHeader(block, UInt32(whole) << 2)
      let after = block + Link(whole)
      setHeader(after, header(after) & ~Self.previousIsFree)
    }
  }

  // MARK: Lists of free blocks

  private static func list(for units: Int) -> (first: Int, second: Int) {
    let top = Int.bitWidth - 1 - units.leadingZeroBitCount
    if top < secondBits { return (0, units) }
    return (top - secondBits + 1, units >> (top - secondBits) & (secondCount - 1))
  }

  private func head(_ first: Int, _ second: Int) -> UnsafeMutablePointer<Link> {
    heads + (first << Self.secondBits + second)
  }

  private mutating func list(_ block: Link, _ units: Int) {
    let (first, second) = Self.list(for: units)
    let head = head(first, second)
    let next = head.pointee
    let payload = pointer(block)
    payload.storeBytes(of: next, as: Link.self)
    payload.storeBytes(of: 0, toByteOffset: 4, as: Link.self)
    if next != 0 { pointer(next).storeBytes(of: block, toByteOffset: 4, as: Link.self) }
    head.pointee = block
    firstBitmap |= 1 << UInt32(first)
    secondBitmaps[first] |= 1 << UInt32(second)
  }

  private mutating func unlist(_ block: Link) {
    let payload = pointer(block)
    let next = payload.load(as: Link.self)
    let previous = payload.load(fromByteOffset: 4, as: Link.self)
    if next != 0 { pointer(next).storeBytes(of: previous, toByteOffset: 4, as: Link.self) }
    if previous != 0 {
      pointer(previous).storeBytes(of: next, as: Link.self)
      return
    }
    let (first, second) = Self.list(for: size(of: block))
    head(first, second).pointee = next
    guard next == 0 else { return }
    secondBitmaps[first] &= ~(1 << UInt32(second))
    if secondBitmaps[first] == 0 { firstBitmap &= ~(1 << UInt32(first)) }
  }

  /// The first block of the first list all of whose blocks are large enough.
  private mutating func takeFit(_ units: Int) -> Link? {
    let top = Int.bitWidth - 1 - units.leadingZeroBitCount
    let rounded = top > Self.secondBits ? units + (1 << (top - Self.secondBits)) - 1 : units
    var (first, second) = Self.list(for: rounded)
    guard first < Self.firstCount else { return nil }
    let seconds = secondBitmaps[first] & (~0 << UInt32(second))
    if seconds != 0 {
      second = seconds.trailingZeroBitCount
    } else {
      let firsts = firstBitmap & (~0 << UInt32(first + 1))
      guard firsts != 0 else { return nil }
      first = firsts.trailingZeroBitCount
      second = secondBitmaps[first].trailingZeroBitCount
    }
    let block = head(first, second).pointee
    if size(of: block) == Self.wholeUnits { emptyChunks -= 1 }
    unlist(block)
    return block
  }

  // MARK: Chunks

  /// A new chunk as one unlisted block.
  private mutating func addChunk() -> Link? {
    guard let number = newChunk(Self.chunkUnits * Self.unitBytes) else { return nil }
    largeBytes[number] = 0
    let block = Link(number) << Self.chunkUnitBits | 1
    setHeader(block, UInt32(Self.wholeUnits) << 2)
    // The header that ends a chunk is in use for good, so that nothing merges beyond it.
    setHeader(block + Link(Self.wholeUnits), 0)
    return block
  }

  private mutating func allocateLarge(_ byteCount: Int) -> Link? {
    let bytes = Self.pages(byteCount + Self.unitBytes)
    guard let number = newChunk(bytes) else { return nil }
    largeBytes[number] = bytes
    usedBytes += bytes
    return Link(number) << Self.chunkUnitBits | 1
  }

  private mutating func newChunk(_ byteCount: Int) -> Int? {
    // What waits to be given back is in no budget: it must not grow by what is taken meanwhile.
    giveBack()
    guard let number = freeChunkNumbers.popLast() ?? (chunkCount < Self.maximumChunks ? chunkCount : nil) else {
      return nil
    }
    chunkCount = max(chunkCount, number + 1)
    chunks[number] = .allocate(byteCount: byteCount, alignment: 16)
    return number
  }

  private mutating func release(_ chunk: Int) {
    chunks[chunk].deallocate()
    largeBytes[chunk] = 0
    freeChunkNumbers.append(chunk)
  }
}
