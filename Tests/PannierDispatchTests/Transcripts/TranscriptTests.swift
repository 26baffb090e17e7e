// Each transcript of the protocol in process; and that the replay finds what differs.

import PannierTestSupport
import Testing

@Suite struct TranscriptTests {
  @Test(arguments: Transcript.names, Delivery.allCases)
  func isReplayed(name: String, delivery: Delivery) throws {
    var replay = try TranscriptReplay(Transcript(named: name), delivery)
    try replay.run()
  }

  @Test func thereAreTranscripts() { #expect(Transcript.names.count >= 25) }

  private static let head = "#! defaults: {jitter: 0}\n"

  @Test(arguments: [
    "--> {\"op\":\"ping\"}\n<-- {\"ok\":true} ", "--> {\"op\":\"ping\"}\n<-- {\"ok\":...false}",
    "--> {\"op\":\"ping\"}\n",
    "--> {\"op\":\"ping\"}\n<-- (nothing)", "--> {\"op\":\"ping\"}\n<-- {\"ok\":true}\n<-- (closed)",
    "--> {\"op\":\"ping\"}\n<-- {\"ok\":true}\n<-- {\"ok\":true}",
    "--> {\"id\":1,\"op\":\"ping\"}\n<-- {\"id\":2,\"ok\":true}",
    "A--> {\"op\":\"ping\"}\nB<-- {\"ok\":true}",
    "--> {\"op\":\"ping\",\"id\":1}\n<-- {\"id\":$a,\"ok\":$a}",
  ])
  func whatDiffersIsFound(text: String) throws {
    var replay = try TranscriptReplay(Transcript("wrong", Self.head + text), .lineByLine)
    #expect(throws: (any Error).self) { try replay.run() }
  }

  @Test(arguments: ["<- {}", "--> {}\n#! limits: {}", "@ 5s", "@ +s", "<--", "ping", "a--> {}"])
  func whatIsNoTranscriptIsRefused(text: String) {
    #expect(throws: Transcript.Fault.self) { try Transcript("wrong", Self.head + text) }
  }

  @Test(arguments: [
    (#"{"a":$x,"b":$x}"#, #"{"a":"1,\"2","b":"1,\"2"}"#, #""1,\"2""#), (#"{"a":$x}"#, #"{"a":-1.5e3}"#, "-1.5e3"),
    (#"[$x,...]"#, "[null,1,2]", "null"), (#"...,$x]"#, "[1,2,true]", "true"),
  ])
  func namesTakeScalars(pattern: String, answer: String, value: String) {
    #expect(AnswerPattern(pattern).match(Array(answer.utf8), [:]) == ["x": Array(value.utf8)])
    #expect(
      AnswerPattern.substitute(#"{"v":$x,"s":"$x"}"#, ["x": Array(value.utf8)])
        == Array(#"{"v":\#(value),"s":"$x"}"#.utf8))
  }

  @Test func aNameWithoutValueIsRefused() { #expect(AnswerPattern.substitute(#"{"v":$x}"#, [:]) == nil) }
}
