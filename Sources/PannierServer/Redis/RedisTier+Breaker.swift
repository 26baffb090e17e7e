// What the shell does about a Redis that is there and fails: it asks nothing, and tries it now and then.

import CUV
import PannierCore
import PannierDispatch

extension RedisTier {
  /// Commands that took too long since this was called last.
  func breakIfSilent() {
    let timeouts = dispatcher.cache.sharedTimeouts
    let new = timeouts - timeoutsSeen
    timeoutsSeen = timeouts
    if new > 0 { failed("it does not answer in time", count: new) }
  }

  func failed(_ why: String, count: Int = 1) {
    guard state == .up, breaker.fail(count, now: dispatcher.now) else { return }
    note(why)
    enter(.suspended)
    walk?.pause()
    dispatcher.cache.sharedSuspended(now: dispatcher.now)
    // Of what was under way nobody waits for an answer any more: that is one failure, not many.
    timeoutsSeen = dispatcher.cache.sharedTimeouts
    dispatcher.tellOfChange()
    probeTimer.start(milliseconds: breaker.nextPause())
  }

  /// It is answered after all that was sent before: by then Redis has caught up.
  func probe() {
    guard state == .suspended, let connection = commands else { return }
    let sentAt = uv_hrtime()
    connection.send([Array("PING".utf8)]) { [weak self] reply in
      guard let self, connection === commands, state == .suspended, reply != .lost else { return }
      beginReply()
      let isInTime = (uv_hrtime() - sentAt) / 1_000_000 <= UInt64(settings.timeoutMilliseconds)
      if case .error(let error) = reply {
        count(error.code.rawValue)
        if error.code.needsJoin { rejoin("answered \(error)") } else { probeAgain("answered \(error)") }
      } else if isInTime {
        resume()
      } else {
        probeAgain("it does not answer in time")
      }
      endReply()
    }
  }

  private func probeAgain(_ why: String) {
    note(why)
    probeTimer.start(milliseconds: breaker.nextPause())
  }

  private func resume() {
    breaker.close()
    enter(.up)
    noteUse("redis answers again")
    dispatcher.cache.sharedResumed(now: dispatcher.now)
    walk?.resume()
  }
}

extension RedisError.Code {
  /// This connection can't go on as it is.
  var needsJoin: Bool { [.gap, .fenced, .noScript, .readOnly, .noAuthentication].contains(self) }

  /// Redis can do nothing at all for the time being, and says so.
  var isOutage: Bool { [.busy, .loading, .masterDown].contains(self) }
}
