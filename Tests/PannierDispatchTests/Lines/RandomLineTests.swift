// Random values and spoilt lines through a whole session.

import PannierTestSupport
import PannierWire
import Testing

@testable import PannierDispatch

@Suite struct RandomLineTests {
  /// 20,000 values in all.
  @Test(arguments: 0..<10) func valuesComeBackByteForByte(seed: UInt64) throws {
    var random = RandomJSON(seed: seed)
    let client = try InProcessServer().connect()
    let set = Array(#"{"op":"set","ns":"q","key":"a","value":"#.utf8)
    let get = Array("}\n{\"op\":\"get\",\"ns\":\"q\",\"key\":\"a\"}\n".utf8)
    let stored = Array(#"{"ok":true,"stored":true}"#.utf8)
    let hit = Array(#"{"ok":true,"hit":true,"value":"#.utf8)
    for round in 0..<2000 {
      let value = random.next()
      client.send(set + value + get, atMost: round % 3 == 0 ? 1 + random.number(below: 40) : .max)
      let answers = [client.nextLine(), client.nextLine(), client.nextLine()]
      #expect(
        answers == [stored, hit + value + [0x7D], nil],
        "seed \(seed), round \(round): \(String(decoding: value, as: UTF8.self))")
    }
  }

  /// A right line with some bytes changed is right or wrong as the grammar has it, and never ends the session.
  @Test(arguments: 0..<8) func aSpoiltLineIsTakenAsTheGrammarHasIt(seed: UInt64) throws {
    var random = RandomJSON(seed: 1000 + seed)
    let client = try InProcessServer().connect()
    var (right, wrong) = (0, 0)
    let interesting = Array("{}[]\",:\\/ \t\r0123456789.eE+-truefalsn\u{0}\u{1F}\u{7F}ux".utf8)
    for round in 0..<1000 {
      var value = random.next()
      for _ in 0...random.number(below: 3) {
        let place = random.number(below: value.count + 1)
        let byte = interesting[random.number(below: interesting.count)]
        switch random.number(below: 3) {
        case 0: value.insert(byte, at: place)
        case 1 where place < value.count && !value.isEmpty: value.remove(at: place)
        default: if place < value.count { value[place] = byte }
        }
      }
      let line = Array(#"{"op":"set","ns":"q","key":"a","value":["#.utf8) + value + Array("]}".utf8)
      guard String(validating: line, as: UTF8.self) != nil else { continue }
      client.send(line + [0x0A])
      let answers = client.lines()
      let isJSON = NaiveJSON.isObject(line, depth: 128)
      if isJSON { right += 1 } else { wrong += 1 }
      #expect(answers.count == 1)
      #expect(
        answers.first?.contains(#""code":"bad_json""#) == !isJSON,
        "seed \(seed), round \(round): \(String(decoding: line, as: UTF8.self)) \(answers)")
    }
    #expect(right > 100 && wrong > 100, "\(right) right, \(wrong) wrong")
    #expect(client.ask(#"{"op":"ping"}"#) == [#"{"ok":true}"#])
  }

  /// Anything at all: one answer a line that isn't blank, and no end but that of bad UTF-8.
  @Test(arguments: 0..<4) func anyBytesGetOneAnswerALine(seed: UInt64) throws {
    var generator = SeededGenerator(seed: 2000 + seed)
    let server = try InProcessServer()
    let words = [
      "{", "}", "[", "]", "\"", "\"op\"", ":", ",", "\"get\"", "\"set\"", "\"ns\":\"q\"", "\"key\":\"a\"", "\"value\":",
      "\"items\":[",
      "1", "-", "1e3", "\\u0061", "\\ud800", "null", "true", " ", "\r", "\u{0}", "é", "\"id\":1", "{\"op\":\"ping\"}",
    ].map { Array($0.utf8) }
    for round in 0..<500 {
      let client = server.connect()
      var lines = 0
      for _ in 0..<4 {
        let line = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
          words.randomElement(using: &generator) ?? []
        }.joined()
        client.send(Array(line) + [0x0A], atMost: Int.random(in: 1...50, using: &generator))
        if Array(line) != [0x0D] { lines += 1 }
      }
      let answers = client.lines()
      #expect(answers.count == lines, "seed \(seed), round \(round)")
      #expect(answers.allSatisfy { NaiveJSON.isObject(Array($0.utf8), depth: 8) }, "seed \(seed), round \(round)")
      #expect(!client.isClosed)
    }
  }
}
