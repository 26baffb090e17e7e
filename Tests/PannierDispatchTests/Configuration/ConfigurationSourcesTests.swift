import PannierCore
import Testing

@testable import PannierDispatch

/// Each setting's path, a text that differs from its default, and what must then be true.
private let samples: [(path: String, text: String, holds: @Sendable (Configuration) -> Bool)] = [
  ("socket.path", "/tmp/other.sock", { $0.socket.path == "/tmp/other.sock" }),
  ("socket.mode", "0600", { $0.socket.mode == 0o600 }),
  ("socket.group", "root", { $0.socket.group == "root" }),
  ("memory", "64MiB", { $0.memoryBytes == 64 << 20 }),
  ("unknown_namespaces", "refuse", { $0.unknownNamespaces == .refuse }),
  ("defaults.strategy", "write_behind", { policy($0).write == .behind }),
  ("defaults.ttl", "none", { policy($0).lifetimes.ttlMilliseconds == nil }),
  ("defaults.max_ttl", "1h", { policy($0).lifetimes.maxTTLMilliseconds == 3_600_000 }),
  ("defaults.rules", "[{match: \"a*\", ttl: 5}]", { policy($0).rules.count == 1 }),
  ("defaults.jitter", "0.25", { policy($0).lifetimes.jitter == 0.25 }),
  ("defaults.negative_ttl", "250ms", { policy($0).lifetimes.negativeTTLMilliseconds == 250 }),
  ("defaults.stale", "1h30m", { policy($0).lifetimes.staleMilliseconds == 5_400_000 }),
  ("defaults.refresh_ahead", "0.8", { policy($0).lifetimes.refreshAhead == 0.8 }),
  ("defaults.lease_timeout", "1m", { policy($0).lifetimes.leaseTimeoutMilliseconds == 60_000 }),
  ("defaults.max_wait", "2", { policy($0).lifetimes.maxWaitMilliseconds == 2000 }),
  ("defaults.retry_after", "100ms", { policy($0).lifetimes.retryAfterMilliseconds == 100 }),
  ("defaults.tiers", "[redis]", { policy($0).tiers == .redis }),
  ("defaults.memory_ttl", "30s", { policy($0).lifetimes.memoryTTLMilliseconds == 30_000 }),
  ("defaults.write", "through", { policy($0).write == .through }),
  ("defaults.behind.interval", "1s", { policy($0).behind.intervalMilliseconds == 1000 }),
  ("defaults.behind.max_pending", "7", { policy($0).behind.maxPending == 7 }),
  ("defaults.lease_scope", "fleet", { policy($0).leaseScope == .fleet }),
  ("defaults.on_link_loss", "verify", { policy($0).onLinkLoss == .verify }),
  ("defaults.max_bytes", "1.5MiB", { policy($0).maxBytes == 3 << 19 }),
  ("defaults.max_entries", "5000", { policy($0).maxEntries == 5000 }),
  ("defaults.max_value_bytes", "64KB", { policy($0).maxValueBytes == 64_000 }),
  ("defaults.eviction", "lru", { $0.defaults.fields.map(\.name) == ["eviction"] }),
  ("defaults.compress.min_bytes", "off", { policy($0).compressedFromBytes == nil }),
  ("defaults.mode", "off", { policy($0).mode == .off }),
  ("limits.line_bytes", "1MiB", { $0.limits.lineBytes == 1 << 20 }),
  ("limits.key_bytes", "2KiB", { $0.limits.keyBytes == 2048 }),
  ("limits.nesting", "64", { $0.limits.nesting == 64 }),
  ("limits.items", "10", { $0.limits.items == 10 }),
  ("limits.namespaces", "20", { $0.limits.namespaces == 20 }),
  ("limits.connections", "30", { $0.limits.connections == 30 }),
  ("limits.in_flight", "40", { $0.limits.inFlight == 40 }),
  ("limits.output_bytes", "1MiB", { $0.limits.outputBytes == 1 << 20 }),
  ("limits.output_time", "1m", { $0.limits.outputTimeMilliseconds == 60_000 }),
  ("limits.line_time", "0.5", { $0.limits.lineTimeMilliseconds == 500 }),
  ("limits.loads", "50", { $0.limits.loads == 50 }),
  ("limits.waiting_per_key", "60", { $0.limits.waitingPerKey == 60 }),
  ("limits.waiting", "70", { $0.limits.waiting == 70 }),
  (
    "redis.url", "redis://:secret@cache.example:6380/2",
    { "\($0.redis.address?.description ?? "")" == "redis://cache.example:6380/2" }
  ),
  ("redis.username", "app", { $0.redis.user == "app" }),
  ("redis.password", "secret", { $0.redis.password == Secret("secret") }),
  ("redis.password_file", "/run/secret", { $0.redis.passwordFile == "/run/secret" }),
  ("redis.prefix", "quiz", { $0.redis.prefix == "quiz" }),
  ("redis.timeout", "50ms", { $0.redis.timeoutMilliseconds == 50 }),
  ("redis.connect_timeout", "1s", { $0.redis.connectTimeoutMilliseconds == 1000 }),
  ("redis.log_records", "5000", { $0.redis.logRecords == 5000 }),
  ("coherence.bound", "2s", { $0.redis.boundMilliseconds == 2000 }),
  ("coherence.beat", "100ms", { $0.redis.beatMilliseconds == 100 }),
  ("access.uids", "[1000, root]", { $0.access.uids == [1000, 0] }),
  ("access.gids", "[root, 7]", { $0.access.gids == [0, 7] }),
  ("access.admins", "[5]", { $0.access.admins == [5] }),
  ("log.level", "debug", { $0.log.level == .debug }),
  ("log.format", "json", { $0.log.format == .json }),
]

