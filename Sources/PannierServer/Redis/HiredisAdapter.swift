// hiredis's wishes to read and to write, carried out by libuv. It doesn't know what is read or written.

import CHiredis
import CUV

/// Lives until libuv has let go of its handle, which is after hiredis has freed the context.
final class HiredisAdapter {
  let context: UnsafeMutablePointer<redisAsyncContext>
  let builder: RedisReplyBuilder
  /// Kept by its socket; nil: the context is gone, or going.
  private(set) var owner: RedisConnection?
  private let loop: EventLoop
  private let poll: UnsafeMutablePointer<uv_poll_t>
  private var events: Int32 = 0

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
    guard uv_poll_init(loop.loop, poll, context.pointee.c.fd) == 0 else { return nil }
    let me = Unmanaged.passRetained(self).toOpaque()
    poll.pointee.data = me
    context.pointee.data = me
    context.pointee.ev.data = me
    context.pointee.ev.addRead = { borrow($0, as: HiredisAdapter.self) { $0.want($0.events | wantsRead) } }
    context.pointee.ev.delRead = { borrow($0, as: HiredisAdapter.self) { $0.want($0.events & ~wantsRead) } }
    context.pointee.ev.addWrite = { borrow($0, as: HiredisAdapter.self) { $0.want($0.events | wantsWrite) } }
    context.pointee.ev.delWrite = { borrow($0, as: HiredisAdapter.self) { $0.want($0.events & ~wantsWrite) } }
    context.pointee.ev.cleanup = { borrow($0, as: HiredisAdapter.self) { $0.cleanup() } }
    builder.attach(to: context.pointee.c.reader)
  }

  deinit { poll.deallocate() }

  /// Writes what waits now, instead of when the loop next finds that it can: the socket nearly always can.
  func flush() {
    if owner != nil, events & wantsWrite != 0 { redisAsyncHandleWrite(context) }
  }

  private func want(_ events: Int32) {
    guard events != self.events, owner != nil else { return }
    self.events = events
    guard events != 0 else {
      uv_poll_stop(poll)
      return
    }
    uv_poll_start(poll, events) { handle, status, events in
      borrow(handle?.pointee.data, as: HiredisAdapter.self) { $0.happened(status, events) }
    }
  }

  private func happened(_ status: Int32, _ happened: Int32) {
    loop.beginWork()
    let wanted = events
    // libuv says no more than that there is an error, and has stopped looking. The socket tells whoever reads what it is.
    if status < 0 { events = 0 }
    if status < 0 || happened & wantsRead != 0 {
      redisAsyncHandleRead(context)
      owner?.didRead()
    }
    if owner != nil, happened & wantsWrite != 0 { redisAsyncHandleWrite(context) }
    if status < 0 { want(events | wanted) }
  }

  /// hiredis calls it once or twice while it frees the context, before it closes the socket.
  private func cleanup() {
    guard let owner else { return }
    self.owner = nil
    context.pointee.data = nil
    context.pointee.ev.data = nil
    uv_close(UnsafeMutableRawPointer(poll).assumingMemoryBound(to: uv_handle_t.self)) { handle in
      guard let data = handle?.pointee.data else { return }
      Unmanaged<HiredisAdapter>.fromOpaque(data).release()
    }
    owner.contextEnded(context)
  }
}

private let wantsRead = Int32(UV_READABLE.rawValue)
private let wantsWrite = Int32(UV_WRITABLE.rawValue)
