// The least that a request costs a task that reaches the sidecar by NIO: one line written, one line read, a continuation resumed.
// No ids, no deadlines, no cancellation.

import NIOCore
import NIOPosix

/// One request at a time.
struct BareRoundTrip: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<Handler>

  init(path: String, on loop: any EventLoop) async throws {
    let (channel, handler) = try await ClientBootstrap(group: loop)
      .connect(unixDomainSocketPath: path) { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = Handler()
          try channel.pipeline.syncOperations.addHandler(handler)
          return (channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
      }
    self.channel = channel
    self.handler = handler
  }

  func ask(_ line: ByteBuffer) async throws -> ByteBuffer {
    try await withCheckedThrowingContinuation { continuation in
      channel.eventLoop.execute {
        handler.value.waiting = continuation
        channel.writeAndFlush(line, promise: nil)
      }
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    var waiting: CheckedContinuation<ByteBuffer, any Error>?
    private var read = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var bytes = unwrapInboundIn(data)
      read.writeBuffer(&bytes)
      guard read.readableBytesView.last == UInt8(ascii: "\n") else { return }
      let line = read
      read = ByteBuffer()
      let waiting = self.waiting
      self.waiting = nil
      waiting?.resume(returning: line)
    }
  }
}
