// How a connection ends: in whatever way and at whatever moment, everybody who waits is told once, and nothing is left.
import CUV
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct RedisEndTests {
  @Test func nobodyListensOnThePort() throws {
    let subject = try RedisSubject(RedisAddress("redis://127.0.0.1:\(freePort())"))
    #expect(subject.end() == .unreachable("Connection refused"))
    subject.finish()
  }

  @Test func nobodyListensOnTheSocket() throws {
    let scratch = Scratch()
    let absent = try RedisSubject(RedisAddress("unix://\(scratch.file("none.sock"))"))
    #expect(absent.end() == .unreachable("No such file or directory"))
    absent.finish()
    // A file refuses as a socket does that nobody listens on.
    write("", to: scratch.file("dead.sock"))
    let dead = try RedisSubject(RedisAddress("unix://\(scratch.file("dead.sock"))"))
    #expect(dead.end() == .unreachable("Connection refused"))
    dead.finish()
  }

  @Test func theNameIsNotKnown() throws {
    let subject = try RedisSubject(RedisAddress("redis://no-such-host.invalid"))
    guard case .unreachable(let why)? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    #expect(why.hasPrefix("the host's name: "))
    subject.finish()
  }

  @Test(arguments: [true, false]) func aKilledServerLosesWhatIsInFlight(_ isTCP: Bool) throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: isTCP ? redis.tcpAddress() : redis.address())
    subject.send("BLPOP", "nothing", "0")
    for _ in 0..<99 { subject.send("PING") }
    for _ in 0..<3 { subject.turn() }
    redis.kill()
    guard case .lost? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    #expect(subject.replies == Array(repeating: .lost, count: 100))
    subject.send("PING")
    #expect(subject.replies.count == 101 && subject.connection?.inFlight == 0)
    subject.finish()
  }

  @Test func anIdleConnectionNoticesThatTheServerIsGone() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.tcpAddress())
    redis.kill()
    guard case .lost? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    subject.finish()
  }

  @Test func killedByAnAdministrator() throws {
    let redis = try RealRedis()
    let victim = try RedisSubject(ready: redis.tcpAddress())
    guard case .integer(let id)? = victim.ask("CLIENT", "ID") else {
      Issue.record("no id")
      return
    }
    victim.send("BLPOP", "nothing", "0")
    victim.turn()
    let other = try RedisSubject(ready: redis.address())
    #expect(other.ask("CLIENT", "KILL", "ID", "\(id)") == .integer(1))
    #expect(victim.end() == .lost("Server closed the connection"))
    #expect(victim.replies == [.lost])
    victim.finish()
    other.finish()
  }

  @Test func tooManyClients() throws {
    let redis = try RealRedis("--maxclients 1")
    let first = try RedisSubject(ready: redis.address())
    let second = try RedisSubject(redis.tcpAddress(":word@"))
    guard case .refused(let error, _)? = second.end() else {
      Issue.record("\(second.ends)")
      return
    }
    #expect(error.message == "max number of clients reached")
    second.finish()
    first.finish()
  }

  @Test func aServerThatNeverAnswers() throws {
    let fake = FakeRedis()
    let subject = try RedisSubject(fake.address(), timeoutMilliseconds: 50)
    #expect(subject.end() == .timedOut(milliseconds: 50, while: "waiting for its first answers"))
    #expect(subject.readies == 0)
    subject.finish()
  }

  @Test func aServerThatHangsUpAtOnce() throws {
    let fake = FakeRedis()
    let subject = try RedisSubject(fake.address())
    fake.accept()
    fake.hangUp()
    guard case .lost? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    subject.finish()
  }

  // MARK: Closed by us, at each moment

  @Test func beforeItWasConnected() {
    let subject = RedisSubject()
    subject.send("PING")
    subject.finish()
    #expect(subject.ends == [.closed])
    #expect(subject.replies == [.lost])
  }

  @Test func whileItsNameIsLookedUp() throws {
    let subject = try RedisSubject(RedisAddress("redis://localhost:1"))
    subject.finish()
    #expect(subject.ends == [.closed])
  }

  @Test(arguments: 0..<6) func afterSoManyTurns(_ turns: Int) throws {
    let redis = try RealRedis("--requirepass s3cret")
    let subject = try RedisSubject(redis.tcpAddress(":s3cret@", host: "localhost"))
    // Once it is ready nothing happens by itself, and a turn would not end.
    for _ in 0..<turns where subject.readies == 0 { uv_run(subject.loop.loop, UV_RUN_ONCE) }
    subject.send("PING")
    subject.finish()
    #expect(subject.ends == [.closed])
    #expect(subject.replies.count == 1)
  }

  @Test func inTheCallbackOfAReply() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address())
    subject.onReply = { reply in
      // Told once it is closed: neither may be told twice.
      subject.connection?.close()
      if reply != .lost { subject.send("PING") }
      #expect(subject.ends.isEmpty || reply == .lost)
    }
    for _ in 0..<3 { subject.send("PING") }
    #expect(subject.end() == .closed)
    #expect(subject.replies == [ok("PONG"), .lost, .lost, .lost])
    subject.finish()
  }

  @Test func whenItIsReady() throws {
    let redis = try RealRedis()
    let subject = RedisSubject()
    subject.connection?.connect(to: try redis.address(), timeoutMilliseconds: 10_000) { subject.connection?.close() }
    #expect(subject.end() == .closed)
    subject.finish()
  }

  @Test func whenItHasEnded() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address())
    subject.onEnd = { _ in
      subject.connection?.close()
      subject.send("PING")
    }
    subject.send("QUIT")
    subject.send("PING")
    #expect(subject.end() == .lost("Server closed the connection"))
    #expect(subject.replies == [ok(), .lost, .lost])
    subject.finish()
  }

  @Test func whileMoreIsSentThanTheServerReads() throws {
    let fake = FakeRedis()
    let subject = try fake.subject()
    let value = [UInt8](repeating: 7, count: 1 << 20)
    for _ in 0..<16 { subject.send([Array("SET".utf8), [1], value]) }
    for _ in 0..<10 { subject.turn() }
    fake.hangUp()
    guard case .lost? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    #expect(subject.replies == Array(repeating: .lost, count: 16))
    subject.finish()
  }

  @Test func thatDoesNotAnswerIsEnded() throws {
    let fake = FakeRedis()
    let subject = try fake.subject(.init(silenceMilliseconds: 20))
    for _ in 0..<3 { subject.send("PING") }
    guard case .silent(let milliseconds)? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    #expect(milliseconds >= 20)
    #expect(subject.replies == Array(repeating: .lost, count: 3))
    subject.finish()
  }

  /// Each answer counts, and where none is due there is no silence.
  @Test func thatAnswersNowAndThenGoesOn() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address(), .init(silenceMilliseconds: 500))
    for _ in 0..<12 { subject.send("BLPOP", "nothing", "0.05") }
    #expect(subject.run { subject.replies.count == 12 })
    let watch = try RedisSubject(ready: redis.address())
    #expect(watch.ask("BLPOP", "nothing", "0.6") == .null)
    for _ in 0..<3 { subject.turn() }
    #expect(subject.ask("PING") == ok("PONG"))
    subject.finish()
    watch.finish()
  }

  @Test func thatAnswersSlowlyGoesOn() throws {
    let fake = FakeRedis()
    let subject = try fake.subject(.init(silenceMilliseconds: 500))
    subject.send("GET", "large")
    fake.say("$12\r\n")
    let drip = LoopTimer(on: subject.loop)
    var said = 0
    drip.action = {
      fake.say("x")
      said += 1
      if said == 12 { fake.say("\r\n") } else { drip.start(milliseconds: 60) }
    }
    drip.start(milliseconds: 60)
    #expect(subject.run { !subject.replies.isEmpty })
    #expect(subject.replies == [text("xxxxxxxxxxxx")])
    drip.close()
    subject.finish()
  }
}
