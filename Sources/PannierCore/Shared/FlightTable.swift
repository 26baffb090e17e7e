// Reads of the shared tier that are under way: one a key, and who waits for it.

/// A read that was sent.
struct Flight {
  let number: UInt64
  let key: LoadKey
  let sentAt: Int64
  let deadline: Int64
  /// The newest change that took in the key since it was sent: an older value is not shown.
  var cover: UInt64 = 0
  /// What it brings is no use any more, whatever it is.
  var isEnded = false
  /// Nobody waits for it any more: it took too long.
  var isOverdue = false
  var waiters: [WaitTicket] = []
}

struct FlightTable {
  /// The most that may be under way: beyond, a read is a miss.
  static let maximum = 1024

  private var flights: [UInt64: Flight] = [:]
  private var numbers: [LoadKey: UInt64] = [:]
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
  func find(_ key: LoadKey) -> UInt64? { numbers[key] }

  subscript(number: UInt64) -> Flight? { flights[number] }

  mutating func open(_ key: LoadKey, now: Int64, until deadline: Int64) -> UInt64 {
    lastNumber += 1
    flights[lastNumber] = Flight(number: lastNumber, key: key, sentAt: now, deadline: deadline)
    numbers[key] = lastNumber
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
    if numbers[flight.key] == number { numbers[flight.key] = nil }
    trim()
    return flight
  }

  var all: [UInt64] { flights.keys.sorted() }

  // MARK: Changes that come meanwhile

  /// A change took in the key: who asks from now on doesn't join.
  mutating func cover(_ key: LoadKey, _ number: UInt64) {
    guard let flight = numbers.removeValue(forKey: key) else { return }
    cover(flight, number)
  }

  mutating func cover(_ namespaceID: NamespaceID, _ number: UInt64, where takesIn: (LoadKey) -> Bool) {
    for (key, flight) in numbers where key.namespace == namespaceID && takesIn(key) {
      numbers[key] = nil
      cover(flight, number)
    }
  }

  private mutating func cover(_ flight: UInt64, _ number: UInt64) {
    // Flights that nobody can join any more have been covered before, and an older cover is not enough.
    for (other, candidate) in flights where candidate.key == flights[flight]?.key {
      flights[other]?.cover = max(candidate.cover, number)
    }
  }

  mutating func end(_ key: LoadKey) {
    numbers[key] = nil
    for (number, flight) in flights where flight.key == key { flights[number]?.isEnded = true }
  }

  mutating func end(_ namespaceID: NamespaceID?) {
    for (number, flight) in flights where namespaceID == nil || flight.key.namespace == namespaceID {
      flights[number]?.isEnded = true
      numbers[flight.key] = nil
    }
  }

  // MARK: Time

  var nextDeadline: Int64? { first < order.count ? flights[order[first]]?.deadline : nil }

  /// The next that has taken too long; from now on nobody joins it.
  mutating func takeOverdue(_ now: Int64) -> UInt64? {
    guard first < order.count, let flight = flights[order[first]], flight.deadline <= now else { return nil }
    flights[flight.number]?.isOverdue = true
    if numbers[flight.key] == flight.number { numbers[flight.key] = nil }
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
