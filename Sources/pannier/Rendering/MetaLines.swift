// What `get --meta` tells of a value, a line a field.

import PannierWire

struct MetaLines {
  let lines: [String]

  init(_ answer: Answer) {
    var lines: [String] = []
    if answer["stale"]?.bool == true { lines.append("stale: yes") }
    if let ttl = answer["ttl"] { lines.append("ttl: \(ttl.number.map { Units.roughly(seconds: $0) } ?? "none")") }
    if let age = answer["age"]?.number { lines.append("age: \(Units.roughly(seconds: age))") }
    if let tier = answer["tier"]?.string { lines.append("tier: \(Printable.line(tier))") }
    if let version = answer["version"] { lines.append("version: \(version.text)") }
    if let tags = answer["tags"]?.elements {
      let names = tags.compactMap(\.string).map(Printable.line)
      lines.append("tags: \(names.isEmpty ? "none" : names.joined(separator: ", "))")
    }
    if let size = answer["size"]?.integer { lines.append("size: \(size) \(size == 1 ? "byte" : "bytes")") }
    self.lines = lines
  }
}
