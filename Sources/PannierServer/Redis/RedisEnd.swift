// Why a connection to Redis is no more, in words for the log, and by kinds for whoever decides what to do next.

enum RedisEnd: Error, Hashable {
  /// By our own will.
  case closed
  /// There was no connection at all: the name isn't known, or nobody listens.
  case unreachable(String)
  /// It was not ready in time.
  case timedOut(milliseconds: UInt64, while: String)
  /// Redis doesn't let us in: the password is wrong or missing, or the user may not do what every connection does first.
  case denied(RedisError)
  /// Redis refused what every connection does first, for another reason.
  case refused(RedisError, command: String)
  /// It stood, and did not answer for too long.
  case silent(milliseconds: UInt64)
  /// It stood, and broke.
  case lost(String)
  /// What came is nothing that Redis would say, or more than we take.
  case unacceptable(String)
}

extension RedisEnd {
  /// Under which it is counted.
  var word: String {
    switch self {
    case .closed: "closed"
    case .unreachable: "unreachable"
    case .timedOut: "timed_out"
    case .denied: "denied"
    case .refused: "refused"
    case .silent: "silent"
    case .lost: "lost"
    case .unacceptable: "unacceptable"
    }
  }
}

extension RedisEnd: CustomStringConvertible {
  var description: String {
    switch self {
    case .closed: "closed"
    case .unreachable(let why): "unreachable: \(why)"
    case .timedOut(let milliseconds, let stage): "not ready within \(milliseconds) ms, while \(stage)"
    case .denied(let error): "access denied: \(error)"
    case .refused(let error, let command): "\(command) refused: \(error)"
    case .silent(let milliseconds): "no answer for \(milliseconds) ms"
    case .lost(let why): "connection lost: \(why)"
    case .unacceptable(let why): "closed for what was received: \(why)"
    }
  }
}
