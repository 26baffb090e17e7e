// Reads of the shared tier that are under way: one a key, and who waits for it.

/// A read that was sent.
struct Flight {
  let number: UInt64
  let key: LoadKey
  let sentAt: Int64
  let deadline: Int64
  /// The one of the same key that was sent before it, if that is still under way.
  var older: UInt64?
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
  /// The most that may be under way: beyond, a read is a miss. A power of two, since a read's place is a part of its number.
  static let maximum = 1024

  private var flights: [Flight?] = []
  private var free: [Int] = []
  /// Each key's newest.
  private var newest: [LoadKey: UInt64] = [:]
  private var waits: [WaitTicket: Wait] = [:]
  /// In the order in which they came, which is mostly that in which they end.
  private var ticketsOf: [OwnerID: [WaitTicket]] = [:]
  /// As they were sent, the oldest first; each has the same time.
  private var order: [UInt64] = []
  private var first = 0
  private var lastSerial: UInt64 = 0

  private struct Wait {
    let flight: UInt64
    let owner: OwnerID
  }

  var count: Int { flights.count - free.count }
  var isFull: Bool { count >= Self.maximum }

  private func place(_ number: UInt64) -> Int { Int(number % UInt64(Self.maximum)) }

  /// The read that a caller may join.
  func find(_ key: LoadKey) -> UInt64? {
    guard !newest.isEmpty, let number = newest[key], self[number]?.isJoinable == true else { return nil }
    return number
  }

  subscript(number: UInt64) -> Flight? {
    let place = place(number)
    guard place < flights.count, let flight = flights[place], flight.number == number else { return nil }
    return flight
  }

  /// There must be room.
  mutating func open(_ key: LoadKey, behind barrier: UInt64?, now: Int64, until deadline: Int64) -> UInt64 {
    let place = free.popLast() ?? flights.count
    if place == flights.count { flights.append(nil) }
    lastSerial += 1
    let number = lastSerial * UInt64(Self.maximum) + UInt64(place)
    let older = newest.updateValue(number, forKey: key)
    flights[place] = Flight(number: number, key: key, sentAt: now, deadline: deadline, older: older, barrier: barrier)
    order.append(number)
    return number
  }

  mutating func join(_ number: UInt64, _ ticket: WaitTicket, by owner: OwnerID) {
    flights[place(number)]?.waiters.append(ticket)
    waits[ticket] = Wait(flight: number, owner: owner)
    ticketsOf[owner, default: []].append(ticket)
  }

  /// Whether it was a wait for a read.
  mutating func cancel(_ ticket: WaitTicket) -> Bool {
    guard let wait = forget(ticket) else { return false }
    flights[place(wait.flight)]?.waiters.removeAll { $0 == ticket }
    return true
  }

  private mutating func forget(_ ticket: WaitTicket) -> Wait? {
    guard !waits.isEmpty, let wait = waits.removeValue(forKey: ticket) else { return nil }
    if let place = ticketsOf[wait.owner]?.firstIndex(of: ticket) {
      if ticketsOf[wait.owner]?.count == 1 {
        ticketsOf[wait.owner] = nil
      } else {
        ticketsOf[wait.owner]?.remove(at: place)
      }
    }
    return wait
  }

  func waits(of owner: OwnerID) -> [WaitTicket] { ticketsOf[owner] ?? [] }

  /// Those who wait for it wait no more.
  mutating func takeWaiters(_ number: UInt64) -> [WaitTicket] {
    guard let waiters = self[number]?.waiters else { return [] }
    flights[place(number)]?.waiters = []
    for ticket in waiters { _ = forget(ticket) }
    return waiters
  }

  /// It has been answered, or never will be. Nil: it is not under way.
  mutating func close(_ number: UInt64) -> Flight? {
    guard let flight = self[number] else { return nil }
    if let index = newest.index(forKey: flight.key), newest.values[index] == number {
      if let older = flight.older { newest.values[index] = older } else { newest.remove(at: index) }
    } else {
      unlink(flight)
    }
    flights[place(number)] = nil
    free.append(place(number))
    trim()
    return flight
  }

  /// A newer one of its key is under way.
  private mutating func unlink(_ flight: Flight) {
    var newer = newest[flight.key]
    while let number = newer, let next = self[number] {
      if next.older == flight.number { flights[place(number)]?.older = flight.older }
      newer = next.older
    }
  }

  var all: [UInt64] { flights.compactMap { $0?.number }.sorted() }

  // MARK: Changes that come meanwhile

  /// A change took in the key: who asks from now on doesn't join.
  mutating func cover(_ key: LoadKey, _ number: UInt64) {
    change(key) { $0.raiseCover(number) }
  }

  mutating func cover(_ id: NamespaceID, _ number: UInt64, where takesIn: (LoadKey) -> Bool) {
    changeAll { if $0.key.namespace == id, takesIn($0.key) { $0.raiseCover(number) } }
  }

  mutating func fail(barrier: UInt64) {
    changeAll { if $0.barrier == barrier { $0.isUnproven = true } }
  }

  mutating func end(_ key: LoadKey) {
    change(key) { $0.end() }
  }

  /// Nil: of all namespaces.
  mutating func end(_ id: NamespaceID?) {
    changeAll { if id == nil || $0.key.namespace == id { $0.end() } }
  }

  private mutating func change(_ key: LoadKey, _ body: (inout Flight) -> Void) {
    guard !newest.isEmpty else { return }
    var next = newest[key]
    while let number = next, var flight = self[number] {
      body(&flight)
      flights[place(number)] = flight
      next = flight.older
    }
  }

  private mutating func changeAll(_ body: (inout Flight) -> Void) {
    for place in flights.indices {
      if var flight = flights[place] {
        body(&flight)
        flights[place] = flight
      }
    }
  }

  // MARK: Time

  var nextDeadline: Int64? { first < order.count ? self[order[first]]?.deadline : nil }

  /// The next that has taken too long; from now on nobody joins it.
  mutating func takeOverdue(_ now: Int64) -> UInt64? {
    guard first < order.count, let flight = self[order[first]], flight.deadline <= now else { return nil }
    flights[place(flight.number)]?.isOverdue = true
    flights[place(flight.number)]?.isJoinable = false
    trim()
    return flight.number
  }

  /// The oldest that stands first is one that is waited for.
  private mutating func trim() {
    while first < order.count, self[order[first]]?.isOverdue ?? true { first += 1 }
    if first * 2 >= order.count {
      order.removeFirst(first)
      first = 0
    }
  }
}
