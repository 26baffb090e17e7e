// What is left of the queue when the process ends, and how it is taken up again at the next start. Where it is kept meanwhile is
// the shell's matter.

/// A change that the shared tier was not told of. A value isn't kept: whoever was told of its key as of a delete loads it anew.
package struct LeftChange: Equatable, Sendable {
  package enum Scope: Equatable, Sendable {
    case key([UInt8])
    case all
    case match([UInt8])
    case tags([[UInt8]])
  }

  /// Empty: every namespace.
  package let ns: [UInt8]
  package let scope: Scope
  package let soft: Bool

  package init(ns: [UInt8], scope: Scope, soft: Bool) {
    self.ns = ns
    self.scope = scope
    self.soft = soft
  }
}

extension Cache {
  /// In the order in which they came.
  package var leftChanges: [LeftChange] {
    let items = shared.queue.items.values.sorted { $0.serial < $1.serial }
    return items.compactMap { item in
      let ns = sharedName(item.target.namespace)
      switch (item.target, item.action) {
      case (.group(_, let scope), let action):
        var isSoft = false
        if case .clear(soft: true) = action { isSoft = true }
        return LeftChange.Scope(scope).map { LeftChange(ns: ns, scope: $0, soft: isSoft) }
      case (.key(let key), .soften): return LeftChange(ns: ns, scope: .key(key.bytes), soft: true)
      case (.key(let key), _): return LeftChange(ns: ns, scope: .key(key.bytes), soft: false)
      }
    }
  }

  /// At the start, before anything is read: it waits to be told, as it did before. `policy`: its namespace's, where that is to be
  /// made; false: it can't be.
  package mutating func restore(_ change: LeftChange, policy: Policy) -> Bool {
    guard shared.isPresent else { return false }
    var id = NamespaceID.everyNamespace
    if !change.ns.isEmpty {
      let found = change.ns.withUnsafeBytes { namespace($0) ?? addNamespace($0, policy: policy) }
      guard let found else { return false }
      id = found
    }
    shared.counters.queued += 1
    switch change.scope {
    case .key(let key):
      let rule = key.withUnsafeBytes { tier.namespaces[id].pointee.policy.lifetimes(for: $0) }
      let isSoft = change.soft && rule.staleMilliseconds > 0
      put(
        .key(LoadKey(namespace: id, bytes: key)),
        isSoft ? .soften(staleMilliseconds: rule.staleMilliseconds) : .delete, .elsewhere)
    case .all: put(.group(id, .all), .clear(soft: change.soft), .elsewhere)
    case .match(let pattern): put(.group(id, .match(pattern)), .clear(soft: change.soft), .elsewhere)
    case .tags(let tags): put(.group(id, .tags(tags)), .clear(soft: change.soft), .elsewhere)
    }
    return true
  }
}

extension LeftChange.Scope {
  fileprivate init?(_ scope: SharedScope) {
    switch scope {
    case .keys: return nil
    case .all: self = .all
    case .match(let pattern): self = .match(pattern)
    case .tags(let tags): self = .tags(tags)
    }
  }
}
