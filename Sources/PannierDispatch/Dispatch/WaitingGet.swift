// A `get` whose answer waits for other callers' loads, or for the shared tier: what it asked, kept until it can be asked again. It decides nothing.

import PannierCore
import PannierWire

final class WaitingGet {
  let session: Session
  let ns: NamespaceID
  /// Of this object's own memory, as `keys` are.
  let id: Bytes?
  let keys: [Bytes]
  /// It was asked with `keys`, and is answered with `items`.
  let isMany: Bool
  let meta: Bool
  /// As it was asked.
  let options: Cache.ReadOptions
  /// When it was asked, and how long it would wait, in milliseconds.
  let since: Int64
  let waitMilliseconds: Int64
  /// What it waits for now, and the place in `keys` of each.
  var tickets = WaitedPlaces()
  /// It is being asked which keys it is to load; and the turns that it has been given so far, by their places.
  var isClaiming = false
  var turns: [Int: WaitTicket] = [:]
  /// The places in `keys` for which it has waited.
  var waitedFor: Set<Int> = []
  /// It was asked whether the key is there, and nothing is counted.
  private(set) var isExists = false
  /// The shared tier was asked, when this was the host's last change; nil: it hasn't been.
  var fetchedSince: UInt64?
  /// Whether there may be anything left for which it waits: the load of a key is claimed whether or not it would wait for another's.
  var mayWait: Bool { fetchedSince == nil || options.waits || options.lease }
  /// What memory has since then is proven to lack no change.
  var isProven = false
  private let memory: UnsafeMutableRawBufferPointer

  convenience init(
    _ get: Request.Get, _ ns: NamespaceID, _ options: Cache.ReadOptions, _ id: Bytes?, _ session: Session, since: Int64
  ) {
    var isMany = false
    if case .many = get.keys { isMany = true }
    self.init(
      get.keys.all, ns, options, id, session, isMany: isMany, meta: get.meta,
      waitMilliseconds: get.waitMilliseconds ?? 0, since: since)
  }

  /// Whether a key is there: nothing is counted.
  convenience init(exists key: Bytes, _ ns: NamespaceID, _ id: Bytes?, _ session: Session, since: Int64) {
    self.init(
      [key], ns, Cache.ReadOptions(), id, session, isMany: false, meta: false, waitMilliseconds: 0, since: since)
    isExists = true
  }

  private init(
    _ asked: [Bytes], _ ns: NamespaceID, _ options: Cache.ReadOptions, _ id: Bytes?, _ session: Session, isMany: Bool,
    meta: Bool, waitMilliseconds: Int64, since: Int64
  ) {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: asked.reduce(1 + (id?.count ?? 0)) { $0 + $1.count }, alignment: 1)
    var end = 0
    func copy(_ bytes: Bytes) -> Bytes {
      let place = UnsafeMutableRawBufferPointer(rebasing: memory[end..<end + bytes.count])
      place.copyMemory(from: bytes)
      end += bytes.count
      return Bytes(place)
    }
    self.id = id.map(copy)
    keys = asked.map(copy)
    self.memory = memory
    self.isMany = isMany
    self.meta = meta
    self.waitMilliseconds = waitMilliseconds
    self.session = session
    self.ns = ns
    self.options = options
    self.since = since
  }

  deinit { memory.deallocate() }

  /// What was asked is answered.
  func takeTurns() -> [Int: WaitTicket] {
    isClaiming = false
    defer { turns = [:] }
    return turns
  }
}

/// Tickets, and the place of each. Nearly always there is one, which takes no table.
struct WaitedPlaces {
  private var one: (ticket: WaitTicket, place: Int)?
  private var others: [WaitTicket: Int] = [:]

  var isEmpty: Bool { one == nil && others.isEmpty }

  var all: [(ticket: WaitTicket, place: Int)] {
    (one.map { [$0] } ?? []) + others.map { (ticket: $0.key, place: $0.value) }
  }

  mutating func add(_ ticket: WaitTicket, _ place: Int) {
    if one == nil { one = (ticket, place) } else { others[ticket] = place }
  }

  /// Nil: it isn't among them.
  mutating func remove(_ ticket: WaitTicket) -> Int? {
    guard let one, one.ticket == ticket else { return others.removeValue(forKey: ticket) }
    self.one = nil
    return one.place
  }

  mutating func removeAll() -> [(ticket: WaitTicket, place: Int)] {
    defer { self = WaitedPlaces() }
    return all
  }
}
