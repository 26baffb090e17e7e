// Changes of namespaces that hosts share: asked for here, answered when the shared tier has them or can't be told.

import PannierCore
import PannierWire

extension Dispatcher {
  func setShared(_ set: Request.Set, _ ns: NamespaceID, _ id: Bytes?, _ session: Session) throws(Refusal) {
    try checkInFlight(id, session)
    let items = set.items.all
    let isStored = cache.policy(of: ns).mode == .on
    let call = SharedCall(session, id, .set(isMany: set.items.isMany), partCount: items.count)
    block(session, id)
    for (place, item) in items.enumerated() {
      let value = Cache.NewValue(item)
      if value.lease != nil || !isStored && !value.condition.isNone {
        call.steps[place] = cache.set(ns, value, by: session.caller, now: now)
      } else if value.condition.isNone {
        call.steps[place] = isStored ? .stored : .disabled
        wait(for: cache.setShared(ns, value, by: session.caller, now: now), call, place)
      } else {
        wait(for: cache.setSharedIf(ns, value, by: session.caller, now: now), call, place)
      }
    }
    answerIfDone(call)
    answerShared()
    answerWoken()
  }

  func deleteShared(_ delete: Request.Delete, _ ns: NamespaceID, _ id: Bytes?, _ session: Session) throws(Refusal) {
    try checkInFlight(id, session)
    let call = SharedCall(session, id, .delete, partCount: 0)
    block(session, id)
    let keys = distinct(delete).map { Array($0) }
    wait(for: cache.deleteShared(ns, keys, soft: delete.soft, by: session.caller, now: now), call)
    answerShared()
    answerWoken()
  }

  func checkInFlight(_ id: Bytes?, _ session: Session) throws(Refusal) {
    if id != nil, session.inFlight >= limits.inFlight {
      throw Refusal(.overloaded, "\(session.inFlight) requests are in flight (limits.in_flight)")
    }
  }

  func touchShared(_ touch: Request.Touch, _ ns: NamespaceID, _ id: Bytes?, _ session: Session) throws(Refusal) {
    try checkInFlight(id, session)
    let call = SharedCall(session, id, .touch, partCount: 1)
    block(session, id)
    let ticket = cache.touchShared(
      ns, touch.key, Cache.Lifetime(touch.ttl), staleMilliseconds: touch.staleMilliseconds, by: session.caller,
      now: now)
    wait(for: ticket, call)
    answerShared()
    answerWoken()
  }

  private func wait(for ticket: ChangeTicket, _ call: SharedCall, _ place: Int = 0) {
    call.left += 1
    sharedCalls[ticket] = (call, place)
  }

  /// Tells those whose changes the shared tier has, or can't be told of.
  func answerShared() {
    if cache.hasFindings { answerQuestions() }
    guard cache.hasSharedOutcomes else { return }
    for outcome in cache.takeSharedOutcomes() {
      guard let (call, place) = sharedCalls.removeValue(forKey: outcome.ticket) else { continue }
      call.left -= 1
      call.count += outcome.count
      switch outcome.result {
      case .done: break
      case .exists: call.steps[place] = .exists
      case .missing: call.steps[place] = .missing
      case .changed: call.steps[place] = .changed
      case .unavailable: call.isUnavailable = true
      }
      if outcome.isQueued { call.isQueued = true }
      answerIfDone(call)
    }
  }

  private func answerIfDone(_ call: SharedCall) {
    guard call.left == 0, !call.isAnswered else { return }
    call.isAnswered = true
    let session = call.session
    withOptionalBytes(call.id) { unblock(session, $0) }
    if session.isGone { return }
    if call.isUnavailable {
      let refusal = Refusal(
        .tierUnavailable, "Redis did not answer, and what was asked depends on it; whether it was done is not known")
      withOptionalBytes(call.id) { refuse(refusal, $0, session) }
      markDirty(session)
      return sayFarewell(session)
    }
    withOptionalBytes(call.id) { session.output.begin(id: $0) }
    switch call.kind {
    case .delete: session.output.member("deleted", count: call.count)
    case .touch: session.output.member("touched", flag: call.steps.first == .stored)
    case .set(isMany: false): if let step = call.steps.first { write(step, session) }
    case .set(isMany: true):
      session.output.beginItems()
      for step in call.steps {
        session.output.beginObject()
        write(step, session)
        session.output.endObject()
      }
      session.output.endArray()
    }
    if call.isQueued { session.output.queued() }
    session.output.end()
    markDirty(session)
    sayFarewell(session)
  }
}

/// A request whose changes are under way.
final class SharedCall {
  enum Kind {
    case set(isMany: Bool)
    case delete, touch
  }

  let session: Session
  let id: [UInt8]?
  let kind: Kind
  /// Of a set: what each item comes to once all is answered.
  var steps: [Cache.SetStep]
  var left = 0
  var count = 0
  var isQueued = false
  var isUnavailable = false
  var isAnswered = false

  init(_ session: Session, _ id: Bytes?, _ kind: Kind, partCount: Int) {
    self.session = session
    self.id = id.map { Array($0) }
    self.kind = kind
    steps = Array(repeating: .stored, count: partCount)
  }
}

extension Cache.Condition {
  fileprivate var isNone: Bool { if case .none = self { true } else { false } }
}

extension Request.ItemSelection {
  var all: [Request.Item] {
    switch self {
    case .one(let item): [item]
    case .many(let items): items
    }
  }

  var isMany: Bool { if case .many = self { true } else { false } }
}
