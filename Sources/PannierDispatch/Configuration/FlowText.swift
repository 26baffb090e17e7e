// Spells a list or mapping that is written as in a configuration file as the JSON that a request has. It knows no field.

import PannierWire

package enum FlowText {
  /// `[{match: "user:*", ttl: 10m}]`, the form of YAML that fits into one line. All its texts become strings, which settings
  /// take for numbers, too.
  package static func json(_ text: String) throws(SettingRefusal) -> [UInt8] {
    var faults = FaultList(name: nil)
    guard let node = YAMLText.node(text, faults: &faults), faults.isEmpty else {
      throw SettingRefusal(message: ConfigurationFaults(faults: faults.faults).oneLine)
    }
    var json = OutputBuffer()
    write(node, &json)
    return Array(json.bytes)
  }

  private static func write(_ node: SettingNode, _ json: inout OutputBuffer) {
    switch node.content {
    // What was refused is among the faults, and doesn't come here.
    case .none, .refused:
      json.separate()
      json.append("null")
    case .text(let text):
      json.separate()
      json.append(string: text)
    case .list(let items):
      json.beginArray()
      for item in items { write(item, &json) }
      json.endArray()
    case .mapping(let entries):
      json.beginObject()
      for entry in entries {
        json.name(entry.name)
        write(entry.value, &json)
      }
      json.endObject()
    }
  }
}
