// Turns JSON into the nodes that settings are read from. It knows no field.

import PannierWire

enum SettingJSON {
  /// Nil where `json` is not one JSON value; `faults` then says so.
  static func node(_ json: [UInt8], faults: inout FaultList) -> SettingNode? {
    guard String(validating: json, as: UTF8.self) != nil, let value = JSONValue(json) else {
      faults.add("it is not JSON")
      return nil
    }
    return node(value, depth: 0, &faults)
  }

  /// No setting nests as deep. What does is refused for what it is, whatever stands in it, and reading each level takes the
  /// whole text's time.
  private static let deepest = 8

  private static func node(_ value: JSONValue, depth: Int, _ faults: inout FaultList) -> SettingNode {
    if let members = value.members {
      return SettingNode(.mapping(depth < deepest ? entries(members, depth, &faults) : []))
    }
    if let elements = value.elements {
      return SettingNode(.list(depth < deepest ? elements.map { node($0, depth: depth + 1, &faults) } : []))
    }
    if value.isNull { return SettingNode(.none) }
    // A number, true and false mean what is written.
    guard value.bytes.first == UInt8(ascii: "\"") else { return SettingNode(.text(value.text)) }
    if let text = value.string { return SettingNode(.text(text)) }
    faults.add("\(quoted(value.text)) has half of a surrogate pair")
    return SettingNode(.refused)
  }

  private static func entries(
    _ members: [(name: String, value: JSONValue)], _ depth: Int, _ faults: inout FaultList
  ) -> [SettingNode.Entry] {
    var entries: [SettingNode.Entry] = []
    // By their bytes: two spellings of é are two names.
    var names: Set<[UInt8]> = []
    for (name, value) in members {
      guard names.insert(Array(name.utf8)).inserted else {
        faults.add("\(quoted(name)) stands twice in one mapping")
        continue
      }
      entries.append(SettingNode.Entry(name: name, line: nil, value: node(value, depth: depth + 1, &faults)))
    }
    return entries
  }
}
