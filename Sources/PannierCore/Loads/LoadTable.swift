// The keys with which something is going on besides their values: a lease, callers that wait, a pause. It keeps the records
// and says who is to be told; what a caller then gets is the cache's decision.

/// What may be going on at once.
package struct LoadLimits: Sendable {
  /// Keys with a lease, a pause or waiters.
  package var loads = 100_000
  package var waiting = 100_000
  package var waitingPerKey = 10_000
  /// How many loads a clear meets before it is answered; the others are met in slices.
  package var clearedAtOnce = 256

  package init() {}
}

/// A key of a namespace, by its bytes.
struct LoadKey: Hashable {
  let namespace: NamespaceID
  let bytes: [UInt8]
}

/// What is going on with one key. Nobody is elected while there is a lease, a pause, or somebody for whom the election is
/// reserved.
struct Load {
  let key: LoadKey
  var lease: Lease?
  var pause: Pause?
  /// Nil where the election is this host's matter alone.
  var claim: Claim?
  /// The lease is free, and this waiter, who has been told, is to have it.
  var reserved: (ticket: WaitTicket, owner: OwnerID)?
  /// Those who would load it themselves, and those who wait for a value alone.
  var seekers = WaitQueue()
  var others = WaitQueue()

  var waiting: Int { seekers.count + others.count }
  fileprivate var isIdle: Bool { lease == nil && pause == nil && claim == nil && reserved == nil && waiting == 0 }
  /// Of the lease, the pause, or another host's lease: the number of the last change when it began, and when it is over.
  var standing: (stamp: LoadStamp, deadline: Int64)? {
    if case .elsewhere(let until, let stamp) = claim { return (stamp, until) }
    return lease.map { ($0.stamp, $0.deadline) } ?? pause.map { ($0.stamp, $0.until) }
  }
  /// Another host loads it, or it is being asked who does.
  var isClaimed: Bool {
    switch claim {
    case .asked, .elsewhere: true
    case nil, .won, .alone: false
    }
  }
}

/// Somebody whose wait is over.
package struct Woken {
  package let ticket: WaitTicket
  /// The lease is free and this caller's, if it still wants it.
  package let isElected: Bool
  /// It waited for another's load.
  package var isAfterLoad = false
  /// What it waited for proves what memory has.
  package var isProven = false
  /// The shared tier may have something by now: it is to be asked anew.
  package var isAnew = false
}

struct LoadTable {
  private static let placesKept = 1024

  let limits: LoadLimits
  private var loads: [Load?] = []
  private var free: [Int] = []
  private var numbers: [LoadKey: Int] = [:]
  private var waits = WaitList()
  private var deadlines = DeadlineHeap()
  /// What ends with its owner: leases and reservations by the load's number, waits by ticket.
  private var leasesOf: [OwnerID: Set<Int>] = [:]
  private var waitsOf: [OwnerID: Set<WaitTicket>] = [:]
  private var woken: [Woken] = []
  private(set) var leaseCount = 0

  init(limits: LoadLimits) { self.limits = limits }

  var isEmpty: Bool { numbers.isEmpty }
  var isFull: Bool { numbers.count >= limits.loads }
  var waitingCount: Int { waits.count }
  var hasWoken: Bool { !woken.isEmpty }

  /// When the first lease, pause or wait is over; nil where there is none.
  var nextDeadline: Int64? {
    switch (deadlines.first?.deadline, waits.nextDeadline) {
    case (let load?, let wait?): min(load, wait)
    case (let load, let wait): load ?? wait
    }
  }

  func find(_ key: LoadKey) -> Int? { numbers[key] }

  /// Nil: it is over. Its place may be given back by then.
  subscript(number: Int) -> Load? { number < loads.count ? loads[number] : nil }

  /// The load of a key, begun if there is none.
  mutating func open(_ key: LoadKey) -> Int {
    if let number = numbers[key] { return number }
    let number = free.popLast() ?? loads.count
    let load = Load(key: key)
    if number == loads.count { loads.append(load) } else { loads[number] = load }
    numbers[key] = number
    return number
  }

  // MARK: Leases

  mutating func grant(_ number: Int, _ lease: Lease) {
    takeReservation(number)
    loads[number]?.lease = lease
    leaseCount += 1
    leasesOf[lease.holder.owner, default: []].insert(number)
    deadlines.set(number, lease.deadline)
  }

  /// Ends the lease, if there is one, and a pause. What waits is the caller's to wake.
  mutating func end(_ number: Int, pause: Pause? = nil) -> Lease? {
    let lease = loads[number]?.lease
    if let lease {
      loads[number]?.lease = nil
      leaseCount -= 1
      forget(number, of: lease.holder.owner)
    }
    loads[number]?.pause = pause
    if case .elsewhere = loads[number]?.claim { setClaim(number, nil) }
    deadlines.set(number, pause?.until)
    return lease
  }

  /// Loads that another host has.
  private(set) var elsewhere: Set<Int> = []

  mutating func setClaim(_ number: Int, _ claim: Claim?) {
    loads[number]?.claim = claim
    if case .elsewhere(let until, _) = claim {
      elsewhere.insert(number)
      deadlines.set(number, until)
    } else {
      elsewhere.remove(number)
    }
  }

