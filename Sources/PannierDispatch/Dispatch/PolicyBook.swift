// Which policy each namespace has: the configuration's, with what was set since over the protocol. It knows no entries.

import PannierCore

struct PolicyBook {
  private(set) var configuration: Configuration
  /// What `policy set` changed, per namespace.
  private var changes: [String: PolicyPatch] = [:]

  init(_ configuration: Configuration) { self.configuration = configuration }

  func policy(for name: String) -> Policy {
    var policy = configuration.policy(for: name)
    changes[name]?.apply(to: &policy)
    return policy
  }

  func isConfigured(_ name: String) -> Bool { configuration.namespaces[name] != nil }

  /// Lasts until the process ends or a reload changes that field.
  mutating func change(_ name: String, _ patch: PolicyPatch) {
    changes[name] = changes[name, default: PolicyPatch()].merging(patch)
  }

  mutating func reload(_ new: Configuration) {
    for (name, patch) in changes {
      let changed = changedFields(from: configuration.policy(for: name), to: new.policy(for: name))
      let left = patch.removing(changed)
      changes[name] = left.isEmpty ? nil : left
    }
    configuration = new
  }
}
