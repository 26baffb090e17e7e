// The server's turns: what is done in each, in what order, and when the loop is to wake for the next. It decides nothing about
// connections and their end.

import CUV
import PannierDispatch

extension Server {
  @inline(__always)
  func beginWork() {
    loop.beginWork()
    setTime()
  }

  /// For what changes the cache outside a reading turn. A timer's turn is no work to the loop, which waits before it ends.
  @inline(__always)
  func setTime() { dispatcher.setTime(loop.now) }

  /// A connection has lines left; others come first.
  func wantsTurn(_ connection: Connection) {
    guard !connection.isReady else { return }
    connection.isReady = true
    ready.append(connection)
    loop.wantsBackground = true
  }

  func runBackground() {
    setTime()
    let turn = ready
    ready.removeAll(keepingCapacity: true)
    for connection in turn where !connection.session.isGone { connection.work() }
    let began = uv_hrtime()
    while dispatcher.needsUpkeep, uv_hrtime() - began < Self.sliceNanoseconds { dispatcher.upkeep() }
    if ready.isEmpty, !dispatcher.needsUpkeep {
      loop.wantsBackground = false
      arm()
    }
    // Now and not at the end of the turn: the loop may wait before it gets there.
    write()
  }

  /// One write for each connection that was answered in this turn.
  func writeAtEndOfTurn(_ connection: Connection) {
    guard !connection.isUnwritten else { return }
    connection.isUnwritten = true
    unwritten.value.append(connection)
  }

  func endTurn() {
    write()
    guard dispatcher.takeNeedOfLook() else { return }
    if isReplaying { forgetReplayed() }
    finishIfDone()
    if dispatcher.hasBackgroundWork { loop.wantsBackground = true } else { arm() }
  }

  func arm() {
    armExpiry()
    armDeadline()
  }

  func write() {
    redis?.carryOut()
    writeOnce()
    // A write may show that a client is gone, and what it held is then another's, who is told in this turn too.
    while dispatcher.hasDirty { writeAgain() }
  }

  /// Apart, so that a turn in which nobody is gone, nearly each, pays for one comparison alone.
  @inline(never)
  func writeAgain() { writeOnce() }

  @inline(__always)
  func writeOnce() {
    if dispatcher.hasDirty {
      for session in dispatcher.takeDirty() {
        if let connection = bySession[ObjectIdentifier(session)] { writeAtEndOfTurn(connection) }
      }
    }
    while let connection = unwritten.value.popLast() {
      connection._withUnsafeGuaranteedRef {
        $0.isUnwritten = false
        $0.flush()
      }
    }
  }

  func armExpiry() {
    guard !expiryTimer.isActive, let due = dispatcher.nextExpiry, !dispatcher.isTimeManual else { return }
    // Not at once, so that entries that expire one after another don't wake the process for each.
    expiryTimer.start(milliseconds: UInt64(min(max(due - dispatcher.now, Self.expiryDelayMilliseconds), 1000)))
  }

  func armDeadline() {
    guard let due = dispatcher.nextDeadline, due < deadlineArmed, !dispatcher.isTimeManual else { return }
    deadlineArmed = due
    deadlineTimer.start(milliseconds: UInt64(max(due - dispatcher.now, 0)))
  }

  func wakeForUpkeep() {
    setTime()
    if dispatcher.needsUpkeep { loop.wantsBackground = true } else { arm() }
  }

  func startTimes() {
    let shortest = min(configuration.limits.lineTimeMilliseconds, configuration.limits.outputTimeMilliseconds)
    let period = UInt64(min(max(shortest / 8, 5), 1000))
    timesTimer.start(milliseconds: period, repeating: period)
  }

  func checkTimes() {
    setTime()
    for connection in Array(connections.values) { connection.checkTimes(now: loop.now) }
    write()
  }
}
