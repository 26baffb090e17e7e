// Carries what a conversation decides to a channel and back: the shell around it. It knows no ops, and no other connection.

import NIOConcurrencyHelpers
package import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Where a connection's bytes go.
package protocol Transport: Sendable {
  func write(_ bytes: ByteBuffer)
  func close()
}

private struct ChannelTransport: Transport {
  let channel: any Channel

  func write(_ bytes: ByteBuffer) { channel.writeAndFlush(bytes, promise: nil) }

  func close() { channel.close(promise: nil) }
}

/// One connection to a sidecar, on which all requests of an event loop's callers go out together.
package final class Connection: Sendable {
  /// Who is told what an answer is.
  enum Waiter: Sendable {
    case caller(CheckedContinuation<Answer, any Error>)
    case told(@Sendable (Result<Answer, any Error>) -> Void)

    func resume(with result: Result<Answer, any Error>) {
      switch self {
      case .caller(let continuation): continuation.resume(with: result)
      case .told(let body): body(result)
      }
    }
  }

  /// What whoever keeps connections is to know of one.
  struct Observer: Sendable {
    var heard: @Sendable () -> Void
    /// It kept somebody waiting.
    var failed: @Sendable (_ why: String, _ isCheap: Bool) -> Void
    /// It says what nobody asked: an event.
    var unasked: @Sendable (ByteBuffer) -> Void = { _ in }
    var ended: @Sendable () -> Void = {}
  }

  private struct State: Sendable {
    var conversation = Conversation<Waiter>()
    /// Nil before it is open.
    var transport: (any Transport)?
    var isTicking = false
  }

  /// How often deadlines are looked at while anybody waits: a timer a request would cost as much as half the request.
  private static let tick = TimeAmount.milliseconds(20)

  private let state = NIOLockedValueBox(State())
  /// Counts what has been handed over: who gets an answer is seen to come behind who read it. The task's own hand-over the thread
  /// sanitizer can't see where an answer comes before the wait for it has begun.
  private let handed = Atomic<UInt>(0)
  private let eventLoop: any EventLoop
  private let patience: TimeAmount
  private let observer: Observer

  /// `patience`: for so long it may be silent while somebody waits.
  init(eventLoop: any EventLoop, patience: TimeAmount, observer: Observer) {
    self.eventLoop = eventLoop
    self.patience = patience
    self.observer = observer
  }

  /// It has ended, and answers nothing any more.
  var isLost: Bool { state.withLockedValue { $0.conversation.end != nil } }

  // MARK: Asking

  /// Throws CancellationError where the task is cancelled: at once, and the connection goes on.
  func ask(_ call: Call, within limit: TimeAmount) async throws -> Answer {
    let id = state.withLockedValue { $0.conversation.reserve() }
    return try await withTaskCancellationHandler {
      try await answer { send(call, id: id, .caller($0), within: limit) }
    } onCancel: {
      state.withLockedValue { $0.conversation.abandon(id) }?.resume(with: .failure(CancellationError()))
    }
  }

  /// The answer, whatever becomes of the task: of what is to be said in any case.
  func insist(_ call: Call, within limit: TimeAmount) async throws -> Answer {
    try await answer { send(call, .caller($0), within: limit) }
  }

  private func answer(_ send: (CheckedContinuation<Answer, any Error>) -> Void) async throws -> Answer {
    let answer = try await withCheckedThrowingContinuation(send)
    _ = handed.load(ordering: .acquiring)
    return answer
  }

  /// `done` is called when it is answered, or can't be.
  func ask(_ call: Call, within limit: TimeAmount, done: @escaping @Sendable (Result<Answer, any Error>) -> Void) {
    send(call, .told(done), within: limit)
  }

  private func send(_ call: Call, _ waiter: Waiter, within limit: TimeAmount) {
    send(call, id: state.withLockedValue { $0.conversation.reserve() }, waiter, within: limit)
  }

  /// Sends a request whose answer nobody waits for.
  func tell(_ call: Call) {
    carryOut(state.withLockedValue { $0.conversation.tell(call) })
  }

  private func send(_ call: Call, id: UInt64, _ waiter: Waiter, within limit: TimeAmount) {
    let now = NIODeadline.now()
    switch state.withLockedValue({ $0.conversation.send(call, id: id, waiter, until: now + limit, now: now) }) {
    case .sent(let move): carryOut(move)
    case .refused(let error): waiter.resume(with: .failure(error))
    }
  }

  private func carryOut(_ move: Conversation<Waiter>.Move) {
    switch move {
    case .nothing: break
    // What others ask until the loop comes to it goes out with it.
    case .write: eventLoop.execute { self.write() }
    }
  }

  private func write() {
    let (outgoing, transport, ticks) = state.withLockedValue { state -> (ByteBuffer?, (any Transport)?, Bool) in
      let ticks = !state.isTicking && state.conversation.needsTicks
      if ticks { state.isTicking = true }
      // Until it is open all is kept.
      guard let transport = state.transport else { return (nil, nil, ticks) }
      return (state.conversation.takeOutgoing(), transport, ticks)
    }
    if let outgoing { transport?.write(outgoing) }
    if ticks { eventLoop.scheduleTask(in: Self.tick) { self.tick() } }
  }

  // MARK: The connection

  func open(path: String, timeout: TimeAmount) {
    ClientBootstrap(group: eventLoop)
      .connectTimeout(timeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ConnectionHandler(self))
        }
      }
      .connect(unixDomainSocketPath: path)
      .whenComplete { result in
        switch result {
        case .success(let channel): self.opened(ChannelTransport(channel: channel))
        case .failure(let error): self.end("\(error)", isCheap: (error as? IOError).map(\.saysNobodyListens) ?? false)
        }
      }
  }

  package func opened(_ transport: any Transport) {
    let isWanted = state.withLockedValue { state in
      state.transport = transport
      return state.conversation.end == nil
    }
    // Closed meanwhile.
    guard isWanted else { return transport.close() }
    write()
  }

  func close() { end("the client has closed the connection", isFailure: false) }

  package func received(_ lines: [ByteBuffer]) {
    let now = NIODeadline.now()
    var moves: [Conversation<Waiter>.Received] = []
    moves.reserveCapacity(lines.count)
    state.withLockedValue { state in
      for line in lines { moves.append(state.conversation.received(Answer(line: line), now: now)) }
    }
    handed.add(1, ordering: .releasing)
    for move in moves {
      switch move {
      case .answer(let waiter, let answer): waiter.resume(with: .success(answer))
      case .giveBack(let calls): for call in calls { tell(call) }
      case .unasked(let line): observer.unasked(line)
      case .nothing: break
      }
    }
    observer.heard()
  }

  package func end(_ why: String, isFailure: Bool = true, isCheap: Bool = false) {
    let error = PannierError.unavailable(why)
    let (waiters, transport) = state.withLockedValue { ($0.conversation.finish(error), $0.transport) }
    transport?.close()
    // Where nobody waits it may have been restarted, and the next caller finds out.
    if isFailure, !waiters.isEmpty { observer.failed(why, isCheap) }
    for waiter in waiters { waiter.resume(with: .failure(error)) }
    observer.ended()
  }

  // MARK: Time

  private func tick() {
    let now = NIODeadline.now()
    let (tick, goesOn) = state.withLockedValue { state in
      let tick = state.conversation.tick(now: now, patience: patience)
      state.isTicking = state.conversation.needsTicks && !tick.isDead
      return (tick, state.isTicking)
    }
    if !tick.late.isEmpty { observer.failed("no answer in time", false) }
    for waiter in tick.late { waiter.resume(with: .failure(PannierError.unavailable("no answer in time"))) }
    carryOut(tick.move)
    if tick.isDead { end("it hangs") }
    if goesOn { eventLoop.scheduleTask(in: Self.tick) { self.tick() } }
  }
}

/// Hands on the lines that a channel brings.
private final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: Connection
  private var cutter = LineCutter()

  init(_ connection: Connection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    cutter.receive(&bytes)
    var lines: [ByteBuffer] = []
    while let line = cutter.next() { lines.append(line) }
    connection.received(lines)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.end("the sidecar has closed the connection")
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.end("\(error)")
  }
}

extension IOError {
  /// There is no socket, or nobody behind it: to find that out costs next to nothing.
  fileprivate var saysNobodyListens: Bool { errnoCode == ENOENT || errnoCode == ECONNREFUSED }
}