  private mutating func forget(_ number: Int, of owner: OwnerID) {
    leasesOf[owner]?.remove(number)
    if leasesOf[owner]?.isEmpty == true { leasesOf[owner] = nil }
  }

  /// Forgets a load with which nothing is going on any more.
  mutating func close(_ number: Int) {
    guard let load = self[number], load.isIdle else { return }
    numbers[load.key] = nil
    loads[number] = nil
    free.append(number)
    deadlines.remove(number)
    // After a rush of loads, their places are given back.
    if numbers.isEmpty, loads.count > Self.placesKept {
      loads = []
      free = []
    }
  }

  /// Numbers are below this.
  var numberCount: Int { loads.count }

  /// A load whose lease or pause is past its deadline.
  func due(_ now: Int64) -> Int? {
    guard let first = deadlines.first, first.deadline <= now else { return nil }
    return first.number
  }

  // MARK: Waiting

  /// Nil where the key, or the whole, has as many waiters as may be.
  mutating func wait(_ number: Int, by owner: OwnerID, seeks: Bool, since: Int64, until: Int64) -> WaitTicket? {
    guard waits.count < limits.waiting, let load = loads[number], load.waiting < limits.waitingPerKey else {
      return nil
    }
    let waiter = Waiter(
      ticket: waits.nextTicket(), owner: owner, load: number, isSeeker: seeks, since: since, until: until)
    withQueue(of: waiter) { $0.append(waiter, to: &$1) }
    waitsOf[owner, default: []].insert(waiter.ticket)
    return waiter.ticket
  }

  private mutating func withQueue(of waiter: Waiter, _ body: (inout WaitList, inout WaitQueue) -> Void) {
    guard var load = loads[waiter.load] else { return }
    if waiter.isSeeker { body(&waits, &load.seekers) } else { body(&waits, &load.others) }
    loads[waiter.load] = load
  }

  /// Ends a wait without telling anybody; nil: it was over.
  mutating func cancel(_ ticket: WaitTicket) -> Waiter? {
    guard let waiter = waits.waiter(ticket) else { return nil }
    withQueue(of: waiter) { $0.remove(ticket, from: &$1) }
    waitsOf[waiter.owner]?.remove(ticket)
    if waitsOf[waiter.owner]?.isEmpty == true { waitsOf[waiter.owner] = nil }
    return waiter
  }

  /// Tells the one who has waited longest that its turn has come; nil: nobody would load the key.
  mutating func elect(_ number: Int) -> Waiter? {
    guard let load = loads[number], load.lease == nil, load.reserved == nil, let next = waits.first(of: load.seekers)
    else { return nil }
    _ = cancel(next.ticket)
    reserve(number, next.ticket, next.owner)
    return next
  }

  /// The election is this one's, who is told.
  mutating func reserve(_ number: Int, _ ticket: WaitTicket, _ owner: OwnerID) {
    loads[number]?.reserved = (ticket, owner)
    leasesOf[owner, default: []].insert(number)
    woken.append(Woken(ticket: ticket, isElected: true))
  }

  /// Tells one of those who wait for it; nil: nobody does any more.
  mutating func wakeOne(_ number: Int, isAnew: Bool = false) -> Waiter? {
    guard let load = self[number], let next = waits.first(of: load.seekers) ?? waits.first(of: load.others) else {
      return nil
    }
    return wake(next, isAnew: isAnew)
  }

  /// Tells one whose time is up; nil: nobody's is.
  mutating func wakeDue(_ now: Int64) -> Waiter? { waits.due(now).flatMap { wake($0) } }

  private mutating func wake(_ waiter: Waiter, isAnew: Bool = false) -> Waiter? {
    woken.append(Woken(ticket: waiter.ticket, isElected: false, isAfterLoad: true, isAnew: isAnew))
    return cancel(waiter.ticket)
  }

  /// For a wait that is kept elsewhere.
  mutating func newTicket() -> WaitTicket { waits.nextTicket() }

  /// Tells one whose wait is kept elsewhere that it is over.
  mutating func tell(_ ticket: WaitTicket, isProven: Bool = false, isAnew: Bool = false) {
    woken.append(Woken(ticket: ticket, isElected: false, isProven: isProven, isAnew: isAnew))
  }

  mutating func takeWoken() -> [Woken] {
    if woken.isEmpty { return [] }
    defer { woken.removeAll(keepingCapacity: true) }
    return woken
  }

  /// Whether the election is reserved for another than `ticket`.
  func isReserved(_ number: Int, except ticket: WaitTicket?) -> Bool {
    guard let reserved = loads[number]?.reserved else { return false }
    return reserved.ticket != ticket
  }

  /// What was reserved is taken up, or given back.
  mutating func takeReservation(_ number: Int) {
    guard let reserved = loads[number]?.reserved else { return }
    loads[number]?.reserved = nil
    forget(number, of: reserved.owner)
  }

  // MARK: The end of an owner

  /// The waits of `owner`, in their order.
  func waits(of owner: OwnerID) -> [WaitTicket] { (waitsOf[owner] ?? []).sorted() }

  /// The loads whose lease, or turn, is `owner`'s.
  func loads(of owner: OwnerID) -> [Int] { (leasesOf[owner] ?? []).sorted() }
}
