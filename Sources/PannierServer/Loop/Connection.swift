// One client's socket: reads into its session's framer, writes what its session has for it, and holds it to the limits of
// time. What the bytes mean is the dispatcher's matter.

import CUV
import Glibc
import Logging
import PannierCore
import PannierDispatch
import PannierWire

final class Connection {
  let session: Session
  private let server: Server
  private let dispatcher: Dispatcher
  private let pipe: UnsafeMutablePointer<uv_pipe_t>
  /// What libuv is writing: it must stay where it is until it is written.
  private var sending = OutputBuffer()
  private var request: UnsafeMutablePointer<uv_write_t>?
  private var space = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  private var isReading = false
  private var isClosing = false
  /// The server is going: what has been read is still answered, and nothing more is read.
  private var isLeaving = false
  /// The client has sent its last byte.
  private var isAtEnd = false
  /// It has lines that its share of a turn did not reach.
  var isReady = false
  /// Its output is to be written at the end of this turn.
  var isUnwritten = false
  /// Since when, in the loop's milliseconds, a line is begun and not ended, or output waits and doesn't move. Nil: it isn't so.
  private var lineSince: Int64?
  private var stalledSince: Int64?
  private var queueWhenStalled = 0

  init(_ pipe: UnsafeMutablePointer<uv_pipe_t>, _ session: Session, _ server: Server) {
    self.pipe = pipe
    self.session = session
    self.server = server
    dispatcher = server.dispatcher
    pipe.pointee.data = Unmanaged.passRetained(self).toOpaque()
  }

