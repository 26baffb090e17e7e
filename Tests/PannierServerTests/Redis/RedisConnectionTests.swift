// A connection against Redis itself: replies of every kind, in order, and who is let in.
import Testing

@testable import PannierServer

@Suite struct RedisConnectionTests {
  @Test func thousandCommandsAreAnsweredInOrder() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address())
    for number in 0..<1000 { subject.send("ECHO", "\(number)") }
    #expect(subject.connection?.inFlight == 1000)
    #expect(subject.run { subject.replies.count == 1000 })
    let isInOrder = subject.replies == (0..<1000).map { text("\($0)") }
    #expect(isInOrder)
    #expect(subject.connection?.inFlight == 0)
    subject.finish()
    #expect(subject.ends == [.closed])
  }

  @Test func repliesOfEveryKind() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.tcpAddress())
    #expect(subject.ask("PING") == ok("PONG"))
    #expect(subject.ask("GET", "nothing") == .null)
    #expect(subject.ask("INCRBY", "n", "-9223372036854775808") == .integer(.min))
    #expect(
      subject.ask("EVAL", "return {1,{2,{{},'x'}},'y'}", "0")
        == .array([.integer(1), .array([.integer(2), .array([.array([]), text("x")])]), text("y")]))
    #expect(subject.ask("XREAD", "BLOCK", "1", "STREAMS", "none", "0") == .null)
    subject.finish()
  }
}
