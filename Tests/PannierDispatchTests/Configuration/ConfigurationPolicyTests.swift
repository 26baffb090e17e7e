import PannierCore
import Testing

@testable import PannierDispatch

private func patch(_ json: String) throws -> PolicyPatch { try PolicyPatch.parse(json: json).get() }

private func policy(_ json: String) throws -> Policy {
  var policy = Policy()
  try patch(json).apply(to: &policy)
  return policy
}

private func printed(_ policy: Policy) -> String { String(decoding: policyJSON(policy), as: UTF8.self) }

private func names(_ fields: Set<PolicyField>) -> Set<String> { Set(fields.map(\.name)) }

@Test func theDefaultPolicyIsPrinted() {
  #expect(
    printed(Policy())
      == #"{"ttl":300,"max_ttl":null,"rules":[],"jitter":0.1,"negative_ttl":null,"stale":0,"refresh_ahead":null,"lease_timeout":30,"max_wait":null,"retry_after":5,"tiers":["memory","redis"],"memory_ttl":null,"write":"aside","behind":{"interval":0.1,"max_pending":10000},"lease_scope":"host","on_link_loss":"serve","max_bytes":null,"max_entries":null,"max_value_bytes":1048576,"eviction":"lru","compress":{"min_bytes":1024},"mode":"on"}"#
  )
}

