// Finds entries that are past their end without being asked for. It owns an order over deadlines; reads never need it,
// since they look at the deadline themselves.

/// A hierarchical timer wheel (Varghese, Lauck: "Hashed and hierarchical timing wheels", SOSP 1987): seven levels of 64
/// slots, the lowest a millisecond wide. A deadline is filed at the level of the highest six bits in which it differs from the
/// time reached, so that every slot of a level lies ahead, and before every slot of the next. Adding and removing take
/// constant time; an entry moves down a level at most six times.
struct ExpiryWheel: ~Copyable {
  private static let slotBits = 6
  private static let slotsPerLevel = 1 << slotBits
  /// Seven levels of six bits are 42; deadlines have 40.
  private static let levels = 7
  /// As an entry's previous link: not an entry, but the slot it is the first of. No block has so high a link (see `Arena`).
  private static let firstOfSlot: Link = inNoSlot - Link(levels * slotsPerLevel)
  /// As an entry's previous link: it is in no slot.
  private static let inNoSlot: Link = ~0

  private let slots: UnsafeMutablePointer<Link>
  private let occupied: UnsafeMutablePointer<UInt64>
  /// The time reached: every slot before it is empty.
  private var elapsed: Int64 = 0
  /// The slot whose entries are being moved down; nothing else is taken until it is empty, so that order is kept.
  private var movingDown: Int?
  private(set) var count = 0

  init() {
    slots = .allocate(capacity: Self.levels * Self.slotsPerLevel)
    slots.initialize(repeating: 0, count: Self.levels * Self.slotsPerLevel)
    occupied = .allocate(capacity: Self.levels)
    occupied.initialize(repeating: 0, count: Self.levels)
  }

  deinit {
    slots.deallocate()
    occupied.deallocate()
  }

  /// Files an entry under its end; one without an end in no slot.
  mutating func insert(_ link: Link, in arena: borrowing Arena) {
    let entry = Entry(base: arena.pointer(link))
    let end = entry.end
    guard end < Entry.never else {
      entry.wheelPrevious = Self.inNoSlot
      return
    }
    let slot = slot(for: end)
    let next = slots[slot]
    entry.wheelPrevious = Self.firstOfSlot + Link(slot)
    entry.wheelNext = next
    if next != 0 { Entry(base: arena.pointer(next)).wheelPrevious = link }
    slots[slot] = link
    occupied[slot >> Self.slotBits] |= 1 << UInt64(slot & (Self.slotsPerLevel - 1))
    count += 1
  }

  mutating func remove(_ link: Link, in arena: borrowing Arena) {
    let entry = Entry(base: arena.pointer(link))
    let previous = entry.wheelPrevious
    guard previous != Self.inNoSlot else { return }
    let next = entry.wheelNext
    if next != 0 { Entry(base: arena.pointer(next)).wheelPrevious = previous }
    if previous >= Self.firstOfSlot {
      let slot = Int(previous - Self.firstOfSlot)
      slots[slot] = next
      if next == 0 { occupied[slot >> Self.slotBits] &= ~(1 << UInt64(slot & (Self.slotsPerLevel - 1))) }
    } else {
      Entry(base: arena.pointer(previous)).wheelNext = next
    }
    count -= 1
  }

  /// An entry whose end is at or before `now`, which stays filed until it is removed; zero where there is none, or where
  /// `budget` steps were spent before one was found.
  mutating func due(_ now: Int64, in arena: borrowing Arena, budget: inout Int) -> Link {
    while budget > 0 {
      budget -= 1
      if let slot = movingDown {
        let link = slots[slot]
        if link == 0 {
          movingDown = nil
        } else {
          remove(link, in: arena)
          insert(link, in: arena)
        }
        continue
      }
      guard let next = nextSlot(), next.start <= now else {
        elapsed = max(elapsed, now)
        return 0
      }
      elapsed = max(elapsed, next.start)
      if next.slot < Self.slotsPerLevel { return slots[next.slot] }
      movingDown = next.slot
    }
    return 0
  }

  /// When there is something to do at the earliest: an entry is due, or entries are to be moved down. Nil: never.
  var nextDue: Int64? { movingDown == nil ? nextSlot()?.start : elapsed }

  private func slot(for end: Int64) -> Int {
    // What is past already is due at the time reached.
    let due = max(end, elapsed)
    let difference = UInt64(due ^ elapsed) | UInt64(Self.slotsPerLevel - 1)
    let level = (UInt64.bitWidth - 1 - difference.leadingZeroBitCount) / Self.slotBits
    return level << Self.slotBits | Int(due >> Int64(level * Self.slotBits)) & (Self.slotsPerLevel - 1)
  }

  /// The occupied slot that begins first, and when.
  private func nextSlot() -> (slot: Int, start: Int64)? {
    for level in 0..<Self.levels where occupied[level] != 0 {
      let position = occupied[level].trailingZeroBitCount
      let shift = Int64(level * Self.slotBits)
      let prefix = (elapsed >> (shift + Int64(Self.slotBits))) << Int64(Self.slotBits)
      return (level << Self.slotBits | position, (prefix | Int64(position)) << shift)
    }
    return nil
  }
}
