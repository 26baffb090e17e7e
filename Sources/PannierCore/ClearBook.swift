// Clears as those who asked for them see them: one ticket however many namespaces, and a memory of the latest for `explain`.
// It knows no entries.

package struct ClearBook: Sendable {
  /// How many clears are remembered by what they named: as many as an operator would go back through.
  private static let remembered = 256

  /// A clear that took something.
  package struct Record: Sendable {
    package let scope: Event.Scope
    package let pid: Int32
  }

  /// What a clear came to.
  package struct Outcome: Sendable {
    package let ticket: ClearTicket
    /// Other hosts are told of it later.
    package var isQueued = false
    package var count = 0
    package var sample: [[UInt8]] = []
  }

  /// The most keys of a dry run's sample, from all namespaces together.
  private static let sampleSize = 10

  private struct Unanswered {
    var outcome: Outcome
    var walks = 0
    /// Namespaces whose part the shared tier has still to number.
    var awaited = 0
    /// All its namespaces have joined.
    var isSealed = false
    /// Nobody waits for its answer.
    var isAbandoned = false
  }

  private var lastTicket: ClearTicket = 0
  private var unanswered: [ClearTicket: Unanswered] = [:]
  private var finished: [Outcome] = []
  private var lastNumber: UInt32 = 0
  private var records: [UInt32: Record] = [:]
  /// Namespaces with a walk under way.
  private(set) var walking: [NamespaceID] = []

  package init() {}

  mutating func open() -> ClearTicket {
    lastTicket += 1
    unanswered[lastTicket] = Unanswered(outcome: Outcome(ticket: lastTicket))
    return lastTicket
  }

  mutating func join(_ ticket: ClearTicket, _ id: NamespaceID) {
    unanswered[ticket]?.walks += 1
    if !walking.contains(id) { walking.append(id) }
  }

  /// A namespace will join once the shared tier has answered.
  mutating func await(_ ticket: ClearTicket) { unanswered[ticket]?.awaited += 1 }

  /// It has, or can't be reached.
  mutating func settle(_ ticket: ClearTicket, isQueued: Bool) {
    unanswered[ticket]?.awaited -= 1
    if isQueued { unanswered[ticket]?.outcome.isQueued = true }
    close(ticket)
  }

  mutating func seal(_ ticket: ClearTicket) {
    unanswered[ticket]?.isSealed = true
    close(ticket)
  }

  /// All its namespaces have joined, and nobody waits for its answer.
  mutating func abandon(_ ticket: ClearTicket) {
    unanswered[ticket]?.isAbandoned = true
    seal(ticket)
  }

  /// Whether somebody asked for this clear: what a namespace frees that is switched off, nobody did.
  func isAwaited(_ ticket: ClearTicket) -> Bool { unanswered[ticket].map { !$0.isAbandoned } ?? false }

  /// One namespace's walk is over for this clear.
  mutating func leave(_ clear: PendingClear) {
    unanswered[clear.ticket]?.walks -= 1
    unanswered[clear.ticket]?.outcome.count += clear.count
    let room = Self.sampleSize - (unanswered[clear.ticket]?.outcome.sample.count ?? 0)
    unanswered[clear.ticket]?.outcome.sample += clear.sample.prefix(max(0, room))
    close(clear.ticket)
  }

  /// The namespace whose turn it is, and the next one's turn after.
  mutating func rotate() -> NamespaceID? {
    guard let id = walking.first else { return nil }
    walking.removeFirst()
    walking.append(id)
    return id
  }

  mutating func endWalk(_ id: NamespaceID) { walking.removeAll { $0 == id } }

  mutating func takeFinished() -> [Outcome] {
    if finished.isEmpty { return [] }
    defer { finished.removeAll() }
    return finished
  }

  private mutating func close(_ ticket: ClearTicket) {
    guard let closing = unanswered[ticket], closing.isSealed, closing.walks == 0, closing.awaited == 0 else { return }
    unanswered[ticket] = nil
    if !closing.isAbandoned { finished.append(closing.outcome) }
  }

  // MARK: Memory

  /// The number under which keys that go remember it.
  mutating func remember(_ scope: Event.Scope, _ caller: Caller) -> UInt32 {
    lastNumber = lastNumber == .max ? 1 : lastNumber + 1
    records[lastNumber] = Record(scope: scope, pid: caller.pid)
    if lastNumber > UInt32(Self.remembered) { records[lastNumber - UInt32(Self.remembered)] = nil }
    return lastNumber
  }

  func record(_ number: UInt32) -> Record? { records[number] }
}
