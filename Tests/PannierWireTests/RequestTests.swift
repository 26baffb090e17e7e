// Good request lines, and what they ask.

import PannierTestSupport
import Testing

@testable import PannierWire

@Suite struct RequestTests {
  static let lines: [(line: String, request: String)] = [
    (#"{"op":"ping"}"#, "ping"),
    ("  {\t\"op\" : \"ping\"\t}\r", "ping"),
    (#"{"op":"hello"}"#, "hello"),
    (#"{"op":"hello","client":""}"#, "hello"),
    (#"{"op":"hello","client":"\#(String(repeating: "c", count: 128))"}"#, "hello"),
    (#"{"op":"get","ns":"q","key":"a"}"#, "get q a"),
    (
      #"{"op":"get","ns":"q","key":"a","stale":true,"meta":true,"max_age":1.5,"unless":7}"#,
      "get q a stale meta max_age=1500 unless=7"
    ),
    (
      #"{"op":"get","ns":"q","key":"a","stale":false,"meta":false,"max_age":0,"unless":0}"#,
      "get q a max_age=0 unless=0"
    ),
    (#"{"op":"get","ns":"q","keys":["a"]}"#, "get q [a]"),
    (#"{"op":"get","ns":"q","keys": [ "a" , "b","a" ] }"#, "get q [a,b,a]"),
    (#"{"op":"set","ns":"q","key":"a","value":1}"#, "set q a=1"),
    (#"{"op":"set","ns":"q","key":"a","value": {"b" : [1, 2.0e5]} }"#, #"set q a={"b" : [1, 2.0e5]}"#),
    (#"{"op":"set","ns":"q","key":"a","value":null}"#, "set q a=null"),
    (#"{"op":"set","ns":"q","key":"a","value":"\u0041\/"}"#, #"set q a="\u0041\/""#),
    (
      #"{"op":"set","ns":"q","key":"a","value":"","ttl":2,"stale":0.5,"tags":["x","y"],"if":"absent"}"#,
      #"set q a="" ttl=2000 stale=500 tags=x,y if=absent"#
    ),
    (
      #"{"op":"set","ns":"q","key":"a","value":1,"ttl":null,"tags":[],"if":"present"}"#, "set q a=1 ttl=none if=present"
    ),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":{"version":0}}"#, "set q a=1 if=0"),
    (
      #"{"op":"set","ns":"q","key":"a","value":1,"if": { "version" : 9007199254740991 } }"#,
      "set q a=1 if=9007199254740991"
    ),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":{"v\u0065rsion":5}}"#, "set q a=1 if=5"),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":"\u0061bsent"}"#, "set q a=1 if=absent"),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1}]}"#, "set q [a=1]"),
    (
      #"{"op":"set","ns":"q","items":[{"value":[1],"key":"a"} , {"ttl":1,"key":"b\n","value":"b","tags":["t"],"if":"absent"}]}"#,
      "set q [a=[1]; b\n=\"b\" ttl=1000 tags=t if=absent]"
    ),
    (
      #"{"op":"set","ns":"q","items":[{"k\u0065y":"\u0061","value":"\u0061"},{"key":"a","valu\u0065":{"a":1,"a":2}}]}"#,
      #"set q [a="\u0061"; a={"a":1,"a":2}]"#
    ),
    (#"{"op":"delete","ns":"q","key":"a"}"#, "delete q a"),
    (#"{"op":"delete","ns":"q","keys":["a","b"],"soft":true}"#, "delete q [a,b] soft"),
    (#"{"op":"touch","ns":"q","key":"a"}"#, "touch q a"),
    (#"{"op":"touch","ns":"q","key":"a","ttl":null,"stale":0}"#, "touch q a ttl=none stale=0"),
    (#"{"op":"touch","ns":"q","key":"a","ttl":0.001}"#, "touch q a ttl=1"),
    (#"{"op":"exists","ns":"q","key":"a"}"#, "exists q a"),
    (#"{"op":"explain","ns":"q","key":"a"}"#, "explain q a"),
    (#"{"op":"keys","ns":"q"}"#, "keys q limit=100"),
    (#"{"op":"keys","ns":"q","match":"a*","limit":1000,"after":"2f"}"#, "keys q match=a* limit=1000 after=2f"),
    (#"{"op":"keys","ns":"q","match":"","limit":1}"#, "keys q match= limit=1"),
    (#"{"op":"clear","ns":"q"}"#, "clear q"),
    (#"{"op":"clear","ns":"*"}"#, "clear (all)"),
    (#"{"op":"clear","ns":"\u002a"}"#, "clear (all)"),
    (#"{"op":"clear","ns":"q","match":"a\\*","soft":true,"dry_run":true}"#, #"clear q match=a\* soft dry_run"#),
    (#"{"op":"clear","ns":"q","tags":["a","b"]}"#, "clear q tags=a,b"),
    (#"{"op":"stats"}"#, "stats"),
    (#"{"op":"stats","ns":"q"}"#, "stats q"),
    (#"{"op":"policy","ns":"q"}"#, "policy q"),
    (#"{"op":"policy","ns":"q","set":{ "ttl": "10m" }}"#, #"policy q set={ "ttl": "10m" }"#),
    (#"{"op":"watch"}"#, "watch"),
    (#"{"op":"watch","ns":"q","events":["set","evict"],"sample":0.25}"#, "watch q events=set,evict sample=0.25"),
    (#"{"op":"watch","events":[],"sample":1}"#, "watch events="),
    (#"{"op":"watch","sample":0}"#, "watch sample=0.0"),
    (#"{"op":"watch","sample":1E0}"#, "watch"),
    (#"{"op":"watch","sample":1e-400}"#, "watch sample=0.0"),
    (#"{"op":"advance","seconds":5}"#, "advance 5000"),
    (#"{"op":"advance","seconds":0.25}"#, "advance 250"),
    // Names are what they are after unescaping.
    (#"{"\u006f\u0070":"\u0070ing"}"#, "ping"),
    (#"{"op":"get","n\u0073":"\u0071","k\u0065y":"\u0061"}"#, "get q a"),
    (#"{"op":"get","ns":"q","key":"\"\\\/\b\f\n\r\t"}"#, "get q \"\\/\u{8}\u{C}\n\r\t"),
    (
      #"{"op":"get","ns":"q","key":"\u0000\u001f\u007F\u0080\u07ff\u0800\uFFFF"}"#,
      "get q \u{0}\u{1F}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"
    ),
    (#"{"op":"get","ns":"q","key":"\uD83D\uDE00\ud800\udc00\udbff\uDFFF"}"#, "get q \u{1F600}\u{10000}\u{10FFFF}"),
    (#"{"op":"get","ns":"q","key":"\\u0041\u005cu0041"}"#, #"get q \u0041\u0041"#),
    (#"{"op":"get","ns":"q","key":"é"}"#, "get q é"),
    (#"{"op":"get","ns":"q","key":"e\u0301"}"#, "get q e\u{301}"),
    (#"{"op":"get","ns":"q","keys":["\u0061","\"","é\u00e9"]}"#, "get q [a,\",éé]"),
    (#"{"op":"clear","ns":"q","tags":["\u0061","\ud83d\ude00"]}"#, "clear q tags=a,\u{1F600}"),
    (#"{"op":"clear","ns":"q","match":"\u005c*"}"#, #"clear q match=\*"#),
    // Leases.
    (#"{"op":"get","ns":"q","key":"a","lease":true,"wait":2.5}"#, "get q a lease wait=2500"),
    (#"{"op":"get","ns":"q","keys":["a","b"],"wait":0,"lease":false}"#, "get q [a,b] wait=0"),
    (#"{"op":"release","ns":"q","key":"a","lease":"x\u0041"}"#, "release q a xA none"),
    (
      #"{"retry_after":0.5,"op":"release","ns":"q","failed":true,"key":"a","lease":"x"}"#,
      "release q a x failed retry_after=500"
    ),
    (
      #"{"op":"release","ns":"q","key":"a","lease":"x","pass":true,"retry\u005fafter":3600}"#,
      "release q a x pass retry_after=3600000"
    ),
    (#"{"op":"set","ns":"q","key":"a","lease":"x","value":1}"#, "set q a=1 lease=x"),
  ]

  private static var limits: RequestLimits {
    var limits = RequestLimits()
    limits.testClock = true
    return limits
  }

  @Test(arguments: lines.indices) func isDecoded(index: Int) {
    let (line, request) = Self.lines[index]
    #expect(decode(line, Self.limits) == Decoded(text: ByteText(request)), "\(line)")
  }

  /// One decoder serves all connections: nothing of one line may be left for the next.
  @Test func oneDecoderDecodesAllLines() {
    let decoder = LineDecoder(Self.limits)
    for (line, request) in Self.lines + Self.lines.reversed() {
      #expect(decoder.decode(line) == Decoded(text: ByteText(request)), "\(line)")
      _ = decoder.decode(#"{"id":1,"op":"set","ns":"x","key":"x","ttl":3,"tags":["x"],"meta":true,"x":1,"#)
    }
  }

  /// At every length around the 16 bytes that are looked at together, with an escape at every place.
  @Test func keysOfEveryLength() {
    let decoder = LineDecoder()
    for length in 1...36 {
      let key = (0..<length).map { String(UnicodeScalar(UInt8(0x61 + $0 % 26))) }
      let plain = key.joined()
      #expect(decode(#"{"op":"get","ns":"q","key":"\#(plain)"}"#).text == ByteText("get q \(plain)"))
      for place in key.indices {
        for (spelling, meant) in [
          (#"\n"#, "\n"), (#"\u00e9"#, "é"), ("é", "é"), (#"\ud83d\ude00"#, "😀"), (#"\\"#, #"\"#),
        ] {
          var spelled = key
          spelled[place] = spelling
          var expected = key
          expected[place] = meant
          let found = decoder.decode(#"{"op":"get","ns":"q","key":"\#(spelled.joined())"}"#).text
          #expect(found == ByteText("get q \(expected.joined())"))
        }
      }
    }
  }

  @Test func getTakesItsFieldsInEveryOrder() {
    let fields = [#""op":"get""#, #""ns":"q""#, #""key":"a""#, #""id":12"#, #""meta":true"#, #""unless":7"#]
    for order in permutations(fields) {
      let decoded = decode("{\(order.joined(separator: ","))}")
      #expect(decoded == Decoded(id: "12", text: "get q a meta unless=7"), "\(order)")
    }
  }

  @Test func setTakesItsFieldsInEveryOrder() {
    let fields = [#""op":"set""#, #""ns":"q""#, #""key":"a""#, #""value":[1,"x"]"#, #""ttl":1e1"#, #""tags":["t"]"#]
    for order in permutations(fields) {
      #expect(
        decode("{\(order.joined(separator: ","))}") == Decoded(text: #"set q a=[1,"x"] ttl=10000 tags=t"#), "\(order)")
    }
  }

  @Test(arguments: 0..<2) func allFieldsInRandomOrdersAndSpacings(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let get = [
      #""op":"get""#, #""ns":"q""#, #""key":"a""#, #""id":"x""#, #""stale":true"#, #""meta":true"#, #""max_age":5"#,
      #""unless":1"#,
    ]
    let set = [
      #""op":"set""#, #""ns":"q""#, #""key":"a""#, #""id":"x""#, #""value":{"v":1}"#, #""ttl":1.5"#, #""stale":2"#,
      #""tags":["t"]"#, #""if":"absent""#,
    ]
    for _ in 0..<500 {
      for (fields, request) in [
        (get, "get q a stale meta max_age=5000 unless=1"),
        (set, #"set q a={"v":1} ttl=1500 stale=2000 tags=t if=absent"#),
      ] {
        func blank() -> String { ["", "", "", " ", "\t", "  \r"].randomElement(using: &generator) ?? "" }
        let members = fields.shuffled(using: &generator).map { field in
          let parts = field.split(separator: ":", maxSplits: 1)
          return "\(blank())\(parts[0])\(blank()):\(blank())\(parts[1])\(blank())"
        }
        let line = "\(blank()){\(members.joined(separator: ","))}\(blank())"
        #expect(decode(line) == Decoded(id: #""x""#, text: ByteText(request)), "\(line)")
      }
    }
  }

  @Test func limitsBoundWhatIsAskedFor() {
    var limits = RequestLimits()
    limits.items = 2
    limits.keyBytes = 3
    #expect(decode(#"{"op":"keys","ns":"q"}"#, limits).text == "keys q limit=2")
    #expect(decode(#"{"op":"get","ns":"q","keys":["a","b"]}"#, limits).text == "get q [a,b]")
    #expect(decode(#"{"op":"get","ns":"q","key":"\u0061\u0062\u0063"}"#, limits).text == "get q abc")
    #expect(decode(#"{"op":"get","ns":"q","key":"éa"}"#, limits).text == "get q éa")
    let tags = (0..<16).map { _ in String(repeating: "t", count: 128) }
    let list = "\"\(tags.joined(separator: "\",\""))\""
    #expect(
      decode(#"{"op":"clear","ns":"q","tags":[\#(list)]}"#).text
        == ByteText("clear q tags=\(tags.joined(separator: ","))"))
    let key = String(repeating: "k", count: 1024)
    #expect(decode(#"{"op":"exists","ns":"q","key":"\#(key)"}"#).text == ByteText("exists q \(key)"))
  }
}

private func permutations(_ elements: [String]) -> [[String]] {
  guard let last = elements.last else { return [[]] }
  return permutations(elements.dropLast()).flatMap { rest in
    (0...rest.count).map { place in rest[..<place] + [last] + rest[place...] }
  }
}
