// Work on libuv's pool of threads, for what would keep the loop from everybody else. It doesn't know what the work is.

import CUV

final class PoolWork {
  private let request: UnsafeMutablePointer<uv_work_t>
  private let work: @Sendable () -> [UInt8]?
  private let done: ([UInt8]?) -> Void
  /// Written on the pool's thread, and read on the loop's once that is over.
  private var result: [UInt8]?

  /// `done` is called on the loop, with what the work came to; never before this returns. What has begun is not ended: whoever
  /// doesn't want it any more says so in `done`.
  static func run(
    on loop: EventLoop, _ work: @escaping @Sendable () -> [UInt8]?, then done: @escaping ([UInt8]?) -> Void
  ) {
    let me = PoolWork(work, done)
    me.request.pointee.data = Unmanaged.passRetained(me).toOpaque()
    uv_queue_work(
      loop.loop, me.request,
      { request in borrow(request?.pointee.data, as: PoolWork.self) { $0.result = $0.work() } },
      { request, _ in
        guard let data = request?.pointee.data else { return }
        let me = Unmanaged<PoolWork>.fromOpaque(data).takeRetainedValue()
        me.done(me.result)
      })
  }

  private init(_ work: @escaping @Sendable () -> [UInt8]?, _ done: @escaping ([UInt8]?) -> Void) {
    self.work = work
    self.done = done
    request = .allocate(capacity: 1)
  }

  deinit { request.deallocate() }
}
