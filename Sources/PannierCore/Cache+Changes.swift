// Everything that changes what readers see: set, delete, touch and a policy; a clear is `Cache+Clears`. Each passes through `record`, before it is answered.

extension Cache {
  /// A change, as whoever must know of every change is told it.
  enum Change {
    /// `lease`: the one that it fills; nil for a plain set.
    case set(key: UnsafeRawBufferPointer, ttlMilliseconds: Int64?, size: Int, lease: Lease?)
    case delete(key: UnsafeRawBufferPointer, soft: Bool)
    case touch(key: UnsafeRawBufferPointer)
    case clear(Event.Scope, soft: Bool)
  }

  /// The one place that every change passes, before its answer: gives it its number, and tells those who watch.
  @discardableResult
  mutating func record(_ change: Change, _ id: NamespaceID, by caller: Caller) -> UInt64 {
    sequence += 1
    switch change {
    case .set(let key, let ttl, let size, let lease):
      let kind = lease == nil ? EventKind.set : .fill
      tier.events.append(
        Event(
          kind: kind, namespace: id, scope: .key(Array(key)), pid: caller.pid, ttlMilliseconds: ttl, size: size,
          grantedAt: lease?.grantedAt), kind)
    case .delete(let key, let soft):
      tier.events.append(
        Event(kind: .delete, namespace: id, scope: .key(Array(key)), pid: caller.pid, soft: soft), .delete)
    case .touch: break
    case .clear(let scope, let soft):
      tier.events.append(Event(kind: .clear, namespace: id, scope: scope, pid: caller.pid, soft: soft), .clear)
    }
    return sequence
  }

  // MARK: set

  /// What a request says of a value's life.
  package enum Lifetime {
    case policy
    case unlimited
    case milliseconds(Int64)
  }

  package enum Condition {
    case none
    case absent
    case present
    case version(UInt64)
  }

  /// A value to be stored.
  package struct NewValue {
    package let key: UnsafeRawBufferPointer
    package let value: UnsafeRawBufferPointer
    package let ttl: Lifetime
    /// Nil: the policy's.
    package let staleMilliseconds: Int64?
    package let tags: [UnsafeRawBufferPointer]
    package let condition: Condition
    /// What was loaded under it; nil: a plain set.
    package let lease: LeaseToken?

    package init(
      key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, ttl: Lifetime = .policy,
      staleMilliseconds: Int64? = nil,
      tags: [UnsafeRawBufferPointer] = [], condition: Condition = .none, lease: LeaseToken? = nil
    ) {
      self.key = key
      self.value = value
      self.ttl = ttl
      self.staleMilliseconds = staleMilliseconds
      self.tags = tags
      self.condition = condition
      self.lease = lease
    }
  }

  package enum SetStep: Equatable {
    case stored
    case leaseLost, exists, missing, changed, disabled
  }

  /// Why a value can't be stored at all, whatever else is in the cache.
  package enum Rejection: Equatable {
    case largerThanPolicy(bytes: Int)
    case largerThanRoom(bytes: Int)
  }

  /// Looks at a value before anything is changed.
  package func admit(_ id: NamespaceID, _ new: NewValue) -> Rejection? {
    admit(new, under: tier.namespaces[id].pointee.policy)
  }

  /// The same for a namespace that doesn't exist yet.
  package func admit(_ new: NewValue, under policy: borrowing Policy) -> Rejection? {
    let most = policy.maxValueBytes
    if new.value.count > most { return .largerThanPolicy(bytes: most) }
    // As large as its life may make it.
    let content = Entry.Content(key: new.key, value: new.value, tags: new.tags.map { _ in 0 }, staleMilliseconds: 1)
    let cost = new.tags.reduce(MemoryTier.cost(of: content)) { $0 + Tags.cost(of: $1) }
    let room = tier.room(under: policy)
    return cost > room ? .largerThanRoom(bytes: room) : nil
  }

