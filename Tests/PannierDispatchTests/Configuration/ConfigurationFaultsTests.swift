import Testing

@testable import PannierDispatch

@Test func allFaultsAreFoundAtOnceWithTheirLines() throws {
  let yaml = """
    memroy: 64MiB
    memory: [1, 2]
    socket:
      path: /tmp/x.sock
      mode: 660
      colour: blue
    unknown_namespaces: maybe
    defaults:
      ttl: 10 minutes
      tll: 5
      rules:
        - match: "user:*"
          ttl: 0
        - match: "[a"
          mode: off
        - ttl: 5
        - nonsense
    namespaces:
      quiz:
        jitter: 1
        max_entries: 1.5
        stale: null
      "a b": {}
      other: 5
    limits:
      items: 0
      line_bytes: 2GiB
    access:
      uids: [root, no-such-user-here]
      gids: root
    log: {level: loud, format: xml}
    """
  #expect(
    try faults(yaml) == [
      #"f:1: unknown field "memroy", did you mean "memory"?"#,
      #"f:2: memory: expected a size such as 256MiB, found a list"#,
      #"f:5: socket.mode: "660" is not a file mode; write it in octal with its zero, such as 0660"#,
      #"f:6: socket: unknown field "colour"; known are path, mode, group"#,
      #"f:7: unknown_namespaces: "maybe" is not one of create | refuse"#,
      #"f:9: defaults.ttl: "10 minutes" is not a duration; write 10m, 1h30m, 250ms or a number of seconds"#,
      #"f:10: defaults: unknown field "tll", did you mean "ttl"?"#,
      #"f:13: defaults.rules[0].ttl: "0" is out of range; it must be 1ms to 3650d"#,
      #"f:14: defaults.rules[1].match: "[a" is not a glob; close each [, and put a character after a \ and behind a - in [a-z]"#,
      #"f:15: defaults.rules[1]: unknown field "mode"; known are match, ttl, max_ttl, jitter, negative_ttl, stale, refresh_ahead, lease_timeout, max_wait, retry_after, memory_ttl"#,
      #"f:16: defaults.rules[2]: a rule needs "match", the glob of the keys that it is for"#,
      #"f:17: defaults.rules[3]: expected a rule such as {match: "user:*", ttl: 10m}, found "nonsense""#,
      #"f:20: namespaces.quiz.jitter: "1" is not a share; write a number from 0 to below 1, such as 0.1"#,
      #"f:21: namespaces.quiz.max_entries: "1.5" is not a whole number"#,
      #"f:22: namespaces.quiz.stale: expected a duration such as 10m, found nothing"#,
      #"f:23: namespaces: "a b" can't name a namespace; it takes 1 to 64 of A-Z a-z 0-9 _ . -"#,
      #"f:24: namespaces.other: expected the fields ttl, max_ttl, rules, jitter, negative_ttl, stale, refresh_ahead, lease_timeout, max_wait, retry_after, tiers, memory_ttl, write, strategy, behind, lease_scope, on_link_loss, max_bytes, max_entries, max_value_bytes, eviction, compress, mode, found "5""#,
      #"f:26: limits.items: "0" is out of range; it must be 1 to 1000000"#,
      #"f:27: limits.line_bytes: "2GiB" is out of range; it must be 1KiB to 1GiB"#,
      #"f:29: access.uids[1]: there is no user "no-such-user-here" on this host"#,
      #"f:30: access.gids: expected a list of groups such as [0, www-data], found "root""#,
      #"f:31: log.level: "loud" is not one of trace | debug | info | notice | warning | error | critical"#,
      #"f:31: log.format: "xml" is not one of logfmt | json"#,
    ])
}

@Test func faultsOfEverySourceAreFoundTogether() throws {
  let found = try faults(
    "memory: lots", environment: ["PANNIER_LIMITS_ITEMS": "many", "PANNIER_ACCESS_UIDS": "0,no-such-user-here"],
    flags: [
      Configuration.Flag(name: "--memory", path: "memory", value: "1B"),
      Configuration.Flag(name: "--x", path: "memori", value: "1"),
    ])
  #expect(
    found == [
      #"f:1: memory: "lots" is not a size; write 64KiB, 1.5GiB, 512KB or a number of bytes"#,
      #"PANNIER_LIMITS_ITEMS: "many" is not a whole number"#,
      #"PANNIER_ACCESS_UIDS: [1]: there is no user "no-such-user-here" on this host"#,
      #"--memory: "1B" is out of range; it must be 1MiB to 32GiB"#,
      #"--x: there is no setting "memori""#,
    ])
}

