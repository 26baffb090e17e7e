// Changes of what hosts share that were sent and not answered: what they were, and who waits for them.

/// A value that a plain set will store here once it has its number.
struct KeptValue {
  let key: [UInt8]
  let value: [UInt8]
  let tags: [[UInt8]]
  let ttlMilliseconds: Int64?
  let staleMilliseconds: Int64
  let version: UInt64
  let storedAt: Int64
}

struct PendingChange {
  enum Action {
    case set(KeptValue)
    case delete([[UInt8]])
    case soften([[UInt8]], staleMilliseconds: Int64)
    /// `clear`: the ticket under which the walk here is counted.
    case clear(SharedScope, soft: Bool, clear: ClearTicket)
  }

  let number: UInt64
  let namespace: NamespaceID
  let action: Action
  let caller: Caller
  let deadline: Int64
  /// Who is to be told; nil: nobody, it was sent from the queue.
  let ticket: ChangeTicket?
  /// The newest change of others that took in its key since it was sent.
  var cover: UInt64 = 0
  /// Its asker has been told that it waits in the queue.
  var isOverdue = false
  /// The log brought its record before its reply: a clear is under way here, and of keys so many went.
  var isApplied = false
  var countHere = 0
  /// Something newer holds here already: its value is not stored.
  var isEnded = false
  /// The item of the queue that it carries out.
  var item: (target: QueueTarget, serial: UInt64)?
  /// That was sent together with others.
  var isBatched = false

  mutating func raiseCover(_ number: UInt64) { cover = max(cover, number) }
}

/// What an asker's changes have come to so far.
struct ChangeTally {
  var left: Int
  var count = 0
  var isQueued = false
  var result = SharedOutcome.Result.done
}

struct ChangeTable {
  private var changes: [UInt64: PendingChange] = [:]
  /// Those that set a key.
  private var setsOf: [LoadKey: [UInt64]] = [:]
  private var order: [UInt64] = []
  private var first = 0
  private var lastNumber: UInt64 = 0
  private var lastTicket: ChangeTicket = 0

  var count: Int { changes.count }
  var all: [UInt64] { changes.keys.sorted() }

  subscript(number: UInt64) -> PendingChange? { changes[number] }

  mutating func nextTicket() -> ChangeTicket {
    lastTicket += 1
    return lastTicket
  }

  mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  mutating func add(_ change: PendingChange) {
    changes[change.number] = change
    if change.deadline < .max { order.append(change.number) }
    if case .set(let kept) = change.action {
      setsOf[LoadKey(namespace: change.namespace, bytes: kept.key), default: []].append(change.number)
    }
  }

  mutating func close(_ number: UInt64) -> PendingChange? {
    guard let change = changes.removeValue(forKey: number) else { return nil }
    if case .set(let kept) = change.action {
      let key = LoadKey(namespace: change.namespace, bytes: kept.key)
      setsOf[key]?.removeAll { $0 == number }
      if setsOf[key]?.isEmpty == true { setsOf[key] = nil }
    }
    trim()
    return change
  }

  /// A change of another's took in the key.
  mutating func cover(_ key: LoadKey, _ number: UInt64) {
    for change in setsOf[key] ?? [] { changes[change]?.raiseCover(number) }
  }

  /// Its record has come.
  mutating func apply(_ number: UInt64, countHere: Int) {
    changes[number]?.isApplied = true
    changes[number]?.countHere = countHere
  }

  mutating func cover(_ id: NamespaceID, _ number: UInt64, where takesIn: (KeptValue) -> Bool) {
    for (other, change) in changes where change.namespace == id {
      if case .set(let kept) = change.action, takesIn(kept) { changes[other]?.raiseCover(number) }
    }
  }

  /// Something newer of this host's holds already, told to the shared tier or not.
  mutating func end(_ key: LoadKey) {
    for change in setsOf[key] ?? [] { changes[change]?.isEnded = true }
  }

  mutating func end(_ id: NamespaceID, where takesIn: (KeptValue) -> Bool) {
    for (other, change) in changes where change.namespace == id {
      if case .set(let kept) = change.action, takesIn(kept) { changes[other]?.isEnded = true }
    }
  }

  // MARK: Time

  var nextDeadline: Int64? { first < order.count ? changes[order[first]]?.deadline : nil }

  /// The next that has taken too long: it stays, for its reply may come.
  mutating func takeOverdue(_ now: Int64) -> PendingChange? {
    guard first < order.count, let change = changes[order[first]], change.deadline <= now else { return nil }
    changes[change.number]?.isOverdue = true
    trim()
    return change
  }

  private mutating func trim() {
    while first < order.count, changes[order[first]]?.isOverdue ?? true { first += 1 }
    if first * 2 >= order.count {
      order.removeFirst(first)
      first = 0
    }
  }
}
