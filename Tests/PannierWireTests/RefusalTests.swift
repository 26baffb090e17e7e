// Wrong request lines: the code, and what the message has to name.

import Testing

@testable import PannierWire

@Suite struct RefusalTests {
  static let lines: [(line: String, code: ErrorCode, part: String)] = [
    // Names.
    (#"{}"#, .badRequest, #""op""#), (#"{"ns":"q"}"#, .badRequest, #""op""#), (#"{"op":7}"#, .badRequest, #""op""#),
    (#"{"op":null}"#, .badRequest, #""op""#), (#"{"op":["get"]}"#, .badRequest, #""op""#),
    (#"{"op":"gett"}"#, .unknownOp, #"unknown op "gett", did you mean "get"?"#),
    (#"{"op":"GET"}"#, .unknownOp, #"unknown op "GET""#), (#"{"op":""}"#, .unknownOp, #"unknown op """#),
    (#"{"op":"subscribe"}"#, .unknownOp, "there are: hello, ping, get"),
    (#"{"op":"ping\u0000"}"#, .unknownOp, "did you mean \"ping\"?"),
    (#"{"op":"ge\u0000"}"#, .unknownOp, "unknown op"), (#"{"op":"\u0000"}"#, .unknownOp, "unknown op"),
    (#"{"op":"\u0067ett"}"#, .unknownOp, #"unknown op "gett", did you mean "get"?"#),
    (#"{"op":"advance","seconds":1}"#, .unknownOp, #"unknown op "advance""#),
    (#"{"op":"releas"}"#, .unknownOp, #"unknown op "releas", did you mean "release"?"#),
    (#"{"op":"ping","ns":"q"}"#, .badRequest, #"unknown field "ns""#),
    (#"{"op":"ping","":1}"#, .badRequest, #"unknown field """#),
    (#"{"op":"ping","i\u0064\u0000":1}"#, .badRequest, "unknown field \"id\0\", did you mean \"id\"?"),
    (#"{"op":"ping","\u0000":1}"#, .badRequest, "unknown field \"\0\""),
    (#"{"op":"set","ns":"q","key":"a","value":1,"tll":5}"#, .badRequest, #"unknown field "tll", did you mean "ttl"?"#),
    (
      #"{"op":"set","ns":"q","key":"a","value":1,"\u0074ll":5}"#, .badRequest,
      #"unknown field "tll", did you mean "ttl"?"#
    ),
    (
      #"{"tl\u006c":5,"op":"set","ns":"q","key":"a","value":1}"#, .badRequest,
      #"unknown field "tll", did you mean "ttl"?"#
    ),
    (
      #"{"op":"get","ns":"q","key":"a","colour":1}"#, .badRequest,
      #"unknown field "colour"; get has: id, op, ns, key, keys, stale, max_age, unless, meta"#
    ),
    (#"{"op":"get","ns":"q","key":"a","first":1,"second":2}"#, .badRequest, #"unknown field "first""#),
    (#"{"op":"get","ns":"q","key":"a","abcdefgh":1}"#, .badRequest, #"unknown field "abcdefgh""#),
    (#"{"op":"get","ns":"q","key":"a","abcdefghi":1}"#, .badRequest, #"unknown field "abcdefghi""#),
    (
      #"{"op":"get","ns":"q","key":"a","\#(String(repeating: "x", count: 5000))":1}"#, .badRequest,
      "unknown field \"\(String(repeating: "x", count: 64))\";"
    ),
    // Missing.
    (#"{"op":"get","key":"a"}"#, .badRequest, #"get needs "ns""#),
    (#"{"op":"set","key":"a","value":1}"#, .badRequest, #""ns""#),
    (#"{"op":"delete","key":"a"}"#, .badRequest, #"delete needs "ns""#),
    (#"{"op":"keys"}"#, .badRequest, #"keys needs "ns""#),
    (#"{"op":"clear"}"#, .badRequest, #"clear needs "ns""#), (#"{"op":"policy"}"#, .badRequest, #"policy needs "ns""#),
    (#"{"op":"get","ns":"q"}"#, .badRequest, #"get needs "key" or "keys""#),
    (#"{"op":"delete","ns":"q"}"#, .badRequest, #"delete needs "key" or "keys""#),
    (#"{"op":"touch","ns":"q"}"#, .badRequest, #"touch needs "key""#),
    (#"{"op":"exists","ns":"q"}"#, .badRequest, #"exists needs "key""#),
    (#"{"op":"explain","ns":"q"}"#, .badRequest, #"explain needs "key""#),
    (#"{"op":"set","ns":"q"}"#, .badRequest, #""items""#),
    (#"{"op":"set","ns":"q","key":"a"}"#, .badRequest, #"set needs "value""#),
    (#"{"op":"set","ns":"q","value":1}"#, .badRequest, #""key""#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1},{"value":1}]}"#, .badRequest, #"items[1] needs "key""#),
    (#"{"op":"set","ns":"q","items":[{"key":"a"}]}"#, .badRequest, #"items[0] needs "value""#),
    // Too many.
    (#"{"op":"get","ns":"q","key":"a","keys":["b"]}"#, .badRequest, "not both"),
    (#"{"op":"delete","ns":"q","key":"a","keys":["b"]}"#, .badRequest, "not both"),
    (#"{"op":"clear","ns":"q","match":"a","tags":["b"]}"#, .badRequest, "not both"),
    (#"{"op":"set","ns":"q","key":"a","items":[{"key":"a","value":1}]}"#, .badRequest, #""key" beside "items""#),
    (#"{"op":"set","ns":"q","value":1,"items":[{"key":"a","value":1}]}"#, .badRequest, #""value" beside "items""#),
    (#"{"op":"set","ns":"q","ttl":1,"items":[{"key":"a","value":1}]}"#, .badRequest, #""ttl" beside "items""#),
    (#"{"op":"set","ns":"q","stale":1,"items":[{"key":"a","value":1}]}"#, .badRequest, #""stale" beside "items""#),
    (#"{"op":"set","ns":"q","tags":[],"items":[{"key":"a","value":1}]}"#, .badRequest, #""tags" beside "items""#),
    (#"{"op":"set","ns":"q","if":"absent","items":[{"key":"a","value":1}]}"#, .badRequest, #""if" beside "items""#),
    (#"{"op":"get","ns":"q","keys":[]}"#, .badRequest, #""keys" is empty"#),
    (#"{"op":"set","ns":"q","items":[]}"#, .badRequest, #""items" is empty"#),
    (#"{"op":"clear","ns":"q","tags":[]}"#, .badRequest, #""tags" is empty"#),
    (#"{"op":"get","ns":"q","keys":[\#(list(1001) { "\"\($0)\"" })]}"#, .badRequest, "limits.items"),
    (
      #"{"op":"set","ns":"q","items":[\#(list(1001) { _ in #"{"key":"a","value":1}"# })]}"#, .badRequest, "limits.items"
    ),
    // Items.
    (#"{"op":"set","ns":"q","items":[1]}"#, .badRequest, "items[0]"),
    (#"{"op":"set","ns":"q","items":{}}"#, .badRequest, #""items""#),
    (#"{"op":"set","ns":"q","items":"a"}"#, .badRequest, #""items""#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1},null]}"#, .badRequest, "items[1]"),
    (
      #"{"op":"set","ns":"q","items":[{"key":"a","value":1,"tll":1}]}"#, .badRequest,
      #"items[0]: unknown field "tll", did you mean "ttl"?"#
    ),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"ns":"q"}]}"#, .badRequest, #"items[0]: unknown field "ns""#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"key":"b"}]}"#, .badJSON, "items[0]"),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"k\u0065y":"b"}]}"#, .badJSON, #""key" stands twice"#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"x":1,"\u0078":2}]}"#, .badJSON, #""x" stands twice"#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1},{"key":"","value":1}]}"#, .badRequest, "items[1].key"),
    (#"{"op":"set","ns":"q","items":[{"key":1,"value":1}]}"#, .badRequest, "items[0].key"),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"ttl":0}]}"#, .badRequest, "items[0].ttl"),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"stale":-1}]}"#, .badRequest, "items[0].stale"),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"tags":1}]}"#, .badRequest, "items[0].tags"),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"if":"x"}]}"#, .badRequest, "items[0].if"),
    (#"{"op":"set","ns":"q","items":[{"key":"\#(long)","value":1}]}"#, .keyTooLong, "items[0].key"),
    // Keys.
    (#"{"op":"get","ns":"q","key":""}"#, .badRequest, #""key" is empty"#),
    (#"{"op":"get","ns":"q","key":1}"#, .badRequest, #""key""#),
    (#"{"op":"get","ns":"q","key":null}"#, .badRequest, #""key""#),
    (#"{"op":"get","ns":"q","key":["a"]}"#, .badRequest, #""key""#),
    (#"{"op":"get","ns":"q","keys":"a"}"#, .badRequest, #""keys""#),
    (#"{"op":"get","ns":"q","keys":{"a":1}}"#, .badRequest, #""keys""#),
    (#"{"op":"get","ns":"q","keys":["a",1]}"#, .badRequest, "keys[1]"),
    (#"{"op":"get","ns":"q","keys":["a","b",""]}"#, .badRequest, "keys[2]"),
    (#"{"op":"get","ns":"q","keys":["a",["b"]]}"#, .badRequest, "keys[1]"),
    (#"{"op":"get","ns":"q","key":"\#(long)"}"#, .keyTooLong, "1025 bytes; limits.key_bytes is 1024"),
    (#"{"op":"get","ns":"q","key":"\#(String(repeating: #"\u00e9"#, count: 513))"}"#, .keyTooLong, "1026 bytes"),
    (#"{"op":"get","ns":"q","keys":["a","\#(long)"]}"#, .keyTooLong, "keys[1]"),
    (#"{"op":"touch","ns":"q","key":"\#(long)"}"#, .keyTooLong, "limits.key_bytes"),
    (#"{"op":"exists","ns":"q","key":"\#(long)"}"#, .keyTooLong, "limits.key_bytes"),
    (#"{"op":"get","ns":1,"key":"a"}"#, .badRequest, #""ns""#), (#"{"op":"stats","ns":null}"#, .badRequest, #""ns""#),
    // Halves of surrogate pairs, wherever they stand outside a value.
    (#"{"op":"get","ns":"q","key":"\ud800"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\udc00"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\udc00\udc00"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\ud800\ud800"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\ud800x\udc00"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\ud800\n"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\udc00\ud800"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"\ud800\u0041"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","key":"a\udbff"}"#, .badJSON, #""key""#),
    (#"{"op":"get","ns":"q","keys":["a","\udfff"]}"#, .badJSON, "keys[1]"),
    (#"{"op":"get","ns":"\ud800","key":"a"}"#, .badJSON, #""ns""#),
    (#"{"op":"\ud800"}"#, .badJSON, #""op""#), (#"{"op":"ping","id":"\ud800"}"#, .badJSON, #""id""#),
    (#"{"op":"ping","id":"a\udc00"}"#, .badJSON, #""id""#), (#"{"op":"ping","\ud800":1}"#, .badJSON, "surrogate"),
    (#"{"op":"ping","x":1,"\ud800":1}"#, .badJSON, "surrogate"),
    (#"{"op":"hello","client":"\ud800"}"#, .badJSON, #""client""#),
    (#"{"op":"clear","ns":"q","tags":["\ud800"]}"#, .badJSON, #""tags""#),
    (#"{"op":"clear","ns":"q","match":"\ud800"}"#, .badJSON, #""match""#),
    (#"{"op":"keys","ns":"q","after":"\ud800"}"#, .badJSON, #""after""#),
    (#"{"op":"watch","events":["\ud800"]}"#, .badJSON, #""events""#),
    (#"{"op":"set","ns":"q","key":"a","if":{"\ud800":1},"value":1}"#, .badJSON, #""if""#),
    // Other types and ranges.
    (#"{"op":"get","ns":"q","key":"a","stale":1}"#, .badRequest, #""stale""#),
    (#"{"op":"get","ns":"q","key":"a","lease":"x"}"#, .badRequest, #""lease" must be true or false"#),
    (#"{"op":"get","ns":"q","key":"a","wait":"1"}"#, .badRequest, #""wait" must be a number of seconds"#),
    (#"{"op":"get","ns":"q","key":"a","wait":-1}"#, .badRequest, #""wait""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"lease":true}"#, .badRequest, #""lease" must be a string"#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"lease":1}]}"#, .badRequest, #""items[0].lease" must be"#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"lease":"x","if":"absent"}"#, .badRequest, #""lease" beside "if""#),
    (#"{"op":"set","ns":"q","items":[{"key":"a","value":1}],"lease":"x"}"#, .badRequest, #""lease" beside "items""#),
    (#"{"op":"release","key":"a","lease":"x"}"#, .badRequest, #"release needs "ns""#),
    (#"{"op":"release","ns":"q","lease":"x"}"#, .badRequest, #"release needs "key""#),
    (#"{"op":"release","ns":"q","key":"a"}"#, .badRequest, #"release needs "lease""#),
    (#"{"op":"release","ns":"q","key":"a","lease":1}"#, .badRequest, #""lease" must be a string"#),
    (
      #"{"op":"release","ns":"q","key":"a","lease":"x","failed":true,"pass":true}"#, .badRequest,
      #"release takes "failed" or "pass", not both"#
    ),
    (#"{"op":"release","ns":"q","key":"a","lease":"x","failed":1}"#, .badRequest, #""failed""#),
    (
      #"{"op":"release","ns":"q","key":"a","lease":"x","retry_after":1}"#, .badRequest,
      #""retry_after" goes with "failed" or "pass""#
    ),
    (
      #"{"op":"release","ns":"q","key":"a","lease":"x","pass":true,"retry_after":3600.001}"#, .badRequest,
      #""retry_after" must be a number of seconds from 0 to 3600"#
    ),
    (#"{"op":"release","ns":"q","key":"a","lease":"\ud800"}"#, .badJSON, #""lease""#),
    (
      #"{"op":"release","ns":"q","key":"a","lease":"x","retry_afte":1}"#, .badRequest,
      #"unknown field "retry_afte", did you mean "retry_after"?"#
    ),
    (#"{"op":"get","ns":"q","key":"a","stale":null}"#, .badRequest, #""stale""#),
    (#"{"op":"get","ns":"q","key":"a","meta":"true"}"#, .badRequest, #""meta""#),
    (#"{"op":"delete","ns":"q","key":"a","soft":0}"#, .badRequest, #""soft""#),
    (#"{"op":"clear","ns":"q","dry_run":1}"#, .badRequest, #""dry_run""#),
    (#"{"op":"get","ns":"q","key":"a","max_age":"1"}"#, .badRequest, #""max_age""#),
    (#"{"op":"get","ns":"q","key":"a","max_age":null}"#, .badRequest, #""max_age""#),
    (#"{"op":"touch","ns":"q","key":"a","ttl":"1"}"#, .badRequest, #""ttl""#),
    (#"{"op":"touch","ns":"q","key":"a","ttl":true}"#, .badRequest, #""ttl""#),
    (#"{"op":"touch","ns":"q","key":"a","stale":null}"#, .badRequest, #""stale""#),
    (#"{"op":"keys","ns":"q","limit":0}"#, .badRequest, "limits.items"),
    (#"{"op":"keys","ns":"q","limit":1001}"#, .badRequest, "limits.items"),
    (#"{"op":"keys","ns":"q","limit":1.5}"#, .badRequest, #""limit""#),
    (#"{"op":"keys","ns":"q","limit":-1}"#, .badRequest, #""limit""#),
    (#"{"op":"keys","ns":"q","limit":"1"}"#, .badRequest, #""limit""#),
    (#"{"op":"keys","ns":"q","match":1}"#, .badRequest, #""match""#),
    (#"{"op":"keys","ns":"q","after":1}"#, .badRequest, #""after""#),
    (#"{"op":"clear","ns":"q","tags":"a"}"#, .badRequest, #""tags""#),
    (#"{"op":"clear","ns":"q","tags":[1]}"#, .badRequest, #""tags""#),
    (#"{"op":"clear","ns":"q","tags":[""]}"#, .badRequest, "1 to 128"),
    (#"{"op":"clear","ns":"q","tags":["\#(String(repeating: "t", count: 129))"]}"#, .badRequest, "128"),
    (#"{"op":"clear","ns":"q","tags":["\#(String(repeating: "é", count: 65))"]}"#, .badRequest, "128"),
    (#"{"op":"clear","ns":"q","tags":[\#(list(17) { "\"\($0)\"" })]}"#, .badRequest, "16"),
    (#"{"op":"set","ns":"q","key":"a","value":1,"tags":[\#(list(17) { _ in "\"t\"" })]}"#, .badRequest, "16"),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":"exists"}"#, .badRequest, #""if""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":1}"#, .badRequest, #""if""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":null}"#, .badRequest, #""if""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":{}}"#, .badRequest, #""if""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":{"version":1,"x":1}}"#, .badRequest, #""if""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":{"x":1}}"#, .badRequest, #""if""#),
    (#"{"op":"set","ns":"q","key":"a","value":1,"if":["absent"]}"#, .badRequest, #""if""#),
    (#"{"op":"policy","ns":"q","set":1}"#, .badRequest, #""set""#),
    (#"{"op":"policy","ns":"q","set":[]}"#, .badRequest, #""set""#),
    (#"{"op":"policy","ns":"q","set":{"mode":"\ud800"}}"#, .badJSON, #""set" has half of a surrogate pair"#),
    (#"{"op":"policy","ns":"q","set":{"\ud800":1}}"#, .badJSON, #""set" has half of a surrogate pair"#),
    (#"{"op":"policy","ns":"q","set":{"rules":[{"match":"\ud800","ttl":"\udc00"}]}}"#, .badJSON, "surrogate"),
    (#"{"op":"watch","sample":1.01}"#, .badRequest, #""sample""#),
    (#"{"op":"watch","sample":-0.1}"#, .badRequest, #""sample""#),
    (#"{"op":"watch","sample":"1"}"#, .badRequest, #""sample""#),
    (#"{"op":"watch","sample":1e999}"#, .badRequest, #""sample""#),
    (#"{"op":"watch","events":"set"}"#, .badRequest, #""events""#),
    (#"{"op":"watch","events":[1]}"#, .badRequest, #""events""#),
    (#"{"op":"hello","client":1}"#, .badRequest, #""client""#),
    (#"{"op":"hello","client":"\#(String(repeating: "c", count: 129))"}"#, .badRequest, "128"),
    // Members named twice.
    (#"{"op":"ping","op":"ping"}"#, .badJSON, #""op" stands twice"#),
    (#"{"op":"ping","\u006fp":"ping"}"#, .badJSON, #""op" stands twice"#),
    (#"{"\u006fp":"ping","op":"ping"}"#, .badJSON, #""op" stands twice"#),
    (#"{"op":"ping","id":1,"id":1}"#, .badJSON, #""id" stands twice"#),
    (#"{"op":"ping","x":1,"y":2,"x":1}"#, .badJSON, #""x" stands twice"#),
    (#"{"op":"ping","ab":1,"a\u0062":2}"#, .badJSON, #""ab" stands twice"#),
    (#"{"op":"ping","\u0061b":1,"a\u0062":2}"#, .badJSON, #""ab" stands twice"#),
    (#"{"op":"ping","\u0061b":1,"ab":2}"#, .badJSON, #""ab" stands twice"#),
    (#"{"op":"ping","x":1,"op":"ping"}"#, .badJSON, #""op" stands twice"#),
    (#"{"x":1,"op":"ping","\u006Fp":"ping"}"#, .badJSON, #""op" stands twice"#),
    (#"{"op":"ping","":1,"":2}"#, .badJSON, "stands twice"),
    (#"{"op":"ping","\\u0041":1,"\u005cu0041":2}"#, .badJSON, "stands twice"),
    (#"{"op":"set","ns":"q","key":"a","value":1,"value":2}"#, .badJSON, #""value" stands twice"#),
  ]

  private static let long = String(repeating: "k", count: 1025)

  private static func list(_ count: Int, _ element: (Int) -> String) -> String {
    (0..<count).map(element).joined(separator: ",")
  }

  /// A fault found while the line is read or after it; what stands before it is answered to.
  @Test(arguments: lines.indices) func isRefused(index: Int) {
    let (line, code, part) = Self.lines[index]
    let decoded = decode(line)
    #expect(decoded.code == code, "\(line.prefix(200)): \(decoded.text)")
    #expect(decoded.text.description.contains(part), "\(line.prefix(200)): \(decoded.text)")
    guard !line.contains(#""id":"#) else { return }
    let withID = decode("{\"id\":\"i\"" + (line == "{}" ? "}" : ",\(line.dropFirst())"))
    #expect(withID.id == #""i""#, "\(line.prefix(200))")
    #expect(withID.code == code, "\(line.prefix(200))")
  }

  @Test(
    arguments: [
      (#"{"id":7,"op":"set","ns":"q","key":"a","value":[1,}"#, "7"), (#"{"op":"get","id":7,"ns":x}"#, "7"),
      (#"{"id":"a","id":"b"}"#, #""a""#), (#"{"id":7,"op""#, "7"), (#"{"id":7,"#, "7"), (#"{"id":7"#, "7"),
      (#"{"op":"ping","id":7}x"#, "7"), (#"{"op":[,"id":7}"#, nil), (#"{"id":1.5,"op":x}"#, nil), (#"{"id":"#, nil),
      (#"{"id":"a"#, nil), (#"{"id":[}"#, nil), (#"{"id":07}"#, nil), (#"[{"id":7}]"#, nil),
      (#"{"value":{"id":7},"op":x}"#, nil), (#"{"\u0069d":7,"op":x}"#, "7"), (#"{"x":1,"id":7,"op":x}"#, "7"),
    ] as [(String, String?)])
  func aFaultyLineHasTheIDThatStoodBeforeTheFault(line: String, id: String?) {
    let decoded = decode(line)
    #expect(decoded.code == .badJSON)
    #expect(decoded.id == id.map { ByteText($0) })
  }

  @Test func itemsLimitIsTheConfigurations() {
    var limits = RequestLimits()
    limits.items = 2
    for line in [
      #"{"op":"get","ns":"q","keys":["a","b","c"]}"#, #"{"op":"keys","ns":"q","limit":3}"#,
      #"{"op":"set","ns":"q","items":[{"key":"a","value":1},{"key":"b","value":1},{"key":"c","value":1}]}"#,
    ] {
      #expect(decode(line, limits).code == .badRequest)
      #expect(decode(line, limits).text.description.contains("limits.items"))
    }
    limits.keyBytes = 1
    #expect(decode(#"{"op":"get","ns":"q","key":"\u0061b"}"#, limits).code == .keyTooLong)
  }
}
