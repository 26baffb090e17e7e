// libuv's loop as the server uses it: one thread, one turn after another, and a hook at each point of a turn. It knows
// nothing of connections.

import CUV
import Glibc
import PannierCore
import PannierDispatch

/// A turn: timers, then `background` while there is some, then whatever is readable, then `endOfTurn`.
///
///     timers ─► background (idle) ─► wait and read ─► endOfTurn (check) ─► …
final class EventLoop {
  let loop: UnsafeMutablePointer<uv_loop_t>
  private let idle: UnsafeMutablePointer<uv_idle_t>
  private let check: UnsafeMutablePointer<uv_check_t>
  private let startedAt: UInt64

  /// What runs at a point of a turn, given `owner`: a plain function, since keeping a closure alive costs each turn more than
  /// many a request does.
  typealias Hook = @convention(c) (UnsafeMutableRawPointer?) -> Void
  private var owner: UnsafeMutableRawPointer?
  private var background: Hook = { _ in }
  private var endOfTurn: Hook = { _ in }
  /// How long each stretch of work kept whatever came next waiting.
  private let delaysPlace = Pinned(DelayHistogram())
  /// When this turn began to work, in nanoseconds; zero: it hasn't.
  private var workingSince: UInt64 = 0

  init() {
    loop = .allocate(capacity: 1)
    idle = .allocate(capacity: 1)
    check = .allocate(capacity: 1)
    uv_loop_init(loop)
    startedAt = uv_now(loop)
    uv_idle_init(loop, idle)
    uv_check_init(loop, check)
    let me = Unmanaged.passUnretained(self).toOpaque()
    idle.pointee.data = me
    check.pointee.data = me
    uv_check_start(check) { handle in
      borrow(handle?.pointee.data, as: EventLoop.self) { loop in
        loop.endOfTurn(loop.owner)
        loop.endWork()
      }
    }
  }

  /// `background` runs once in each turn while `wantsBackground`, and the loop then doesn't wait; `endOfTurn` runs after
  /// everything readable was read.
  func hook(owner: UnsafeMutableRawPointer, background: @escaping Hook, endOfTurn: @escaping Hook) {
    self.owner = owner
    self.background = background
    self.endOfTurn = endOfTurn
  }

  var delays: DelayHistogram { delaysPlace.value }

  /// Milliseconds since the loop was made, as of this turn.
  var now: Int64 { Int64(uv_now(loop) - startedAt) }

  /// Work has begun in this turn: what arrives from now on waits.
  @inline(__always)
  func beginWork() {
    if workingSince == 0 { workingSince = nanoseconds() }
  }

  var wantsBackground: Bool {
    get { uv_is_active(UnsafeMutableRawPointer(idle).assumingMemoryBound(to: uv_handle_t.self)) != 0 }
    set {
      if newValue {
        uv_idle_start(idle) { handle in
          borrow(handle?.pointee.data, as: EventLoop.self) { loop in
            loop.beginWork()
            loop.background(loop.owner)
            loop.endWork()
          }
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
    for handle in [UnsafeMutableRawPointer(idle), UnsafeMutableRawPointer(check)] {
      uv_close(handle.assumingMemoryBound(to: uv_handle_t.self), nil)
    }
  }

  deinit {
    uv_loop_close(loop)
    idle.deallocate()
    check.deallocate()
    loop.deallocate()
  }

  /// The monotonic clock, asked without libuv's detour.
  @inline(__always)
  private func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(truncatingIfNeeded: time.tv_sec &* 1_000_000_000 &+ time.tv_nsec)
  }

  /// Whatever waits is looked at next.
  @inline(__always)
  private func endWork() {
    guard workingSince > 0 else { return }
    delaysPlace.value.record((nanoseconds() &- workingSince) / 1000)
    workingSince = 0
  }
}

/// The object behind a handle's data, for one call: whoever owns the handle owns the object, so it needs no retaining.
@inline(__always)
func borrow<Object: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Object.Type, _ body: (Object) -> Void) {
  guard let data else { return }
  Unmanaged<Object>.fromOpaque(data)._withUnsafeGuaranteedRef(body)
}

/// A timer on the loop.
final class LoopTimer {
  private let timer: UnsafeMutablePointer<uv_timer_t>
  var action: () -> Void = {}

  init(on loop: EventLoop) {
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
        borrow(handle?.pointee.data, as: LoopTimer.self) { $0.action() }
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
        borrow(handle?.pointee.data, as: LoopSignal.self) { $0.action() }
      }, number)
  }

  func close() {
    uv_close(UnsafeMutableRawPointer(signal).assumingMemoryBound(to: uv_handle_t.self)) { $0?.deallocate() }
  }
}
