// The closed list of what can go wrong, equal to the table in PROTOCOL.md.

/// A code of the protocol, in the order of its table.
package enum ErrorCode: String, CaseIterable, Sendable {
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

  /// Framing can't be trusted after these, or there is nobody to serve: the connection closes once the error is written.
  package var closesConnection: Bool {
    switch self {
    case .lineTooLong, .badUTF8, .tooManyConnections, .shuttingDown: true
    case .badJSON, .badRequest, .unknownOp, .unknownNamespace, .keyTooLong, .valueTooLarge, .forbidden, .overloaded,
      .tierUnavailable, .internal:
      false
    }
  }
}

/// Why a request is refused: a code of the table and a sentence that names what is wrong and what was expected.
package struct Refusal: Error {
  package let code: ErrorCode
  package let message: String

  package init(_ code: ErrorCode, _ message: String) {
    self.code = code
    self.message = message
  }
}
