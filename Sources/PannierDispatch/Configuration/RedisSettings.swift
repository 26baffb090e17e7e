// Where Redis is and how it is used, as settled values, and how they are written. It knows no connection.

import PannierCore

/// Times are in milliseconds.
package struct RedisSettings: Equatable, Sendable {
  /// Nil: memory is the only tier.
  package var address: RedisAddress?
  /// Over what the address says, where they are set.
  package var user: String?
  package var password: Secret?
  package var passwordFile: String?
  /// What every name in Redis begins with: whoever has the same shares the same values.
  package var prefix = "pannier"
  /// How long a read or a change waits for Redis.
  package var timeoutMilliseconds: Int64 = 100
  package var connectTimeoutMilliseconds: Int64 = 250
  /// About how many records the log keeps: a host that was away for longer begins with an empty memory.
  package var logRecords = 200_000
  /// How long the log is waited for at a time.
  package var beatMilliseconds: Int64 = 250
  /// For how long after it was followed to its end memory may be shown where that must be proven; nil: a second, or as long as a
  /// proof may take to come.
  package var boundMilliseconds: Int64?

  package init() {}

  /// One proof may be lost, and the next be late by as much as Redis may be.
  var shortestBoundMilliseconds: Int64 { 2 * beatMilliseconds + timeoutMilliseconds + 1 }
  package var proofMilliseconds: Int64 { boundMilliseconds ?? max(1000, shortestBoundMilliseconds) }

  /// The password as it is set, or as its file has it now; nil: none is set.
  package func currentPassword() throws(ConfigurationFaults) -> Secret? {
    guard let passwordFile else { return password }
    var faults = FaultList(name: passwordFile)
    guard let text = ConfigurationFile.text(passwordFile, faults: &faults) else {
      throw ConfigurationFaults(faults: faults.faults)
    }
    return Secret(String(text.prefix { !$0.isNewline }))
  }
}

extension SettingKind<Tiers> {
  static var tiers: Self {
    let word = SettingKind<Tiers>("memory or redis") { text throws(SettingRefusal) in
      switch text {
      case "memory": return .memory
      case "redis": return .redis
      default: throw SettingRefusal(message: "\(quoted(text)) is not one of memory | redis")
      }
    }
    let list = SettingKind<[Tiers]>.list(of: word, expected: "a list such as [memory, redis]")
    return Self(expected: list.expected, takesList: true) { node, path, faults in
      guard let tiers = list.read(node, path, &faults) else { return nil }
      guard !tiers.isEmpty else {
        faults.add("expected memory, redis, or both, found an empty list", path: path, line: node.line)
        return nil
      }
      return tiers.reduce([]) { $0.union($1) }
    }
  }
}

extension Tiers: JSONPrintable {
  var json: String {
    let names = [contains(.memory) ? "\"memory\"" : nil, contains(.redis) ? "\"redis\"" : nil]
    return "[\(names.compactMap { $0 }.joined(separator: ","))]"
  }
}

extension SettingKind<RedisAddress?> {
  static var redisURL: Self {
    .orNone(
      SettingKind<RedisAddress>("a URL such as redis://localhost:6379") { text throws(SettingRefusal) in
        do throws(RedisAddressFault) {
          return try RedisAddress(text)
        } catch {
          throw SettingRefusal(message: error.description)
        }
      })
  }
}

extension SettingKind<Secret?> {
  static var secret: Self { .orNone(SettingKind<Secret>("a password") { text throws(SettingRefusal) in Secret(text) }) }
}

extension SettingKind<String?> {
  static func text(_ expected: String) -> Self {
    .orNone(
      SettingKind<String>(expected) { text throws(SettingRefusal) in
        guard !text.isEmpty, !text.utf8.contains(0) else { throw SettingRefusal(message: "expected \(expected)") }
        return text
      })
  }
}

extension SettingKind<String> {
  /// What names in Redis begin with: short, and without a colon, which ends it.
  static var redisPrefix: Self {
    Self("a prefix such as pannier") { text throws(SettingRefusal) in
      let isPlain = text.utf8.allSatisfy { byte in
        switch Unicode.Scalar(byte) {
        case "A"..."Z", "a"..."z", "0"..."9", "_", ".", "-": true
        default: false
        }
      }
      guard isPlain, (1...64).contains(text.utf8.count) else {
        throw SettingRefusal(message: "\(quoted(text)) can't be a prefix; it takes 1 to 64 of A-Z a-z 0-9 _ . -")
      }
      return text
    }
  }
}
