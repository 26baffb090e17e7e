// Changes of shared values that depend on what stands: conditional sets and touches. The host reads, decides, and the shared tier
// carries it out only if what was read still stands; else it is read again.

/// What stands in the shared tier under a key, and what a change must find again to be carried out.
package struct SharedInspection: Equatable, Sendable {
  package let read: SharedRead
  /// Of what stands there, whatever it is; empty: nothing does.
  package let front: [UInt8]
  /// Why what stands there is no value; nil: it is one, or nothing stands there, or that isn't known.
  package let fault: String?

  package init(read: SharedRead, front: [UInt8], fault: String? = nil) {
    self.read = read
    self.front = front
    self.fault = fault
  }
}

/// A change that waits for what it depends on.
struct ConditionalChange {
  enum Action {
    case set(KeptValue, Cache.Condition)
    /// The life is the policy's, within its caps, unless it was asked for.
    case touch(key: [UInt8], Cache.Lifetime, staleMilliseconds: Int64?)
  }

  let number: UInt64
  let namespace: NamespaceID
  let action: Action
  let caller: Caller
  let ticket: ChangeTicket
  let deadline: Int64
  /// The change itself has been sent: nobody knows what becomes of it until its reply.
  var isSent = false
  /// Of a touch that was sent: what it made of the value's life.
  var touched: SharedValue?
  /// The number up to which the log must have come before it is read again.
  var awaited: UInt64?
  /// The item of the queue that it was sent behind.
  var aheadSerial: UInt64?
  /// The newest change that took in its key while it was under way.
  var cover: UInt64 = 0

  var key: [UInt8] {
    switch action {
    case .set(let kept, _): kept.key
    case .touch(let key, _, _): key
    }
  }

  var tags: [[UInt8]] {
    switch action {
    case .set(let kept, _): kept.tags
    case .touch: []
    }
  }
}

extension Cache {
  /// A set with a condition, of an admitted value.
  package mutating func setSharedIf(_ id: NamespaceID, _ new: NewValue, by caller: Caller, now: Int64) -> ChangeTicket {
    let kept = kept(id, new, now: now)
    return begin(.set(kept, new.condition), id, caller, now: now)
  }

  package mutating func touchShared(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ asked: Lifetime, staleMilliseconds: Int64?, by caller: Caller,
    now: Int64
  ) -> ChangeTicket {
    begin(.touch(key: Array(key), asked, staleMilliseconds: staleMilliseconds), id, caller, now: now)
  }

  private mutating func begin(
    _ action: ConditionalChange.Action, _ id: NamespaceID, _ caller: Caller, now: Int64
  ) -> ChangeTicket {
    let ticket = openTicket(parts: 1)
    guard let timeout = shared.timeoutMilliseconds else { return ticket }
    let number = shared.changes.nextNumber()
    var change = ConditionalChange(
      number: number, namespace: id, action: action, caller: caller, ticket: ticket, deadline: now + timeout)
    let key = LoadKey(namespace: id, bytes: change.key)
    if shared.isUp { sendAhead(key) }
    let isUnderWay = shared.queue.isUnderWay(key)
    change.aheadSerial = shared.queue[.key(key)]?.serial
    let isMasked = !isUnderWay && shared.queue.masks(key)
    guard shared.isUp, !isMasked, tier.namespaces[id].pointee.policy.mode.stores else {
      settle(ticket, tier.namespaces[id].pointee.policy.mode.stores ? .unavailable : .missing)
      return ticket
    }
    shared.conditional[number] = change
    inspect(change)
    return ticket
  }

  private mutating func inspect(_ change: ConditionalChange) {
    let ns = name(of: change.namespace)
    shared.send(.inspect(number: change.number, ns: ns, key: change.key))
  }

