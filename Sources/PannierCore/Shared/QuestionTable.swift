// What the shared tier is asked on behalf of whoever wants to know why a key is there or isn't: which questions are open, and what was
// found. Nothing that it holds changes a value.

/// What stands in the shared tier under a key, or why that isn't known.
package enum SharedFinding: Equatable, Sendable {
  /// `leftMilliseconds`: of all its life; nil: it doesn't expire.
  case value(SharedValue, isStale: Bool, leftMilliseconds: Int64?)
  /// Nothing.
  case absent
  /// A value older than a change of its key, or a clear: nobody is shown it any more.
  case void
  /// It is none that this version reads, for this reason.
  case unusable(String)
  /// It isn't read, since a change of it waits to be told there.
  case queued
  case unavailable
  case timedOut
}

/// Names a question until its finding is taken.
package typealias QuestionTicket = UInt64

struct QuestionTable {
  struct Question {
    let ticket: QuestionTicket
    let key: LoadKey
    let deadline: Int64
  }

  /// The most that may be open: as many as reads.
  static let maximum = FlightTable.maximum

  /// In the order in which they were asked, and so of their deadlines: each has the same time.
  private var open: [Question] = []
  private var findings: [(ticket: QuestionTicket, finding: SharedFinding)] = []

  var count: Int { open.count }
  var isFull: Bool { open.count >= Self.maximum }
  var nextDeadline: Int64? { open.first?.deadline }
  var hasFindings: Bool { !findings.isEmpty }

  mutating func ask(_ question: Question) { open.append(question) }

  mutating func answer(_ ticket: QuestionTicket, _ finding: SharedFinding) { findings.append((ticket, finding)) }

  /// Nil: it isn't open any more.
  mutating func close(_ ticket: QuestionTicket) -> Question? {
    open.firstIndex { $0.ticket == ticket }.map { open.remove(at: $0) }
  }

  /// The next that has taken too long.
  mutating func closeOverdue(_ now: Int64) -> Question? {
    guard let first = open.first, first.deadline <= now else { return nil }
    return open.removeFirst()
  }

  mutating func takeFindings() -> [(ticket: QuestionTicket, finding: SharedFinding)] {
    defer { findings = [] }
    return findings
  }
}
