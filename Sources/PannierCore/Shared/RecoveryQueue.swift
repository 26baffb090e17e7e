// What this host has changed and could not tell the shared tier yet, or need not tell it at once. Until it is told, what it covers
// is not read from there.

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
    /// A set that was never sent, or under a guard. `birth`: the newest change known when it was made.
    case set(KeptValue, birth: UInt64)
  }

  let target: QueueTarget
  var action: Action
  let caller: Caller
  /// It has been sent, and not answered.
  var isSent = false
  /// It waits for its batch; nil: it is sent as soon as may be.
  var batch: BatchMark?
  /// Its place in the order: a newer item for the same is another one.
  fileprivate(set) var serial: UInt64 = 0

  init(target: QueueTarget, action: Action, caller: Caller, batch: BatchMark? = nil) {
    self.target = target
    self.action = action
    self.caller = caller
    self.batch = batch
  }
}

struct RecoveryQueue {
  /// Beyond, batches apart, all that waits of the namespace becomes one clear of it.
  static let maximum = 10_000

  private(set) var items: [QueueTarget: QueueItem] = [:]
  private var order: [(target: QueueTarget, serial: UInt64)] = []
  private var first = 0
  private var lastSerial: UInt64 = 0
  private var groupCounts: [NamespaceID: Int] = [:]
  /// Those items that wait for a batch, or were sent with one.
  private(set) var batches = BatchTable()
  /// Nothing is sent before: what was sent last came back with an error.
  var pausedUntil: Int64 = 0
  /// The newest number that an item was given: the next batch is sent when the log has brought it, or its guards would find their own.
  private(set) var awaited: UInt64 = 0
  /// When it was last asked for.
  private var askedAt: Int64 = 0
  /// Nothing waits for its time any more.
  var isDraining = false

  /// Without those that wait for a batch.
  var count: Int { items.count - batches.count }
  var isEmpty: Bool { items.isEmpty }

  subscript(target: QueueTarget) -> QueueItem? { items[target] }

  /// The value that is to be told of a key.
  func value(_ key: LoadKey) -> KeptValue? {
    if items.isEmpty { return nil }
    guard case .set(let kept, _)? = items[.key(key)]?.action else { return nil }
    return kept
  }

  mutating func put(_ item: QueueItem) {
    var item = item
    let id = item.target.namespace
    let isMore = items[item.target].map { $0.batch != nil } ?? true
    if item.batch == nil, isMore, count >= Self.maximum {
      for target in items.keys where target.namespace == id { remove(target) }
      item = QueueItem(target: .group(id, .all), action: .clear(soft: false), caller: item.caller)
    }
    if let old = items[item.target], old.isUnsentValue, item.batch != nil, !hasGroups(id) {
      // The last value in the place of the first: a key that is set again and again is told all the same.
      item.serial = old.serial
      batches.replace(&item, old)
      items[item.target] = item
      return
    }
    remove(item.target)
    if case .group = item.target { groupCounts[id, default: 0] += 1 }
    lastSerial += 1
    item.serial = lastSerial
    items[item.target] = item
    // At the end, whatever it replaces: a clear takes in what was set before it, and nothing after.
    if item.batch == nil { order.append((item.target, item.serial)) } else { batches.add(item) }
  }

  /// `serial`: only that item, and not a newer one for the same.
  mutating func remove(_ target: QueueTarget, serial: UInt64? = nil) {
    guard let item = items[target], serial == nil || item.serial == serial else { return }
    items[target] = nil
    batches.forget(item)
    if case .group(let id, _) = target { groupCounts[id, default: 1] -= 1 }
  }

  private func hasGroups(_ id: NamespaceID) -> Bool {
    groupCounts[id] ?? 0 > 0 || groupCounts[.everyNamespace] ?? 0 > 0
  }

  /// Whether what the shared tier has of a key may be older than what was answered here.
  func masks(_ key: LoadKey) -> Bool {
    if items.isEmpty { return false }
    return hasGroups(key.namespace) || items[.key(key)] != nil
  }

