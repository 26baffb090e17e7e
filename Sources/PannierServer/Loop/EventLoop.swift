// libuv's loop as the server uses it: one thread, one turn after another, and a hook at each point of a turn. It knows
// nothing of connections.

import CUV

/// A turn: timers, then `background` while there is some, then `beforeWait`, then whatever is readable, then `endOfTurn`.
///
///     timers ─► background (idle) ─► beforeWait (prepare) ─► wait and read ─► endOfTurn (check) ─► …
final class EventLoop {
  let loop: UnsafeMutablePointer<uv_loop_t>
  private let idle: UnsafeMutablePointer<uv_idle_t>
  private let check: UnsafeMutablePointer<uv_check_t>
  private let prepare: UnsafeMutablePointer<uv_prepare_t>
  private let startedAt: UInt64

  /// Runs once in each turn while `wantsBackground`; the loop then doesn't wait.
  var background: () -> Void = {}
  /// Runs before the loop waits, however long: what timers and background left to be done is done by then.
  var beforeWait: () -> Void = {}
  /// Runs after everything readable was read.
  var endOfTurn: () -> Void = {}
  /// How long each turn kept whatever came next waiting.
  private(set) var delays = DelayHistogram()
  /// When this turn began to work, by `uv_hrtime`, in nanoseconds; zero: it hasn't.
  private var workingSince: UInt64 = 0

  init() {
    loop = .allocate(capacity: 1)
    idle = .allocate(capacity: 1)
    check = .allocate(capacity: 1)
    prepare = .allocate(capacity: 1)
    uv_loop_init(loop)
    startedAt = uv_now(loop)
    uv_idle_init(loop, idle)
    uv_check_init(loop, check)
    uv_prepare_init(loop, prepare)
    let me = Unmanaged.passUnretained(self).toOpaque()
    idle.pointee.data = me
    check.pointee.data = me
    prepare.pointee.data = me
    uv_check_start(check) { handle in EventLoop.from(handle?.pointee.data)?.endOfTurn() }
    uv_prepare_start(prepare) { handle in
      guard let me = EventLoop.from(handle?.pointee.data) else { return }
      me.beforeWait()
      me.noteDelay()
    }
  }

  /// Milliseconds since the loop was made, as of this turn.
  var now: Int64 { Int64(uv_now(loop) - startedAt) }

  /// Work has begun in this turn: what arrives from now on waits.
  @inline(__always)
  func beginWork() {
    if workingSince == 0 { workingSince = uv_hrtime() }
  }

  var wantsBackground: Bool {
    get { uv_is_active(UnsafeMutableRawPointer(idle).assumingMemoryBound(to: uv_handle_t.self)) != 0 }
    set {
      if newValue {
        uv_idle_start(idle) { handle in
          guard let me = EventLoop.from(handle?.pointee.data) else { return }
          me.beginWork()
          me.background()
        }
      } else {
        uv_idle_stop(idle)
      }
    }
  }

  /// Until `close` was called and every handle is closed.
  func run() { uv_run(loop, UV_RUN_DEFAULT) }

  /// Closes the loop's own hooks; the loop ends when all other handles are closed too.
  func close() {
    for handle in [UnsafeMutableRawPointer(idle), UnsafeMutableRawPointer(check), UnsafeMutableRawPointer(prepare)] {
      uv_close(handle.assumingMemoryBound(to: uv_handle_t.self), nil)
    }
  }

  deinit {
    uv_loop_close(loop)
    idle.deallocate()
    check.deallocate()
    prepare.deallocate()
    loop.deallocate()
  }

  private func noteDelay() {
    guard workingSince > 0 else { return }
    delays.record((uv_hrtime() - workingSince) / 1000)
    workingSince = 0
  }

  private static func from(_ data: UnsafeMutableRawPointer?) -> EventLoop? {
    data.map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
  }
}

/// A timer on the loop.
final class LoopTimer {
  private let timer: UnsafeMutablePointer<uv_timer_t>
  private let action: () -> Void

  init(on loop: EventLoop, _ action: @escaping () -> Void) {
    self.action = action
    timer = .allocate(capacity: 1)
    uv_timer_init(loop.loop, timer)
    timer.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  var isActive: Bool { uv_is_active(UnsafeMutableRawPointer(timer).assumingMemoryBound(to: uv_handle_t.self)) != 0 }

  /// Fires after `milliseconds`, and every `repeating` milliseconds from then on; zero: once.
  func start(milliseconds: UInt64, repeating: UInt64 = 0) {
    uv_timer_start(
      timer,
      { handle in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue().action()
      }, milliseconds, repeating)
  }

  func stop() { uv_timer_stop(timer) }

  /// For good; the handle's memory is given back when the loop has let go of it.
  func close() {
    uv_close(UnsafeMutableRawPointer(timer).assumingMemoryBound(to: uv_handle_t.self)) { $0?.deallocate() }
  }
}

/// A signal that the loop takes.
final class LoopSignal {
  private let signal: UnsafeMutablePointer<uv_signal_t>
  private let action: () -> Void

  init(_ number: Int32, on loop: EventLoop, _ action: @escaping () -> Void) {
    self.action = action
    signal = .allocate(capacity: 1)
    uv_signal_init(loop.loop, signal)
    signal.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    uv_signal_start(
      signal,
      { handle, _ in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<LoopSignal>.fromOpaque(data).takeUnretainedValue().action()
      }, number)
  }

  func close() {
    uv_close(UnsafeMutableRawPointer(signal).assumingMemoryBound(to: uv_handle_t.self)) { $0?.deallocate() }
  }
}
