// Plain sets that wait for room in the queue: in their order, by namespace. They have not happened yet.

struct WaitingSet {
  let kept: KeptValue
  let caller: Caller
  let ticket: ChangeTicket
  /// Then it no longer waits.
  let deadline: Int64

  var bytes: Int { kept.key.count + kept.value.count }
}

struct WaitingSets {
  private var lists: [NamespaceID: ArraySlice<WaitingSet>] = [:]
  /// What the values of all take.
  private(set) var bytes = 0

  var isEmpty: Bool { lists.isEmpty }
  var count: Int { lists.values.reduce(0) { $0 + $1.count } }
  var namespaces: [NamespaceID] { lists.isEmpty ? [] : lists.keys.sorted() }
  var nextDeadline: Int64? { lists.isEmpty ? nil : lists.values.compactMap(\.first?.deadline).min() }

  func first(_ id: NamespaceID) -> WaitingSet? { lists[id]?.first }

  mutating func add(_ set: WaitingSet, _ id: NamespaceID) {
    lists[id, default: []].append(set)
    bytes += set.bytes
  }

  mutating func takeFirst(_ id: NamespaceID) -> WaitingSet? {
    let set = lists[id]?.popFirst()
    bytes -= set?.bytes ?? 0
    if lists[id]?.isEmpty == true { lists[id] = nil }
    return set
  }

  /// Those that a change took in, which is as if they had come before it.
  mutating func take(_ id: NamespaceID, where takesIn: (KeptValue) -> Bool) -> [WaitingSet] {
    guard let list = lists[id], list.contains(where: { takesIn($0.kept) }) else { return [] }
    let left = list.filter { !takesIn($0.kept) }
    lists[id] = left.isEmpty ? nil : left[...]
    let taken = list.filter { takesIn($0.kept) }
    bytes -= taken.reduce(0) { $0 + $1.bytes }
    return taken
  }
}
