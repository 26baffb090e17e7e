// Requests whose answer comes later, when a clear is over: kept here, and what stands behind them held back. Who waits for a load
// is kept with the gets.

import PannierCore
import PannierWire

extension Dispatcher {
  /// Holds an answer back until `ticket` is done.
  func park(_ ticket: ClearTicket, _ id: Bytes?, _ session: Session, sample: Bool) {
    parked[ticket] = ParkedRequest(session: session, id: id.map { Array($0) }, sample: sample)
    block(session, id)
  }

  /// A request is to be answered later: without id, those after it wait.
  func block(_ session: Session, _ id: Bytes?) {
    if id == nil { session.progress.isBlocked = true } else { session.progress.parked += 1 }
  }

  func unblock(_ session: Session, _ id: Bytes?) {
    if id == nil { session.progress.isBlocked = false } else { session.progress.parked -= 1 }
  }

  /// Answers the clears that are over. The lines that waited for them are taken up with the session's next turn.
  func answerParked() {
    for outcome in cache.takeFinishedClears() {
      guard let request = parked.removeValue(forKey: outcome.ticket) else { continue }
      let session = request.session
      withOptionalBytes(request.id) { unblock(session, $0) }
      if session.isGone { continue }
      request.answer(outcome)
      markDirty(session)
      sayFarewell(session)
    }
  }
}

/// A request whose answer is to come.
struct ParkedRequest {
  let session: Session
  let id: [UInt8]?
  /// The answer shows keys.
  let sample: Bool

  func answer(_ outcome: ClearBook.Outcome) {
    withOptionalBytes(id) { session.output.begin(id: $0) }
    session.output.member("cleared", count: outcome.count)
    if sample {
      withBorrowed(outcome.sample) { session.output.member("sample", strings: $0) }
    }
    if outcome.isQueued { session.output.queued() }
    session.output.end()
  }
}
