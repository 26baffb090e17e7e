// A connection without a socket for the framer's tests. Between turns it overwrites the scratch memory, as other
// connections do.

@testable import PannierWire

/// A line as the framer cut it, copied before the turn ended.
struct CutLine: Equatable, CustomStringConvertible {
  let bytes: [UInt8]
  let isASCII: Bool

  init(_ bytes: [UInt8], isASCII: Bool? = nil) {
    self.bytes = bytes
    self.isASCII = isASCII ?? bytes.allSatisfy { $0 < 0x80 }
  }

  init(_ text: String) { self.init(Array(text.utf8)) }

  var description: String {
    "\(String(decoding: bytes, as: UTF8.self).debugDescription)\(isASCII ? "" : " (not ASCII)")"
  }
}

final class FramedReader {
  private var framer = LineFramer()
  private let scratch: UnsafeMutableRawBufferPointer
  private let filler: UInt8
  private let limit: Int
  private(set) var lines: [CutLine] = []
  private(set) var isTooLong = false
  var pending: Int { framer.pending }

  /// `filler`: what others leave in the scratch memory. LF is the worst, since a framer that looks too far takes it for its own.
  init(limit: Int = 1 << 20, scratchBytes: Int = 512, filler: UInt8 = 0x0A) {
    self.limit = limit
    self.filler = filler
    scratch = .allocate(byteCount: scratchBytes + LineFramer.padding, alignment: 64)
    scratch.initializeMemory(as: UInt8.self, repeating: filler)
  }

  deinit { scratch.deallocate() }

  /// One turn: reads `bytes`, in as many reads as they take, and cuts at most `most` lines.
  func read(_ bytes: some Collection<UInt8>, atMost most: Int = .max) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let usable = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(scratch.count - LineFramer.padding)])
      let space = framer.space(scratch: usable)
      let part = rest.prefix(space.count)
      space.copyBytes(from: part)
      framer.received(part.count, in: space)
      rest = rest.dropFirst(part.count)
      turn(atMost: most)
    }
  }

  /// One turn without a read: of what an earlier one left, it cuts at most `most` lines.
  func turn(atMost most: Int = .max) {
    for _ in 0..<most {
      if isTooLong { break }
      switch framer.next(limit: limit) {
      case .line(let line):
        lines.append(CutLine(Array(line.bytes), isASCII: line.isASCII))
        continue
      case .tooLong: isTooLong = true
      case .needsMore: break
      }
      break
    }
    framer.keep()
    scratch.initializeMemory(as: UInt8.self, repeating: filler)
  }

  /// The other side has ended.
  func finish() {
    framer.finish()
    turn()
  }
}