  /// Whether that is so only until what was sent of it is answered: what is asked thereafter is carried out thereafter.
  func isUnderWay(_ key: LoadKey) -> Bool { !hasGroups(key.namespace) && items[.key(key)]?.isSent == true }

  /// The next to be sent, batches apart; nil where there is none, or one is under way.
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

  /// What is to be sent together; nothing while the last batch, or anything that doesn't wait for one, is under way.
  mutating func takeBatch(now: Int64, seen: UInt64) -> [QueueItem] {
    guard first >= order.count, awaited <= seen else { return [] }
    let taken = batches.take(isDraining ? .max : now) { items[$0].standing($1) }
    for item in taken { items[item.target]?.isSent = true }
    return taken
  }

  /// A value whose batch is not awaited, since something else depends on it.
  mutating func takeAhead(_ key: LoadKey) -> QueueItem? {
    guard let item = items[.key(key)], item.isUnsentValue, !hasGroups(key.namespace) else { return nil }
    items[.key(key)]?.isSent = true
    batches.begin(item)
    return item
  }

  /// When `takeNext`, `takeBatch` or `asks` is to be asked again by itself; nil: it isn't.
  func nextSending(seen: UInt64) -> Int64? {
    if first < order.count { return pausedUntil > 0 ? pausedUntil : nil }
    guard let due = batches.nextDue else { return nil }
    let next = max(isDraining ? 0 : due, pausedUntil)
    return awaited > seen ? max(next, askedAt + Self.patienceMilliseconds) : next
  }

  /// How long the log is trusted to bring by itself what is awaited, in milliseconds.
  private static let patienceMilliseconds: Int64 = 100

  mutating func await(_ number: UInt64, now: Int64) {
    awaited = number
    askedAt = now
  }

  /// The log is of another incarnation.
  mutating func awaitNothing() { awaited = 0 }

  /// Whether the log is to be asked for what is awaited, which it should have brought. Then it has been.
  mutating func asks(now: Int64, seen: UInt64) -> Bool {
    guard awaited > seen, let next = nextSending(seen: seen), next <= now else { return false }
    askedAt = now
    return true
  }

  /// It was answered, or never will be: the next batch need not wait for it.
  mutating func answered(isBatched: Bool) {
    if isBatched { batches.end() }
  }

  /// Since when the oldest value waits for its batch, or for what it was sent with; nil: none does.
  mutating func batchedSince() -> Int64? { batches.since { items[$0].standing($1) } }

  /// It is to be sent once more, and not before `time`.
  mutating func unsend(_ target: QueueTarget, serial: UInt64, until time: Int64, isConflict: Bool = false) {
    guard let item = items[target], item.serial == serial, item.isSent else { return }
    items[target]?.isSent = false
    guard item.batch != nil else { return }
    items[target]?.batch?.notBefore = time
    if isConflict { items[target]?.batch?.conflicts += 1 }
    if let item = items[target] { batches.addAgain(item) }
  }

  /// Room is wanted, or isn't any more.
  mutating func hurry(_ id: NamespaceID, _ wanted: Bool) { batches.hurry(id, wanted) }

  /// Sets become deletes: what was true of their birth isn't any more. `where`: of which.
  mutating func dropValues(where isOld: (LoadKey, KeptValue, _ birth: UInt64) -> Bool) {
    let old = items.filter { target, item in
      guard case .set(let kept, let birth) = item.action, case .key(let key) = target else { return false }
      return isOld(key, kept, birth)
    }
    for target in old.keys { items[target]?.action = .delete }
  }

  /// The same for one key.
  mutating func dropValue(_ key: LoadKey, bornBefore number: UInt64) {
    if items.isEmpty { return }
    guard case .set(_, let birth)? = items[.key(key)]?.action, birth < number else { return }
    items[.key(key)]?.action = .delete
  }
}

extension QueueItem? {
  /// The item, if it is that one.
  fileprivate func standing(_ serial: UInt64) -> QueueItem? { self?.serial == serial ? self : nil }
}

extension QueueItem {
  /// A value that waits for its batch.
  var isUnsentValue: Bool {
    guard batch != nil, !isSent, case .set = action else { return false }
    return true
  }
}
