// How a run ends: the three exit statuses, and an error's words. Nothing else chooses a status.

import Glibc

enum Outcome: Int32, Error {
  /// Done; for a question, yes.
  case success = 0
  /// Nothing is wrong, but there was no value: scripts tell it from a failure.
  case miss = 1
  /// The server refused, can't be reached, or the command line is wrong.
  case failure = 2

  /// Ends the command with this status. Success ends by itself.
  func end() throws(Outcome) {
    if self != .success { throw self }
  }

  /// Ends the process at once.
  func exit() -> Never { Glibc.exit(rawValue) }
}

/// An error as a person reads it, without the leading `pannier:`.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
