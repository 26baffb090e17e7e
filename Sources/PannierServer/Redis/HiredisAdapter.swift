// hiredis's wishes to read and to write, carried out by libuv. It doesn't know what is read or written.

import CHiredis
import CUV

/// Lives until libuv has let go of its handles, which is after hiredis has freed the context.
///
/// hiredis wishes to write with each command and no more when it has written, and libuv would ask the system three things for each
/// of these changes. So the loop is told of a wish only if it is still there before it waits: after what is to be written was
/// written, which the socket nearly always takes at once.
final class HiredisAdapter {
  let context: UnsafeMutablePointer<redisAsyncContext>
  let builder: RedisReplyBuilder
  /// Kept by its socket; nil: the context is gone, or going.
  private(set) var owner: RedisConnection?
  private let loop: EventLoop
  private let poll: UnsafeMutablePointer<uv_poll_t>
  private let beforeWait: UnsafeMutablePointer<uv_prepare_t>
  /// What hiredis wishes, and what the loop has been told.
  private var wanted: Int32 = 0
  private var polled: Int32 = 0
  /// Which of the two libuv has let go of.
  private var handlesLeft = 2

  /// Takes the context over; nil: its socket can't be polled, and it is still the caller's.
  init?(
    _ context: UnsafeMutablePointer<redisAsyncContext>, _ builder: RedisReplyBuilder, owner: RedisConnection,
    on loop: EventLoop
  ) {
    self.context = context
    self.builder = builder
    self.owner = owner
    self.loop = loop
    poll = .allocate(capacity: 1)
    beforeWait = .allocate(capacity: 1)
    guard uv_poll_init(loop.loop, poll, context.pointee.c.fd) == 0 else { return nil }
    uv_prepare_init(loop.loop, beforeWait)
    let me = Unmanaged.passRetained(self).toOpaque()
    poll.pointee.data = me
    beforeWait.pointee.data = me
    context.pointee.data = me
    context.pointee.ev.data = me
    context.pointee.ev.addRead = { borrow($0, as: HiredisAdapter.self) { $0.want($0.wanted | wantsRead) } }
    context.pointee.ev.delRead = { borrow($0, as: HiredisAdapter.self) { $0.want($0.wanted & ~wantsRead) } }
    context.pointee.ev.addWrite = { borrow($0, as: HiredisAdapter.self) { $0.want($0.wanted | wantsWrite) } }
    context.pointee.ev.delWrite = { borrow($0, as: HiredisAdapter.self) { $0.want($0.wanted & ~wantsWrite) } }
    context.pointee.ev.cleanup = { borrow($0, as: HiredisAdapter.self) { $0.cleanup() } }
    builder.attach(to: context.pointee.c.reader)
  }

  deinit {
    poll.deallocate()
    beforeWait.deallocate()
  }

  /// Writes what there is to write, now.
  func flush() {
    if owner != nil, wanted & wantsWrite != 0 { redisAsyncHandleWrite(context) }
  }

  private func want(_ events: Int32) {
    guard events != wanted, owner != nil else { return }
    wanted = events
    tellBeforeWait()
  }

  private func tellBeforeWait() {
    uv_prepare_start(beforeWait) { handle in
      borrow(handle?.pointee.data, as: HiredisAdapter.self) { $0.tell() }
    }
  }

  private func tell() {
    uv_prepare_stop(beforeWait)
    // While the loop looks whether the socket can be written to it is connecting, or full.
    if polled & wantsWrite == 0, polled != 0 { flush() }
    guard owner != nil, wanted != polled else { return }
    polled = wanted
    guard polled != 0 else {
      uv_poll_stop(poll)
      return
    }
    uv_poll_start(poll, polled) { handle, status, events in
      borrow(handle?.pointee.data, as: HiredisAdapter.self) { $0.happened(status, events) }
    }
  }

  private func happened(_ status: Int32, _ happened: Int32) {
    loop.beginWork()
    // libuv says no more than that there is an error, and has stopped looking. The socket tells whoever reads what it is.
    if status < 0 { polled = 0 }
    owner?.didMove()
    if status < 0 || happened & wantsRead != 0 {
      redisAsyncHandleRead(context)
      owner?.didRead()
    }
    if owner != nil, happened & wantsWrite != 0 { redisAsyncHandleWrite(context) }
    if status < 0, owner != nil { tellBeforeWait() }
  }

  /// hiredis calls it once or twice while it frees the context, before it closes the socket.
  private func cleanup() {
    guard let owner else { return }
    self.owner = nil
    context.pointee.data = nil
    context.pointee.ev.data = nil
    for handle in [UnsafeMutableRawPointer(poll), UnsafeMutableRawPointer(beforeWait)] {
      uv_close(handle.assumingMemoryBound(to: uv_handle_t.self)) { handle in
        borrow(handle?.pointee.data, as: HiredisAdapter.self) { $0.closed() }
      }
    }
    owner.contextEnded(context)
  }

  private func closed() {
    handlesLeft -= 1
    if handlesLeft == 0 { Unmanaged.passUnretained(self).release() }
  }
}

private let wantsRead = Int32(UV_READABLE.rawValue)
private let wantsWrite = Int32(UV_WRITABLE.rawValue)
