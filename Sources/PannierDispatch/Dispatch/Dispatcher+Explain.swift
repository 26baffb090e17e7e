// explain: where a key stands or why it doesn't, by memory's account, and by the shared tier's where memory has nothing to show. It changes
// no value and counts no read.

import PannierCore
import PannierWire

extension Dispatcher {
  func explain(_ name: Bytes, _ key: Bytes, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let ns = try changedNamespace(name)
    if let ns, cache.asksShared(toExplain: ns, key, now: now) {
      try checkInFlight(id, session)
      let question = WaitingQuestion(session, id, ns, key)
      block(session, id)
      questions[cache.askShared(ns, key, now: now)] = question
      answerShared()
    } else {
      writeExplanation(ns, key, nil, id, session)
    }
    answerWoken()
  }

  /// Tells those who asked what was found.
  func answerQuestions() {
    for (ticket, finding) in cache.takeFindings() {
      guard let question = questions.removeValue(forKey: ticket) else { continue }
      let session = question.session
      withOptionalBytes(question.id) { unblock(session, $0) }
      if session.isGone { continue }
      question.key.withUnsafeBytes { key in
        withOptionalBytes(question.id) { writeExplanation(question.ns, key, finding, $0, session) }
      }
      markDirty(session)
      sayFarewell(session)
    }
  }

  /// `finding`: what the shared tier has; nil: it wasn't asked.
  private func writeExplanation(
    _ ns: NamespaceID?, _ key: Bytes, _ finding: SharedFinding?, _ id: Bytes?, _ session: Session
  ) {
    session.output.begin(id: id)
    if case .value(let value, let isStale, let left) = finding {
      write(value, isStale, left, session)
    } else if let ns {
      switch cache.explain(ns, key, now: now) {
      // Where it was asked, memory may have got one meanwhile; what it merely passes on it doesn't answer by itself.
      case .present(let details) where finding == nil || cache.policy(of: ns).tiers.contains(.memory):
        let filler = details.filler ?? Caller(pid: 0, uid: 0)
        session.output.present(
          stale: details.isStale, meta: ValueMeta(details), filler: (filler.pid, filler.uid))
      case .present: writeAbsent(.unknown, nil, finding, session)
      case .absent(let record, let clear): writeAbsent(record, clear, finding, session)
      }
    } else {
      writeAbsent(.neverStored, nil, nil, session)
    }
    if let ns, let lease = cache.lease(ns, key, now: now) { write(lease, session) }
    session.output.end()
  }

  /// Who stored it is known to the host that did, and to no other.
  private func write(_ value: SharedValue, _ isStale: Bool, _ left: Int64?, _ session: Session) {
    withBorrowed(value.tags) { tags in
      let meta = ValueMeta(
        tier: .redis, ttlMilliseconds: isStale ? 0 : value.freshMilliseconds(left: left),
        ageMilliseconds: value.ageMilliseconds(left: left), version: value.version, tags: tags,
        size: value.value.count)
      session.output.present(stale: isStale, meta: meta, filler: nil)
    }
  }

  private func writeAbsent(
    _ record: GoneRecord, _ clear: ClearBook.Record?, _ finding: SharedFinding?, _ session: Session
  ) {
    session.output.member("state", word: "absent")
    session.output.member("reason", word: record.reason.name)
    if record.reason == .deleted || clear != nil { writeDoer(record, clear, session) }
    if let word = finding?.word { session.output.member("redis", string: word) }
  }

  private func writeDoer(_ record: GoneRecord, _ clear: ClearBook.Record?, _ session: Session) {
    session.output.name("by")
    session.output.beginObject()
    session.output.member("pid", count: Int(clear?.pid ?? record.pid))
    session.output.member("age", seconds: now - record.at)
    switch clear?.scope {
    case .match(let pattern): pattern.withUnsafeBytes { session.output.member("match", string: $0) }
    case .tags(let tags):
      tags[min(Int(record.tag), tags.count - 1)].withUnsafeBytes { session.output.member("tag", string: $0) }
    case .all, .key, nil: break
    }
    session.output.endObject()
  }

  private func write(_ lease: Cache.LeaseDetails, _ session: Session) {
    session.output.name("lease")
    session.output.beginObject()
    session.output.member("age", seconds: lease.ageMilliseconds)
    session.output.member("pid", count: Int(lease.pid))
    session.output.member("waiting", count: lease.waiting)
    session.output.endObject()
  }
}

/// An `explain` whose answer waits for the shared tier.
final class WaitingQuestion {
  let session: Session
  let id: [UInt8]?
  let ns: NamespaceID
  let key: [UInt8]

  init(_ session: Session, _ id: Bytes?, _ ns: NamespaceID, _ key: Bytes) {
    self.session = session
    self.id = id.map { Array($0) }
    self.ns = ns
    self.key = Array(key)
  }
}

extension SharedFinding {
  /// What an answer says of it where there is no value; nil: there is one.
  fileprivate var word: String? {
    switch self {
    case .value: nil
    case .absent: "absent"
    case .void: "void"
    case .unusable(let fault): fault
    case .queued: "queued"
    case .unavailable: "unavailable"
    case .timedOut: "timeout"
    }
  }
}
