// Which items of the queue wait for a batch, and when each is due: in their order, by namespace. The items themselves are the
// queue's.

/// What an item that waits for a batch has besides.
struct BatchMark {
  /// When it is due.
  var notBefore: Int64
  /// Since when the shared tier has an older value of the key, or none.
  var since: Int64
  /// What it takes beside `memory`.
  let bytes: Int
  /// How often it was carried out as a delete, and is to be sent again.
  var conflicts = 0
}

struct BatchTable {
  /// The most items of one batch, and the most bytes of their values, of which the last may take it beyond: Redis does nothing else
  /// while it carries them out.
  private static let batchItems = 128
  private static let batchBytes = 1 << 20

  private typealias Place = (target: QueueTarget, serial: UInt64, notBefore: Int64)

  private struct List {
    var order: [Place] = []
    var first = 0
    /// Those that have been sent before. They wait for no batch of others.
    var again: [Place] = []
    /// Of items that are there, those under way too.
    var count = 0
    var bytes = 0

    var next: Place? { again.first ?? (first < order.count ? order[first] : nil) }
    var due: Int64? { next?.notBefore }

    /// The next, if it is due.
    mutating func take(_ now: Int64) -> Place? {
      guard let due, due <= now else { return nil }
      if !again.isEmpty { return again.removeFirst() }
      first += 1
      return order[first - 1]
    }

    /// What was taken takes no room for long.
    mutating func trim() {
      guard first * 2 >= order.count else { return }
      order.removeFirst(first)
      first = 0
    }
  }

  private var lists: [NamespaceID: List] = [:]
  /// Where room is wanted: what waits is due.
  private var hurried: Set<NamespaceID> = []
  private var underWay = 0
  /// Since when the oldest of them waits.
  private var underWaySince: Int64?

  /// Items in all, those under way too.
  private(set) var count = 0

  func count(_ id: NamespaceID) -> Int { lists[id]?.count ?? 0 }
  func bytes(_ id: NamespaceID) -> Int { lists[id]?.bytes ?? 0 }

  /// When the first is due; nil: none waits, or some are under way.
  var nextDue: Int64? {
    if underWay > 0 || lists.isEmpty { return nil }
    return lists.compactMap { id, list in list.due.map { hurried.contains(id) ? 0 : $0 } }.min()
  }

  mutating func add(_ item: QueueItem) {
    guard let mark = item.batch else { return }
    count += 1
    lists[item.target.namespace, default: List()].count += 1
    lists[item.target.namespace]?.bytes += mark.bytes
    lists[item.target.namespace]?.order.append((item.target, item.serial, mark.notBefore))
  }

  /// It has been sent, and waits again.
  mutating func addAgain(_ item: QueueItem) {
    guard let mark = item.batch else { return }
    lists[item.target.namespace]?.again.append((item.target, item.serial, mark.notBefore))
  }

  /// The newer one is due when the older one was.
  mutating func replace(_ item: inout QueueItem, _ old: QueueItem) {
    guard let mark = old.batch, let new = item.batch else { return }
    item.batch?.notBefore = mark.notBefore
    item.batch?.since = mark.since
    item.batch?.conflicts = mark.conflicts
    lists[item.target.namespace]?.bytes += new.bytes - mark.bytes
  }

  mutating func forget(_ item: QueueItem) {
    let id = item.target.namespace
    guard let mark = item.batch, let list = lists[id] else { return }
    count -= 1
    lists[id]?.count -= 1
    lists[id]?.bytes -= mark.bytes
    // What its order still has names nothing any more.
    if list.count == 1 { lists[id] = nil }
  }

  /// One that is sent by itself.
  mutating func begin(_ item: QueueItem) {
    underWay += 1
    underWaySince = min(underWaySince ?? .max, item.batch?.since ?? .max)
  }

  /// One was answered, or never will be.
  mutating func end() {
    underWay -= 1
    if underWay == 0 { underWaySince = nil }
  }

  /// Since when the oldest of all waits; nil: none does. `item` as for `take`.
  mutating func since(_ item: (QueueTarget, _ serial: UInt64) -> QueueItem?) -> Int64? {
    var oldest = underWaySince
    for id in lists.keys {
      while let place = lists[id]?.next, item(place.target, place.serial) == nil { _ = lists[id]?.take(.max) }
      guard let place = lists[id]?.next, let since = item(place.target, place.serial)?.batch?.since else { continue }
      oldest = min(oldest ?? .max, since)
    }
    return oldest
  }

  mutating func hurry(_ id: NamespaceID, _ wanted: Bool) {
    if wanted { hurried.insert(id) } else { hurried.remove(id) }
  }

  /// Those due by `now`, the oldest first, which are under way from now on. `item`: what stands under a place of the order, if anything
  /// does.
  mutating func take(_ now: Int64, _ item: (QueueTarget, _ serial: UInt64) -> QueueItem?) -> [QueueItem] {
    var taken: [QueueItem] = []
    if underWay > 0 { return taken }
    var bytes = 0
    let ids = lists.compactMap { id, list in list.due.map { (id, $0) } }.sorted { $0.1 < $1.1 }.map(\.0)
    for id in ids {
      guard var list = lists.removeValue(forKey: id) else { continue }
      let end = hurried.contains(id) ? .max : now
      while taken.count < Self.batchItems, bytes < Self.batchBytes, let place = list.take(end) {
        guard let item = item(place.target, place.serial), !item.isSent else { continue }
        bytes += item.batch?.bytes ?? 0
        taken.append(item)
      }
      list.trim()
      lists[id] = list
    }
    for item in taken { begin(item) }
    return taken
  }
}
