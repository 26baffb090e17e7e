// A connection under test on a loop of its own, which is turned until what is waited for has come or a bound is reached.
import CUV
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

final class RedisSubject {
  /// Far beyond what anything here takes, also on a busy machine.
  static let boundMilliseconds: UInt64 = 20_000

  let loop = EventLoop()
  private(set) var connection: RedisConnection?
  private(set) var ends: [RedisEnd] = []
  private(set) var readies = 0
  private(set) var replies: [RedisReply] = []
  /// Called with each reply, after it was noted.
  var onReply: (RedisReply) -> Void = { _ in }
  var onEnd: (RedisEnd) -> Void = { _ in }
  private let bound: LoopTimer

  init(_ limits: RedisConnection.Limits = .init()) {
    signal(SIGPIPE, SIG_IGN)
    bound = LoopTimer(on: loop)
    connection = RedisConnection(loop: loop, limits: limits) { [unowned self] in
      ends.append($0)
      onEnd($0)
    }
  }

  /// It has begun to connect.
  convenience init(
    _ address: RedisAddress, _ limits: RedisConnection.Limits = .init(), timeoutMilliseconds: UInt64 = 10_000
  ) {
    self.init(limits)
    connection?.connect(to: address, timeoutMilliseconds: timeoutMilliseconds) { [unowned self] in readies += 1 }
  }

  /// It is ready.
  convenience init(ready address: RedisAddress, _ limits: RedisConnection.Limits = .init()) throws {
    self.init(address, limits)
    try #require(run { self.readies == 1 }, "\(ends)")
  }

  func send(_ words: String...) { send(words.map { Array($0.utf8) }) }

  func send(_ words: [[UInt8]]) {
    connection?.send(words) { [unowned self] in
      replies.append($0)
      onReply($0)
    }
  }

  /// The reply to one command; nil: none within the bound.
  func ask(_ words: String...) -> RedisReply? {
    var reply: RedisReply?
    connection?.send(words.map { Array($0.utf8) }) { reply = $0 }
    run { reply != nil }
    return reply
  }

  /// Turns the loop until `condition` holds; false: the bound was reached before.
  @discardableResult
  func run(until condition: () -> Bool) -> Bool {
    var isOver = false
    bound.action = { isOver = true }
    uv_update_time(loop.loop)
    bound.start(milliseconds: Self.boundMilliseconds)
    defer { bound.stop() }
    while !condition(), !isOver { uv_run(loop.loop, UV_RUN_ONCE) }
    return condition()
  }

  /// One turn, without waiting.
  func turn() { uv_run(loop.loop, UV_RUN_NOWAIT) }

  /// Why it ended; nil: it hasn't within the bound.
  func end() -> RedisEnd? {
    run { !ends.isEmpty }
    return ends.first
  }

  /// Closes everything: nothing may keep the loop alive after that, nor the connection, and it ended once.
  func finish(_ location: SourceLocation = #_sourceLocation) {
    connection?.close()
    weak let gone = connection
    connection = nil
    bound.close()
    loop.close()
    uv_run(loop.loop, UV_RUN_DEFAULT)
    #expect(uv_loop_alive(loop.loop) == 0, sourceLocation: location)
    #expect(gone == nil, "the connection outlives its end", sourceLocation: location)
    #expect(ends.count == 1, "\(ends)", sourceLocation: location)
    // They may know the subject itself.
    onReply = { _ in }
    onEnd = { _ in }
  }
}

/// What a status reply says.
func ok(_ text: String = "OK") -> RedisReply { .status(Array(text.utf8)) }

func text(_ text: String) -> RedisReply { .bytes(Array(text.utf8)) }
