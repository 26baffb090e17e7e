// What no request brought is taken for a value as a request's would be, and for nothing else.

import PannierWire
import Testing

@Suite struct JSONCheckTests {
  private static func isValue(_ bytes: some Sequence<UInt8>, nesting: Int = 127) -> Bool {
    Array(bytes).withUnsafeBytes { isJSONValue($0, nesting: nesting) }
  }

  @Test func valuesAreTakenAndNothingStandsAroundThem() throws {
    for example in try Corpus("good_values").examples {
      #expect(Self.isValue(example.bytes), "\(example)")
      for sign in [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: "}"), UInt8(ascii: ","), 0, 0xEF] {
        #expect(!Self.isValue([sign] + example.bytes), "\(sign) before \(example)")
        // More of the same makes some of them another value.
        #expect(!Self.isValue(example.bytes + [sign]), "\(sign) behind \(example)")
      }
    }
    #expect(!Self.isValue([]))
  }

  @Test func badUTF8IsNone() throws {
    for example in try Corpus("bad_utf8").examples {
      #expect(!Self.isValue(Array("\"".utf8) + example.bytes + Array("\"".utf8)), "\(example)")
    }
  }

  @Test func levelsAreCounted() {
    #expect(Self.isValue("[[{\"a\":1}]]".utf8, nesting: 3))
    #expect(!Self.isValue("[[{\"a\":1}]]".utf8, nesting: 2))
    #expect(!Self.isValue(String(repeating: "[", count: 100_000).utf8))
  }

  @Test(arguments: 0..<4) func itSaysWhatThePlainReaderSays(seed: UInt64) {
    var random = RandomJSON(seed: 3000 + seed)
    var (right, wrong) = (0, 0)
    for round in 0..<1000 {
      var text = Array("{\"a\":".utf8) + random.next() + Array("}".utf8)
      for _ in 0..<random.number(below: 3) {
        text[random.number(below: text.count)] = UInt8(random.number(below: 256))
      }
      guard text[0] == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") else { continue }
      let isText = String(validating: text, as: UTF8.self) != nil
      let isJSON = isText && NaiveJSON.isObject(text, depth: 127)
      if isJSON { right += 1 } else { wrong += 1 }
      #expect(Self.isValue(text) == isJSON, "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))")
    }
    #expect(right > 100 && wrong > 100, "\(right) right, \(wrong) wrong")
  }
}
