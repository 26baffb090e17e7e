// What can go wrong between a client and its sidecar. By default none of it reaches a caller: it is a miss.

/// An error of the cache, as opposed to one of a function that loads a value.
public enum PannierError: Error, Sendable, Hashable {
  /// No answer: there is no sidecar, or it is too slow, or it has just failed and isn't asked again yet.
  case unavailable(String)
  /// The sidecar answers with an error; `message` says what was wrong and what was expected.
  case refused(Code, message: String)

  /// The protocol's closed list, in the order of PROTOCOL.md's table.
  public enum Code: String, Sendable, CaseIterable {
    case badJSON = "bad_json"
    case badRequest = "bad_request"
    case unknownOp = "unknown_op"
    case unknownNamespace = "unknown_namespace"
    case keyTooLong = "key_too_long"
    case valueTooLarge = "value_too_large"
    case forbidden
    case lineTooLong = "line_too_long"
    case badUTF8 = "bad_utf8"
    case tooManyConnections = "too_many_connections"
    case overloaded
    case tierUnavailable = "tier_unavailable"
    case shuttingDown = "shutting_down"
    case `internal`
  }
}

extension PannierError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unavailable(let why): why
    case .refused(let code, let message): "\(code.rawValue): \(message)"
    }
  }
}
