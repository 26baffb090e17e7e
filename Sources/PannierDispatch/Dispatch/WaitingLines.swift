// Lines that wait for a request before them to be answered, in their order. It decides nothing.

import PannierWire

/// A queue that holds no more than what waits: a client that always has a line waiting would else have all it ever sent kept.
struct WaitingLines {
  private var lines: [KeptLine?] = []
  private var first = 0
  /// Of all that wait.
  private(set) var byteCount = 0

  var count: Int { lines.count - first }
  var isEmpty: Bool { lines.count == first }

  mutating func append(_ line: KeptLine) {
    lines.append(line)
    byteCount += line.count
  }

  /// The line that has waited longest.
  mutating func popFirst() -> KeptLine? {
    guard first < lines.count, let line = lines[first] else { return nil }
    lines[first] = nil
    first += 1
    byteCount -= line.count
    // Half of it at least is past: moving the rest costs each line one move.
    if first * 2 >= lines.count {
      lines.removeFirst(first)
      first = 0
    }
    return line
  }
}
