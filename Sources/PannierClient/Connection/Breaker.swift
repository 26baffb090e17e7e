// Keeps a sidecar that is gone from costing anything: after a failure it isn't asked for a while, and then by one caller. It
// is told the time.

import NIOCore

struct Breaker: Sendable {
  /// The sidecar didn't answer, the last time that it was asked.
  private(set) var isOpen = false
  /// To try it all the same costs next to nothing: it can't be connected to.
  private var isCheap = false
  private var openUntil = NIODeadline.uptimeNanoseconds(0)
  private var probingUntil = NIODeadline.uptimeNanoseconds(0)
  private let pause: TimeAmount

  init(pause: TimeAmount) { self.pause = pause }

  /// Whether the sidecar is to be asked. While it is out one caller in each pause tries it, and every change that is to
  /// be told, where that costs nothing.
  mutating func allows(isChange: Bool, now: NIODeadline) -> Bool {
    if !isOpen || isChange && isCheap { return true }
    if now < openUntil || now < probingUntil { return false }
    probingUntil = now + pause
    return true
  }

  /// Whether that is new.
  mutating func fail(isCheap: Bool, now: NIODeadline) -> Bool {
    defer { isOpen = true }
    self.isCheap = isCheap
    openUntil = now + pause
    probingUntil = .uptimeNanoseconds(0)
    return !isOpen
  }

  /// Whether that is new.
  mutating func succeed() -> Bool {
    defer { isOpen = false }
    probingUntil = .uptimeNanoseconds(0)
    return isOpen
  }
}
