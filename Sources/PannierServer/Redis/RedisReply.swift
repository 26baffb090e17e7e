// A reply of Redis as a value. It knows neither which command it answers nor how it was read.

enum RedisReply: Hashable {
  /// What isn't there: a null bulk or a null array.
  case null
  case integer(Int64)
  case bytes([UInt8])
  case status([UInt8])
  // Boxed, being rare and large: all others take 16 bytes.
  indirect case error(RedisError)
  case array([RedisReply])
  /// The connection ended before the reply: the command was carried out or it wasn't.
  case lost

  var isError: Bool { if case .error = self { true } else { false } }
}

/// What Redis, or a script of ours, answers in place of a result: a code word and what is said behind it.
struct RedisError: Error, Hashable {
  let code: Code
  let message: String

  /// The first word. Any may come; those that somebody acts on have a name here.
  struct Code: RawRepresentable, Hashable {
    let rawValue: String

    static let busy = Code(rawValue: "BUSY")
    static let loading = Code(rawValue: "LOADING")
    static let outOfMemory = Code(rawValue: "OOM")
    static let noScript = Code(rawValue: "NOSCRIPT")
    static let readOnly = Code(rawValue: "READONLY")
    static let masterDown = Code(rawValue: "MASTERDOWN")
    static let moved = Code(rawValue: "MOVED")
    static let ask = Code(rawValue: "ASK")
    static let noAuthentication = Code(rawValue: "NOAUTH")
    static let wrongPassword = Code(rawValue: "WRONGPASS")
    static let noPermission = Code(rawValue: "NOPERM")
    /// It listens to its own host alone, having no password.
    static let protected = Code(rawValue: "DENIED")
    static let general = Code(rawValue: "ERR")
    /// From our scripts: the caller knows another incarnation of the log.
    static let gap = Code(rawValue: "GAP")
    /// From our scripts: another connection has taken the caller's place.
    static let fenced = Code(rawValue: "FENCED")
  }

  init(code: Code, message: String) {
    self.code = code
    self.message = message
  }

  /// A line as it came, without its `-`.
  init(line: some Collection<UInt8>) {
    let word = line.prefix { $0 != UInt8(ascii: " ") }
    code = Code(rawValue: String(decoding: word, as: UTF8.self))
    message = String(decoding: line.dropFirst(word.count + 1), as: UTF8.self)
  }
}

extension RedisError: CustomStringConvertible {
  var description: String { message.isEmpty ? code.rawValue : "\(code.rawValue) \(message)" }
}
