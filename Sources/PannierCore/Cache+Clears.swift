// A clear: in force at once for whoever reads, and then walked through in slices. How a slice is walked is `PendingClears`' and
// the upkeep's.

extension Cache {
  /// What a clear takes in.
  package enum ClearPattern {
    case all
    case match(Glob)
    case tags([UnsafeRawBufferPointer])
  }

  /// Clears one namespace, or all (`everywhere`: those too that other hosts alone use); in force when this returns. The count comes with `takeFinishedClears`, once the walk is over.
  package mutating func clear(
    _ namespaces: Range<NamespaceID>, _ pattern: ClearPattern, soft: Bool, dryRun: Bool, everywhere: Bool = false,
    by caller: Caller, now: Int64
  ) -> ClearTicket {
    let ticket = clears.open()
    if shared.isPresent, everywhere, !dryRun {
      clearShared(.everyNamespace, sharedScope(pattern), soft: soft, clear: ticket, by: caller, now: now)
    }
    for id in namespaces {
      if !dryRun, isShared(id) {
        if everywhere { continue }
        clearShared(id, sharedScope(pattern), soft: soft, clear: ticket, by: caller, now: now)
        continue
      }
      if !dryRun {
        let namespace = tier.namespaces[id]
        namespace.pointee.counters.clears += 1
        record(.clear(scope(pattern), soft: soft), id, by: caller)
      }
      clear(id, pattern, soft, dryRun, ticket, caller, now)
    }
    clears.seal(ticket)
    // Of what is shared they end with its number.
    if !dryRun {
      for id in namespaces where !isShared(id) { invalidateLoads(id..<id + 1, pattern, now: now) }
    }
    return ticket
  }

  /// `bornBefore`: only what reflects an older change of the shared tier.
  mutating func clear(
    _ id: NamespaceID, _ asked: ClearPattern, _ soft: Bool, _ dryRun: Bool, _ ticket: ClearTicket, _ caller: Caller,
    bornBefore: UInt64 = .max, _ now: Int64
  ) {
    let namespace = tier.namespaces[id]
    // Where nothing bears the tags, or nothing is stored, there is nothing to walk.
    guard namespace.pointee.table.count > 0, let pattern = pattern(asked, id, widens: !dryRun) else { return }
    clears.join(ticket, id)
    namespace.pointee.pending.add(
      PendingClear(
        number: clears.remember(scope(asked), caller), ticket: ticket, pattern: pattern, soft: soft, dryRun: dryRun,
        policy: namespace.pointee.policy, sequence: dryRun ? sequence + 1 : sequence, bornBefore: bornBefore, at: now,
        start: namespace.pointee.pending.cursor))
  }

  /// Nil: no entry can be taken in.
  private mutating func pattern(_ asked: ClearPattern, _ id: NamespaceID, widens: Bool) -> PendingClear.Pattern? {
    let namespace = tier.namespaces[id]
    switch asked {
    case .all: return .all
    case .match(let glob):
      let pending = namespace.pointee.pending
      guard widens, pending.differentMatches >= PendingClears.maximumMatches, !pending.hasMatch(glob) else {
        return .match(glob)
      }
      namespace.pointee.counters.clearsWidened += 1
      return .all
    case .tags(let texts):
      let links = texts.map { namespace.pointee.tags.find($0, in: tier.arena, tier.keyHash) ?? 0 }
      // Held until the clear is over, so that their links stay theirs.
      for link in links where link != 0 { namespace.pointee.tags.retain(link, in: tier.arena) }
      return links.contains { $0 != 0 } ? .tags(links) : nil
    }
  }

  private func sharedScope(_ pattern: ClearPattern) -> SharedScope {
    switch pattern {
    case .all: .all
    case .match(let glob): .match(glob.pattern)
    case .tags(let tags): .tags(tags.map { Array($0) })
    }
  }

  func scope(_ pattern: ClearPattern) -> Event.Scope {
    switch pattern {
    case .all: .all
    case .match(let glob): .match(glob.pattern)
    case .tags(let tags): .tags(tags.map { Array($0) })
    }
  }
}
