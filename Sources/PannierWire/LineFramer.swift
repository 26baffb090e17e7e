// Cuts what a connection received into lines. It owns bytes that are not yet a whole line, and knows neither JSON nor
// sockets: it says where to read to, and is told how much came.

/// Bytes in, lines out.
///
///     space() ─► the caller reads into it ─► received(n) ─► next() … next() ─► keep()
///
/// While no partial line is held, `space` is the scratch memory that all connections share, so an idle connection costs
/// no buffer; `keep` moves what is left of it into memory of its own.
package struct LineFramer: ~Copyable {
  /// Bytes readable beyond what was received: a line's own, and its LF.
  package static let padding = Line.padding + 1
  /// What a connection that is in the midst of a line asks for at least in one read, in bytes.
  private static let readSize = 64 << 10

  package enum Next {
    case line(Line)
    case needsMore
    /// The line is longer than allowed; where its end is can't be trusted any more.
    case tooLong
  }

  private var own: UnsafeMutablePointer<UInt8>?
  private var ownCapacity = 0
  /// What is being cut: `own`, or the shared scratch between `received` and `keep`.
  private var region: UnsafeMutablePointer<UInt8>?
  private var start = 0
  private var end = 0
  /// How far the current line has been searched: a line that dribbles in is looked at once, not once a byte.
  private var searched = 0
  private var sawHighBit: UInt64 = 0

  package init() {}

  deinit { own?.deallocate() }

  /// Bytes received and not yet handed out.
  package var pending: Int { end - start }

  /// Where to read to. `scratch` must have `padding` bytes behind it that are readable.
  package mutating func space(scratch: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
    if pending == 0 {
      releaseOwn()
      return scratch
    }
    reserve(Self.readSize)
    return UnsafeMutableRawBufferPointer(start: own.map { $0 + end }, count: ownCapacity - end)
  }

  /// `count` bytes were read to the start of `space`.
  package mutating func received(_ count: Int, in space: UnsafeMutableRawBufferPointer) {
    if region == nil, let base = space.baseAddress {
      region = base.assumingMemoryBound(to: UInt8.self)
      start = 0
      end = 0
      searched = 0
    }
    end += count
  }

  /// The next whole line of at most `limit` bytes.
  package mutating func next(limit: Int) -> Next {
    guard let region else { return .needsMore }
    if let newline = findNewline(in: region) {
      let line = Line(
        start: region + start, count: newline - start, isASCII: sawHighBit == 0, isLast: newline + 1 == end)
      start = newline + 1
      searched = start
      sawHighBit = 0
      return line.count <= limit ? .line(line) : .tooLong
    }
    return end - start > limit ? .tooLong : .needsMore
  }

  /// What a turn leaves of what was received.
  package enum Rest {
    case nothing
    /// The beginning of a line; `isNew`: a line before it was handed out in this turn.
    case some(isNew: Bool)
  }

  /// Ends the turn: what is left moves from the shared scratch into memory of this framer's own.
  @discardableResult
  package mutating func keep() -> Rest {
    guard let region else { return .nothing }
    let isNew = start > 0
    if start == end {
      // The scratch isn't ours beyond this turn; memory of our own is given back when the next read begins.
      if own == nil { self.region = nil }
      start = 0
      end = 0
      searched = 0
      return .nothing
    }
    if region == own {
      compact()
      return .some(isNew: isNew)
    }
    let count = pending
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: count + Self.padding)
    memory.update(from: region + start, count: count)
    own = memory
    ownCapacity = count
    self.region = memory
    searched -= start
    start = 0
    end = count
    return .some(isNew: isNew)
  }

  /// Nothing more will come: what is left is the last line, whether an LF ends it or not.
  package mutating func finish() {
    guard pending > 0, let region, region[end - 1] != 0x0A else { return }
    // The padding has room for it.
    region[end] = 0x0A
    end += 1
  }

  @inline(__always)
  private mutating func findNewline(in region: UnsafeMutablePointer<UInt8>) -> Int? {
    var position = searched
    var high = TwoWords(repeating: 0)
    // Two blocks a step where a line is long; of control characters it has hardly any but its end.
    while end &- position >= 32 {
      let first = loadTwoWords(region + position)
      let second = loadTwoWords(region + position + 16)
      if mayHaveControl(first, second) { break }
      high |= first | second
      position &+= 32
    }
    while position < end {
      let words = loadTwoWords(region + position)
      let found = matches(words, 0x0A)
      if found[0] | found[1] != 0 {
        let newline = position &+ firstByte(found)
        guard newline < end else { break }
        note(high[0] | high[1] | (found[0] != 0 ? before(found[0], words[0]) : words[0] | before(found[1], words[1])))
        return newline
      }
      if end &- position < 16 { break }
      high |= words
      position &+= 16
    }
    note(high[0] | high[1])
    for index in position..<max(position, end) { note(UInt64(region[index])) }
    searched = end
    return nil
  }

  /// The bits of a word that stand before the byte found in it.
  @inline(__always)
  private func before(_ found: UInt64, _ word: UInt64) -> UInt64 { word & ((found & (0 &- found)) &- 1) }

  @inline(__always)
  private mutating func note(_ bits: UInt64) { sawHighBit |= bits & 0x8080_8080_8080_8080 }

  private mutating func reserve(_ wanted: Int) {
    if ownCapacity - end >= wanted { return }
    compact()
    if ownCapacity - end >= wanted { return }
    // Doubling keeps the copying of a long line in proportion to its length.
    let capacity = max(ownCapacity * 2, end + wanted)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + Self.padding)
    if let own {
      memory.update(from: own, count: end)
      own.deallocate()
    }
    own = memory
    region = memory
    ownCapacity = capacity
  }

  private mutating func compact() {
    guard let own, start > 0 else { return }
    own.update(from: own + start, count: end - start)
    end -= start
    searched -= start
    start = 0
  }

  private mutating func releaseOwn() {
    own?.deallocate()
    own = nil
    ownCapacity = 0
    region = nil
    start = 0
    end = 0
    searched = 0
    sawHighBit = 0
  }
}
