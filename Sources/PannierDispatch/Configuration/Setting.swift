// The table of a configuration's settings: the path of each, how it is written and where it stands. File, variables and
// flags all go by it. Namespaces have names of their own and are read beside it.

import PannierCore

struct Setting: Sendable {
  /// As in the file: `limits.items`.
  let path: String
  let takesList: Bool
  /// Writes what the node says into the configuration, or adds to the faults, under the path given.
  let read: @Sendable (SettingNode, _ path: String, _ into: inout Configuration, inout FaultList) -> Void

  static let all: [Setting] =
    [
      Setting("socket.path", .socketPath, \.socket.path),
      Setting("socket.mode", .fileMode, \.socket.mode),
      Setting("socket.group", .orNone(.group), \.socket.group),
      Setting("memory", .size(1 << 20...largestMemory), \.memoryBytes),
      Setting("unknown_namespaces", .word, \.unknownNamespaces),
    ] + [Setting.strategy] + PolicyField.all.map(Setting.init(default:)) + LimitField.all.map(Setting.init(limit:)) + [
      Setting("redis.url", .redisURL, \.redis.address),
      Setting("redis.username", .text("a user's name"), \.redis.user),
      Setting("redis.password", .secret, \.redis.password),
      Setting("redis.password_file", .text("a file's path"), \.redis.passwordFile),
      Setting("redis.prefix", .redisPrefix, \.redis.prefix),
      Setting("redis.timeout", .duration(1...10_000), \.redis.timeoutMilliseconds),
      Setting("redis.connect_timeout", .duration(1...60_000), \.redis.connectTimeoutMilliseconds),
      Setting("redis.log_records", .count(1000...100_000_000), \.redis.logRecords),
      Setting("coherence.bound", .orNone(.duration(20...600_000), word: "auto"), \.redis.boundMilliseconds),
      Setting("coherence.beat", .duration(10...10_000), \.redis.beatMilliseconds),
      Setting("access.uids", .users, \.access.uids),
      Setting("access.gids", .groups, \.access.gids),
      Setting("access.admins", .users, \.access.admins),
      Setting("log.level", .word, \.log.level),
      Setting("log.format", .word, \.log.format),
    ]

  /// The first is what clients go by, too.
  static let socketVariables = ["PANNIER_SOCKET", "PANNIER_SOCKET_PATH"]

  /// The variables that set it: the path in capitals.
  var variables: [String] {
    if path == "socket.path" { return Self.socketVariables }
    return ["PANNIER_" + String(path.uppercased().map { $0 == "." ? "_" : $0 })]
  }

  private init<Value>(
    _ path: String, _ kind: SettingKind<Value>, _ keyPath: any WritableKeyPath<Configuration, Value> & Sendable
  ) {
    self.path = path
    takesList = kind.takesList
    read = { node, place, configuration, faults in
      if let value = kind.read(node, place, &faults) { configuration[keyPath: keyPath] = value }
    }
  }

  private init(limit field: LimitField) {
    path = "limits.\(field.name)"
    takesList = false
    read = { node, place, configuration, faults in
      if let value = field.settingKind.read(node, place, &faults) { configuration.limits[keyPath: field.path] = value }
    }
  }

  private static let strategy = Setting(
    path: "defaults.\(PolicyStrategy.name)", takesList: false,
    read: { node, place, configuration, faults in
      configuration.defaults.readStrategy(node, path: place, faults: &faults)
    })

  private init(
    path: String, takesList: Bool,
    read: @escaping @Sendable (SettingNode, String, inout Configuration, inout FaultList) -> Void
  ) {
    self.path = path
    self.takesList = takesList
    self.read = read
  }

  private init(default field: PolicyField) {
    path = "defaults.\(field.name)"
    takesList = field.takesList
    read = { node, place, configuration, faults in
      configuration.defaults.read(field, node, path: place, faults: &faults)
    }
  }
}