private func policy(_ configuration: Configuration) -> Policy { configuration.policy(for: "any") }

@Test func thereIsASampleOfEverySetting() {
  #expect(samples.map(\.path) == Setting.all.map(\.path))
}

@Test(arguments: samples.indices)
func everySettingIsTakenFromEverySource(index: Int) throws {
  let (path, text, holds) = samples[index]
  let parts = path.split(separator: ".")
  let yaml = parts.dropLast().reversed().reduce("\(parts.last ?? ""): \(text)") { "\($1): {\($0)}" }
  #expect(holds(try load(yaml).0))
  let variable = "PANNIER_" + path.uppercased().replacing(".", with: "_")
  let (configuration, warnings) = try Configuration.load(environment: [variable: text])
  #expect(holds(configuration))
  #expect(warnings.isEmpty)
  #expect(
    holds(try Configuration.load(environment: [:], flags: [Configuration.Flag(name: "--x", path: path, value: text)]).0)
  )
  #expect(!holds(Configuration()))
}

@Test func withNothingGivenDefaultsHold() throws {
  for yaml in ["", "\n# nothing\n", "---\n", "null", "{}", "\u{FEFF}", "defaults:\nnamespaces:\nlimits:\n"] {
    let (configuration, warnings) = try load(yaml)
    #expect(configuration == Configuration())
    #expect(warnings.isEmpty)
  }
  let configuration = Configuration()
  #expect(configuration.socket == Configuration.Socket(path: "/run/pannier/pannier.sock", mode: 0o660, group: nil))
  #expect(configuration.memoryBytes == 268_435_456)
  #expect(configuration.unknownNamespaces == .create)
  #expect(configuration.policy(for: "any") == Policy())
  #expect(configuration.log == Configuration.Log(level: .info, format: .logfmt))
  #expect(try load("\u{FEFF}memory: 1MiB").0.memoryBytes == 1 << 20)
}

@Test func flagsBeatVariablesAndVariablesTheFile() throws {
  let yaml = "memory: 1MiB\nlimits: {items: 1, nesting: 1}\ndefaults: {ttl: 1, stale: 1}"
  let environment = ["PANNIER_MEMORY": "2MiB", "PANNIER_LIMITS_ITEMS": "2", "PANNIER_DEFAULTS_TTL": "2"]
  let (configuration, _) = try load(
    yaml, environment: environment, flags: [Configuration.Flag(name: "--memory", path: "memory", value: "3MiB")])
  #expect(configuration.memoryBytes == 3 << 20)
  #expect(configuration.limits.items == 2)
  #expect(configuration.limits.nesting == 1)
  #expect(policy(configuration).lifetimes.ttlMilliseconds == 2000)
  #expect(policy(configuration).lifetimes.staleMilliseconds == 1000)
}

/// Explicit, variables, and the path that the command line and the server must agree on.
@Test(
  arguments: [
    (nil, [:], "/run/pannier/pannier.sock"),
    (nil, ["XDG_RUNTIME_DIR": "/run/user/7"], "/run/user/7/pannier.sock"),
    (nil, ["XDG_RUNTIME_DIR": ""], "/run/pannier/pannier.sock"),
    (nil, ["PANNIER_SOCKET": "/a", "XDG_RUNTIME_DIR": "/x"], "/a"),
    (nil, ["PANNIER_SOCKET_PATH": "/b"], "/b"),
    (nil, ["PANNIER_SOCKET": "", "PANNIER_SOCKET_PATH": ""], "/run/pannier/pannier.sock"),
    ("/c", ["PANNIER_SOCKET": "/a", "XDG_RUNTIME_DIR": "/x"], "/c"),
  ] as [(String?, [String: String], String)])
