// Bytes cut into lines, however they arrive.

import Testing

@testable import PannierWire

@Suite struct LineFramerTests {
  private static let text =
    "{\"op\":\"ping\"}\r\n\n\r\n  \nshort\né\nplain again, and longer than sixteen bytes\n日本\nlast\n"
  private static let lines = [
    "{\"op\":\"ping\"}\r", "", "\r", "  ", "short", "é", "plain again, and longer than sixteen bytes", "日本", "last",
  ].map { CutLine($0) }

  @Test(arguments: [1, 2, 3, 5, 7, 15, 16, 17, 31, 64, 1000])
  func cutsAlikeHoweverManyBytesARead(size: Int) {
    for filler: UInt8 in [0x0A, 0x00, 0xFF, 0x22] {
      let reader = FramedReader(filler: filler)
      let bytes = Array(Self.text.utf8)
      for from in stride(from: 0, to: bytes.count, by: size) {
        reader.read(bytes[from..<min(from + size, bytes.count)])
      }
      #expect(reader.lines == Self.lines)
      #expect(reader.pending == 0)
    }
  }

  @Test func cutsAlikeWhereverItIsCutInTwo() {
    let bytes = Array(Self.text.utf8)
    for cut in 0...bytes.count {
      let reader = FramedReader()
      reader.read(bytes[..<cut])
      reader.read(bytes[cut...])
      #expect(reader.lines == Self.lines, "cut at \(cut)")
    }
  }

  /// What another connection left in the scratch memory right behind what was read.
  @Test(arguments: 1...40) func aLineFeedOfAnotherConnectionEndsNoLine(count: Int) {
    let reader = FramedReader(filler: 0x0A)
    reader.read([UInt8](repeating: 0x61, count: count))
    #expect(reader.lines == [])
    #expect(reader.pending == count)
    reader.read([0x62, 0x0A])
    #expect(reader.lines == [CutLine([UInt8](repeating: 0x61, count: count) + [0x62])])
  }

  @Test(arguments: [1, 2, 15, 16, 17, 100, 600, 5000]) func aLineOfTheLimitPassesAndOneOverDoesNot(limit: Int) {
    let line = [UInt8](repeating: 0x61, count: limit)
    let exact = FramedReader(limit: limit)
    exact.read(line + [0x0A] + line + [0x0A])
    #expect(exact.lines == [CutLine(line), CutLine(line)])
    #expect(!exact.isTooLong)
    let unended = FramedReader(limit: limit)
    unended.read(line)
    #expect(!unended.isTooLong)
    unended.read([0x62])
    #expect(unended.isTooLong)
    let over = FramedReader(limit: limit)
    over.read([0x0A] + line + [0x62, 0x0A])
    #expect(over.lines == [CutLine("")])
    #expect(over.isTooLong)
  }

  @Test func theLimitHoldsForALineThatDribblesIn() {
    let reader = FramedReader(limit: 100)
    for _ in 0..<100 { reader.read([0x61]) }
    #expect(!reader.isTooLong)
    reader.read([0x61])
    #expect(reader.isTooLong)
  }

  /// High bytes next to a line's ends, at every place that one 16-byte load can begin or end.
  @Test(arguments: 0..<48) func onlyALineWithHighBytesIsNotASCII(length: Int) {
    let plain = [UInt8](repeating: 0x61, count: length)
    for high: UInt8 in [0x80, 0xC3, 0xFF] {
      let lines: [[UInt8]] = [
        plain, [high] + plain, plain, plain + [high], plain + [0x7F], [high], [], plain + [high] + plain, plain,
      ]
      for size in [1, 3, 16, 1000] {
        let reader = FramedReader(filler: 0xFF)
        let bytes = Array(lines.map { $0 + [0x0A] }.joined())
        for from in stride(from: 0, to: bytes.count, by: size) {
          reader.read(bytes[from..<min(from + size, bytes.count)])
        }
        #expect(reader.lines == lines.map { CutLine($0) }, "\(size) bytes a read")
      }
    }
  }

  @Test(arguments: 0..<40) func theLastLineNeedsNoLineFeed(length: Int) {
    let line = [UInt8](repeating: 0x61, count: length) + [0xC3, 0xA9]
    for last in [line, Array(line.dropLast(2)), line + [0x0D]] {
      for before in [[], [0x62, 0x0A]] as [[UInt8]] {
        let reader = FramedReader(filler: 0x0A)
        reader.read(before + last)
        reader.finish()
        #expect(reader.lines == (before.isEmpty ? [] : [CutLine("b")]) + (last.isEmpty ? [] : [CutLine(last)]))
        #expect(reader.pending == 0)
      }
    }
  }

  @Test func whatIsLeftForALaterTurnStays() {
    let reader = FramedReader(filler: 0x0A)
    reader.read(Array("one\ntwo\nthr".utf8), atMost: 1)
    #expect(reader.lines == [CutLine("one")])
    reader.turn(atMost: 1)
    reader.read(Array("ee\nfour\nfive".utf8), atMost: 1)
    reader.turn(atMost: 0)
    reader.finish()
    #expect(reader.lines == ["one", "two", "three", "four", "five"].map { CutLine($0) })
  }

  @Test func aKeptLineIsTheSameLine() {
    for bytes in [[], [0x61], Array("é".utf8), [UInt8](repeating: 0xFF, count: 40)] {
      var kept = KeptLine(bytes)
      #expect(kept.count == bytes.count)
      var copy = kept.withLine { KeptLine($0) }
      let seen = copy?.withLine { CutLine(Array($0.bytes), isASCII: $0.isASCII) }
      #expect(seen == CutLine(bytes))
    }
  }

  @Test(arguments: [("", true), ("\r", true), (" ", false), ("\r\r", false), ("\t", false), ("a", false)])
  func blankIsAnEmptyLineAlone(text: String, isBlank: Bool) {
    var kept = KeptLine(text.utf8)
    #expect(kept.withLine { $0.isBlank } == isBlank)
  }
}
