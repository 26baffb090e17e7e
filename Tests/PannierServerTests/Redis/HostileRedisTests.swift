// A server that isn't Redis, or not itself: whatever it says ends the connection, soon and within bounds, and never the
// process.
import PannierTestSupport
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct HostileRedisTests {
  private struct Case: CustomTestStringConvertible {
    let says: String
    let reason: String
    var testDescription: String { String(reflecting: says.prefix(30)) }
  }

  private static let cases = [
    Case(says: "*100001\r\n", reason: "an array of 100001 elements, and at most 100000 are taken"),
    Case(says: "*2147483647\r\n", reason: "an array of 2147483647 elements, and at most 100000 are taken"),
    Case(says: "*9223372036854775807\r\n", reason: ""),
    Case(says: "*-2\r\n", reason: ""),
    Case(says: "$67108865\r\n", reason: "a reply of more than 67108864 bytes"),
    Case(says: "$9223372036854775807\r\n", reason: "a reply of more than 67108864 bytes"),
    Case(says: "$99999999999999999999\r\n", reason: ""),
    Case(says: "$-2\r\n", reason: ""),
    Case(says: "$" + String(repeating: "1", count: 30), reason: "a bulk whose length is no number"),
    Case(says: String(repeating: "*1\r\n", count: 10) + ":1\r\n", reason: ""),
    Case(says: String(repeating: "*2\r\n", count: 9), reason: ""),
    Case(says: "+OK\r\n+OK\r\n", reason: "a reply that nobody asked for"),
    Case(says: "+OK\r\n-ERR all is lost\r\n", reason: "a reply that nobody asked for"),
    Case(says: "+OK\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n", reason: "a reply that nobody asked for"),
    Case(says: "+OK\r\n$100\r\nabc", reason: "a reply that nobody asked for"),
    Case(says: "+OK\r\n*0\r\n", reason: "a reply that nobody asked for"),
    Case(says: "+OK\r\n$-1\r\n", reason: "a reply that nobody asked for"),
    Case(says: "HTTP/1.1 400 Bad Request\r\n", reason: ""),
    Case(says: "\0\0\0\0", reason: ""),
    Case(says: ":abc\r\n", reason: ""),
    Case(says: ":9223372036854775808\r\n", reason: ""),
    Case(says: "_\r\n", reason: ""),
    Case(says: ",1.5\r\n", reason: ""),
    Case(says: "#t\r\n", reason: ""),
    Case(says: "%1\r\n+a\r\n+b\r\n", reason: ""),
    Case(says: ">2\r\n+invalidate\r\n+b\r\n", reason: ""),
    Case(says: "~1\r\n+a\r\n", reason: ""),
  ]

  @Test(arguments: cases) private func isEndedForWhatItSays(_ one: Case) throws {
    let fake = FakeRedis()
    let subject = try fake.subject()
    subject.send("GET", "a")
    fake.say(one.says)
    let end = subject.end()
    guard case .unacceptable(let why) = end else {
      Issue.record("\(one.says.prefix(40)) ended it with \(end.map { "\($0)" } ?? "nothing")")
      return subject.finish()
    }
    if !one.reason.isEmpty { #expect(why == one.reason) }
    let wasAnswered = one.says.hasPrefix("+OK")
    #expect(subject.replies == [wasAnswered ? ok() : .lost])
    subject.finish()
  }

  @Test func isEndedBeforeAnythingWasAsked() throws {
    let fake = FakeRedis()
    let subject = try fake.subject()
    fake.say("-ERR Server closed the connection\r\n")
    #expect(subject.end() == .unacceptable("a reply that nobody asked for"))
    subject.finish()
  }

  /// Bounded by what is kept of it, and by time: to look at it anew with each read would take minutes.
  @Test(arguments: ["+", "-", ":", "*", "$"]) func aLineWithoutEnd(_ type: String) throws {
    let fake = FakeRedis()
    let subject = try fake.subject()
    subject.send("GET", "a")
    let taken = fake.say(type + String(repeating: "1", count: 16 << 20), to: subject)
    #expect(taken < 1 << 20)
    #expect(subject.replies == [.lost])
    subject.finish()
  }

  @Test func bulksThatAreTooLargeTogether() throws {
    let fake = FakeRedis()
    var limits = RedisConnection.Limits()
    limits.maximumReplyBytes = 1 << 20
    let subject = try fake.subject(limits)
    subject.send("MGET", "a", "b")
    fake.say("*2\r\n$600000\r\n" + String(repeating: "x", count: 600_000) + "\r\n", to: subject)
    #expect(subject.ends.isEmpty)
    // Each is within the limit, both together are not, and its header is enough.
    fake.say("$600000\r\n", to: subject)
    #expect(subject.end() == .unacceptable("a reply of more than 1048576 bytes"))
    #expect(subject.replies == [.lost])
    subject.finish()
  }

  /// Each level is within the limit of one array, all of them together are not.
  @Test func arraysWithoutEnd() throws {
    let fake = FakeRedis()
    var limits = RedisConnection.Limits()
    limits.maximumReplyBytes = 1 << 20
    let subject = try fake.subject(limits)
    subject.send("GET", "a")
    let taken = fake.say("*100000\r\n" + String(repeating: "*1\r\n:1\r\n", count: 1 << 20), to: subject)
    #expect(subject.ends == [.unacceptable("a reply of more than 1048576 bytes")])
    #expect(taken < 1 << 20)
    subject.finish()
  }

  @Test func whatIsJustWithinTheLimitsIsTaken() throws {
    let fake = FakeRedis()
    var limits = RedisConnection.Limits()
    limits.maximumReplyBytes = 100
    limits.maximumElements = 3
    let subject = try fake.subject(limits)
    for _ in 0..<3 { subject.send("GET", "a") }
    let large = String(repeating: "x", count: 100)
    fake.say("$100\r\n\(large)\r\n*1\r\n*-1\r\n" + "*0\r\n")
    #expect(subject.run { subject.replies.count == 3 })
    #expect(subject.replies == [text(large), .array([.null]), .array([])])
    subject.finish()
  }

  @Test func eightLevelsAreTaken() throws {
    let fake = FakeRedis()
    let subject = try fake.subject()
    subject.send("GET", "a")
    fake.say(String(repeating: "*1\r\n", count: 8) + ":1\r\n")
    #expect(subject.run { subject.replies.count == 1 })
    #expect(subject.replies == [(0..<8).reduce(.integer(1)) { reply, _ in .array([reply]) }])
    subject.finish()
  }

  /// A byte a read, and two replies with the begin of a third in one.
  @Test func repliesMayComeInAnyParts() throws {
    let fake = FakeRedis()
    let subject = try fake.subject()
    for _ in 0..<4 { subject.send("GET", "a") }
    for byte in "*2\r\n$3\r\na\r\n\r\n*1\r\n:-7\r\n".utf8 {
      fake.say([byte])
      subject.turn()
    }
    fake.say("+a\r\n-GAP\r\n$2\r")
    #expect(subject.run { subject.replies.count == 3 })
    fake.say("\nxy\r\n")
    #expect(subject.run { subject.replies.count == 4 })
    #expect(
      subject.replies == [
        .array([text("a\r\n"), .array([.integer(-7)])]), ok("a"), .error(RedisError(code: .gap, message: "")),
        text("xy"),
      ])
    subject.finish()
  }

  @Test func garbageWithoutEnd() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      let fake = FakeRedis()
      let subject = try fake.subject()
      for _ in 0..<8 { subject.send("GET", "a") }
      let letters = Array("*$+-:0123456789\r\n\r\n\r\nx>%".utf8)
      let garbage = (0..<4000).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }
      fake.say(garbage)
      fake.hangUp()
      #expect(subject.end() != nil)
      #expect(subject.replies.count == 8)
      subject.finish()
    }
  }
}