func theSocketsPathIsFound(explicit: String?, environment: [String: String], expected: String) throws {
  #expect(Configuration.socketPath(explicit: explicit, environment: environment) == expected)
  let flags = explicit.map { [Configuration.Flag(name: "--socket", path: "socket.path", value: $0)] } ?? []
  #expect(try Configuration.load(environment: environment, flags: flags).0.socket.path == expected)
}

@Test func theFilesSocketBeatsTheHostsDirectory() throws {
  let environment = ["XDG_RUNTIME_DIR": "/run/user/7"]
  #expect(try load("socket: {path: ./x.sock}", environment: environment).0.socket.path == "./x.sock")
}

@Test func twoVariablesForTheSocketMustAgree() throws {
  let found = try faults("", environment: ["PANNIER_SOCKET": "/a", "PANNIER_SOCKET_PATH": "/b"])
  #expect(found == ["PANNIER_SOCKET: it differs from PANNIER_SOCKET_PATH, which says the same thing; give one of them"])
  #expect(try faults("", environment: ["PANNIER_SOCKET": "/a", "PANNIER_SOCKET_PATH": "/a"]).isEmpty)
}

@Test func unknownVariablesAreWarnings() throws {
  let environment = ["PANNIER_MEMROY": "x", "PANNIER_CLIENT_POOL": "x", "PANNIER_NAMESPACES_A_TTL": "5", "HOME": "/"]
  #expect(
    try Configuration.load(environment: environment).warnings == [
      "PANNIER_CLIENT_POOL sets nothing here", "PANNIER_MEMROY sets nothing here, did you mean PANNIER_MEMORY?",
      "PANNIER_NAMESPACES_A_TTL sets nothing here",
    ])
}

@Test func moreBytesThanMemoryIsAWarning() throws {
  let (_, warnings) = try load("memory: 1MiB\ndefaults: {max_bytes: 1MiB}\nnamespaces: {a: {max_bytes: 2MiB}}")
  #expect(warnings == ["namespaces.a.max_bytes, 2MiB, is more than memory, 1MiB, which bounds it first"])
}

@Test func listsInVariablesAreTextWithCommas() throws {
  for text in ["0,1000", " root , 1000", "[0, 1000]"] {
    #expect(try Configuration.load(environment: ["PANNIER_ACCESS_UIDS": text]).0.access.uids == [0, 1000])
  }
  #expect(try faults("", environment: ["PANNIER_ACCESS_UIDS": "0,,1"]).count == 1)
  #expect(try faults("", environment: ["PANNIER_ACCESS_UIDS": "[0"]).count == 1)
}

@Test(arguments: ["0640", "\"0640\"", "'0640'", "0o640"])
func fileModesAreOctal(text: String) throws {
  #expect(try load("socket: {mode: \(text)}").0.socket.mode == 0o640)
}

/// `hello` prints them by these names, in this order.
@Test func limitsHaveNames() {
  let named = Limits().named
  #expect(
    named.map(\.name) == [
      "line_bytes", "key_bytes", "nesting", "items", "namespaces", "connections", "in_flight", "output_bytes",
      "output_time", "line_time", "loads", "waiting_per_key", "waiting",
    ])
  #expect(
    named.map(\.value.json) == [
      "16777216", "1024", "128", "1000", "1024", "1024", "1024", "33554432", "10", "10", "100000", "10000",
      "100000",
    ])
}

@Test func limitsHoldWithinTheirRangesOnly() throws {
  for field in LimitField.all {
    let unit = if case .time = field.kind { "ms" } else { "" }
    for (number, isTaken) in [
      (field.range.lowerBound, true), (field.range.upperBound, true), (field.range.lowerBound - 1, false),
      (field.range.upperBound + 1, false),
    ] {
      let found = try faults("limits: {\(field.name): \(number)\(unit)}")
      #expect(found.isEmpty == isTaken, "\(field.name) \(number)")
    }
  }
}

@Test func whatCantBeBehindIsWarnedOf() throws {
  let (_, warnings) = try load(
    "defaults: {write: behind}\nnamespaces: {a: {}, b: {tiers: [redis]}, c: {tiers: [memory]}}")
  #expect(
    warnings == [
      "namespaces.b.write is behind, and memory is not among its tiers: a set waits for Redis all the same"
    ])
}
