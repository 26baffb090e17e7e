// What this host has changed and could not tell the shared tier yet. Until it is told, what it covers is not read from there.

/// What an item of the queue is about: a newer change of the same takes its place.
enum QueueTarget: Hashable {
  case key(LoadKey)
  case group(NamespaceID, SharedScope)

  var namespace: NamespaceID {
    switch self {
    case .key(let key): key.namespace
    case .group(let id, _): id
    }
  }
}

struct QueueItem {
  enum Action {
    case delete
    case soften(staleMilliseconds: Int64)
    case clear(soft: Bool)
    /// A set that was never sent. `birth`: the newest change known when it was made.
    case set(KeptValue, birth: UInt64)
  }

  let target: QueueTarget
  var action: Action
  let caller: Caller
  /// It has been sent, and not answered.
  var isSent = false
  /// Its place in the order: a newer item for the same is another one.
  fileprivate(set) var serial: UInt64 = 0

  init(target: QueueTarget, action: Action, caller: Caller) {
    self.target = target
    self.action = action
    self.caller = caller
  }
}

struct RecoveryQueue {
  /// Beyond, all that waits of the namespace becomes one clear of it.
  static let maximum = 10_000

  private var items: [QueueTarget: QueueItem] = [:]
  private var order: [(target: QueueTarget, serial: UInt64)] = []
  private var first = 0
  private var lastSerial: UInt64 = 0
  private var groupCounts: [NamespaceID: Int] = [:]

  var count: Int { items.count }
  var isEmpty: Bool { items.isEmpty }

  subscript(target: QueueTarget) -> QueueItem? { items[target] }

  mutating func put(_ item: QueueItem) {
    var item = item
    if items[item.target] == nil, items.count >= Self.maximum {
      let id = item.target.namespace
      for target in items.keys where target.namespace == id { remove(target) }
      item = QueueItem(target: .group(id, .all), action: .clear(soft: false), caller: item.caller)
    }
    if case .group(let id, _) = item.target, items[item.target] == nil { groupCounts[id, default: 0] += 1 }
    lastSerial += 1
    item.serial = lastSerial
    items[item.target] = item
    // At the end, whatever it replaces: a clear takes in what was set before it, and nothing after.
    order.append((item.target, item.serial))
  }

  /// `serial`: only that item, and not a newer one for the same.
  mutating func remove(_ target: QueueTarget, serial: UInt64? = nil) {
    guard let item = items[target], serial == nil || item.serial == serial else { return }
    items[target] = nil
    if case .group(let id, _) = target { groupCounts[id, default: 1] -= 1 }
  }

  /// Whether what the shared tier has of a key may be older than what was answered here.
  func masks(_ key: LoadKey) -> Bool {
    if items.isEmpty { return false }
    return groupCounts[key.namespace] ?? 0 > 0 || groupCounts[.everyNamespace] ?? 0 > 0 || items[.key(key)] != nil
  }

  /// The next to be sent; nil where there is none, or one is under way.
  mutating func takeNext() -> QueueItem? {
    while first < order.count {
      let (target, serial) = order[first]
      guard let item = items[target], item.serial == serial else {
        first += 1
        continue
      }
      if item.isSent { return nil }
      items[target]?.isSent = true
      return item
    }
    order.removeAll()
    first = 0
    return nil
  }

  /// What was under way will not be answered.
  mutating func unsend() {
    for target in items.keys { items[target]?.isSent = false }
  }

  /// Sets become deletes: what was true of their birth isn't any more. `where`: of which.
  mutating func dropValues(where isOld: (LoadKey, KeptValue, _ birth: UInt64) -> Bool) {
    for (target, item) in items {
      if case .set(let kept, let birth) = item.action, case .key(let key) = target, isOld(key, kept, birth) {
        items[target]?.action = .delete
      }
    }
  }
}
