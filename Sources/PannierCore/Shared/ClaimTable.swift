// Claims of loads that are under way: who asked, and what was answered. What follows from an answer is the cache's matter.

/// What the shared tier says of a claim.
package enum SharedClaimReply: Equatable, Sendable {
  case won
  /// Another host has it, for so long at most.
  case elsewhere(leftMilliseconds: Int64)
  /// Nobody is elected for so long, after a load that failed or whose result isn't to be stored.
  case paused(PauseReason, leftMilliseconds: Int64)
  /// No answer.
  case unknown
}

struct OpenClaim {
  let number: UInt64
  let key: LoadKey
  let owner: OwnerID
  /// Nil: who asked is gone.
  var ticket: WaitTicket?
  /// What its lease is to have.
  let token: LeaseToken
  let askedAt: Int64
  /// The read that was sent behind it.
  var flight: UInt64 = 0
  var reply: SharedClaimReply?
  /// The last record when it was answered.
  var repliedAt: UInt64 = 0
  /// The newest records that were applied since it was sent: of a change of its key, which ends any host's lease of it; and of whatever
  /// else may have ended another host's lease, or a pause.
  fileprivate(set) var changedAt: UInt64 = 0
  fileprivate(set) var endedAt: UInt64 = 0

  /// What was answered does not hold any more, and what would tell so has come before it.
  var isOvertaken: Bool {
    switch reply {
    case .won: changedAt > repliedAt
    case .elsewhere, .paused: max(changedAt, endedAt) > repliedAt
    case nil, .unknown: false
    }
  }
}

struct ClaimTable {
  /// The most that may be open: as many as reads.
  static let maximum = FlightTable.maximum

  private var open: [UInt64: OpenClaim] = [:]
  private var numberOfFlight: [UInt64: UInt64] = [:]
  private var numberOfTicket: [WaitTicket: UInt64] = [:]
  /// A key has one at most.
  private var numberOfKey: [LoadKey: UInt64] = [:]
  /// Not answered, and nobody waits for them any more.
  private var late: [UInt64: OpenClaim] = [:]
  /// What the shared tier may have, and can't be told that nobody loads. Beyond the most they are left to their time.
  private var owed: [(token: LeaseToken, key: LoadKey)] = []

  var isFull: Bool { open.count + late.count >= Self.maximum }

  mutating func add(_ claim: OpenClaim) {
    open[claim.number] = claim
    numberOfFlight[claim.flight] = claim.number
    numberOfKey[claim.key] = claim.number
    if let ticket = claim.ticket { numberOfTicket[ticket] = claim.number }
  }

  /// False: it isn't known.
  mutating func answer(_ number: UInt64, _ reply: SharedClaimReply, at repliedAt: UInt64) -> Bool {
    if open[number] == nil { return late[number] != nil }
    open[number]?.reply = reply
    open[number]?.repliedAt = repliedAt
    return true
  }

  // MARK: Records that come meanwhile

  /// A change took in the key.
  mutating func change(_ key: LoadKey, _ record: UInt64) {
    guard !open.isEmpty, let number = numberOfKey[key], let before = open[number]?.changedAt else { return }
    open[number]?.changedAt = max(before, record)
  }

  /// Another host has ended its load of the key.
  mutating func end(_ key: LoadKey, _ record: UInt64) {
    guard !open.isEmpty, let number = numberOfKey[key] else { return }
    end(number, record)
  }

  /// Something of the namespace was cleared.
  mutating func end(_ id: NamespaceID, _ record: UInt64) {
    for (key, number) in numberOfKey where key.namespace == id { end(number, record) }
  }

  private mutating func end(_ number: UInt64, _ record: UInt64) {
    guard let before = open[number]?.endedAt else { return }
    open[number]?.endedAt = max(before, record)
  }

  // MARK: Those that are over

  /// Its asker waits no more.
  mutating func take(flight: UInt64) -> OpenClaim? {
    guard let number = numberOfFlight.removeValue(forKey: flight), let claim = open.removeValue(forKey: number) else {
      return nil
    }
    if let ticket = claim.ticket { numberOfTicket[ticket] = nil }
    numberOfKey[claim.key] = nil
    // Where it was answered there is nothing to come.
    if claim.reply == nil { late[claim.number] = claim }
    return claim
  }

  mutating func takeLate(_ number: UInt64) -> OpenClaim? { late.removeValue(forKey: number) }

  /// None of them will be answered, and any may have been carried out.
  mutating func oweLate() {
    for claim in late.values.sorted(by: { $0.number < $1.number }) { owe(claim.token, claim.key) }
    late = [:]
  }

  /// To be given back when the shared tier is there.
  mutating func owe(_ token: LeaseToken, _ key: LoadKey) {
    if owed.count < Self.maximum { owed.append((token, key)) }
  }

  mutating func takeOwed() -> [(token: LeaseToken, key: LoadKey)] {
    defer { owed = [] }
    return owed
  }

  /// Whether it was a wait for one of them.
  mutating func cancel(_ ticket: WaitTicket) -> Bool {
    guard !numberOfTicket.isEmpty, let number = numberOfTicket.removeValue(forKey: ticket) else { return false }
    open[number]?.ticket = nil
    return true
  }

  func waits(of owner: OwnerID) -> [WaitTicket] {
    open.isEmpty ? [] : open.values.filter { $0.owner == owner }.compactMap(\.ticket)
  }
}
