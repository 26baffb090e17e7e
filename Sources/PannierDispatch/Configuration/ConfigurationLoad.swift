// Puts a configuration together from file, variables and flags, each stronger than the one before, and reports everything
// that is wrong with any of them. What a setting may be is `Setting`'s matter.

import PannierCore
import PannierWire

extension Configuration {
  /// A flag of the command line that sets something.
  package struct Flag: Equatable, Sendable {
    /// As the user wrote it: `--memory`.
    package let name: String
    /// What it sets, as in the file: `memory`.
    package let path: String
    package let value: String

    package init(name: String, path: String, value: String) {
      self.name = name
      self.path = path
      self.value = value
    }
  }

  /// The configuration that these say, or all their faults. Warnings are for the log: nothing is wrong with what is used.
  package static func load(
    file: String? = nil, environment: [String: String], flags: [Flag] = []
  ) throws(ConfigurationFaults) -> (Configuration, warnings: [String]) {
    let (configuration, found) = read(file: file, environment, flags)
    guard found.isEmpty else { throw ConfigurationFaults(faults: found) }
    return (configuration, warnings: unknownVariables(environment) + configuration.oddities)
  }

  /// As a file's that has this text.
  package static func load(yaml: String) throws(ConfigurationFaults) -> Configuration {
    var configuration = Configuration(environment: [:])
    let found = configuration.read(yaml: yaml, FaultList(name: nil)) + configuration.contradictions(file: nil)
    guard found.isEmpty else { throw ConfigurationFaults(faults: found) }
    return configuration
  }

  /// As `load` of a file alone, for one who would know what starting with it would come to. `obstacle`: what stands at a
  /// path where a socket couldn't go, if anything; that is a fault, too. Returns the warnings.
  package static func check(
    file: String, obstacle: (String) -> String?
  ) throws(ConfigurationFaults) -> [String] {
    var (configuration, found) = read(file: file, [:], [])
    if let kind = obstacle(configuration.socket.path) {
      var faults = FaultList(file: file)
      faults.add("\(quoted(configuration.socket.path)) is \(kind), not a socket", path: "socket.path")
      found += faults.faults
    }
    guard found.isEmpty else { throw ConfigurationFaults(faults: found) }
    return configuration.oddities
  }

  private static func read(
    file: String?, _ environment: [String: String], _ flags: [Flag]
  ) -> (Configuration, [ConfigurationFault]) {
    var configuration = Configuration(environment: environment)
    var found: [ConfigurationFault] = []
    if let file { found += configuration.read(file: file) }
    found += configuration.read(environment)
    for flag in flags { found += configuration.read(flag) }
    found += configuration.contradictions(file: file)
    return (configuration, found)
  }

  private mutating func read(file: String) -> [ConfigurationFault] {
    var faults = FaultList(file: file)
    guard let text = ConfigurationFile.text(file, faults: &faults) else { return faults.faults }
    return read(yaml: text, faults)
  }

  private mutating func read(yaml: String, _ faults: FaultList) -> [ConfigurationFault] {
    var faults = faults
    if let root = YAMLText.node(yaml, faults: &faults) { read(root, path: "", faults: &faults) }
    return faults.faults
  }

  /// Reads the section at `path`; the whole file is the section at "".
  private mutating func read(_ section: SettingNode, path: String, faults: inout FaultList) {
    let prefix = path.isEmpty ? "" : "\(path)."
    var names: [String] = []
    for setting in Setting.all where setting.path.hasPrefix(prefix) {
      let name = String(setting.path.dropFirst(prefix.count).prefix { $0 != "." })
      if names.last != name { names.append(name) }
    }
    if path.isEmpty { names.append("namespaces") }
    section.forEachField(of: names, path: path, faults: &faults) { entry, faults in
      let place = joined(path, entry.name)
      if let setting = Setting.all.first(where: { $0.path == place }) {
        setting.read(entry.value, place, &self, &faults)
      } else if place == "namespaces" {
        readNamespaces(entry.value, faults: &faults)
      } else if place == "defaults" {
        defaults.read(entry.value, path: place, faults: &faults)
      } else if place == "redis", case .text = entry.value.content {
        // The short form: the URL alone.
        Setting.all.first { $0.path == "redis.url" }?.read(entry.value, place, &self, &faults)
      } else {
        read(entry.value, path: place, faults: &faults)
      }
    }
  }

