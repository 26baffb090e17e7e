// One client of a sidecar in process: bytes in, lines out.

import PannierCore
import PannierWire

package final class InProcessClient {
  package let session: Session
  private let server: InProcessServer
  private var unread: [UInt8] = []
  /// False: it leaves what it is sent where it is, as a slow reader does.
  package var reads = true
  /// Read, and not worked off: it is to be settled first.
  private var isPaused = false

  init(_ server: InProcessServer, _ session: Session) {
    self.server = server
    self.session = session
  }

  /// Nothing more is said to it.
  package var isClosed: Bool {
    collect()
    return session.isEnding && session.isAnswered && unread.isEmpty
  }

  /// Sends bytes, at most `most` a read. `settles`: what they set going is done before this returns.
  package func send(_ bytes: some Collection<UInt8>, atMost most: Int = .max, settles: Bool = true) {
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
  package func settle() {
    server.settleClients()
    while session.hasTurn || (isPaused && reads) {
      work()
      server.settle()
      if isPaused, !reads { return }
    }
  }

  package func send(line: String, atMost most: Int = .max, settles: Bool = true) {
    send(Array(line.utf8) + [0x0A], atMost: most, settles: settles)
  }

  /// It has sent its last byte.
  package func finish() {
    server.dispatcher.endOfInput(session)
    work()
    server.settle()
  }

  /// Turns until all that was read is worked off, or something else must be first.
  func work() {
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

  /// Its socket is gone, for the server.
  package func leave() {
    server.dispatcher.forget(session)
    server.settleClients()
  }

  /// The next line that it was sent, without its LF; nil: there is none.
  package func nextLine() -> [UInt8]? {
    collect()
    guard let end = unread.firstIndex(of: 0x0A) else { return nil }
    let line = Array(unread[..<end])
    unread.removeSubrange(...end)
    return line
  }

  /// All lines that it was sent.
  package func lines() -> [String] {
    var lines: [String] = []
    while let line = nextLine() { lines.append(String(decoding: line, as: UTF8.self)) }
    return lines
  }

  /// The answers to one line.
  package func ask(_ line: String) -> [String] {
    send(line: line)
    return lines()
  }
}
