// Where Redis is and who we are there, read from a URL. It knows neither sockets nor names, and shows no password.

package struct RedisAddress: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    case host(String, port: UInt16)
    case unix(String)
  }

  package let place: Place
  package let database: Int32
  package let user: String?
  package let password: Secret?

  /// One less than a Unix socket's own bound: hiredis 0.14 leaves the last byte as it finds it.
  static let longestPathBytes = 106
  private static let defaultPort: UInt16 = 6379

  /// `redis://[user[:password]@]host[:port][/db]` or `unix://path[?db=N]`.
  package init(_ text: String) throws(RedisAddressFault) {
    // Never said back before it is known to hold no password.
    guard let colon = text.firstRange(of: "://") else {
      throw RedisAddressFault("it doesn't begin with redis:// or unix://")
    }
    let rest = text[colon.upperBound...]
    switch text[..<colon.lowerBound].lowercased() {
    case "redis": try self.init(host: rest)
    case "unix": try self.init(path: rest)
    case "rediss":
      throw RedisAddressFault(
        "rediss:// is TLS, which Pannier doesn't speak: let stunnel connect to Redis, and name stunnel's own address here "
          + "as redis:// or unix://")
    case let scheme: throw RedisAddressFault("the scheme \(quoted(scheme)) is not known; expected redis:// or unix://")
    }
  }

  /// The same place, with another account where one is given.
  package func account(user: String?, password: Secret?) -> RedisAddress {
    RedisAddress(place: place, database: database, user: user ?? self.user, password: password ?? self.password)
  }

  private init(place: Place, database: Int32, user: String?, password: Secret?) {
    self.place = place
    self.database = database
    self.user = user
    self.password = password
  }

  private init(host text: Substring) throws(RedisAddressFault) {
    let end = text.firstIndex { "/?#".contains($0) } ?? text.endIndex
    let authority = text[..<end]
    let path = text[end...]
    guard !path.contains("@") else {
      throw RedisAddressFault("a /, ? or # in the user's name or password is written %2F, %3F or %23")
    }
    let at = authority.lastIndex(of: "@")
    (user, password) = if let at { try Self.account(authority[..<at]) } else { (nil, nil) }
    place = try Self.host(at.map { authority[authority.index(after: $0)...] } ?? authority)
    guard !path.contains(where: { "?#".contains($0) }) else {
      throw RedisAddressFault("nothing may follow the database's number, as in redis://host:6379/2")
    }
    let number = path.dropFirst()
    database = number.isEmpty ? 0 : try Self.database(number)
  }

  private init(path text: Substring) throws(RedisAddressFault) {
    let mark = text.firstIndex(of: "?")
    let path = try Self.decoded(text[..<(mark ?? text.endIndex)], "the path")
    guard !path.isEmpty, !path.hasSuffix("/"), !path.utf8.contains(0) else {
      throw RedisAddressFault("no socket's path follows unix://, as in unix:///run/redis/redis.sock")
    }
    guard path.utf8.count <= Self.longestPathBytes else {
      throw RedisAddressFault(
        "the socket's path is \(path.utf8.count) bytes long, and at most \(Self.longestPathBytes) can be used")
    }
    place = .unix(path)
    user = nil
    password = nil
    guard let mark else {
      database = 0
      return
    }
    let query = text[text.index(after: mark)...]
    guard query.hasPrefix("db=") else {
      throw RedisAddressFault("only ?db= and a number may follow the path, as in unix:///run/redis/redis.sock?db=2")
    }
    database = try Self.database(query.dropFirst(3))
  }

  // MARK: Parts

  private static func account(_ text: Substring) throws(RedisAddressFault) -> (String?, Secret?) {
    guard let colon = text.firstIndex(of: ":") else {
      throw RedisAddressFault("a user needs a password: expected user:password@, or :password@ for the default user")
    }
    let user = try decoded(text[..<colon], "the user's name")
    let password = try decoded(text[text.index(after: colon)...], "the password")
    guard !password.isEmpty else { throw RedisAddressFault("the password before @ is empty") }
    return (user.isEmpty ? nil : user, Secret(password))
  }

  private static func host(_ text: Substring) throws(RedisAddressFault) -> Place {
    var host = text
    var port: Substring?
    if text.first == "[" {
      guard let close = text.firstIndex(of: "]") else {
        throw RedisAddressFault("the address \(quoted(String(text))) has no ] at its end")
      }
      host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || rest.first == ":" else {
        throw RedisAddressFault("expected a port or nothing behind ], found \(quoted(String(rest)))")
      }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
      guard port?.contains(":") == false else {
        throw RedisAddressFault("an IPv6 address stands in brackets, as in redis://[::1]:6379")
      }
    }
    guard !host.isEmpty else { throw RedisAddressFault("there is no host, as in redis://localhost:6379") }
    guard host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "%") }) else {
      throw RedisAddressFault("\(quoted(String(host))) can't be a host's name")
    }
    guard let port else { return .host(String(host), port: defaultPort) }
    guard isDigits(port), let number = UInt16(port), number > 0 else {
      throw RedisAddressFault("the port is \(quoted(String(port))); expected a number from 1 to 65535")
    }
    return .host(String(host), port: number)
  }

  private static func database(_ text: Substring) throws(RedisAddressFault) -> Int32 {
    guard isDigits(text), let number = Int32(text) else {
      throw RedisAddressFault("the database is \(quoted(String(text))); expected a number, as in /2 or ?db=2")
    }
    return number
  }

  private static func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// `what` and no more is named in a fault: it may be secret.
  private static func decoded(_ text: Substring, _ what: String) throws(RedisAddressFault) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
      guard digits.count == 2 else {
        throw RedisAddressFault("in \(what), % is not followed by two hexadecimal digits; % itself is written %25")
      }
      bytes.append(UInt8(digits[0] << 4 | digits[1]))
      rest = rest.dropFirst(2)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw RedisAddressFault("\(what) is not UTF-8")
    }
    return decoded
  }
}

extension RedisAddress: CustomStringConvertible {
  /// Without user and password.
  package var description: String {
    switch place {
    case .host(let host, let port):
      "redis://\(host.contains(":") ? "[\(host)]" : host):\(port)" + (database == 0 ? "" : "/\(database)")
    case .unix(let path): "unix://\(path)" + (database == 0 ? "" : "?db=\(database)")
    }
  }
}

/// What is wrong with an address, and what was expected; without any password.
package struct RedisAddressFault: Error, Hashable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Text that no log or message shows, whatever it is part of.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package let bytes: [UInt8]

  package init(_ text: String) { bytes = Array(text.utf8) }

  package var description: String { "(hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