  private mutating func readNamespaces(_ node: SettingNode, faults: inout FaultList) {
    switch node.content {
    case .none, .refused: break
    case .mapping(let entries):
      for entry in entries {
        guard Self.isNamespaceName(entry.name) else {
          let message = "\(quoted(entry.name)) can't name a namespace; it takes 1 to 64 of A-Z a-z 0-9 _ . -"
          faults.add(message, path: "namespaces", line: entry.line)
          continue
        }
        var patch = PolicyPatch()
        patch.read(entry.value, path: "namespaces.\(entry.name)", faults: &faults)
        namespaces[entry.name] = patch
      }
    case .text, .list:
      node.addRefusal(expected: "namespaces by name", path: "namespaces", faults: &faults)
    }
  }

  package static func isNamespaceName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch Unicode.Scalar(byte) {
        case "A"..."Z", "a"..."z", "0"..."9", "_", ".", "-": true
        default: false
        }
      }
  }

  private mutating func read(_ environment: [String: String]) -> [ConfigurationFault] {
    var found: [ConfigurationFault] = []
    for setting in Setting.all {
      // An empty variable is one that a script or a service file left out.
      let given = setting.variables.filter { environment[$0]?.isEmpty == false }
      guard let name = given.first, let value = environment[name] else { continue }
      var faults = FaultList(name: name)
      if let other = given.dropFirst().first, environment[other] != value {
        faults.add("it differs from \(other), which says the same thing; give one of them")
      }
      read(setting, value, faults: &faults)
      found += faults.faults
    }
    return found
  }

  private mutating func read(_ flag: Flag) -> [ConfigurationFault] {
    var faults = FaultList(name: flag.name)
    if let setting = Setting.all.first(where: { $0.path == flag.path }) {
      read(setting, flag.value, faults: &faults)
    } else {
      faults.add("there is no setting \(quoted(flag.path))")
    }
    return faults.faults
  }

  /// A text is taken as it stands, except where the setting is a list: `1000,alice`, or as in the file, `[1000, alice]`.
  private mutating func read(_ setting: Setting, _ value: String, faults: inout FaultList) {
    var node: SettingNode? = SettingNode(.text(value))
    if setting.takesList, value.hasPrefix("[") {
      node = YAMLText.node(value, faults: &faults)
    } else if setting.takesList {
      let items = value.split(separator: ",", omittingEmptySubsequences: false)
      node = SettingNode(.list(items.map { SettingNode(.text($0.split(separator: " ").joined(separator: " "))) }))
    }
    if let node { setting.read(node, "", &self, &faults) }
  }

  /// What no setting is to blame for alone.
  private func contradictions(file: String?) -> [ConfigurationFault] {
    var faults = FaultList(name: file)
    if namespaces.count > limits.namespaces {
      faults.add("namespaces: there are \(namespaces.count), and limits.namespaces allows \(limits.namespaces)")
    }
    if let bound = redis.boundMilliseconds, bound < redis.shortestBoundMilliseconds {
      faults.add("coherence.bound must be above twice coherence.beat and redis.timeout together")
    }
    let most = Cache.mostNamespaces(memoryBytes: memoryBytes)
    if namespaces.count > most {
      faults.add("namespaces: there are \(namespaces.count), and a quarter of memory has room for \(most)")
    }
    return faults.faults
  }

  /// What works, though hardly as meant.
  private var oddities: [String] {
    let patches = namespaces.sorted { $0.key < $1.key }.map { ("namespaces.\($0.key)", $0.value) }
    let unreadable = namespaces.keys.sorted().compactMap { name -> String? in
      let policy = policy(for: name)
      guard policy.write == .behind, policy.tiers == .redis else { return nil }
      return "namespaces.\(name).write is behind, and memory is not among its tiers: a set waits for Redis all the same"
    }
    return unreadable
      + ([("defaults", defaults)] + patches).compactMap { path, patch in
        guard let maxBytes = patch.maxBytes, maxBytes > memoryBytes else { return nil }
        let memory = Sizes.text(memoryBytes)
        return "\(path).max_bytes, \(Sizes.text(maxBytes)), is more than memory, \(memory), which bounds it first"
      }
  }

  /// Clients have variables of their own, so an unknown one may be right; a misspelt one looks the same.
  private static func unknownVariables(_ environment: [String: String]) -> [String] {
    let known = Setting.all.flatMap(\.variables)
    return environment.keys.filter { $0.hasPrefix("PANNIER_") && !known.contains($0) }.sorted().map { name in
      let hint = nearestName(to: name, among: known).map { ", did you mean \($0)?" } ?? ""
      return "\(name) sets nothing here\(hint)"
    }
  }
}
