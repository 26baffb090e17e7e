// Reads of the shared tier that are under way: one a key, and who waits for it.

/// A read that was sent.
struct Flight {
  let number: UInt64
  let key: LoadKey
  let sentAt: Int64
  let deadline: Int64
  /// The newest change that took in the key since it was sent: an older value is not shown.
  var cover: UInt64 = 0
  /// Nothing has changed the key since it was sent, and it can still be in time.
  var isJoinable = true
  /// What it brings is no use any more, whatever it is.
  var isEnded = false
  /// It was sent behind this one, which must hold for what it brings to be shown.
  var barrier: UInt64?
  var isUnproven = false
  /// Nobody waits for it any more: it took too long.
  var isOverdue = false
  var waiters: [WaitTicket] = []

  mutating func raiseCover(_ number: UInt64) {
    cover = max(cover, number)
    isJoinable = false
  }

  mutating func end() {
    isEnded = true
    isJoinable = false
  }
}

struct FlightTable {
  /// The most that may be under way: beyond, a read is a miss.
  static let maximum = 1024

  private var flights: [UInt64: Flight] = [:]
  /// All of a key's, the oldest first; callers join the last, while it may be joined.
  private var numbers: [LoadKey: [UInt64]] = [:]
  private var waits: [WaitTicket: UInt64] = [:]
  private var ticketsOf: [OwnerID: Set<WaitTicket>] = [:]
  private var owners: [WaitTicket: OwnerID] = [:]
  /// As they were sent, the oldest first; each has the same time.
  private var order: [UInt64] = []
  private var first = 0
  private var lastNumber: UInt64 = 0

  var count: Int { flights.count }
  var isFull: Bool { flights.count >= Self.maximum }

  /// The read that a caller may join.
  func find(_ key: LoadKey) -> UInt64? {
    guard let number = numbers[key]?.last, flights[number]?.isJoinable == true else { return nil }
    return number
  }

  subscript(number: UInt64) -> Flight? { flights[number] }

  mutating func open(_ key: LoadKey, behind barrier: UInt64?, now: Int64, until deadline: Int64) -> UInt64 {
    lastNumber += 1
    var flight = Flight(number: lastNumber, key: key, sentAt: now, deadline: deadline)
    flight.barrier = barrier
    flights[lastNumber] = flight
    numbers[key, default: []].append(lastNumber)
    order.append(lastNumber)
    return lastNumber
  }

  mutating func join(_ number: UInt64, _ ticket: WaitTicket, by owner: OwnerID) {
    flights[number]?.waiters.append(ticket)
    waits[ticket] = number
    owners[ticket] = owner
    ticketsOf[owner, default: []].insert(ticket)
  }

  /// Whether it was a wait for a read.
  mutating func cancel(_ ticket: WaitTicket) -> Bool {
    guard let number = waits.removeValue(forKey: ticket) else { return false }
    flights[number]?.waiters.removeAll { $0 == ticket }
    forget(ticket)
    return true
  }

  private mutating func forget(_ ticket: WaitTicket) {
    guard let owner = owners.removeValue(forKey: ticket) else { return }
    ticketsOf[owner]?.remove(ticket)
    if ticketsOf[owner]?.isEmpty == true { ticketsOf[owner] = nil }
  }

  func waits(of owner: OwnerID) -> Set<WaitTicket> { ticketsOf[owner] ?? [] }

  /// Those who wait for it wait no more.
  mutating func takeWaiters(_ number: UInt64) -> [WaitTicket] {
    guard let waiters = flights[number]?.waiters else { return [] }
    flights[number]?.waiters = []
    for ticket in waiters {
      waits[ticket] = nil
      forget(ticket)
    }
    return waiters
  }

  /// It has been answered, or never will be. Nil: it is not under way.
  mutating func close(_ number: UInt64) -> Flight? {
    guard let flight = flights.removeValue(forKey: number) else { return nil }
    numbers[flight.key]?.removeAll { $0 == number }
    if numbers[flight.key]?.isEmpty == true { numbers[flight.key] = nil }
    trim()
    return flight
  }

  var all: [UInt64] { flights.keys.sorted() }

  // MARK: Changes that come meanwhile

  /// A change took in the key: who asks from now on doesn't join.
  mutating func cover(_ key: LoadKey, _ number: UInt64) {
    for flight in numbers[key] ?? [] { flights[flight]?.raiseCover(number) }
  }

  mutating func cover(_ id: NamespaceID, _ number: UInt64, where takesIn: (LoadKey) -> Bool) {
    for (key, flying) in numbers where key.namespace == id && takesIn(key) {
      for flight in flying { flights[flight]?.raiseCover(number) }
    }
  }

  mutating func fail(barrier: UInt64) {
    for (number, flight) in flights where flight.barrier == barrier { flights[number]?.isUnproven = true }
  }

  mutating func end(_ key: LoadKey) {
    for flight in numbers[key] ?? [] { flights[flight]?.end() }
  }

  /// Nil: of all namespaces.
  mutating func end(_ id: NamespaceID?) {
    for (number, flight) in flights where id == nil || flight.key.namespace == id { flights[number]?.end() }
  }

  // MARK: Time

  var nextDeadline: Int64? { first < order.count ? flights[order[first]]?.deadline : nil }

  /// The next that has taken too long; from now on nobody joins it.
  mutating func takeOverdue(_ now: Int64) -> UInt64? {
    guard first < order.count, let flight = flights[order[first]], flight.deadline <= now else { return nil }
    flights[flight.number]?.isOverdue = true
    flights[flight.number]?.isJoinable = false
    trim()
    return flight.number
  }

  /// The oldest that stands first is one that is waited for.
  private mutating func trim() {
    while first < order.count, flights[order[first]]?.isOverdue ?? true { first += 1 }
    if first * 2 >= order.count {
      order.removeFirst(first)
      first = 0
    }
  }
}
