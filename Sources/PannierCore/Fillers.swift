// Who stored what: processes, each kept once however many entries it filled. It knows no entries, only how many name it.

/// A process on the other end of a socket, as the kernel tells it.
package struct Caller: Equatable, Hashable, Sendable {
  package let pid: Int32
  package let uid: UInt32

  package init(pid: Int32, uid: UInt32) {
    self.pid = pid
    self.uid = uid
  }
}

/// Callers by number. A number is given again once no entry names it.
struct Fillers {
  /// Entries have 12 bits for it; zero says that it isn't known who.
  private static let maximum = 1 << 12

  private var callers: [Caller] = [Caller(pid: 0, uid: 0)]
  private var entries: [Int] = [0]
  private var numbers: [Caller: Int] = [:]
  private var free: [Int] = []
  /// The number given last: one process stores many values in a row.
  private var last = 0

  /// The number of `caller`, for one more entry; zero where all numbers are taken.
  mutating func retain(_ caller: Caller) -> Int {
    if last > 0, entries[last] > 0, callers[last] == caller {
      entries[last] += 1
      return last
    }
    if let number = numbers[caller] {
      entries[number] += 1
      last = number
      return number
    }
    guard let number = free.popLast() ?? (callers.count < Self.maximum ? callers.count : nil) else { return 0 }
    if number == callers.count {
      callers.append(caller)
      entries.append(1)
    } else {
      callers[number] = caller
      entries[number] = 1
    }
    numbers[caller] = number
    return number
  }

  /// One entry fewer names `number`.
  mutating func release(_ number: Int) {
    guard number > 0 else { return }
    entries[number] -= 1
    guard entries[number] == 0 else { return }
    numbers[callers[number]] = nil
    free.append(number)
  }

  func caller(_ number: Int) -> Caller? { number > 0 ? callers[number] : nil }
}
