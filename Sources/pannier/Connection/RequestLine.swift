// Builds one request's line, member by member in the order in which they are added. Whether the op has such a member is
// the server's to say.

import PannierWire

struct RequestLine {
  private var text: [UInt8]

  init(op: String, namespace: String? = nil) {
    text = Array("{\"op\":\"\(op)\"".utf8)
    if let namespace { add("ns", namespace) }
  }

  /// The whole line, its end included.
  var bytes: [UInt8] { text + Array("}\n".utf8) }

  mutating func add(_ name: String, _ string: String) { add(name, raw: Self.json(string)) }

  mutating func add(_ name: String, _ strings: [String]) {
    add(name, raw: Self.list(strings.map(Self.json)))
  }

  /// Adds the member only where there is something to say.
  mutating func add(_ name: String, ifTrue flag: Bool) {
    if flag { add(name, raw: "true".utf8) }
  }

  mutating func add(_ name: String, _ duration: DurationArgument?) {
    if let duration { add(name, raw: duration.seconds.utf8) }
  }

  /// Adds what is one line of JSON already.
  mutating func add(_ name: String, raw json: some Sequence<UInt8>) {
    text += ",\"\(name)\":".utf8
    text += json
  }

  /// `text` as a JSON string.
  static func json(_ text: String) -> [UInt8] {
    var buffer = OutputBuffer()
    buffer.append(string: text)
    return Array(buffer.bytes)
  }

  private static func list(_ elements: [[UInt8]]) -> [UInt8] {
    Array("[".utf8) + elements.joined(separator: ",".utf8) + Array("]".utf8)
  }
}
