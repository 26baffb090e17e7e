// Who waits for what: a record a waiter, and queues through them. It decides nothing.

/// Names one wait until it is over.
package typealias WaitTicket = UInt64

/// One caller that waits for one key.
struct Waiter {
  let ticket: WaitTicket
  let owner: OwnerID
  /// The load that it waits for.
  let load: Int
  /// It would load the key itself, were it elected; otherwise it waits for a value alone.
  let isSeeker: Bool
  let since: Int64
  let until: Int64
}

/// A queue of waiters, the longest first: the ends of a list through the records.
struct WaitQueue {
  fileprivate(set) var first = -1
  fileprivate var last = -1
  fileprivate(set) var count = 0

  var isEmpty: Bool { count == 0 }
}

/// All waiters, by number and by ticket. A number is given again when its waiter has gone.
struct WaitList {
  private struct Node {
    let waiter: Waiter
    var next = -1
    var previous = -1
  }

  private var nodes: [Node?] = []
  private var free: [Int] = []
  private var numbers: [WaitTicket: Int] = [:]
  private var deadlines = DeadlineHeap()
  private var lastTicket: WaitTicket = 0

  var count: Int { numbers.count }
  /// When the first of them has waited long enough; nil where nobody waits.
  var nextDeadline: Int64? { deadlines.first?.deadline }

  mutating func nextTicket() -> WaitTicket {
    lastTicket += 1
    return lastTicket
  }

  /// At the end of `queue`.
  mutating func append(_ waiter: Waiter, to queue: inout WaitQueue) {
    let node = Node(waiter: waiter, previous: queue.last)
    let number = free.popLast() ?? nodes.count
    if number == nodes.count { nodes.append(node) } else { nodes[number] = node }
    if queue.last >= 0 { nodes[queue.last]?.next = number } else { queue.first = number }
    queue.last = number
    queue.count += 1
    numbers[waiter.ticket] = number
    deadlines.set(number, waiter.until)
  }

  /// Who it is; nil: the wait is over.
  func waiter(_ ticket: WaitTicket) -> Waiter? { numbers[ticket].flatMap { nodes[$0]?.waiter } }

  func first(of queue: WaitQueue) -> Waiter? { queue.first >= 0 ? nodes[queue.first]?.waiter : nil }

  /// One whose time is up.
  func due(_ now: Int64) -> Waiter? {
    guard let first = deadlines.first, first.deadline <= now else { return nil }
    return nodes[first.number]?.waiter
  }

  /// Takes it out of the queue that it stands in.
  mutating func remove(_ ticket: WaitTicket, from queue: inout WaitQueue) {
    guard let number = numbers.removeValue(forKey: ticket), let node = nodes[number] else { return }
    if node.previous >= 0 { nodes[node.previous]?.next = node.next } else { queue.first = node.next }
    if node.next >= 0 { nodes[node.next]?.previous = node.previous } else { queue.last = node.previous }
    queue.count -= 1
    nodes[number] = nil
    free.append(number)
    deadlines.remove(number)
  }
}
