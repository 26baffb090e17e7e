// A dispatcher on one event loop, and the connections of clients to it. It knows no sockets.

import NIOCore
import PannierClient
import PannierDispatch

final class FakeSidecar: Sendable {
  let eventLoop: any EventLoop
  private let core: NIOLoopBoundBox<Core>

  /// What only the loop touches.
  private final class Core {
    struct Peer {
      let connection: Connection
      let client: InProcessClient
    }

    let server: InProcessServer
    let control: InProcessClient
    var peers: [ObjectIdentifier: Peer] = [:]
    /// How many times over it is down.
    var downs = 0

    init(_ configuration: String) throws {
      server = try InProcessServer(configuration)
      control = server.connect()
    }

    /// Tells clients what they were answered, also out of their turn.
    func tell() {
      for peer in peers.values {
        var lines: [ByteBuffer] = []
        while let line = peer.client.nextLine() { lines.append(ByteBuffer(bytes: line)) }
        if !lines.isEmpty { peer.connection.received(lines) }
        if peer.client.isClosed { peer.connection.end("the sidecar has closed the connection") }
      }
    }
  }

  struct NotMoved: Error { let said: [String] }

  init(_ configuration: String, on eventLoop: any EventLoop) throws {
    self.eventLoop = eventLoop
    let core = try Core(configuration)
    self.core = NIOLoopBoundBox.makeBoxSendingValue(core, eventLoop: eventLoop)
  }

  func accept(_ connection: Connection) {
    eventLoop.execute { [self] in
      let core = core.value
      guard core.downs == 0 else { return connection.end("the fake is down", isCheap: true) }
      core.peers[ObjectIdentifier(connection)] = Core.Peer(connection: connection, client: core.server.connect())
      connection.opened(FakeTransport(sidecar: self, place: ObjectIdentifier(connection)))
    }
  }

  func advance(by duration: Duration) async throws {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    try await eventLoop.submit { [self] in
      let core = core.value
      let said = core.control.ask(#"{"op":"advance","seconds":\#(seconds)}"#)
      core.server.settle()
      core.tell()
      guard said == [#"{"ok":true}"#] else { throw NotMoved(said: said) }
    }.get()
  }

  func goDown() async throws {
    try await eventLoop.submit { [self] in
      let core = core.value
      core.downs += 1
      for peer in core.peers.values { peer.connection.end("the fake is down", isCheap: true) }
    }.get()
  }

  func comeUp() async throws { try await eventLoop.submit { [self] in core.value.downs -= 1 }.get() }

  fileprivate func received(_ bytes: ByteBuffer, from place: ObjectIdentifier) {
    eventLoop.execute { [self] in
      core.value.peers[place]?.client.send(bytes.readableBytesView)
      core.value.tell()
    }
  }

  fileprivate func left(_ place: ObjectIdentifier) {
    eventLoop.execute { [self] in
      core.value.peers.removeValue(forKey: place)?.client.leave()
      core.value.tell()
    }
  }
}

private struct FakeTransport: Transport {
  let sidecar: FakeSidecar
  let place: ObjectIdentifier

  func write(_ bytes: ByteBuffer) { sidecar.received(bytes, from: place) }

  func close() { sidecar.left(place) }
}
