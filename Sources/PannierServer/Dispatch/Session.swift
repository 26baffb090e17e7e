// One client without its socket: what it sent and isn't answered, what it is to be sent. It decides nothing and does no I/O,
// so that a test can be a client.

package import PannierCore
package import PannierWire

package final class Session {
  package let caller: Caller
  package let isAdmin: Bool
  private let framerPlace = Pinned(LineFramer())
  private let outputPlace = Pinned(OutputBuffer())

  package var framer: LineFramer {
    @inline(__always) _read { yield framerPlace.value }
    @inline(__always) _modify { yield &framerPlace.value }
  }

  package var output: OutputBuffer {
    @inline(__always) _read { yield outputPlace.value }
    @inline(__always) _modify { yield &outputPlace.value }
  }

  /// A request without id is being worked on: others without one wait for it.
  var isBlocked = false
  /// Lines without id that wait, in their order.
  private var waiting: [KeptLine] = []
  private var waitingFrom = 0
  /// Requests with id that are being worked on.
  var parked = 0
  /// What is said last, once all before it is answered; then the connection closes.
  var farewell: Refusal?
  /// Its output holds something that this turn is to write.
  var isDirty = false
  var watch: WatchFilter?

  /// Nothing more is read from it: it closes when its output is written and nothing is in flight.
  package internal(set) var isEnding = false
  /// Bytes on their way to the socket that are no longer in `output`.
  package var sendingBytes = 0
  /// The socket is gone: answers that come now are dropped.
  package var isGone = false

  package init(caller: Caller, isAdmin: Bool) {
    self.caller = caller
    self.isAdmin = isAdmin
  }

  /// Bytes that the client has not read yet.
  var unreadBytes: Int { output.count + sendingBytes }

  /// Requests received and not yet answered.
  package var inFlight: Int { parked + waiting.count - waitingFrom + (isBlocked ? 1 : 0) }

  /// Everything was answered; what is left is to write it.
  package var isAnswered: Bool { inFlight == 0 && farewell == nil }

  func keep(_ line: KeptLine) { waiting.append(line) }

  /// The line that has waited longest.
  func takeWaiting() -> KeptLine? {
    guard waitingFrom < waiting.count else { return nil }
    defer {
      waitingFrom += 1
      if waitingFrom == waiting.count {
        waiting.removeAll()
        waitingFrom = 0
      }
    }
    return waiting[waitingFrom]
  }
}

/// What a client that watches wants to see.
struct WatchFilter {
  /// Nil: every namespace.
  let ns: [UInt8]?
  let kinds: Set<EventKind>
  /// The share of events shown, 0 to 1.
  let sample: Double
  /// Events not shown since the client reads too slowly.
  var dropped = 0
}