  /// Stores a value that was admitted.
  package mutating func set(_ id: NamespaceID, _ new: NewValue, by caller: Caller, now: Int64) -> SetStep {
    let hash = tier.keyHash(new.key)
    let namespace = tier.namespaces[id]
    guard namespace.pointee.policy.mode.stores else {
      // What it would have replaced must not come back when the namespace serves again.
      if case .none = new.condition, new.lease == nil { _ = remove(id, new.key, by: caller, now: now) }
      return .disabled
    }
    var lease: Lease?
    if let token = new.lease {
      lease = fillable(id, new.key, token, new.tags, now: now)
      guard lease != nil else {
        namespace.pointee.counters.leases.lost += 1
        return .leaseLost
      }
    }
    var link = tier.find(id, new.key, hash)
    let life = link == 0 ? nil : standing(link, id, now: now)
    if life == nil { link = 0 }
    if let refused = refusal(new.condition, link, life, now: now) { return refused }
    let rule = namespace.pointee.policy.lifetimes(for: new.key)
    let ttl = lifetime(new.ttl, rule, isNull: isNull(new.value))
    if link != 0 { tier.remove(link, .replaced, now: now) }
    let version = record(
      .set(key: new.key, ttlMilliseconds: ttl, size: new.value.count, lease: lease), id, by: caller)
    let stale = ttl == nil ? 0 : new.staleMilliseconds ?? rule.staleMilliseconds
    let mark = lease.flatMap { sharedMark(of: $0, id) }
    let memory = mark == nil ? Entry.never : rule.memoryTTLMilliseconds ?? Entry.never
    let content = Entry.Content(
      key: new.key, value: new.value, staleMilliseconds: stale,
      freshUntil: min(ttl.map { now + $0 } ?? Entry.never, now + memory), storedAt: now, version: version, shared: mark,
      namespace: id,
      filler: tier.fillers.retain(caller))
    namespace.pointee.counters.sets &+= 1
    if tier.insert(content, tags: new.tags, hash, now: now) == nil { tier.evictAtOnce(content, hash, now: now) }
    if let mark { sendFill(id, new, ttl: ttl, stale: stale, mark, under: lease) }
    fulfil(id, new.key, isFill: lease != nil, now: now)
    return .stored
  }

  private func refusal(_ condition: Condition, _ link: Link, _ life: Life?, now: Int64) -> SetStep? {
    let isFresh = life.map { now < $0.freshUntil } ?? false
    switch condition {
    case .none: return nil
    case .absent: return isFresh ? .exists : nil
    case .present: return isFresh ? nil : .missing
    case .version(let version):
      guard link != 0 else { return .missing }
      return tier.entry(link).publicVersion == version ? nil : .changed
    }
  }

  /// How long a value is fresh, in milliseconds: what was asked, within the policy's caps, shortened by its jitter. Nil: it doesn't expire.
  mutating func lifetime(_ asked: Lifetime, _ rule: Lifetimes, isNull: Bool) -> Int64? {
    var ttl =
      switch asked {
      case .policy: rule.ttlMilliseconds
      case .unlimited: Int64?.none
      case .milliseconds(let span): span
      }
    if let most = rule.maxTTLMilliseconds { ttl = min(ttl ?? most, most) }
    if isNull, let most = rule.negativeTTLMilliseconds { ttl = min(ttl ?? most, most) }
    guard let span = ttl, rule.jitter > 0 else { return ttl }
    // Only ever shortened, and never to nothing.
    return max(1, span - Int64(Double(span) * rule.jitter * Double.random(in: 0...1, using: &random)))
  }

  func isNull(_ value: UnsafeRawBufferPointer) -> Bool { value.count == 4 && value[0] == UInt8(ascii: "n") }

  // MARK: delete

  /// Removes a value, or ends its freshness. Whether a reader could have seen it until now.
  package mutating func delete(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, soft: Bool, by caller: Caller, now: Int64
  ) -> Bool {
    let namespace = tier.namespaces[id]
    let stale = soft ? namespace.pointee.policy.lifetimes(for: key).staleMilliseconds : 0
    invalidateLoad(id, key, now: now)
    if stale == 0 {
      let wasThere = remove(id, key, by: caller, now: now)
      if wasThere { namespace.pointee.counters.deletes &+= 1 }
      return wasThere
    }
    let link = tier.find(id, key, tier.keyHash(key))
    guard link != 0, let life = standing(link, id, now: now) else { return false }
    record(.delete(key: key, soft: true), id, by: caller)
    tier.soften(link, end: min(life.end, now + stale))
    namespace.pointee.counters.deletes &+= 1
    return true
  }

