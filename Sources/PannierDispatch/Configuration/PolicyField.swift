// The table of a policy's fields: what each is called, how it is written and where it stands in `Policy`. The file, the
// variables, `policy set`, rules and the printing of policies all go by it.

package import PannierCore
import PannierWire

package struct PolicyField: Sendable {
  /// `behind.interval` stands in `behind`.
  package let name: String
  let takesList: Bool
  /// Writes what the node says into the policy; false: `faults` says why not.
  let read: @Sendable (SettingNode, _ path: String, _ into: inout Policy, inout FaultList) -> Bool
  let copy: @Sendable (_ from: Policy, _ into: inout Policy) -> Void
  let isSame: @Sendable (Policy, Policy) -> Bool
  let json: @Sendable (Policy) -> String
  /// Nil: a rule can't override this field.
  private(set) var inRule: RuleField?

  /// In the order in which policies are printed.
  package static let all: [PolicyField] = [
    PolicyField("ttl", .orNone(.duration(lifetime)), \.lifetimes.ttlMilliseconds, inRule: \.ttlMilliseconds),
    PolicyField("max_ttl", .orNone(.duration(lifetime)), \.lifetimes.maxTTLMilliseconds, inRule: \.maxTTLMilliseconds),
    PolicyField("rules", .rules, \.rules),
    PolicyField("jitter", .share, \.lifetimes.jitter, inRule: \.jitter),
    PolicyField(
      "negative_ttl", .orNone(.duration(lifetime)), \.lifetimes.negativeTTLMilliseconds,
      inRule: \.negativeTTLMilliseconds),
    PolicyField(
      "stale", .duration(0...Durations.longestMilliseconds), \.lifetimes.staleMilliseconds, inRule: \.staleMilliseconds),
    PolicyField(
      "refresh_ahead", .orNone(.positiveShare, word: "off"), \.lifetimes.refreshAhead, inRule: \.refreshAhead),
    PolicyField(
      "lease_timeout", .duration(lifetime), \.lifetimes.leaseTimeoutMilliseconds, inRule: \.leaseTimeoutMilliseconds),
    PolicyField(
      "max_wait", .orNone(.duration(0...Durations.longestMilliseconds)), \.lifetimes.maxWaitMilliseconds,
      inRule: \.maxWaitMilliseconds),
    PolicyField(
      "retry_after", .duration(0...RequestLimits.maximumRetryMilliseconds), \.lifetimes.retryAfterMilliseconds,
      inRule: \.retryAfterMilliseconds),
    PolicyField("tiers", .tiers, \.tiers),
    PolicyField(
      "memory_ttl", .orNone(.duration(lifetime)), \.lifetimes.memoryTTLMilliseconds, inRule: \.memoryTTLMilliseconds),
    PolicyField("write", .word, \.write),
    // A day: what waits longer is not meant to be told.
    PolicyField("behind.interval", .duration(1...86_400_000), \.behind.intervalMilliseconds),
    PolicyField("behind.max_pending", .count(1...10_000_000), \.behind.maxPending),
    PolicyField("lease_scope", .word, \.leaseScope),
    PolicyField("on_link_loss", .word, \.onLinkLoss),
    PolicyField("max_bytes", .orNone(.size(1...largestMemory)), \.maxBytes),
    // What a 32-bit link can tell apart.
    PolicyField("max_entries", .orNone(.count(1...Int(UInt32.max))), \.maxEntries),
    // No line, and so no value, is longer.
    PolicyField("max_value_bytes", .size(1...1 << 30), \.maxValueBytes),
    PolicyField("eviction", .word, \.eviction),
    PolicyField("compress.min_bytes", .orNone(.size(1...1 << 30), word: "off"), \.compressedFromBytes),
    PolicyField("mode", .word, \.mode),
  ]

  /// A value that lives for no time at all is a mistake.
  private static let lifetime = 1...Durations.longestMilliseconds

  private init<Value: JSONPrintable & Equatable & Sendable>(
    _ name: String, _ kind: SettingKind<Value>, _ path: any WritableKeyPath<Policy, Value> & Sendable
  ) {
    self.name = name
    takesList = kind.takesList
    read = { node, place, policy, faults in
      guard let value = kind.read(node, place, &faults) else { return false }
      policy[keyPath: path] = value
      return true
    }
    copy = { $1[keyPath: path] = $0[keyPath: path] }
    isSame = { $0[keyPath: path] == $1[keyPath: path] }
    json = { $0[keyPath: path].json }
  }

  /// A field that rules may override, too.
  private init<Value: JSONPrintable & Equatable & Sendable>(
    _ name: String, _ kind: SettingKind<Value>, _ path: any WritableKeyPath<Policy, Value> & Sendable,
    inRule rulePath: any WritableKeyPath<LifetimeOverrides, Value?> & Sendable
  ) {
    self.init(name, kind, path)
    inRule = RuleField(
      read: { node, place, overrides, faults in
        guard let value = kind.read(node, place, &faults) else { return }
        overrides[keyPath: rulePath] = .some(value)
      },
      json: { $0[keyPath: rulePath]?.json })
  }
}

extension PolicyField {
  /// In which mapping it stands; nil: in the policy's own.
  var section: String? { name.firstIndex(of: ".").map { String(name[..<$0]) } }

  /// What it is called there.
  var localName: String { section.map { String(name.dropFirst($0.count + 1)) } ?? name }

  /// The names in a section; "": the policy's own.
  static func names(in section: String) -> [String] {
    var names: [String] = []
    for field in all where section.isEmpty || field.section == section {
      let name = section.isEmpty ? field.section ?? field.name : field.localName
      if names.last != name { names.append(name) }
      if name == "write" { names.append(PolicyStrategy.name) }
    }
    return names
  }
}

/// How a rule overrides one field.
struct RuleField: Sendable {
  let read: @Sendable (SettingNode, _ path: String, _ into: inout LifetimeOverrides, inout FaultList) -> Void
  /// Nil where the rule leaves the field as it is.
  let json: @Sendable (LifetimeOverrides) -> String?
}

/// A field is its name: the rest follows from it.
extension PolicyField: Hashable {
  package static func == (left: PolicyField, right: PolicyField) -> Bool { left.name == right.name }
  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// The fields in which two policies differ.
package func changedFields(from old: Policy, to new: Policy) -> Set<PolicyField> {
  Set(PolicyField.all.filter { !$0.isSame(old, new) })
}
