// The buffer towards a client against a plain array, and the JSON it writes.

import PannierTestSupport
import Testing

@testable import PannierWire

/// What `write` leaves in a fresh buffer.
private func written(_ write: (inout OutputBuffer) -> Void) -> ByteText {
  var output = OutputBuffer()
  write(&output)
  return ByteText(output.bytes)
}

private func withBytes(_ bytes: some Sequence<UInt8>, _ body: (Bytes) -> Void) {
  Array(bytes).withUnsafeBytes { body($0) }
}

@Suite struct OutputBufferTests {
  @Test func everyByteBelowABlankIsEscaped() {
    let short: [UInt8: String] = [0x09: #"\t"#, 0x0A: #"\n"#, 0x0D: #"\r"#]
    for byte: UInt8 in 0..<0x20 {
      let digits = "0123456789abcdef".map { String($0) }
      let long = "\\u00\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      let expected = ByteText("\"a\(short[byte] ?? long)b\"")
      #expect(written { output in withBytes([0x61, byte, 0x62]) { output.append(string: $0) } } == expected)
    }
    for byte: UInt8 in 0x20..<0x80 where byte != 0x22 && byte != 0x5C {
      #expect(written { output in withBytes([byte]) { output.append(string: $0) } }.bytes == [0x22, byte, 0x22])
    }
    #expect(written { $0.append(string: #""\"#) } == #""\"\\""#)
    #expect(written { $0.append(string: "") } == #""""#)
    #expect(written { $0.append(string: "é\u{2028}\u{7F}😀\n") } == ByteText("\"é\u{2028}\u{7F}😀\\n\""))
    #expect(written { $0.append(string: "\n\n") } == #""\n\n""#)
  }

  @Test(arguments: [
    (0, "0"), (7, "7"), (-1, "-1"), (10, "10"), (-1_234_567_890, "-1234567890"), (.max, "9223372036854775807"),
    (.min, "-9223372036854775808"),
  ])
  func numbers(number: Int, text: String) {
    #expect(written { $0.append(number: number) } == ByteText(text))
    #expect(
      written { $0.append(number: UInt64(number.magnitude)) }
        == ByteText(text.hasPrefix("-") ? String(text.dropFirst()) : text))
  }

  @Test func theLargestUnsignedNumber() { #expect(written { $0.append(number: UInt64.max) } == "18446744073709551615") }

  @Test(
    arguments: [
      (0, "0"), (1, "0.001"), (10, "0.01"), (100, "0.1"), (999, "0.999"), (1000, "1"), (1001, "1.001"), (4500, "4.5"),
      (300_000, "300"), (12_340, "12.34"), (-1, "-0.001"), (-1500, "-1.5"), (315_360_000_000, "315360000"),
      (.max, "9223372036854775.807"), (.min, "-9223372036854775.808"),
    ] as [(Int64, String)])
  func secondsHaveAsManyDecimalsAsTheyNeed(milliseconds: Int64, text: String) {
    #expect(written { $0.append(seconds: milliseconds) } == ByteText(text))
  }

  @Test(
    arguments: [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (120, "0.00012"), (.max, "18446744073709.551615")]
      as [(UInt64, String)])
  func microseconds(count: UInt64, text: String) {
    #expect(written { $0.append(microseconds: count) } == ByteText(text))
  }

  @Test func membersArePartedByCommas() {
    let text = written { output in
      output.begin(id: nil)
      output.member("a", flag: false)
      output.name("b")
      output.beginObject()
      output.member("c", count: nil)
      output.member("d", seconds: 1500)
      output.endObject()
      output.name("e\n")
      output.beginArray()
      output.separate()
      output.append(string: "x")
      output.separate()
      output.append(string: "y")
      output.endArray()
      output.beginItems()
      output.beginObject()
      output.endObject()
      output.beginObject()
      output.member("f", strings: [])
      output.endObject()
      output.endArray()
      output.end()
    }
    let expected = #"{"ok":true,"a":false,"b":{"c":null,"d":1.5},"e\n":["x","y"],"items":[{},{"f":[]}]}"#
    #expect(text == ByteText(expected + "\n"))
  }

  @Test func answersBearTheirID() {
    withBytes(#""\u0061""#.utf8) { id in
      #expect(written { $0.done(id: id) } == ByteText("{\"id\":\"\\u0061\",\"ok\":true}\n"))
      #expect(
        written { $0.refused(Refusal(.badJSON, "a \"b\"\n"), id: id) }
          == ByteText(
            "{\"id\":\"\\u0061\",\"ok\":false,\"error\":{\"code\":\"bad_json\",\"message\":\"a \\\"b\\\"\\n\"}}\n"))
      withBytes("[1]".utf8) { value in
        #expect(
          written { $0.plainHit(id: id, value: value) }
            == ByteText("{\"id\":\"\\u0061\",\"ok\":true,\"hit\":true,\"value\":[1]}\n"))
        #expect(written { $0.plainHit(id: nil, value: value) } == "{\"ok\":true,\"hit\":true,\"value\":[1]}\n")
      }
    }
    #expect(written { $0.done(id: nil) } == "{\"ok\":true}\n")
    #expect(
      written { $0.refused(Refusal(.internal, ""), id: nil) }
        == "{\"ok\":false,\"error\":{\"code\":\"internal\",\"message\":\"\"}}\n")
  }

  @Test(arguments: 0..<8) func holdsWhatAnArrayHolds(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var output = OutputBuffer()
    var model: [UInt8] = []
    for step in 0..<2000 {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<5:
        let size = Int.random(
          in: 0...(Int.random(in: 0..<40, using: &generator) == 0 ? 70_000 : 300), using: &generator)
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: size)
        output.append(bytes)
        model += bytes
      case 5:
        output.append(UInt8(truncatingIfNeeded: step))
        model.append(UInt8(truncatingIfNeeded: step))
      case 6:
        output.append(number: step)
        model += Array(String(step).utf8)
      case 7:
        let mark = output.mark
        output.append([UInt8](repeating: 0xAA, count: Int.random(in: 0...40_000, using: &generator)))
        output.truncate(to: mark)
      default:
        let count = Bool.random(using: &generator) ? model.count : Int.random(in: 0...model.count, using: &generator)
        output.consume(count)
        model.removeFirst(count)
      }
      let isSame = output.bytes.elementsEqual(model)
      let (count, isEmpty) = (output.count, output.isEmpty)
      guard isSame, count == model.count, isEmpty == model.isEmpty else {
        Issue.record("step \(step) of seed \(seed)")
        return
      }
    }
  }
}
