// What Redis could not be told of before the process ended: kept in a file, and told at the next start. It decides nothing about
// what that is.

import Logging
import PannierCore
import PannierDispatch

extension Server {
  /// Before anybody is served: no reader may be shown what was changed since.
  func replayQueue() {
    guard redis != nil else { return }
    do throws(QueueFileFault) {
      guard let changes = try queueFile.read() else { return }
      for change in changes { restore(change) }
      isReplaying = true
      log.notice(
        "telling redis of what was changed before",
        metadata: ["file": "\(queueFile.path)", "count": "\(changes.count)"])
    } catch {
      let kept = queueFile.setAside()
      log.error(
        "what was changed before can't be told to redis",
        metadata: [
          "file": "\(queueFile.path)", "why": "\(error.reason)", "kept": "\(kept ?? "")",
          "better": "clear the namespaces that it names",
        ])
    }
  }

  private func restore(_ change: LeftChange) {
    if dispatcher.restore(change) { return }
    log.error(
      "what was changed before can't be told to redis: limits.namespaces is reached",
      metadata: ["ns": "\(String(decoding: change.ns, as: UTF8.self))"])
  }

  /// What the file had has been told.
  func forgetReplayed() {
    guard isReplaying, dispatcher.cache.sharedQueueCount == 0 else { return }
    isReplaying = false
    queueFile.remove()
  }

  /// At the end: what is left, or nothing.
  func keepQueue() {
    guard redis != nil else { return }
    let left = dispatcher.cache.leftChanges
    if left.isEmpty {
      if isReplaying { queueFile.remove() }
      return
    }
    do throws(QueueFileFault) {
      try queueFile.write(left)
      log.warning(
        "redis was not told of all; the next start does it",
        metadata: ["file": "\(queueFile.path)", "count": "\(left.count)"])
    } catch {
      log.error(
        "what redis was not told of is lost",
        metadata: ["file": "\(queueFile.path)", "why": "\(error.reason)", "count": "\(left.count)"])
    }
  }
}
