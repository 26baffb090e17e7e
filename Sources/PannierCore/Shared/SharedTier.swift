// The tier that hosts share, as the cache knows it: how far this host has followed its log, what is under way, what waits to be
// told. It decides by numbers alone; what carries commands there and replies back is the shell's.

/// Numbers are those of the shared log: each change has one, without holes, and their order is the order of changes.
struct SharedTier: ~Copyable {
  enum Link { case down, up }

  /// How long a read or a change may take before its asker is answered without it, in milliseconds; nil: there is no such tier.
  let timeoutMilliseconds: Int64?
  var link = Link.down
  /// The log's incarnation, and the oldest whose values still hold. Zero: none was joined yet.
  var incarnation: UInt64 = 0
  var base: UInt64 = 0
  /// The last number applied without holes; only the log moves it.
  var seen: UInt64 = 0
  /// The newest number learnt in any way.
  var known: UInt64 = 0
  /// The log can't be followed from where this host is: what it holds is dropped, and the next join says where it goes on.
  var isLost = true
  /// Until when memory may be shown without proof, where that is wanted; nil: it may not.
  var provenUntil: Int64?
  var groups: [NamespaceID: GroupTable] = [:]
  var flights = FlightTable()
  var claims = ClaimTable()
  var changes = ChangeTable()
  var queue = RecoveryQueue()
  var waiting = WaitingSets()
  /// Changes that depend on what stands, by their numbers.
  var conditional: [UInt64: ConditionalChange] = [:]
  var questions = QuestionTable()
  /// Askers whose changes are not all answered.
  var tallies: [ChangeTicket: ChangeTally] = [:]
  /// Clears of groups that were applied with their reply, and whose record the log has still to bring.
  var appliedGroups: Set<UInt64> = []
  var counters = SharedCounters()
  private var outbox: [SharedCommand] = []
  private var settled: [SharedOutcome] = []

  init(timeoutMilliseconds: Int64?) { self.timeoutMilliseconds = timeoutMilliseconds }

  var isPresent: Bool { timeoutMilliseconds != nil }
  var isUp: Bool { link == .up }

  /// When the first read or change has taken too long; nil where none is under way.
  var nextDeadline: Int64? {
    var next = flights.nextDeadline ?? .max
    next = min(next, changes.nextDeadline ?? .max, provenUntil ?? .max)
    next = min(next, questions.nextDeadline ?? .max)
    for change in conditional.values { next = min(next, change.deadline) }
    if isUp, let due = queue.nextSending(seen: seen) { next = min(next, due) }
    next = min(next, waiting.nextDeadline ?? .max)
    return next == .max ? nil : next
  }

  mutating func learn(_ number: UInt64) { known = max(known, number) }

  /// A change took in the keys of conditional ones that are under way.
  mutating func coverConditional(_ id: NamespaceID, _ record: UInt64, where takesIn: (ConditionalChange) -> Bool) {
    for (number, change) in conditional where change.namespace == id && takesIn(change) {
      conditional[number]?.cover = max(change.cover, record)
    }
  }

  // MARK: Out

  mutating func send(_ command: SharedCommand) { outbox.append(command) }

  var hasCommands: Bool { !outbox.isEmpty }

  mutating func takeCommands() -> [SharedCommand] {
    defer { outbox.removeAll(keepingCapacity: true) }
    return outbox
  }

  mutating func settle(_ outcome: SharedOutcome) { settled.append(outcome) }

  var hasSettled: Bool { !settled.isEmpty }

  mutating func takeSettled() -> [SharedOutcome] {
    defer { settled.removeAll(keepingCapacity: true) }
    return settled
  }

  // MARK: What is void

  /// The newest clears that take in a value.
  func bounds(of key: UnsafeRawBufferPointer, tags: [[UInt8]], in id: NamespaceID) -> ClearBounds {
    var bounds = groups[id]?.bounds(of: key, tags: tags) ?? ClearBounds()
    if let all = groups[.everyNamespace] { bounds.raise(all.bounds(of: key, tags: tags)) }
    return bounds
  }

  /// What became of a value that was read, by the clears known here.
  enum Standing { case void, stale, fresh }

  func standing(_ value: SharedValue, in id: NamespaceID) -> Standing {
    standing(value.key, tags: value.tags, birth: value.birth, in: id)
  }

  func standing(_ key: [UInt8], tags: [[UInt8]], birth: Birth, in id: NamespaceID) -> Standing {
    if birth.incarnation < base { return .void }
    let bounds = key.withUnsafeBytes { key in self.bounds(of: key, tags: tags, in: id) }
    if bounds.hard > birth.number { return .void }
    return bounds.soft > birth.number ? .stale : .fresh
  }
}

/// What the shared tier came to, since the process began.
package struct SharedCounters: Sendable {
  /// Reads that found a value, and that found none.
  package var hits = 0
  package var misses = 0
  /// Values found void: older than a clear, or than a change that came in between.
  package var voids = 0
  package var timeouts = 0
  /// Reads that were not sent, since too many were under way.
  package var shed = 0
  /// Records of the log that were applied, and times that it could not be followed.
  package var records = 0
  package var gaps = 0
  /// Changes that were queued, and those sent on from the queue.
  package var queued = 0
  package var replayed = 0
  /// Sets by write-behind that Redis was told of, and that it was to be told of again since something else had changed meanwhile.
  package var behindSent = 0
  package var behindConflicts = 0

  package init() {}
}