  private var stream: UnsafeMutablePointer<uv_stream_t> {
    UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_stream_t.self)
  }

  // MARK: Reading

  func startReading() {
    guard !isReading, !isClosing, !isAtEnd else { return }
    if isLeaving { return server.dispatcher.end(session, server.shuttingDown) }
    isReading = true
    uv_read_start(
      stream,
      { handle, _, buffer in
        borrow(handle?.pointee.data, as: Connection.self) { $0.offerSpace(buffer) }
      },
      { stream, count, _ in
        borrow(stream?.pointee.data, as: Connection.self) { $0.read(count) }
      })
  }

  private func stopReading() {
    guard isReading else { return }
    isReading = false
    uv_read_stop(stream)
  }

  @inline(__always)
  private func offerSpace(_ buffer: UnsafeMutablePointer<uv_buf_t>?) {
    space = session.space(scratch: server.scratch)
    buffer?.pointee = uv_buf_init(space.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(clamping: space.count))
  }

  @inline(__always)
  private func read(_ count: Int) {
    server.beginWork()
    if count > 0 {
      session.received(count, in: space)
      work()
    } else if count < 0 {
      ended(count)
    }
  }

  private func ended(_ code: Int) {
    stopReading()
    guard code == Int(UV_EOF.rawValue) else { return close() }
    isAtEnd = true
    dispatcher.endOfInput(session)
    work()
    endWaitsIfGone()
  }

  /// A client that has only closed its sending side still gets what it waits for; one that is gone altogether waits for nothing.
  /// While nothing is read from it that it is gone shows nowhere else.
  private func endWaitsIfGone() {
    guard isAtEnd || !isReading, session.inFlight > 0, !isClosing else { return }
    var descriptor = pollfd()
    let handle = UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_handle_t.self)
    guard uv_fileno(handle, &descriptor.fd) == 0, poll(&descriptor, 1, 0) == 1,
      descriptor.revents & Int16(POLLHUP) != 0
    else { return }
    dispatcher.endWaits(of: session, nil)
    server.writeAtEndOfTurn(self)
  }

  /// Works off what has been read, up to this connection's share of a turn.
  @inline(__always)
  func work() {
    isReady = false
    let turn = dispatcher.receive(from: session)
    let rest = session.keepRest()
    switch turn {
    case .done:
      if session.isEnding { stopReading() } else if !isReading { startReading() }
      noteLine(rest)
    case .more:
      stopReading()
      lineSince = nil
      server.wantsTurn(self)
    case .paused:
      stopReading()
      lineSince = nil
    }
    if session.hasOutput { server.writeAtEndOfTurn(self) }
    if isAtEnd || session.isEnding { closeIfDone() }
  }

  /// Where a line was ended, the time of what is left begins anew.
  @inline(__always)
  private func noteLine(_ rest: LineFramer.Rest) {
    switch rest {
    case .nothing: lineSince = nil
    case .some(let isNew): if isNew || lineSince == nil { lineSince = server.loop.now }
    }
  }

  // MARK: Writing

  /// Writes what there is, as far as the socket takes it now; the rest goes when it takes more.
  func flush() {
    guard !isClosing, request == nil else { return }
    let bytes = session.outputBytes
    if !bytes.isEmpty {
      var buffer = Self.buffer(bytes)
      let written = uv_try_write(stream, &buffer, 1)
      if written < 0, written != UV_EAGAIN.rawValue { return close() }
      if written > 0 { session.sent(Int(written)) }
      if written < bytes.count { return sendRest() }
    }
    resumeIfPaused()
    if isAtEnd || session.isEnding { closeIfDone() }
  }

  private func sendRest() {
    session.handOutput(to: &sending)
    let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
    self.request = request
    var buffer = Self.buffer(sending.bytes)
    request.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    let code = uv_write(request, stream, &buffer, 1) { request, status in
      borrow(request?.pointee.data, as: Connection.self) { $0.sent(status) }
    }
    if code < 0 { sent(code) }
    stalledSince = server.loop.now
    queueWhenStalled = sending.count
  }

  private func sent(_ status: Int32) {
    request?.deallocate()
    request = nil
    sending.consume(sending.count)
    session.handedOutputIsSent()
    stalledSince = nil
    if status < 0 { return close() }
    server.beginWork()
    dispatcher.tellDropped(session)
    flush()
  }

  private static func buffer(_ bytes: Bytes) -> uv_buf_t {
    // libuv doesn't write to what it sends; its type serves both directions.
    uv_buf_init(
      UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
      UInt32(clamping: bytes.count))
  }

  /// Its output has been read, or a request of its answered: what was left unread before can be taken up.
  private func resumeIfPaused() {
    guard !isReading || session.hasTurn, !isReady, !isClosing else { return }
    if session.hasTurn { return server.wantsTurn(self) }
    if !session.isEnding, !isAtEnd || session.receivedBytes > 0 { server.wantsTurn(self) }
  }

  // MARK: Ending

  /// Closes once what it sent is answered; says why, unless the client has nothing more to ask anyway.
  func leave() {
    let isIdle = isReading
    stopReading()
    isLeaving = true
    // With lines that wait for their turn it comes to where it would read again by itself.
    if isIdle { startReading() }
  }

  private func closeIfDone() {
    guard session.isAnswered, !session.hasOutput, request == nil, !isReady else { return }
    if session.isEnding || session.receivedBytes == 0 { close() }
  }

  /// Called now and then: ends what takes longer than it may.
  func checkTimes(now: Int64) {
    let limits = dispatcher.configuration.limits
    endWaitsIfGone()
    if let since = lineSince, now - since >= Int64(limits.lineTimeMilliseconds), !session.isEnding {
      lineSince = nil
      stopReading()
      dispatcher.end(
        session,
        Refusal(.lineTooLong, "the line was not ended within \(limits.lineTimeMilliseconds) ms (limits.line_time)"))
    }
    guard let since = stalledSince else { return }
    let queue = Int(uv_stream_get_write_queue_size(stream))
    if queue < queueWhenStalled {
      queueWhenStalled = queue
      stalledSince = now
    } else if now - since >= Int64(limits.outputTimeMilliseconds) {
      server.log.info(
        "closing a connection that does not read", metadata: ["pid": "\(session.caller.pid)", "unread": "\(queue)"])
      close()
    }
  }

  func close() {
    guard !isClosing else { return }
    isClosing = true
    isReading = false
    // What it held is another's from now on.
    server.setTime()
    dispatcher.forget(session)
    server.remove(self)
    uv_close(UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_handle_t.self)) { handle in
      guard let data = handle?.pointee.data else { return }
      Unmanaged<Connection>.fromOpaque(data).release()
    }
  }

  deinit {
    request?.deallocate()
    pipe.deallocate()
  }
}
