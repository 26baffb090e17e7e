// One client without its socket: what it sent and isn't answered, what it is to be sent. It decides nothing and does no I/O,
// so that a test can be a client.

package import PannierCore
import PannierWire

package final class Session {
  package let asker: Asker
  package let isAdmin: Bool
  /// Whose address is the session's number while it lives.
  private let mark = OwnerMark()
  private let framerPlace = Pinned(LineFramer())
  private let outputPlace = Pinned(OutputBuffer())

  var framer: LineFramer {
    @inline(__always) _read { yield framerPlace.value }
    @inline(__always) _modify { yield &framerPlace.value }
  }

  var output: OutputBuffer {
    @inline(__always) _read { yield outputPlace.value }
    @inline(__always) _modify { yield &outputPlace.value }
  }

  /// How far its requests are.
  struct Progress {
    /// A request without id is being worked on: others without one wait for it.
    var isBlocked = false { didSet { isHolding = isBlocked || !waiting.isEmpty } }
    /// Lines without id that wait, in their order.
    var waiting = WaitingLines() { didSet { isHolding = isBlocked || !waiting.isEmpty } }
    /// A line without id would overtake another now.
    private(set) var isHolding = false
    /// Requests with id that are being worked on.
    var parked = 0
    /// Nothing more is read from it: it closes when its output is written and nothing is in flight.
    var isEnding = false
    /// What is said last, once all before it is answered; then the connection closes.
    var farewell: Refusal?
    /// Bytes on their way to the socket that are no longer in `output`.
    var sendingBytes = 0
    var watch: WatchFilter?
    /// It is on the list of those whose output this turn is to write.
    var isDirty = false

    var inFlight: Int { parked &+ waiting.count &+ (isBlocked ? 1 : 0) }
  }

  private let progressPlace = Pinned(Progress())

  var progress: Progress {
    @inline(__always) _read { yield progressPlace.value }
    @inline(__always) _modify { yield &progressPlace.value }
  }

  /// The socket is gone: answers that come now are dropped.
  package var isGone = false

  package init(caller: Caller, isAdmin: Bool) {
    asker = Asker(owner: OwnerID(UInt(bitPattern: ObjectIdentifier(mark))), caller: caller)
    self.isAdmin = isAdmin
  }

  package var caller: Caller { asker.caller }

  package var isEnding: Bool { progress.isEnding }

  /// Bytes that the client has not read yet.
  var unreadBytes: Int { output.count &+ progress.sendingBytes }

  /// Requests received and not yet answered.
  package var inFlight: Int { progress.inFlight }

  /// Everything was answered; what is left is to write it.
  package var isAnswered: Bool { inFlight == 0 && progress.farewell == nil }

  /// Lines wait that can be taken up now.
  package var hasTurn: Bool { progress.isHolding && !progress.isBlocked }

  /// Nothing that follows is answered any more: not what it sends, nor what waits.
  func stopTaking() {
    progress.isEnding = true
    progress.waiting = WaitingLines()
  }
}

private final class OwnerMark {}

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
