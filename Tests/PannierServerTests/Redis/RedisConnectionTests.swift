// A connection against Redis itself: replies of every kind, in order, and who is let in.
import Glibc
import Testing

@testable import PannierDispatch
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

  @Test(arguments: [0, 1, 255, 16_383, 16_384, 70_000, 3_000_000]) func everyByteArrivesAsItWas(_ count: Int) throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address())
    let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
    let key: [UInt8] = [0, 13, 10, 0xFF, 0x20]
    subject.send([Array("SET".utf8), key, value])
    subject.send([Array("GET".utf8), key])
    subject.send([Array("STRLEN".utf8), key])
    #expect(subject.run { subject.replies.count == 3 })
    let isSame = subject.replies == [ok(), .bytes(value), .integer(Int64(count))]
    #expect(isSame)
    subject.finish()
  }

  @Test func errorsAreToldApart() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address())
    func code(_ words: String...) -> RedisError.Code? {
      subject.send(words.map { Array($0.utf8) })
      subject.run { subject.connection?.inFlight == 0 }
      guard case .error(let error) = subject.replies.last else { return nil }
      return error.code
    }
    #expect(code("EVALSHA", String(repeating: "0", count: 40), "0") == .noScript)
    #expect(code("EVAL", "return {err='GAP'}", "0") == .gap)
    #expect(code("EVAL", "return redis.error_reply('FENCED by 7')", "0") == .fenced)
    #expect(subject.replies.last == .error(RedisError(code: .fenced, message: "by 7")))
    #expect(code("NONSENSE") == .general)
    #expect(code("LPUSH", "list", "a") == nil)
    #expect(code("GET", "list") == RedisError.Code(rawValue: "WRONGTYPE"))
    #expect(code("CONFIG", "SET", "maxmemory", "1") == nil)
    #expect(code("SET", "a", "b") == .outOfMemory)
    #expect(code("CONFIG", "SET", "maxmemory", "0") == nil)
    #expect(code("REPLICAOF", "127.0.0.1", "1") == nil)
    #expect(code("SET", "a", "b") == .readOnly)
    subject.finish()
  }

  /// hiredis would read the replies to these as objects of its own.
  @Test(arguments: ["SUBSCRIBE", "psubscribe", "Unsubscribe", "MONITOR", ""]) func isNotForPubSub(_ word: String) throws
  {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address())
    subject.send(word, "channel")
    guard case .error? = subject.replies.first else {
      Issue.record("\(subject.replies)")
      return
    }
    subject.send([])
    #expect(subject.replies.count == 2)
    #expect(subject.ask("PING") == ok("PONG"))
    subject.finish()
  }

  // MARK: Who is let in

  @Test func databaseAndName() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.address(3))
    guard case .bytes(let line) = subject.ask("CLIENT", "LIST") else {
      Issue.record("no list")
      return
    }
    let list = String(decoding: line, as: UTF8.self)
    #expect(list.contains(" name=pannier "))
    #expect(list.contains(" db=3 "))
    subject.finish()
  }

  @Test func noSuchDatabase() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(redis.address(16))
    #expect(
      subject.end()
        == .refused(RedisError(code: .general, message: "DB index is out of range"), command: "SELECT"))
    #expect(subject.readies == 0)
    subject.finish()
  }

  @Test func passwordAlone() throws {
    let redis = try RealRedis("--requirepass s3cret")
    let subject = try RedisSubject(ready: redis.tcpAddress(":s3cret@"))
    #expect(subject.ask("PING") == ok("PONG"))
    subject.finish()
  }

  @Test func userAndPassword() throws {
    let redis = try RealRedis("--user anna on '>p%ss' '~*' '+@all'")
    let subject = try RedisSubject(ready: redis.tcpAddress("anna:p%25ss@"))
    #expect(subject.ask("ACL", "WHOAMI") == text("anna"))
    subject.finish()
  }

  @Test(arguments: ["", ":wrong@", "anna:wrong@"]) func wrongPassword(_ account: String) throws {
    let redis = try RealRedis("--requirepass s3cret")
    let subject = try RedisSubject(redis.tcpAddress(account))
    guard case .denied(let error)? = subject.end() else {
      Issue.record("\(subject.ends)")
      return
    }
    #expect(error.code == (account.isEmpty ? .noAuthentication : .wrongPassword))
    #expect(!"\(subject.ends)".contains("s3cret") && !"\(subject.ends)".contains("wrong@"))
    #expect(subject.readies == 0)
    subject.finish()
  }

  /// What doesn't know AUTH says its arguments back.
  @Test func aPasswordIsNotRepeatedFromAnAnswer() throws {
    let redis = try RealRedis("--rename-command AUTH ''")
    let subject = try RedisSubject(redis.tcpAddress("anna:s3cret@"))
    let end = try #require(subject.end())
    #expect(end == .denied(RedisError(code: .general, message: "unknown command 'AUTH'")))
    subject.finish()
  }

  @Test func aNameIsLookedUp() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(ready: redis.tcpAddress(host: "localhost"))
    #expect(subject.ask("PING") == ok("PONG"))
    subject.finish()
  }

  /// It listens on one of them. Nobody does on the first; this machine may not have the second at all.
  @Test func aNameWithSeveralAddresses() throws {
    let redis = try RealRedis()
    let subject = try RedisSubject(redis.tcpAddress(host: "localhost"))
    subject.connection?.resolved(["127.0.0.2", "::1", "127.0.0.1"], "", port: redis.port)
    #expect(subject.run { subject.readies == 1 }, "\(subject.ends)")
    #expect(subject.ask("PING") == ok("PONG"))
    subject.finish()
  }
}