  /// What stands under the key of a conditional change, or of a question.
  package mutating func sharedInspected(_ number: UInt64, _ found: SharedInspection, now: Int64) {
    guard var change = shared.conditional[number] else { return answer(question: number, found) }
    if case .failed = found.read, found.fault == nil { return end(change, .unavailable, now: now) }
    var standing: (value: SharedValue, isFresh: Bool, left: Int64?)?
    if case .value(let value, let left) = found.read {
      let state = shared.standing(value, in: change.namespace)
      let isFresh = state == .fresh && !value.isSoftened && (left.map { $0 > value.staleMilliseconds } ?? true)
      if state != .void { standing = (value, isFresh, left) }
    }
    let seen = shared.seen
    let ns = name(of: change.namespace)
    switch change.action {
    case .set(let kept, let condition):
      if let refused = Self.refusal(condition, standing?.value.version, isFresh: standing?.isFresh ?? false) {
        return end(change, refused, now: now)
      }
      let value = sharedValue(kept)
      shared.send(.setIf(number: number, ns: ns, value, front: found.front, seen: seen))
    case .touch(_, let asked, let stale):
      guard let standing, standing.isFresh else { return end(change, .missing, now: now) }
      let value = touched(standing.value, change.namespace, asked, stale, left: standing.left)
      change.touched = value
      shared.send(.touch(number: number, ns: ns, value, front: found.front, seen: seen))
    }
    change.isSent = true
    shared.conditional[number] = change
  }

  private static func refusal(_ condition: Condition, _ version: UInt64?, isFresh: Bool) -> SharedOutcome.Result? {
    switch condition {
    case .none: nil
    case .absent: isFresh ? .exists : nil
    case .present: isFresh ? nil : .missing
    case .version(let wanted): version == nil ? .missing : version == wanted ? nil : .changed
    }
  }

  private mutating func touched(
    _ value: SharedValue, _ id: NamespaceID, _ asked: Lifetime, _ stale: Int64?, left: Int64?
  ) -> SharedValue {
    var value = value
    let rule = value.key.withUnsafeBytes { tier.namespaces[id].pointee.policy.lifetimes(for: $0) }
    let isNull = value.value.withUnsafeBytes { text in self.isNull(text) }
    let ttl = lifetime(asked, rule, isNull: isNull)
    let whole = (value.ttlMilliseconds ?? 0) + value.staleMilliseconds
    value.ageMilliseconds += max(0, whole - (left ?? whole))
    value.ttlMilliseconds = ttl
    value.staleMilliseconds = ttl == nil ? 0 : stale ?? rule.staleMilliseconds
    return value
  }

  /// What became of a conditional change that was sent. `isDone` false: something else stands there by now, as of `reached`.
  package mutating func sharedReplied(conditional number: UInt64, _ reply: SharedConditionalReply, now: Int64) {
    guard var change = shared.conditional[number] else { return }
    switch reply {
    case .done(let reached):
      shared.conditional[number] = nil
      shared.learn(reached)
      let key = LoadKey(namespace: change.namespace, bytes: change.key)
      if let serial = change.aheadSerial { shared.queue.remove(.key(key), serial: serial) }
      switch change.action {
      // A plain set has come after it.
      case _ where shared.queue.value(key) != nil: break
      case .set(let kept, _) where change.cover <= reached:
        store(kept, change.namespace, reached, change.caller, now: now)
      // What memory has is older, or what was set is; who reads it next gets what stands from there.
      case .set, .touch:
        coverKey(change.namespace, change.key, reached, soft: false, isOwn: true, by: change.caller, now: now)
      }
      settle(change.ticket, .done)
    case .changed(let reached):
      change.isSent = false
      change.awaited = reached
      shared.conditional[number] = change
      resumeConditional()
    case .refused, .lost: end(change, .unavailable, now: now)
    }
  }

  /// Those who waited for the log to come further.
  mutating func resumeConditional() {
    for (number, change) in shared.conditional.sorted(by: { $0.key < $1.key }) {
      guard let awaited = change.awaited, awaited <= shared.seen else { continue }
      shared.conditional[number]?.awaited = nil
      inspect(change)
    }
  }

  /// Over, without a change that anybody knows of. One that was sent may have been carried out: a delete makes sure that nobody goes
  /// by a value which its asker was told nothing of.
  mutating func end(_ change: ConditionalChange, _ result: SharedOutcome.Result, now: Int64) {
    shared.conditional[change.number] = nil
    settle(change.ticket, result)
    guard change.isSent, result == .unavailable, case .set = change.action else { return }
    queueDelete(change.namespace, change.key, change.caller, now: now)
  }

  /// Those that have taken too long; `nil`: all.
  mutating func endConditional(_ now: Int64, until: Int64?) {
    for change in shared.conditional.values where until.map({ change.deadline <= $0 }) ?? true {
      shared.counters.timeouts += until == nil ? 0 : 1
      end(change, .unavailable, now: now)
    }
  }
}

/// What became of a conditional change.
package enum SharedConditionalReply: Equatable, Sendable {
  case done(number: UInt64)
  case changed(number: UInt64)
  case refused
  case lost
}
