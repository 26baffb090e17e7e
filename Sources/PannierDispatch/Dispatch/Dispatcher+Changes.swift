// set, delete, touch and clear: each is looked at whole before anything changes.

import PannierCore
import PannierWire

extension Dispatcher {
  func set(_ set: Request.Set, _ id: Bytes?, _ session: Session) throws(Refusal) {
    // A namespace is not made for values that it will not have.
    if cache.namespace(set.ns) == nil {
      let policy = policies.policy(for: try allowedName(set.ns))
      try admit(set.items) { cache.admit($0, under: policy) }
    }
    let ns = try namespace(set.ns)
    try admit(set.items) { cache.admit(ns, $0) }
    if cache.isShared(ns) { return try setShared(set, ns, id, session) }
    switch set.items {
    case .one(let item):
      let value = Cache.NewValue(item)
      let step = cache.set(ns, value, by: session.caller, now: now)
      session.output.begin(id: id)
      write(step, session)
      session.output.end()
      // Now, while the value is there for certain.
      answerWoken()
    case .many(let items):
      let values = items.map { Cache.NewValue($0) }
      session.output.begin(id: id)
      session.output.beginItems()
      for value in values {
        let step = cache.set(ns, value, by: session.caller, now: now)
        session.output.beginObject()
        write(step, session)
        session.output.endObject()
      }
      session.output.endArray()
      session.output.end()
      answerWoken()
    }
  }

  @inline(__always)
  private func admit(
    _ items: Request.ItemSelection, _ rejection: (Cache.NewValue) -> Cache.Rejection?
  ) throws(Refusal) {
    switch items {
    case .one(let item):
      let value = Cache.NewValue(item)
      if let found = rejection(value) { throw refusal(found, value, "") }
    case .many(let items):
      for (index, item) in items.enumerated() {
        let value = Cache.NewValue(item)
        if let found = rejection(value) { throw refusal(found, value, "items[\(index)].") }
      }
    }
  }

  @inline(never)
  private func refusal(_ rejection: Cache.Rejection, _ value: Cache.NewValue, _ place: String) -> Refusal {
    let what = "\"\(place)value\" has \(value.value.count) bytes"
    return switch rejection {
    case .largerThanPolicy(let bytes):
      Refusal(.valueTooLarge, "\(what); the namespace's max_value_bytes is \(bytes)")
    case .largerThanRoom(let bytes):
      Refusal(.valueTooLarge, "\(what); max_bytes or memory leaves room for entries of \(max(0, bytes))")
    }
  }

  func write(_ step: Cache.SetStep, _ session: Session) {
    switch step {
    case .stored: session.output.stored()
    case .leaseLost: session.output.notStored("lease_lost")
    case .exists: session.output.notStored("exists")
    case .missing: session.output.notStored("missing")
    case .changed: session.output.notStored("changed")
    case .disabled: session.output.notStored("disabled")
    }
  }

  func delete(_ delete: Request.Delete, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let ns = try changedNamespace(delete.ns)
    var count = 0
    if let ns, cache.isShared(ns) { return try deleteShared(delete, ns, id, session) }
    if let ns {
      for key in distinct(delete) where cache.delete(ns, key, soft: delete.soft, by: session.caller, now: now) {
        count += 1
      }
    }
    session.output.begin(id: id)
    session.output.member("deleted", count: count)
    session.output.end()
    answerWoken()
  }

  /// A key that is named twice counts once. A plain delete finds nothing the second time; a soft one would.
  func distinct(_ delete: Request.Delete) -> [Bytes] {
    let keys = Array(delete.keys.all)
    guard delete.soft, keys.count > 1 else { return keys }
    var seen: Set<[UInt8]> = []
    return keys.filter { seen.insert(Array($0)).inserted }
  }

  func touch(_ touch: Request.Touch, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let ns = try changedNamespace(touch.ns)
    if let ns, cache.isShared(ns) { return try touchShared(touch, ns, id, session) }
    let touched = ns.map { ns in
      cache.touch(
        ns, touch.key, Cache.Lifetime(touch.ttl), staleMilliseconds: touch.staleMilliseconds, by: session.caller,
        now: now)
    }
    session.output.begin(id: id)
    session.output.member("touched", flag: touched ?? false)
    session.output.end()
  }

  func clear(_ clear: Request.Clear, _ id: Bytes?, _ session: Session) throws(Refusal) {
    if id != nil, session.inFlight >= limits.inFlight {
      throw Refusal(.overloaded, "\(session.inFlight) requests are in flight (limits.in_flight)")
    }
    let pattern: Cache.ClearPattern =
      if let glob = try glob(clear.match) { .match(glob) } else if clear.tags.isEmpty { .all } else {
        .tags(clear.tags)
      }
    var namespaces = 0..<cache.namespaceCount
    if let name = clear.ns {
      let ns = try changedNamespace(name, dryRun: clear.dryRun)
      namespaces = ns.map { $0..<$0 + 1 } ?? 0..<0
    }
    let ticket = cache.clear(
      namespaces, pattern, soft: clear.soft, dryRun: clear.dryRun, everywhere: clear.ns == nil, by: session.caller,
      now: now)
    park(ticket, id, session, sample: clear.dryRun)
    // A small cache is walked before its asker is told to wait.
    if cache.needsUpkeep(now: now) { cache.upkeep(entries: Self.sliceEntries, now: now) }
    answerParked()
    answerWoken()
  }

  /// Nil: there is nothing that could change. Where other hosts may have the namespace, it is made: they are to be told.
  func changedNamespace(_ name: Bytes, dryRun: Bool = false) throws(Refusal) -> NamespaceID? {
    if cache.sharedCounters == nil || dryRun { return try knownNamespace(name) }
    return try namespace(name)
  }
}

extension Request.KeySelection {
  var all: [Bytes] {
    switch self {
    case .one(let key): [key]
    case .many(let keys): keys
    }
  }
}

extension Cache.NewValue {
  init(_ item: Request.Item) {
    self.init(
      key: item.key, value: item.value, ttl: Cache.Lifetime(item.ttl), staleMilliseconds: item.staleMilliseconds,
      tags: item.tags, condition: Cache.Condition(item.condition),
      lease: item.lease.map { LeaseToken(text: $0) ?? .none })
  }
}

extension Cache.Lifetime {
  init(_ asked: Request.Lifetime) {
    self =
      switch asked {
      case .policy: .policy
      case .unlimited: .unlimited
      case .milliseconds(let span): .milliseconds(span)
      }
  }
}

extension Cache.Condition {
  init(_ asked: Request.Condition) {
    self =
      switch asked {
      case .none: .none
      case .absent: .absent
      case .present: .present
      case .version(let version): .version(version)
      }
  }
}