@Test func namesThatStandTwiceAreAllFound() throws {
  let yaml = """
    memory: 64MiB
    'memory': 1MiB
    defaults: {ttl: 5, "ttl": 6, ttl: 7}
    limits:
      items: 1
      nesting: x
      items: 2
    namespaces:
      1: {}
      "1": {}
    """
  #expect(
    try faults(yaml) == [
      #"f:2: "memory" stands twice in one mapping, first in line 1"#,
      #"f:3: "ttl" stands twice in one mapping, first in line 3"#,
      #"f:6: limits.nesting: "x" is not a whole number"#,
      #"f:7: "items" stands twice in one mapping, first in line 5"#,
      #"f:10: "1" stands twice in one mapping, first in line 9"#,
    ])
  #expect(try faults("? [a]\n: 1\n? [a]\n: 2\n").count == 1)
  let many = (0..<500).map { "k\($0): 1\nk\($0): 1\n" }.joined()
  #expect(try faults(many) == ["f: too many names stand twice"])
}

@Test(arguments: [
  ("memory: [", "f:2: not YAML: did not find expected node content (while parsing a flow node, line 2)"),
  ("limits:\n\titems: 5", "f:2: not YAML: found character that cannot start any token"),
  ("a: b: c", "f:1: not YAML: mapping values are not allowed in this context"),
  ("memory: 64MiB\n---\nmemory: 1MiB", "f:2: a second document begins here; one is taken"),
  ("memory: \u{1}", "f:1: not YAML: control characters are not allowed"),
  ("defaults:\n  rules:\n    - match: *", "f:3: not YAML"),
  ("defaults:\n  rules:\n    - match: *x", "f:3: not YAML: found undefined alias"),
  ("memory: &m 64MiB", "f:1: anchors and aliases (&name, *name) are not taken; write the value out"),
  (
    "- memory",
    "f:1: expected the fields socket, memory, unknown_namespaces, defaults, limits, redis, coherence, access, log, namespaces, found a list"
  ),
  ("text", "f:1: expected the fields socket"),
  ("&a memory: 1MiB", "f:1: anchors and aliases"),
  ("access: {uids: [\"root\\0x\"]}", "f:1: access.uids[0]: there is no user \"root\\u{0}x\" on this host"),
  ("[]: 1", "f:1: expected a name, found a list"),
  ("namespaces: [a]", "f:1: namespaces: expected namespaces by name, found a list"),
  ("<<: {memory: 1MiB}", "f:1: unknown field \"<<\""),
  ("redis: localhost", "f:1: redis: it doesn't begin with redis:// or unix://"),
  ("coherence: {bound: 100ms}", "f: coherence.bound must be above twice coherence.beat and redis.timeout together"),
  ("namespaces: {\(String(repeating: "a", count: 65)): {}}", "f:1: namespaces: \"aaa"),
  ("socket: {path: /\(String(repeating: "a", count: 107))}", "f:1: socket.path: \"/aaa"),
  ("socket: {mode: 0o1777}", "f:1: socket.mode: \"0o1777\" is not a file mode"),
  ("socket: {path: /run/pannier/}", "f:1: socket.path: \"/run/pannier/\" names a directory"),
  ("socket: {path: ..}", "f:1: socket.path: \"..\" names a directory"),
  ("socket: {path: run/.}", "f:1: socket.path: \"run/.\" names a directory"),
  ("socket: {mode: 0000}", "f:1: socket.mode: \"0000\" keeps the owner out"),
  ("socket: {mode: 0060}", "f:1: socket.mode: \"0060\" keeps the owner out"),
  ("socket: {mode: 0466}", "f:1: socket.mode: \"0466\" keeps the owner out"),
  ("socket: {mode: 0888}", "f:1: socket.mode: \"0888\" is not a file mode"),
  ("socket: {group: no-such-group-here}", "f:1: socket.group: there is no group \"no-such-group-here\" on this host"),
  ("access: {uids: [4294967295]}", "f:1: access.uids[0]: there is no user \"4294967295\" on this host"),
  ("defaults: {jitter: nan}", "f:1: defaults.jitter: \"nan\" is not a share"),
  ("defaults: {ttl: 0.0001}", "f:1: defaults.ttl: \"0.0001\" is out of range"),
  ("defaults: {ttl: {}}", "f:1: defaults.ttl: expected a duration such as 10m or none, found a mapping"),
])
func faultyFilesAreRefused(yaml: String, expected: String) throws {
  let found = try faults(yaml)
  #expect(found.count == 1)
  #expect(found.first?.hasPrefix(expected) == true, "\(found)")
}

@Test func hintsFollowTheFaultsPeopleMakeMost() throws {
  #expect(try faults("limits:\n\titems: 5")[0].hasSuffix("indent with spaces, not tabs"))
  #expect(try faults("defaults: {rules: [{match: *x}]}")[0].hasSuffix("put a text that begins with * in quotes"))
}

