// A policy as `field: value` lines, in the spelling of the configuration file.

import PannierDispatch
import PannierWire

struct PolicyLines {
  let lines: [String]

  /// Fields come in the server's order, and one that isn't known here is shown as it came.
  init(_ policy: JSONValue) {
    var lines: [String] = []
    for (name, value) in policy.members ?? [] {
      guard name == "rules", let rules = value.elements, !rules.isEmpty else {
        lines.append("\(Printable.line(name)): \(Self.text(name, value))")
        continue
      }
      lines.append("rules:")
      lines += rules.map(Self.rule)
    }
    self.lines = lines
  }

  private static func rule(_ rule: JSONValue) -> String {
    "  - \(text("rules", rule))"
  }

  private static func text(_ name: String, _ value: JSONValue) -> String {
    if value.isNull { return ["refresh_ahead", "compress"].contains(name) ? "off" : "none" }
    if let members = value.members {
      let fields = members.map { "\(Printable.line($0.name)): \(text($0.name, $0.value))" }
      return "{\(fields.joined(separator: ", "))}"
    }
    switch name {
    case "ttl", "max_ttl", "negative_ttl", "stale", "lease_timeout", "max_wait", "retry_after", "memory_ttl",
      "interval":
      if let seconds = value.number { return Units.duration(seconds: seconds) }
    case "max_bytes", "max_value_bytes", "min_bytes":
      if let bytes = value.integer { return Sizes.text(bytes) }
    case "match":
      // Most globs begin with what YAML takes for something else.
      if let glob = value.string { return "'\(Printable.line(glob))'" }
    default: break
    }
    return Printable.line(value.string ?? value.text)
  }
}
