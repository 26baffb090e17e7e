// The framer against a splitter that is plainly right, over random bytes in random pieces.

import PannierTestSupport
import Testing

@testable import PannierWire

@Suite struct LineFramerRandomTests {
  @Test(arguments: 0..<10) func cutsAsANaiveSplitterDoes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<1000 {
      let bytes = Self.randomBytes(&generator)
      let limit = Bool.random(using: &generator) ? 1000 : Int.random(in: 1...60, using: &generator)
      let reader = FramedReader(
        limit: limit, scratchBytes: Int.random(in: 1...300, using: &generator),
        filler: [0x0A, 0x0A, 0xFF, 0x00].randomElement(using: &generator) ?? 0)
      var rest = bytes[...]
      while !rest.isEmpty, !reader.isTooLong {
        let size = Int.random(in: 1...(Bool.random(using: &generator) ? 3 : 80), using: &generator)
        reader.read(
          rest.prefix(size), atMost: Bool.random(using: &generator) ? .max : Int.random(in: 0...3, using: &generator))
        rest = rest.dropFirst(size)
        if Int.random(in: 0..<4, using: &generator) == 0 {
          reader.turn(atMost: Int.random(in: 0...2, using: &generator))
        }
      }
      if !reader.isTooLong { reader.finish() }
      let expected = Self.split(bytes, limit: limit)
      #expect(reader.lines == expected.lines, "seed \(seed), round \(round)")
      #expect(reader.isTooLong == expected.isTooLong, "seed \(seed), round \(round)")
    }
  }

  private static func split(_ bytes: [UInt8], limit: Int) -> (lines: [CutLine], isTooLong: Bool) {
    var parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
    if parts.last == [] { parts.removeLast() }
    let fitting = parts.prefix { $0.count <= limit }
    return (fitting.map { CutLine($0) }, fitting.count < parts.count)
  }

  private static func randomBytes(_ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      let length = Int.random(in: 0...(Int.random(in: 0..<4, using: &generator) == 0 ? 90 : 20), using: &generator)
      let isASCII = Bool.random(using: &generator)
      for _ in 0..<length {
        let byte = UInt8.random(
          in: 0...(isASCII || Int.random(in: 0..<8, using: &generator) > 0 ? 0x7F : 0xFF), using: &generator)
        bytes.append(byte == 0x0A ? 0x0D : byte)
      }
      bytes.append(0x0A)
    }
    return Bool.random(using: &generator) ? bytes : bytes.dropLast()
  }
}
