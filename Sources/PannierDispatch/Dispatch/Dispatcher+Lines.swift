// A session's lines, one after another: how many in a turn, which wait for which, and what a line that can't be read costs. What a
// request asks for is `perform`'s.

import PannierCore
import PannierWire

extension Dispatcher {
  package enum Turn {
    /// Everything received is worked off.
    case done
    /// There are more lines; others come first.
    case more
    /// The session must read or be answered before more is taken from it.
    case paused
  }

  /// Works off what a session sent, up to the share of one turn.
  package func receive(from session: Session) -> Turn {
    var share = Self.linesPerTurn
    if session.progress.isHolding, let turn = takeWaiting(session, &share) { return turn }
    for _ in 0..<share {
      if session.progress.isEnding { return .done }
      if session.unreadBytes >= limits.outputBytes { return .paused }
      if session.progress.isHolding, holdsEnough(session) { return .paused }
      switch session.framer.next(limit: limits.lineBytes) {
      case .needsMore: return .done
      case .line(let line):
        if !line.isBlank { take(line, from: session) }
        if line.isLast { return .done }
      case .tooLong:
        end(session, Refusal(.lineTooLong, "the line has more than \(limits.lineBytes) bytes (limits.line_bytes)"))
      }
    }
    return .more
  }

  /// Takes up what waited, if nothing blocks it any more; nil: there is some of the share left for what follows.
  @inline(never)
  private func takeWaiting(_ session: Session, _ share: inout Int) -> Turn? {
    while session.hasTurn {
      if share == 0 { return .more }
      if session.unreadBytes >= limits.outputBytes { return .paused }
      share -= 1
      guard var line = session.progress.waiting.popFirst() else { break }
      line.withLine { answer($0, session) }
    }
    sayFarewell(session)
    return nil
  }

  /// What waits in order may wait unread; with ids there is no order, so there the one too many is told.
  @inline(never)
  private func holdsEnough(_ session: Session) -> Bool {
    session.progress.inFlight >= limits.inFlight || session.progress.waiting.byteCount >= limits.lineBytes
  }

  @inline(__always)
  private func take(_ line: Line, from session: Session) {
    if session.progress.isHolding { return takeBehind(line, from: session) }
    answer(line, session)
  }

  /// While one without id is being worked on, only those with one are answered; decoding changes a line, so it is copied first.
  @inline(never)
  private func takeBehind(_ line: Line, from session: Session) {
    let kept = KeptLine(line)
    do throws(Refusal) {
      let op = try decoder.read(line)
      guard let id = decoder.id else { return session.progress.waiting.append(kept) }
      try perform(op, id, session)
    } catch {
      // Nothing behind a line that can't be trusted is carried out, with id or without.
      if error.code.closesConnection { return end(session, error) }
      guard let id = decoder.id else { return session.progress.waiting.append(kept) }
      refuse(error, id, session)
    }
    finish(session)
  }

  @inline(__always)
  private func answer(_ line: Line, _ session: Session) {
    do throws(Refusal) {
      let op = try decoder.read(line)
      try perform(op, decoder.id, session)
    } catch {
      refuse(error, decoder.id, session)
      if error.code.closesConnection { session.stopTaking() }
    }
    finish(session)
  }

  @inline(__always)
  private func finish(_ session: Session) {
    if flags.value.isWatched { tellWatchers() }
  }
}