@Test func aPolicyIsPrintedAsItIsWritten() throws {
  let json = #"""
    {"ttl":null,"max_ttl":3600.5,"rules":[{"match":"a\"\\\\*","ttl":null,"max_ttl":0.25,"jitter":0,"negative_ttl":1,"stale":0.001,"refresh_ahead":0.5,"lease_timeout":1,"max_wait":0,"retry_after":0.5},{"match":"é\u0001"}],"jitter":0.5,"negative_ttl":2,"stale":10,"refresh_ahead":0.8,"lease_timeout":0.001,"max_wait":2,"retry_after":3600,"tiers":["memory","redis"],"memory_ttl":null,"write":"aside","behind":{"interval":0.1,"max_pending":10000},"lease_scope":"host","on_link_loss":"serve","max_bytes":65536,"max_entries":10,"max_value_bytes":100,"eviction":"lru","compress":{"min_bytes":1024},"mode":"read_only"}
    """#
  #expect(printed(try policy(json)) == json)
}

/// What is printed can be given back to `policy set`.
@Test(arguments: [
  #"{"ttl":"10m","max_ttl":"none","max_bytes":"64KiB"}"#, #"{"ttl":"none","max_ttl":"1h30m","max_entries":"7"}"#,
  #"{"ttl":0.25,"stale":1e2,"jitter":0.0,"rules":[{"match":"*","ttl":"none"}]}"#, #"{"mode":"off"}"#, "{}",
  #"{ "ttl" : 1.001 , "rules" : [ ] }"#, #"{"rules":null}"#,
])
func printedPoliciesAreTakenBack(json: String) throws {
  let policy = try policy(json)
  #expect(try patch(printed(policy)).fields.count == PolicyField.all.count)
  var again = Policy()
  try patch(printed(policy)).apply(to: &again)
  #expect(again == policy)
}

@Test(
  arguments: [
    (#"{"tll":5}"#, [#"unknown field "tll", did you mean "ttl"?"#]),
    (
      #"{"ttl":0,"mode":true,"max_bytes":-1}"#,
      [
        #"ttl: "0" is out of range; it must be 1ms to 3650d"#,
        #"mode: "true" is not one of on | bypass | read_only | off"#,
        #"max_bytes: "-1" is out of range; it must be 1 to 32GiB"#,
      ]
    ),
    (#"{"stale":null}"#, ["stale: expected a duration such as 10m, found nothing"]),
    (#"{"rules":[{"match":"a","ttl":[]}]}"#, ["rules[0].ttl: expected a duration such as 10m or none, found a list"]),
    (#"{"ttl":1,"ttl":2}"#, [#""ttl" stands twice in one mapping"#]),
    (
      "[]",
      [
        "expected the fields ttl, max_ttl, rules, jitter, negative_ttl, stale, refresh_ahead, lease_timeout, max_wait, retry_after, tiers, memory_ttl, write, strategy, behind, lease_scope, on_link_loss, max_bytes, max_entries, max_value_bytes, eviction, compress, mode, found a list"
      ]
    ),
    ("null", ["expected the fields of a policy, found nothing"]), ("{", ["it is not JSON"]),
  ] as [(String, [String])])
func faultyPatchesAreRefused(json: String, expected: [String]) {
  #expect(throws: ConfigurationFaults(faults: expected.map { ConfigurationFault(place: nil, message: $0) })) {
    try patch(json)
  }
}

/// YAML would take neither a name of more than a kilobyte, nor much nesting.
@Test func longAndDeepPatchesAreRefusedForWhatTheyAre() {
  let name = String(repeating: "x", count: 60_000)
  let deep = String(repeating: "[", count: 999) + String(repeating: "]", count: 999)
  for (json, fault) in [
    (#"{"\#(name)":1}"#, "unknown field \"\(name.prefix(64))…\"; known are ttl,"),
    (#"{"ttl":"\#(name)"}"#, "ttl: \"\(name.prefix(64))…\" is not a duration"),
    (#"{"rules":[{"\#(name)":1,"match":"a"}]}"#, "rules[0]: unknown field \"\(name.prefix(64))…\"; known are match,"),
    (#"{"ttl":\#(deep)}"#, "ttl: expected a duration such as 10m or none, found a list"),
    (#"{"rules":\#(deep)}"#, "rules[0]: expected a rule such as"),
  ] {
    let error = #expect(throws: ConfigurationFaults.self) { try patch(json) }
    #expect(error?.faults.count == 1)
    #expect(error?.oneLine.hasPrefix(fault) == true, "\(error?.oneLine ?? "")")
  }
}

/// JSON that a reader of YAML would refuse or read as something else.
@Test(arguments: [
  (#""\ud83d\ude00*""#, "😀*"), (#""\uD83D\uDE00""#, "😀"), ("\"😀\"", "😀"), (#""a\/b""#, "a/b"), (#""\\ud83d""#, "ud83d"),
  ("\"a\u{2028}b\u{85}c\"", "a\u{2028}b\u{85}c"), ("\"\u{7F}\"", "\u{7F}"), (#""\u00e9""#, "é"),
  ("\"# x: y\"", "# x: y"),
  (#""\t\b\f""#, "\t\u{8}\u{c}"), (#""&a""#, "&a"), ("\"\u{E001}1\u{E002}\"", "\u{E001}1\u{E002}"),
  ("\"e\u{301}\"", "e\u{301}"),
])
func jsonStringsKeepTheirMeaning(json: String, key: String) throws {
  for (open, close) in [("{\"match\":", "}"), ("\t{\t\"match\"\t:\t", "\t}\t")] {
    let rule = try #require(try policy("{\"rules\":[\(open)\(json)\(close)]}").rules.first)
    var key = key
    #expect(key.withUTF8 { rule.match.matches(UnsafeRawBufferPointer($0)) })
  }
}

@Test(arguments: [#"{"rules":[{"match":"\ud83d"}]}"#, #"{"rules":[{"match":"\ude00\ud83d"}]}"#])
func loneSurrogatesAreRefused(json: String) {
  #expect(throws: ConfigurationFaults.self) { try patch(json) }
}

@Test func longPatchesAreRefused() throws {
  let space = String(repeating: " ", count: 64 << 10)
  #expect(try patch(space.dropLast(2) + "{}") == PolicyPatch())
  #expect(
    throws: ConfigurationFaults(faults: [
      ConfigurationFault(place: nil, message: "a policy can have at most 64KiB here")
    ])
  ) {
    try patch(space.dropLast(1) + "{}")
  }
}

@Test func longListsOfFaultsAreCutInAnswers() {
  let rules = Array(repeating: "1", count: 5000).joined(separator: ",")
  guard case .failure(let faults) = PolicyPatch.parse(json: "{\"rules\":[\(rules)]}") else {
    Issue.record("taken")
    return
  }
  #expect(faults.faults.count == 5000)
  #expect(faults.oneLine.hasSuffix("; and 4990 more"))
  #expect(faults.oneLine.utf8.count < 2000)
}

@Test func namespacesLieOverDefaultsFieldByField() throws {
  let (configuration, _) = try load(
    """
    defaults:
      ttl: 10m
      jitter: 0
      rules: [{match: "a*", ttl: 1}, {match: "b*", ttl: 1}]
    namespaces:
      quiz:
        ttl: none
        rules: [{match: "c*", stale: 5}]
      bare:
      plain: {stale: 1}
    """)
  let quiz = configuration.policy(for: "quiz")
  #expect(quiz.lifetimes.ttlMilliseconds == nil)
  #expect(quiz.lifetimes.jitter == 0)
  #expect(quiz.rules.map { String(decoding: $0.match.pattern, as: UTF8.self) } == ["c*"])
  let plain = configuration.policy(for: "plain")
  #expect(plain.lifetimes.ttlMilliseconds == 600_000)
  #expect(plain.lifetimes.staleMilliseconds == 1000)
  #expect(plain.rules.count == 2)
  #expect(configuration.namespaces.keys.sorted() == ["bare", "plain", "quiz"])
  #expect(configuration.policy(for: "bare") == configuration.policy(for: "unheard-of"))
}

/// A value written down wins even where it is the built-in one.
@Test func whatIsWrittenWinsThoughItIsTheBuiltInValue() throws {
  let (configuration, _) = try load("defaults: {ttl: 1h, max_ttl: 2h}\nnamespaces: {a: {ttl: 5m, max_ttl: none}}")
  #expect(configuration.policy(for: "a") == Policy())
}

@Test func patchesAreMergedAndTakenBack() throws {
  let older = try patch(#"{"ttl":1,"stale":2,"rules":[{"match":"a"}]}"#)
  let newer = try patch(#"{"ttl":null,"mode":"off"}"#)
  let merged = older.merging(newer)
  #expect(merged == (try patch(#"{"mode":"off","rules":[{"match":"a"}],"stale":2,"ttl":"none"}"#)))
  #expect(names(merged.fields) == ["ttl", "stale", "rules", "mode"])
  let left = merged.removing(newer.fields)
  #expect(left == (try patch(#"{"stale":2,"rules":[{"match":"a"}]}"#)))
  #expect(left.removing(merged.fields) == PolicyPatch())
  #expect(left.removing(merged.fields).isEmpty)
  var policy = Policy()
  left.apply(to: &policy)
  #expect(policy.lifetimes.ttlMilliseconds == 300_000)
  #expect(policy.lifetimes.staleMilliseconds == 2000)
}

/// So a reload ends a `policy set` of just the fields that it changes.
@Test func changedFieldsAreNamed() throws {
  for field in PolicyField.all {
    let member = #""\#(field.localName)":\#(other(field))"#
    let json = field.section.map { #"{"\#($0)":{\#(member)}}"# } ?? "{\(member)}"
    #expect(changedFields(from: Policy(), to: try policy(json)) == changed(field))
  }
  let ruled = try policy(#"{"rules":[{"match":"a","ttl":1}]}"#)
  #expect(names(changedFields(from: ruled, to: try policy(#"{"rules":[{"match":"a","ttl":2}]}"#))) == ["rules"])
  #expect(changedFields(from: ruled, to: ruled).isEmpty)
}

/// A value that differs from the built-in one, where there is any other.
private func other(_ field: PolicyField) -> String {
  switch field.name {
  case "rules": #"[{"match":"x"}]"#
  case "jitter", "refresh_ahead": "0.5"
  case "eviction": #""lru""#
  case "mode": #""bypass""#
  case "tiers": #"["redis"]"#
  case "write": #""through""#
  case "lease_scope": #""fleet""#
  case "on_link_loss": #""verify""#
  default: "7"
  }
}

private func changed(_ field: PolicyField) -> Set<PolicyField> { field.name == "eviction" ? [] : [field] }

/// A field that is written wins, wherever in the same mapping that is; over both lies whatever is stronger.
@Test(
  arguments: [
    (#"{"strategy":"cache_aside"}"#, "", WriteKind.aside, nil), (#"{"strategy":"write_through"}"#, "", .through, nil),
    (#"{"strategy":"write_behind"}"#, "", .behind, nil), (#"{"strategy":"refresh_ahead"}"#, "", .aside, 0.8),
    (#"{"strategy":"write_through","write":"aside"}"#, "", .aside, nil),
    (#"{"write":"aside","strategy":"write_through"}"#, "", .aside, nil),
    (#"{"refresh_ahead":0.5,"strategy":"refresh_ahead"}"#, "", .aside, 0.5),
    (#"{"strategy":"refresh_ahead","refresh_ahead":"off"}"#, "", .aside, nil),
    (#"{"write":"through"}"#, #"{"strategy":"write_behind"}"#, .behind, nil),
    (#"{"strategy":"write_behind"}"#, #"{"write":"through"}"#, .through, nil),
    (#"{"strategy":"refresh_ahead"}"#, #"{"strategy":"write_behind"}"#, .behind, 0.8),
  ] as [(String, String, WriteKind, Double?)])
func aStrategyIsShortForItsFields(older: String, newer: String, write: WriteKind, refreshAhead: Double?) throws {
  let (configuration, _) = try load("defaults: \(older)\nnamespaces: {a: \(newer.isEmpty ? "{}" : newer)}")
  for policy in [configuration.policy(for: "a"), try bothApplied(older, newer)] {
    #expect(policy.write == write)
    #expect(policy.lifetimes.refreshAhead == refreshAhead)
  }
}

private func bothApplied(_ older: String, _ newer: String) throws -> Policy {
  var policy = Policy()
  try patch(older).merging(try patch(newer.isEmpty ? "{}" : newer)).apply(to: &policy)
  return policy
}

/// A reload with another value for what it stood for ends it.
@Test func aStrategyIsTakenBackFieldByField() throws {
  let left = try patch(#"{"strategy":"refresh_ahead"}"#).removing(try patch(#"{"write":"aside"}"#).fields)
  #expect(names(left.fields) == ["refresh_ahead"])
}

@Test func aVariableChangesTheStrategyAndNoFieldThatIsWritten() throws {
  let environment = ["PANNIER_DEFAULTS_STRATEGY": "write_behind"]
  for (yaml, write) in [
    ("defaults: {strategy: refresh_ahead}", WriteKind.behind), ("defaults: {write: through}", .through),
  ] {
    let policy = try load(yaml, environment: environment).0.policy(for: "any")
    #expect(policy.write == write)
    #expect(policy.lifetimes.refreshAhead == nil)
  }
}

@Test func fieldsOfASectionLieOverOneAnotherOneByOne() throws {
  let (configuration, _) = try load(
    "defaults: {behind: {interval: 1s, max_pending: 5}, compress: off}\nnamespaces: {a: {behind: {interval: 2s}}}")
  #expect(configuration.policy(for: "a").behind.intervalMilliseconds == 2000)
  #expect(configuration.policy(for: "a").behind.maxPending == 5)
  #expect(configuration.policy(for: "a").compressedFromBytes == nil)
}

@Test(
  arguments: [
    ("compress: off", nil), ("compress: none", nil), ("compress:", nil), ("compress: {min_bytes: off}", nil),
    ("compress: {}", 1024), ("compress: {min_bytes: 4KiB}", 4096),
  ] as [(String, Int?)])
func compressionIsASizeOrOff(yaml: String, smallest: Int?) throws {
  let policy = try load("defaults:\n  \(yaml)").0.policy(for: "any")
  #expect(policy.compressedFromBytes == smallest)
  let text = smallest.map { #"{"min_bytes":\#($0)}"# } ?? "null"
  #expect(printed(policy).contains(#""compress":\#(text),"#))
}

@Test(arguments: [
  (#"{"behind":{"intervall":1}}"#, #"behind: unknown field "intervall", did you mean "interval"?"#),
  (#"{"behind":5}"#, #"behind: expected the fields interval, max_pending, found "5""#),
  (#"{"behind":{"max_pending":0}}"#, #"behind.max_pending: "0" is out of range; it must be 1 to 10000000"#),
  (#"{"compress":"zstd"}"#, #"compress: expected the fields min_bytes, found "zstd""#),
  (
    #"{"strategy":"write_back"}"#,
    #"strategy: "write_back" is not one of cache_aside | write_through | write_behind | refresh_ahead"#
  ),
])
func faultsInSectionsAreNamed(json: String, fault: String) {
  #expect(throws: ConfigurationFaults(faults: [ConfigurationFault(place: nil, message: fault)])) { try patch(json) }
}
