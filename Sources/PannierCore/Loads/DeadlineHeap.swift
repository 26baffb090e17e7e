// Which of many deadlines comes first, each movable and removable by its number. It knows nothing of what is due.

/// A binary heap that knows where each number stands in it (J. W. J. Williams, "Algorithm 232: Heapsort", CACM 1964): setting,
/// moving and removing take time in the logarithm of how many there are, and leave nothing behind.
struct DeadlineHeap {
  private struct Item {
    var deadline: Int64
    var number: Int
  }

  private var items: [Item] = []
  /// Where a number stands in `items`; -1: it doesn't.
  private var places: [Int] = []

  /// The earliest; nil where there is none.
  var first: (number: Int, deadline: Int64)? { items.first.map { ($0.number, $0.deadline) } }

  /// `deadline` nil: it has none.
  mutating func set(_ number: Int, _ deadline: Int64?) {
    guard let deadline else { return remove(number) }
    if number >= places.count { places += Array(repeating: -1, count: number + 1 - places.count) }
    if places[number] < 0 {
      items.append(Item(deadline: deadline, number: number))
      places[number] = items.count - 1
    } else {
      items[places[number]].deadline = deadline
    }
    settle(places[number])
  }

  mutating func remove(_ number: Int) {
    guard number < places.count, places[number] >= 0 else { return }
    let place = places[number]
    places[number] = -1
    let last = items.removeLast()
    guard place < items.count else { return }
    put(last, at: place)
    settle(place)
  }

  /// Moves what stands at `place` up or down to where it belongs.
  private mutating func settle(_ place: Int) {
    let item = items[place]
    var place = place
    while place > 0, items[(place - 1) / 2].deadline > item.deadline {
      put(items[(place - 1) / 2], at: place)
      place = (place - 1) / 2
    }
    while let child = earlierChild(of: place), items[child].deadline < item.deadline {
      put(items[child], at: place)
      place = child
    }
    put(item, at: place)
  }

  private func earlierChild(of place: Int) -> Int? {
    let left = 2 * place + 1
    guard left < items.count else { return nil }
    return left + 1 < items.count && items[left + 1].deadline < items[left].deadline ? left + 1 : left
  }

  private mutating func put(_ item: Item, at place: Int) {
    items[place] = item
    places[item.number] = place
  }
}
