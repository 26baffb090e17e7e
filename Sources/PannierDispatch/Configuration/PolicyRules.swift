// How a policy's rules are written. It decides nothing about keys.

import PannierCore

extension SettingKind<[Rule]> {
  static var rules: Self {
    list(of: rule, expected: "a list of rules such as [{match: \"user:*\", ttl: 10m}]")
  }

  private static let rule = SettingKind<Rule>(expected: "a rule") { node, path, faults in
    guard case .mapping(let entries) = node.content else {
      node.addRefusal(expected: "a rule such as {match: \"user:*\", ttl: 10m}", path: path, faults: &faults)
      return nil
    }
    var match: Glob?
    var overrides = LifetimeOverrides()
    let fields = PolicyField.all.filter { $0.inRule != nil }
    node.forEachField(of: ["match"] + fields.map(\.name), path: path, faults: &faults) { entry, faults in
      let place = joined(path, entry.name)
      if entry.name == "match" {
        match = glob.read(entry.value, place, &faults)
      } else if let field = fields.first(where: { $0.name == entry.name }) {
        field.inRule?.read(entry.value, place, &overrides, &faults)
      }
    }
    if !entries.contains(where: { $0.name == "match" }) {
      faults.add("a rule needs \"match\", the glob of the keys that it is for", path: path, line: node.line)
    }
    // A rule of which only some fields could be read is never used: the faults stop the whole configuration.
    return match.map { Rule(match: $0, overrides: overrides) }
  }

  private static let glob = SettingKind<Glob>("a glob such as \"user:*\"") { text throws(SettingRefusal) in
    if text.utf8.count > Glob.maximumBytes {
      throw SettingRefusal(message: "a glob of \(text.utf8.count) bytes; it may have \(Glob.maximumBytes)")
    }
    guard let glob = Glob(text.utf8) else {
      throw SettingRefusal(
        message: "\(quoted(text)) is not a glob; close each [, and put a character after a \\ and behind a - in [a-z]")
    }
    return glob
  }
}
