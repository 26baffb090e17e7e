// The fields of a policy that somebody wrote down, and how such writings lie over one another. Where they were written
// is not its matter.

package import PannierCore

package struct PolicyPatch: Equatable, Sendable {
  package private(set) var fields: Set<PolicyField> = []
  /// Holds the values of `fields`; all others are as in any new policy, so that equal patches are equal.
  private var values = Policy()
  /// Those of `fields` that a strategy stands for, and that weren't written themselves.
  private var implied: Set<PolicyField> = []

  package init() {}

  package var isEmpty: Bool { fields.isEmpty }

  package func apply(to policy: inout Policy) {
    for field in fields { field.copy(values, &policy) }
  }

  /// What `newer` gives wins.
  package func merging(_ newer: PolicyPatch) -> PolicyPatch {
    var result = self
    newer.apply(to: &result.values)
    result.fields.formUnion(newer.fields)
    result.implied.formUnion(newer.implied)
    return result
  }

  package func removing(_ removed: Set<PolicyField>) -> PolicyPatch {
    var result = PolicyPatch()
    for field in fields.subtracting(removed) { result.take(field, from: values) }
    return result
  }

  /// What `policy set` gives. `json` is one JSON value, proved to be so; the faults say nothing of files or lines.
  package static func parse(json: [UInt8]) -> Result<PolicyPatch, ConfigurationFaults> {
    var faults = FaultList(name: nil)
    var patch = PolicyPatch()
    if json.count > largestJSON {
      faults.add("a policy can have at most \(Sizes.text(largestJSON)) here")
    } else if let node = SettingJSON.node(json, faults: &faults) {
      if case .none = node.content {
        faults.add("expected the fields of a policy, found nothing")
      } else {
        patch.read(node, path: "", faults: &faults)
      }
    }
    return faults.isEmpty ? .success(patch) : .failure(ConfigurationFaults(faults: faults.faults))
  }

  /// It is read in one go while requests wait: this much takes some milliseconds.
  private static let largestJSON = 64 << 10

  package static func parse(json: String) -> Result<PolicyPatch, ConfigurationFaults> {
    parse(json: Array(json.utf8))
  }

  mutating func read(_ node: SettingNode, path: String, faults: inout FaultList) {
    read(node, of: "", path: path, faults: &faults)
  }

  private mutating func read(_ node: SettingNode, of section: String, path: String, faults: inout FaultList) {
    node.forEachField(of: PolicyField.names(in: section), path: path, faults: &faults) { entry, faults in
      let name = joined(section, entry.name)
      let place = joined(path, entry.name)
      if let field = PolicyField.all.first(where: { $0.name == name }) {
        read(field, entry.value, path: place, faults: &faults)
      } else if name == PolicyStrategy.name {
        readStrategy(entry.value, path: place, faults: &faults)
      } else if name == "compress", entry.value.isOff {
        PolicyField.all.first { $0.section == name }.map { read($0, entry.value, path: place, faults: &faults) }
      } else {
        read(entry.value, of: name, path: place, faults: &faults)
      }
    }
  }

  mutating func read(_ field: PolicyField, _ node: SettingNode, path: String, faults: inout FaultList) {
    guard field.read(node, path, &values, &faults) else { return }
    fields.insert(field)
    implied.remove(field)
  }

  /// A field that is written wins, wherever beside it that is.
  mutating func readStrategy(_ node: SettingNode, path: String, faults: inout FaultList) {
    guard let strategy = SettingKind<PolicyStrategy>.word.read(node, path, &faults) else { return }
    fields.subtract(implied)
    let written = fields
    var policy = Policy()
    strategy.write(to: &policy)
    implied = Set(PolicyField.all.filter { strategy.fields.contains($0.name) }).subtracting(written)
    for field in implied { take(field, from: policy) }
  }

  /// What the patch says of `max_bytes`, for the warning that it is more than memory has.
  var maxBytes: Int? { values.maxBytes }

  private mutating func take(_ field: PolicyField, from source: Policy) {
    field.copy(source, &values)
    fields.insert(field)
  }
}

extension SettingNode {
  /// What stands in a mapping's place where all of it is off.
  fileprivate var isOff: Bool {
    switch content {
    case .none, .text("off"), .text("none"): true
    case .text, .list, .mapping, .refused: false
    }
  }
}
