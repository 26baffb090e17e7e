// A listener on a Unix socket that says whatever a test wants it to, in the turns of the test's own loop.
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

final class FakeRedis {
  private let scratch = Scratch()
  private let listener: Int32
  private var accepted: Int32 = -1

  init() { listener = foreignSocket(scratch.file("fake.sock"), listening: true) }

  func address() throws -> RedisAddress { try RedisAddress("unix://\(scratch.file("fake.sock"))") }

  /// A connection to it that is ready.
  func subject(_ limits: RedisConnection.Limits = .init()) throws -> RedisSubject {
    let subject = try RedisSubject(address(), limits)
    accept()
    say("+OK\r\n")
    try #require(subject.run { subject.readies == 1 }, "\(subject.ends)")
    return subject
  }

  /// Takes the connection that waits: connecting to a Unix socket is over before it is accepted.
  func accept() {
    accepted = Glibc.accept(listener, nil, nil)
    _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
  }

  /// As much as the socket takes now; how many bytes that were.
  @discardableResult
  func say(_ bytes: some Sequence<UInt8>) -> Int {
    let bytes = Array(bytes)
    return max(0, send(accepted, bytes, bytes.count, Int32(MSG_NOSIGNAL)))
  }

  @discardableResult
  func say(_ text: String) -> Int { say(text.utf8) }

  /// All of it, while the subject's loop turns, or as much as it takes before it ends; how many bytes that were.
  @discardableResult
  func say(_ text: String, to subject: RedisSubject) -> Int {
    var rest = Array(text.utf8)[...]
    while subject.ends.isEmpty, !rest.isEmpty {
      rest = rest.dropFirst(say(rest.prefix(Self.sliceBytes)))
      subject.turn()
    }
    return text.utf8.count - rest.count
  }

  private static let sliceBytes = 64 << 10

  func hangUp() {
    close(accepted)
    accepted = -1
  }

  deinit {
    if accepted >= 0 { close(accepted) }
    close(listener)
  }
}
