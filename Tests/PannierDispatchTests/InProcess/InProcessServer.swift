// A dispatcher with clients and no sockets: everything between the bytes a client sends and those it gets, on a clock that
// stands still.

import Glibc
import Logging
import PannierCore
import PannierWire

@testable import PannierDispatch

final class InProcessServer {
  /// As little as a read may bring, so that long lines come in parts.
  private static let scratchBytes = 4096

  let dispatcher: Dispatcher
  fileprivate let scratch: UnsafeMutableRawBufferPointer

  init(_ yaml: String = "defaults: {jitter: 0}") throws {
    let (configuration, _) = try load(yaml)
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    dispatcher = Dispatcher(configuration: configuration, clock: .manual, seed: 1, log: log)
    scratch = .allocate(byteCount: Self.scratchBytes + LineFramer.padding, alignment: 64)
  }

  deinit { scratch.deallocate() }

  private struct Connected { weak var client: InProcessClient? }
  private var connected: [Connected] = []

  func connect() -> InProcessClient {
    let client = InProcessClient(self)
    connected.append(Connected(client: client))
    return client
  }

  /// Everything that the loop would do between turns.
  func settle() {
    while dispatcher.needsUpkeep { dispatcher.upkeep() }
    _ = dispatcher.takeDirty()
  }

  /// The turns, too, of clients that were answered out of theirs.
  fileprivate func settleClients() {
    settle()
    while let next = connected.lazy.compactMap(\.client).first(where: { $0.session.hasTurn && $0.reads }) {
      next.work()
      settle()
    }
  }
}

final class InProcessClient {
  let session = Session(caller: Caller(pid: getpid(), uid: getuid()), isAdmin: true)
  private let server: InProcessServer
  private var unread: [UInt8] = []
  /// False: it leaves what it is sent where it is, as a slow reader does.
  var reads = true
  /// Read, and not worked off: it is to be settled first.
  private var isPaused = false

  fileprivate init(_ server: InProcessServer) { self.server = server }

  /// Nothing more is said to it.
  var isClosed: Bool {
    collect()
    return session.isEnding && session.isAnswered && unread.isEmpty
  }

  /// Sends bytes, at most `most` a read. `settles`: what they set going is done before this returns.
  func send(_ bytes: some Collection<UInt8>, atMost most: Int = .max, settles: Bool = true) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty, !session.isEnding {
      let usable = UnsafeMutableRawBufferPointer(
        rebasing: server.scratch[..<(server.scratch.count - LineFramer.padding)])
      let space = session.framer.space(scratch: usable)
      let part = rest.prefix(min(space.count, most))
      space.copyBytes(from: part)
      session.framer.received(part.count, in: space)
      rest = rest.dropFirst(part.count)
      work()
    }
    if settles { settle() }
  }

  /// What the loop does until nothing of its is left, or it would have to read first.
  func settle() {
    server.settleClients()
    while session.hasTurn || (isPaused && reads) {
      work()
      server.settle()
      if isPaused, !reads { return }
    }
  }

  func send(line: String, atMost most: Int = .max, settles: Bool = true) {
    send(Array(line.utf8) + [0x0A], atMost: most, settles: settles)
  }

  /// It has sent its last byte.
  func finish() {
    server.dispatcher.endOfInput(session)
    work()
    server.settle()
  }

  /// Turns until all that was read is worked off, or something else must be first.
  fileprivate func work() {
    isPaused = false
    while true {
      let turn = server.dispatcher.receive(from: session)
      session.framer.keep()
      // What a neighbour's read would leave there: a line's end wherever one looks.
      server.scratch.initializeMemory(as: UInt8.self, repeating: 0x0A)
      collect()
      switch turn {
      case .more: continue
      case .done: return
      case .paused:
        isPaused = true
        return
      }
    }
  }

  private func collect() {
    guard reads else { return }
    let bytes = Array(session.output.bytes)
    session.output.consume(bytes.count)
    unread += bytes
  }

  /// The next line that it was sent, without its LF; nil: there is none.
  func nextLine() -> [UInt8]? {
    collect()
    guard let end = unread.firstIndex(of: 0x0A) else { return nil }
    let line = Array(unread[..<end])
    unread.removeSubrange(...end)
    return line
  }

  /// All lines that it was sent.
  func lines() -> [String] {
    var lines: [String] = []
    while let line = nextLine() { lines.append(String(decoding: line, as: UTF8.self)) }
    return lines
  }

  /// The answers to one line.
  func ask(_ line: String) -> [String] {
    send(line: line)
    return lines()
  }
}
