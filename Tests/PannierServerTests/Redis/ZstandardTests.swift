// Compressed payloads: what comes back is what went in, and what is no frame, or claims too much, is nothing.

import PannierTestSupport
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct ZstandardTests {
  private let zstandard = Zstandard()

  private func compressible(_ count: Int) -> [UInt8] { Array(String(repeating: "abcdefgh", count: count / 8).utf8) }

  private func random(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 1)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  @Test(arguments: [1024, 10 << 10, 64 << 10, 1 << 20]) func whatGetsSmallerComesBack(count: Int) throws {
    for _ in 0..<2 {
      let payload = compressible(count)
      let frame = try #require(zstandard.compress(payload))
      #expect(frame.count < count / 4)
      #expect(Zstandard.contentBytes(of: frame, atMost: count) == count)
      #expect(zstandard.decompress(frame, atMost: count) == payload)
      #expect(zstandard.decompress(frame, atMost: count - 1) == nil)
    }
  }

  @Test func whatDoesNotGetSmallerStaysAsItIs() {
    for count in [1024, 10 << 10, 1 << 20] { #expect(zstandard.compress(random(count)) == nil) }
    #expect(zstandard.compress([]) == nil)
  }

  @Test func whatIsNoWholeFrameIsNothing() throws {
    let frame = try #require(zstandard.compress(compressible(10 << 10)))
    for count in 0..<frame.count { #expect(zstandard.decompress(Array(frame[..<count]), atMost: 1 << 20) == nil) }
    #expect(zstandard.decompress(frame + frame, atMost: 1 << 20) == nil)
    #expect(zstandard.decompress(frame + [0], atMost: 1 << 20) == nil)
    #expect(zstandard.decompress(random(1000), atMost: 1 << 20) == nil)
  }

  @Test func claimsAreNotBelieved() {
    for claim: UInt64 in [0, 1 << 17 + 1, 1 << 40, 1 << 63, .max - 1, .max] {
      #expect(zstandard.decompress(Self.frame(claim: claim, blocks: 1), atMost: 1 << 20) == nil)
    }
    #expect(zstandard.decompress(Self.frame(claim: 1 << 20, blocks: 8), atMost: 1 << 20)?.count == 1 << 20)
    #expect(zstandard.decompress(Self.frame(claim: 1 << 30, blocks: 1 << 13), atMost: 1 << 20) == nil)
    // Says no size: it would have to be decompressed to know it.
    let unsaid: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x0B, 0x00, 0x00, 0x31]
    #expect(zstandard.decompress(unsaid, atMost: 1 << 20) == nil)
  }

  @Test(arguments: 0..<4) func damageIsNothingOrOfTheSizeThatItClaims(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let frame = try #require(zstandard.compress(compressible(10 << 10)))
    for _ in 0..<2000 {
      var damaged = frame
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        damaged[Int.random(in: 0..<frame.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      #expect(zstandard.decompress(damaged, atMost: 1 << 20)?.count ?? 0 <= 1 << 20)
    }
  }

  /// So many blocks of 128 KiB, each one byte over and over, behind a header that claims whatever it likes.
  private static func frame(claim: UInt64, blocks: Int) -> [UInt8] {
    var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0]
    for shift in 0..<8 { frame.append(UInt8(truncatingIfNeeded: claim >> UInt64(8 * shift))) }
    for block in 1...blocks {
      let header = (1 << 20) | (1 << 1) | (block == blocks ? 1 : 0)
      for shift in 0..<3 { frame.append(UInt8(truncatingIfNeeded: header >> (8 * shift))) }
      frame.append(UInt8(ascii: "1"))
    }
    return frame
  }
}