  private mutating func remove(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, by caller: Caller, now: Int64
  ) -> Bool {
    let link = tier.find(id, key, tier.keyHash(key))
    guard link != 0, standing(link, id, now: now) != nil else { return false }
    record(.delete(key: key, soft: false), id, by: caller)
    tier.remove(link, .deleted(pid: caller.pid), now: now)
    return true
  }

  // MARK: touch

  /// Starts the life of a fresh value anew. False where there is none.
  package mutating func touch(
    _ id: NamespaceID, _ key: UnsafeRawBufferPointer, _ asked: Lifetime, staleMilliseconds: Int64?, by caller: Caller,
    now: Int64
  ) -> Bool {
    let namespace = tier.namespaces[id]
    guard namespace.pointee.policy.mode.stores else { return false }
    let hash = tier.keyHash(key)
    let link = tier.find(id, key, hash)
    guard link != 0, let life = standing(link, id, now: now), now < life.freshUntil else { return false }
    let entry = tier.entry(link)
    let rule = namespace.pointee.policy.lifetimes(for: key)
    let ttl = lifetime(asked, rule, isNull: isNull(entry.value))
    let stale = ttl == nil ? 0 : staleMilliseconds ?? rule.staleMilliseconds
    let freshUntil = ttl.map { now + $0 } ?? Entry.never
    record(.touch(key: key), id, by: caller)
    namespace.pointee.recency.hit(link, in: tier.arena)
    if tier.renew(link, freshUntil: freshUntil, staleMilliseconds: stale) { return true }
    return rebuild(link, hash, freshUntil: freshUntil, staleMilliseconds: stale, now: now)
  }

  /// The entry once more, with a place for its stale span. Its key and value are copied first: what makes room may be itself.
  private mutating func rebuild(
    _ link: Link, _ hash: UInt64, freshUntil: Int64, staleMilliseconds: Int64, now: Int64
  ) -> Bool {
    let entry = tier.entry(link)
    let key = Array(entry.key)
    let value = Array(entry.value)
    let tags = entry.tags.map { Array(Tags.text($0, in: tier.arena)) }
    let filler = tier.fillers.caller(entry.filler)
    var content = Entry.Content(
      key: entry.key, value: entry.value, staleMilliseconds: staleMilliseconds, freshUntil: freshUntil,
      storedAt: entry.storedAt, version: entry.version, shared: entry.sharedMark, namespace: entry.namespace)
    tier.remove(link, .rebuilt, now: now)
    content.filler = filler.map { tier.fillers.retain($0) } ?? 0
    return key.withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        content.key = key
        content.value = value
        return withBorrowed(tags) { tier.insert(content, tags: $0, hash, now: now) != nil }
      }
    }
  }

  // MARK: policy

  /// What is asked or stored from now on is under `policy`; what is over its bounds goes in slices.
  package mutating func setPolicy(_ policy: Policy, of id: NamespaceID, by caller: Caller, now: Int64) {
    let namespace = tier.namespaces[id]
    let wasOff = namespace.pointee.policy.mode == .off
    let wasShared = isShared(id)
    namespace.pointee.policy = policy
    // What it held to itself says nothing of what is shared, and the other way round.
    if isShared(id) != wasShared { dropAll(id, now: now) }
    beginSharing(id)
    admitWaiting(now: now)
    // Who waits is told that nothing is stored any more.
    if !policy.mode.stores, !loads.isEmpty {
      sequence += 1
      invalidateLoads(id..<id + 1, .all, now: now)
    }
    tier.noteBounds(id)
    if policy.mode == .off, !wasOff {
      // The memory is freed as a clear frees it, without being one that anybody asked for.
      sequence += 1
      let ticket = clears.open()
      clear(id, .all, false, false, ticket, caller, now)
      clears.abandon(ticket)
    }
    tier.events.append(Event(kind: .policy, namespace: id, scope: .all, pid: caller.pid), .policy)
  }
}
