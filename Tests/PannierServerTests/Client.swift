// A client of a dispatcher in the same process: what a connection does, without its socket.

import Logging
import PannierCore
import PannierServer
import PannierWire

/// Sends bytes to a dispatcher and takes its answers. The clock stands still but for `advance`.
final class Client {
  let dispatcher: Dispatcher
  let session: Session
  private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var unread: [[UInt8]] = []
  /// The server has said its last.
  var isClosed: Bool { session.isEnding && session.isAnswered && unread.isEmpty }

  init(_ dispatcher: Dispatcher) {
    self.dispatcher = dispatcher
    session = Session(caller: Caller(pid: 4711, uid: 1000), isAdmin: true)
  }

  deinit { scratch.deallocate() }

  static func dispatcher(_ configuration: Configuration = Configuration()) -> Dispatcher {
    Dispatcher(
      configuration: configuration, clock: .manual, seed: 1,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  func send(_ line: some Sequence<UInt8>) {
    var rest = (Array(line) + [0x0A])[...]
    while !rest.isEmpty {
      let usable = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(scratch.count - LineFramer.padding)])
      let space = session.framer.space(scratch: usable)
      let part = rest.prefix(space.count)
      space.copyBytes(from: part)
      session.framer.received(part.count, in: space)
      rest = rest.dropFirst(part.count)
      while case .more = dispatcher.receive(from: session) {}
      session.framer.keep()
      // What a later read leaves in the scratch must not matter.
      usable.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "#"))
    }
  }

  /// The answers that have come since, each without its LF.
  func answers() -> [[UInt8]] {
    while dispatcher.needsUpkeep { dispatcher.upkeep() }
    let bytes = Array(session.output.bytes)
    session.output.consume(bytes.count)
    unread += bytes.split(separator: 0x0A).map { Array($0) }
    defer { unread = [] }
    return unread
  }

  func ask(_ line: some Sequence<UInt8>) -> String? {
    send(line)
    return answers().last.map { String(decoding: $0, as: UTF8.self) }
  }
}