/// Each line refers nine times to the one before: written out it would be a billion lists.
@Test func aliasesOfAliasesAreRefusedAtOnce() throws {
  var yaml = "a0: &a0 [x]\n"
  for depth in 1...20 {
    yaml += "a\(depth): &a\(depth) [\(Array(repeating: "*a\(depth - 1)", count: 9).joined(separator: ", "))]\n"
  }
  let found = try faults(yaml)
  #expect(found.contains("f:21: anchors and aliases (&name, *name) are not taken; write the value out"))
  // Each line also names a field that isn't there.
  #expect(found.count == 42)
}

@Test func deepNestingIsRefused() throws {
  for opening in ["[", "{a: ", "- ", "? "] {
    #expect(try !faults(String(repeating: opening, count: 100_000)).isEmpty)
  }
}

@Test func filesThatCannotBeReadAreFaults() throws {
  #expect(try faults([UInt8]("memory: 1MiB\nlog: ".utf8) + [0xFF]) == ["f:2: it is not UTF-8"])
  #expect(
    try faults(Array(repeating: UInt8(ascii: "#"), count: 1 << 20 + 1))
      == ["f: a configuration file can have at most 1MiB"])
  #expect(try faults(Array(repeating: UInt8(ascii: "#"), count: 1 << 20)) == [])
  for (path, reason) in [("/no/such/file", "No such file or directory"), ("/", "Is a directory")] {
    #expect(
      throws: ConfigurationFaults(faults: [ConfigurationFault(place: path, message: "can't be read: \(reason)")])
    ) {
      try Configuration.load(file: path, environment: [:])
    }
  }
}

/// Only `check` looks: whether the path is free when the daemon starts is its socket's matter.
@Test func checkNamesWhatStandsWhereTheSocketWouldGo() throws {
  let yaml = "socket: {path: /usr}\nmemory: lots"
  #expect(try faults(yaml) == [#"f:2: memory: "lots" is not a size; write 64KiB, 1.5GiB, 512KB or a number of bytes"#])
  try withFile(yaml.utf8) { path in
    let error = #expect(throws: ConfigurationFaults.self) { try Configuration.check(file: path, obstacle: whatStands) }
    #expect(error?.faults.map(\.message).last == #"socket.path: "/usr" is a directory, not a socket"#)
    #expect(error?.faults.count == 2)
    #expect(error?.faults.last?.place == path)
  }
  try withFile("socket: {path: /usr/nothing-here}\nnamespaces: {a: {max_bytes: 1GiB}}".utf8) { path in
    let warnings = try Configuration.check(file: path, obstacle: whatStands)
    #expect(warnings.count == 1)
  }
}

@Test func moreNamespacesThanTheirLimitAreRefused() throws {
  #expect(
    try faults(
      "namespaces: {a: {}, b: {}}", flags: [Configuration.Flag(name: "-n", path: "limits.namespaces", value: "1")])
      == ["f: namespaces: there are 2, and limits.namespaces allows 1"])
  // Empty namespaces take memory, too.
  let names = (0..<200).map { "n\($0): {}" }.joined(separator: ", ")
  let found = try faults("memory: 1MiB\nnamespaces: {\(names)}")
  #expect(found.count == 1 && found[0].hasPrefix("f: namespaces: there are 200, and a quarter of memory has room for "))
}

/// A cut file may be taken or refused, but never ends the process.
@Test func aFileCutAnywhereIsTakenOrRefused() throws {
  let yaml = """
    socket: {path: /tmp/é.sock, mode: "0660", group: root}
    memory: 64MiB  # a comment
    defaults:
      ttl: 10m
      rules: [{match: "user:*", ttl: 5}, {match: 'b\\*', stale: 1h30m}]
    namespaces:
      quiz: {ttl: none, "max_bytes": 1.5MiB}
      a.b-c_d:
        mode: read_only
    access: {uids: [0, root]}
    limits: {items: 5}
    log: {level: debug, format: json}
    """
  let bytes = Array(yaml.utf8)
  #expect(try faults(bytes).isEmpty)
  let meaningful = Array("[]{}:,&*#?|>'\"\\\n\t-!%@`\r~ ".utf8)
  for end in bytes.indices {
    _ = try faults(bytes[..<end])
    // The rest is done at some places only, to spare time.
    guard end.isMultiple(of: 3) else { continue }
    _ = try faults(bytes[end...])
    // One byte changed, here and there, into something with a meaning in YAML.
    var changed = bytes
    changed[end] = meaningful[end % meaningful.count]
    _ = try faults(changed)
  }
}
/// As if there were one folder on the host.
private func whatStands(_ path: String) -> String? { path == "/usr" ? "a directory" : nil }
