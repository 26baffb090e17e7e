// What stands in the shared tier under a key, for `explain`: looked at there, judged as a read would judge it, and kept nowhere.

extension Cache {
  /// Whether memory alone does not explain a key: it has no copy that a reader could be shown.
  package mutating func asksShared(toExplain id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> Bool {
    guard isShared(id) else { return false }
    guard tier.namespaces[id].pointee.policy.tiers.contains(.memory) else { return true }
    let link = tier.find(id, key, tier.keyHash(key))
    return link == 0 || standing(link, id, now: now) == nil
  }

  /// Asks what stands there. The finding comes by `takeFindings`, at once where it can't be asked.
  package mutating func askShared(_ id: NamespaceID, _ key: UnsafeRawBufferPointer, now: Int64) -> QuestionTicket {
    guard let timeout = shared.timeoutMilliseconds else { return 0 }
    let ticket = shared.changes.nextNumber()
    let loadKey = LoadKey(namespace: id, bytes: Array(key))
    if shared.queue.masks(loadKey) {
      shared.questions.answer(ticket, .queued)
    } else if shared.isUp, !shared.questions.isFull {
      shared.questions.ask(QuestionTable.Question(ticket: ticket, key: loadKey, deadline: now + timeout))
      let ns = name(of: id)
      shared.send(.inspect(number: ticket, ns: ns, key: loadKey.bytes))
    } else {
      shared.questions.answer(ticket, .unavailable)
    }
    return ticket
  }

  /// What was found for a question; nobody's, if it has taken too long.
  mutating func answer(question ticket: QuestionTicket, _ found: SharedInspection) {
    guard let question = shared.questions.close(ticket) else { return }
    let finding = finding(found, question.key.namespace)
    shared.questions.answer(ticket, finding)
  }

  private func finding(_ found: SharedInspection, _ id: NamespaceID) -> SharedFinding {
    if let fault = found.fault { return .unusable(fault) }
    switch found.read {
    case .nothing: return .absent
    case .failed: return .unavailable
    case .value(let value, let left):
      let standing = shared.standing(value, in: id)
      if standing == .void { return .void }
      let isOver = left.map { $0 <= value.staleMilliseconds } ?? false
      return .value(value, isStale: standing == .stale || value.isSoftened || isOver, leftMilliseconds: left)
    }
  }

  /// Those that have taken too long by then.
  mutating func endQuestions(_ now: Int64) {
    while let question = shared.questions.closeOverdue(now) {
      shared.counters.timeouts += 1
      shared.questions.answer(question.ticket, .timedOut)
    }
  }

  /// All: nothing will be answered any more.
  mutating func dropQuestions() {
    while let question = shared.questions.closeOverdue(.max) {
      shared.questions.answer(question.ticket, .unavailable)
    }
  }

  package var hasFindings: Bool { mutating get { shared.questions.hasFindings } }

  /// What was found since, each once.
  package mutating func takeFindings() -> [(ticket: QuestionTicket, finding: SharedFinding)] {
    shared.questions.takeFindings()
  }
}

extension SharedValue {
  /// What is left of its freshness, of so much life; nil: it doesn't expire.
  package func freshMilliseconds(left: Int64?) -> Int64? { left.map { max(0, $0 - staleMilliseconds) } }

  /// How old it is when so much of its life is left.
  package func ageMilliseconds(left: Int64?) -> Int64 {
    guard let left, let ttlMilliseconds else { return ageMilliseconds }
    return ageMilliseconds + max(0, ttlMilliseconds + staleMilliseconds - left)
  }
}
