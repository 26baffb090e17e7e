// The bounds that keep one peer from using the server up: their names, defaults and hard ranges. Who watches over each is
// another file's matter.

package struct Limits: Equatable, Sendable {
  /// The longest line taken or answered.
  package var lineBytes = 16 << 20
  package var keyBytes = 1024
  /// How deep a line's JSON may nest; the line's own object is 1.
  package var nesting = 128
  /// The most keys or items of a request.
  package var items = 1000
  package var namespaces = 1024
  package var connections = 1024
  /// The most requests of one connection that are not answered yet.
  package var inFlight = 1024
  /// The most answered bytes a connection may leave unread before it is no longer read.
  package var outputBytes = 32 << 20
  /// How long a connection may leave answers unread.
  package var outputTimeMilliseconds = 10_000
  /// How long a line may take from its first byte to its end.
  package var lineTimeMilliseconds = 10_000
  /// The most keys with a lease, or a pause after one.
  package var loads = 100_000
  /// The most callers that wait for one key, and for all.
  package var waitingPerKey = 10_000
  package var waiting = 100_000

  package init() {}

  /// By configuration name, in the order `hello` has them.
  package var named: [(name: String, value: LimitValue)] {
    LimitField.all.map { ($0.name, $0.kind.value(self[keyPath: $0.path])) }
  }
}

package enum LimitValue: Equatable, Sendable {
  case bytes(Int)
  case count(Int)
  case milliseconds(Int)

  /// Bytes and counts as they are, times in seconds.
  package var json: String {
    switch self {
    case .bytes(let number), .count(let number): String(number)
    case .milliseconds(let number): Durations.seconds(Int64(number))
    }
  }
}

/// One limit, as the configuration has it.
struct LimitField: Sendable {
  let name: String
  let path: any WritableKeyPath<Limits, Int> & Sendable
  let kind: Kind
  let range: ClosedRange<Int>

  enum Kind: Sendable {
    case bytes, count, time

    func value(_ number: Int) -> LimitValue {
      switch self {
      case .bytes: .bytes(number)
      case .count: .count(number)
      case .time: .milliseconds(number)
      }
    }
  }

  var settingKind: SettingKind<Int> {
    switch kind {
    case .bytes: .size(range)
    case .count: .count(range)
    case .time: .time(range)
    }
  }

  /// The ranges are hard: within them the server's own numbers can't overflow, and it can't lock everybody out.
  static let all: [LimitField] = [
    LimitField(name: "line_bytes", path: \.lineBytes, kind: .bytes, range: 1 << 10...1 << 30),
    LimitField(name: "key_bytes", path: \.keyBytes, kind: .bytes, range: 1...65_535),
    LimitField(name: "nesting", path: \.nesting, kind: .count, range: 1...1000),
    LimitField(name: "items", path: \.items, kind: .count, range: 1...1_000_000),
    LimitField(name: "namespaces", path: \.namespaces, kind: .count, range: 1...4095),
    LimitField(name: "connections", path: \.connections, kind: .count, range: 1...1_000_000),
    LimitField(name: "in_flight", path: \.inFlight, kind: .count, range: 1...1_000_000),
    LimitField(name: "output_bytes", path: \.outputBytes, kind: .bytes, range: 1 << 10...1 << 40),
    LimitField(name: "output_time", path: \.outputTimeMilliseconds, kind: .time, range: 1...86_400_000),
    LimitField(name: "line_time", path: \.lineTimeMilliseconds, kind: .time, range: 1...86_400_000),
    LimitField(name: "loads", path: \.loads, kind: .count, range: 1...10_000_000),
    LimitField(name: "waiting_per_key", path: \.waitingPerKey, kind: .count, range: 1...10_000_000),
    LimitField(name: "waiting", path: \.waiting, kind: .count, range: 1...10_000_000),
  ]
}
