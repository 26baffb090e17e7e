// Lines good and bad through a whole session: what is refused, that the connection goes on or closes, and that values come back
// byte for byte.

import PannierCore
import PannierWire
import Testing

@testable import PannierDispatch

@Suite struct LineTests {
  private static func start(of code: ErrorCode) -> String {
    #"{"ok":false,"error":{"code":"\#(code.rawValue)","message":""#
  }

  @Test func badJSONIsRefusedAndTheConnectionGoesOn() throws {
    let corpus = try Corpus("bad_json")
    #expect(corpus.examples.count >= 150)
    let server = try InProcessServer()
    let client = server.connect()
    for example in corpus.examples {
      for size in [Int.max, 7] {
        client.send(example.bytes + [0x0A], atMost: size)
        let answers = client.lines()
        #expect(answers.count == 1, "\(example): \(answers)")
        // One of them bears an id, which its answer repeats.
        #expect(answers.first?.contains(#""ok":false,"error":{"code":"bad_json","#) == true, "\(example): \(answers)")
        #expect(
          client.ask(#"{"id":"next","op":"get","ns":"q","key":"a"}"#) == [#"{"id":"next","ok":true,"hit":false}"#],
          "\(example)")
      }
    }
    #expect(!client.isClosed)
  }

  @Test func goodValuesComeBackByteForByte() throws {
    let corpus = try Corpus("good_values")
    #expect(corpus.examples.count >= 60)
    let client = try InProcessServer().connect()
    for example in corpus.examples {
      for (before, after) in [("", ""), (" ", "\t"), ("\r \t", " \r")] {
        client.send(
          Array(#"{"op":"set","ns":"q","key":"a","value":\#(before)"#.utf8) + example.bytes + Array("\(after)}\n".utf8))
        #expect(client.lines() == [#"{"ok":true,"stored":true}"#], "\(example)")
        client.send(line: #"{"op":"get","ns":"q","key":"a"}"#)
        #expect(
          client.nextLine() == Array(#"{"ok":true,"hit":true,"value":"#.utf8) + example.bytes + Array("}".utf8),
          "\(example)")
      }
    }
  }

  @Test func badUTF8IsRefusedAndTheConnectionCloses() throws {
    let corpus = try Corpus("bad_utf8")
    let server = try InProcessServer()
    for example in corpus.examples {
      for (before, after) in [
        (#"{"op":"set","ns":"q","key":"a","value":""#, #""}"#), (#"{"op":"get","ns":"q","key":""#, #""}"#),
        (#"{"id":""#, #"","op":"ping"}"#), (#"{"op":"ping",""#, #"":1}"#), ("", ""), (#"{"op":"ping"}"#, ""),
        (#"{"op":"ping","id":"é, and a line long enough for several blocks of sixteen bytes"}"#, ""),
      ] {
        let client = server.connect()
        // A high byte in a line before it, or a plain line, must not hide this one's.
        #expect(client.ask(#"{"op":"get","ns":"q","key":"é"}"#) == [#"{"ok":true,"hit":false}"#])
        client.send(
          Array((#"{"op":"ping"}"# + "\n" + before).utf8) + example.bytes
            + Array((after + "\n" + #"{"op":"ping"}"# + "\n").utf8))
        let answers = client.lines()
        #expect(answers.count == 2, "\(example): \(answers)")
        #expect(answers.first == #"{"ok":true}"#)
        #expect(answers.last?.hasPrefix(Self.start(of: .badUTF8)) == true, "\(example): \(answers)")
        #expect(client.isClosed)
      }
    }
    #expect(server.connect().ask(#"{"op":"ping"}"#) == [#"{"ok":true}"#])
  }

  /// Of a line that waits for its turn, too: what waits behind it is not answered.
  @Test func badUTF8EndsWhatWaitsBehindIt() throws {
    let client = try InProcessServer().connect()
    let items = (0..<900).map { #"{"key":"\#($0)","value":1}"# }
    _ = client.ask(#"{"op":"set","ns":"q","items":[\#(items.joined(separator: ","))]}"#)
    client.send(
      Array("{\"op\":\"clear\",\"ns\":\"q\"}\n{\"op\":\"ping\",\"id\":\"".utf8) + [0xFF]
        + Array("\"}\n{\"op\":\"ping\"}\n".utf8))
    let answers = client.lines()
    #expect(answers.first == #"{"ok":true,"cleared":900}"#)
    #expect(answers.last?.hasPrefix(Self.start(of: .badUTF8)) == true)
    #expect(answers.count == 2)
    #expect(client.isClosed)
  }

  @Test(arguments: [
    #"{"id":12,"op":"get","ns":"q","key":"a\u0061\ud83d\ude00","stale":true,"max_age":1.5e0,"meta":false}"#,
    #"{"op":"set","id":"é","ns":"q","key":"a","value":{"a":[1.25e-7,"\"\\",null,{}]},"ttl":null,"tags":["a","b"],"if":{"version":3}}"#,
    #"{"op":"set","ns":"q","items":[{"key":"a","value":[true,false]},{"key":"b","value":"","ttl":5}]}"#,
  ])
  func aLineCutAnywhereIsBadJSON(line: String) throws {
    let bytes = Array(line.utf8)
    let server = try InProcessServer()
    for cut in 1..<bytes.count {
      for end: [UInt8] in [[0x0A], [0x0D, 0x0A], []] {
        let client = server.connect()
        client.send(bytes[..<cut] + end)
        if end.isEmpty { client.finish() }
        let answers = client.lines()
        // Cut within a character, it is no UTF-8.
        let isText = String(validating: bytes[..<cut], as: UTF8.self) != nil
        #expect(answers.count == 1)
        #expect(
          answers.first?.contains(#""code":"\#(isText ? "bad_json" : "bad_utf8")""#) == true,
          "cut at \(cut): \(answers)")
      }
    }
    let client = server.connect()
    client.send(bytes)
    #expect(client.lines() == [])
    client.finish()
    #expect(client.lines().first?.contains(#""ok":true"#) == true)
  }

  @Test(arguments: [1, 2, 3, 128, 1000]) func nestsAsDeepAsTheLimitAllows(limit: Int) throws {
    let client = try InProcessServer("limits: {nesting: \(limit)}\ndefaults: {jitter: 0}").connect()
    func value(_ levels: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
    }
    for (open, close) in [("[", "]"), (#"{"a":"#, "}"), ("[ ", " ]")] {
      // The line's own object is the first level.
      let right = value(limit - 1, open, close)
      #expect(client.ask(#"{"op":"set","ns":"q","key":"a","value":\#(right)}"#) == [#"{"ok":true,"stored":true}"#])
      #expect(client.ask(#"{"op":"get","ns":"q","key":"a"}"#) == [#"{"ok":true,"hit":true,"value":\#(right)}"#])
      let wrong = client.ask(#"{"op":"set","ns":"q","key":"a","value":\#(value(limit, open, close))}"#)
      #expect(wrong.first?.hasPrefix(Self.start(of: .badJSON)) == true)
      #expect(wrong.first?.contains("limits.nesting") == true)
    }
    // Siblings are no deeper than one.
    if limit > 1 {
      let wide = String(repeating: "[],", count: 2 * limit) + "[]"
      let answer = client.ask(#"{"op":"set","ns":"q","key":"a","value":[\#(wide)]}"#)
      #expect(answer == [#"{"ok":true,"stored":true}"#] || limit == 2)
      #expect((answer.first?.contains("limits.nesting") == true) == (limit == 2))
    }
  }

  @Test(arguments: ["", "a b", "é", "*", "a/b", String(repeating: "n", count: 65), "q\\u0000", "\\u0000"])
  func aWrongNamespaceIsRefused(name: String) throws {
    let server = try InProcessServer()
    let client = server.connect()
    _ = client.ask(#"{"op":"set","ns":"q","key":"a","value":1}"#)
    for rest in [
      #""get","key":"a""#, #""set","key":"a","value":1"#, #""delete","key":"a""#, #""touch","key":"a""#,
      #""exists","key":"a""#,
      #""keys""#, #""clear""#, #""policy""#, #""explain","key":"a""#, #""stats""#, #""watch""#,
    ] where !(name == "*" && rest == #""clear""#) {
      let answers = client.ask(#"{"op":\#(rest),"ns":"\#(name)"}"#)
      #expect(answers.count == 1)
      #expect(answers.first?.hasPrefix(Self.start(of: .badRequest) + #"\"ns\""#) == true, "\(rest): \(answers)")
    }
    #expect(server.dispatcher.cache.namespaceCount == 1)
  }
}
