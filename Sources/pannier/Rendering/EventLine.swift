// One event of `watch` on one line: what, where, and the rest of it in words.

import PannierWire

struct EventLine {
  let text: String

  init(_ event: Answer) {
    let kind = Printable.line(event["event"]?.string ?? "")
    if kind == "dropped" {
      text = "(\(event["count"]?.text ?? "some") events lost: this reader is too slow)"
      return
    }
    let place = [event["ns"]?.string, event["key"]?.string, event["state"]?.string].compactMap { $0 }.map(
      Printable.line)
    let details = Self.details(event)
    // Kinds are padded to the longest, so that namespaces stand below each other.
    let padded = kind + String(repeating: " ", count: max(0, "release".count - kind.count))
    text = ([padded] + place).joined(separator: " ") + (details.isEmpty ? "" : "  (\(details.joined(separator: ", ")))")
  }

  private static func details(_ event: Answer) -> [String] {
    var details: [String] = []
    if event["soft"]?.bool == true { details.append("soft") }
    if let match = event["match"]?.string { details.append("match \(Printable.line(match))") }
    if let tags = event["tags"]?.elements {
      details.append("tags \(tags.compactMap(\.string).map(Printable.line).joined(separator: " "))")
    }
    if let reason = event["reason"]?.string {
      details.append(event["event"]?.string == "evict" ? "over \(Printable.line(reason))" : Printable.line(reason))
    }
    if event["gap"]?.bool == true {
      details.append("its log could not be followed: shared values in memory are dropped")
    }
    if event["handed_over"]?.bool == true { details.append("handed over") }
    if let load = event["load"]?.number { details.append("loaded in \(Units.delay(seconds: load))") }
    if let ttl = event["ttl"] {
      details.append("ttl \(ttl.number.map { Units.duration(seconds: $0) } ?? "none")")
    }
    if let size = event["size"]?.integer { details.append("\(size) \(size == 1 ? "byte" : "bytes")") }
    if let pid = event["pid"] { details.append("pid \(pid.text)") }
    return details
  }
}
