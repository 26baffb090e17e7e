// JSON as a request has it, written into a buffer. It knows members, and no ops.

import NIOCore
import PannierWire

extension ByteBuffer {
  // MARK: Members, each with the comma before it

  mutating func write(_ name: StaticString, string text: String) {
    writeName(name)
    write(string: text)
  }

  mutating func write(_ name: StaticString, strings texts: [String]) {
    writeName(name)
    writeStaticString("[")
    write(each: texts) { $1.write(string: $0) }
    writeStaticString("]")
  }

  mutating func write(flag name: StaticString) {
    writeName(name)
    writeStaticString("true")
  }

  mutating func write(_ name: StaticString, seconds span: Duration) {
    writeName(name)
    writeString(span.secondsText)
  }

  mutating func write(_ name: StaticString, number: Double) {
    writeName(name)
    writeString("\(number)")
  }

  mutating func write(_ name: StaticString, json: ByteBuffer) {
    writeName(name)
    writeImmutableBuffer(json)
  }

  private mutating func writeName(_ name: StaticString) {
    writeStaticString(",\"")
    writeStaticString(name)
    writeStaticString("\":")
  }

  // MARK: Values

  mutating func write<Element>(each elements: [Element], _ body: (Element, inout ByteBuffer) -> Void) {
    var isFirst = true
    for element in elements {
      if !isFirst { writeStaticString(",") }
      isFirst = false
      body(element, &self)
    }
  }

  mutating func write(string text: String) {
    writeStaticString("\"")
    var text = text
    text.withUTF8 { forEachJSONRun(of: Bytes($0)) { _ = writeBytes($0) } }
    writeStaticString("\"")
  }

  mutating func write(number: UInt64) { writeString(String(number)) }
}

extension Duration {
  /// Seconds with as many decimals as milliseconds need; what is finer is cut off, as the sidecar does.
  var secondsText: String {
    let (seconds, attoseconds) = components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    if milliseconds == 0 { return "\(seconds)" }
    let sign = seconds < 0 || milliseconds < 0 ? "-" : ""
    let digits = String(1000 + milliseconds.magnitude).dropFirst()
    return "\(sign)\(seconds.magnitude).\(digits)"
  }
}
