// Chooses which entry a full namespace gives up. It owns an order over entries, and knows no budgets.

/// What the tier tells a policy, and the one thing it asks. Each call takes constant time.
protocol EvictionPolicy: ~Copyable {
  /// The entry was read.
  mutating func hit(_ link: Link, in arena: borrowing Arena)
  mutating func insert(_ link: Link, in arena: borrowing Arena)
  mutating func remove(_ link: Link, in arena: borrowing Arena)
  /// The entry to give up next; zero where there is none.
  func victim(in arena: borrowing Arena) -> Link
}

/// Exactly the least recently used: a list through the entries, the newest first.
struct LeastRecentlyUsed: EvictionPolicy, ~Copyable {
  private var newest: Link = 0
  private var oldest: Link = 0

  @inline(__always)
  mutating func hit(_ link: Link, in arena: borrowing Arena) {
    if link == newest { return }
    remove(link, in: arena)
    insert(link, in: arena)
  }

  @inline(__always)
  mutating func insert(_ link: Link, in arena: borrowing Arena) {
    let entry = Entry(base: arena.pointer(link))
    entry.newer = 0
    entry.older = newest
    if newest == 0 { oldest = link } else { Entry(base: arena.pointer(newest)).newer = link }
    newest = link
  }

  @inline(__always)
  mutating func remove(_ link: Link, in arena: borrowing Arena) {
    let entry = Entry(base: arena.pointer(link))
    let newer = entry.newer
    let older = entry.older
    if newer == 0 { newest = older } else { Entry(base: arena.pointer(newer)).older = older }
    if older == 0 { oldest = newer } else { Entry(base: arena.pointer(older)).newer = newer }
  }

  func victim(in arena: borrowing Arena) -> Link { oldest }
}
