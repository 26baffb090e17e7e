// One log line as bytes: the time, the level, the message and what goes with it, as logfmt or as JSON.
// It knows neither where lines go nor which are wanted.
internal import Logging

/// How a line is written.
package enum LogFormat: String, CaseIterable, Sendable {
  case logfmt
  case json
}

enum LogLine {
  /// - Parameter millisecondsSince1970: of UTC.
  static func bytes(
    _ format: LogFormat, millisecondsSince1970: Int64, level: String, message: String, metadata: Logger.Metadata
  ) -> [UInt8] {
    let time = LogTime.rfc3339(millisecondsSince1970: millisecondsSince1970)
    // Sorted, for a dictionary's own order is another at every start.
    let fields = metadata.sorted { $0.key < $1.key }
    var line: [UInt8] = []
    line.reserveCapacity(256)
    switch format {
    case .logfmt: appendLogfmt(time, level, message, fields, &line)
    case .json: appendJSON(time, level, message, fields, &line)
    }
    line.append(UInt8(ascii: "\n"))
    return line
  }

  private typealias Fields = [(key: String, value: Logger.MetadataValue)]

  /// A field called like one of the line's own gets an underscore after it, so that a reader can't be shown another time
  /// or level.
  private static func unambiguous(_ key: String) -> String {
    key == "ts" || key == "level" || key == "msg" ? key + "_" : key
  }

  private static func appendLogfmt(
    _ time: String, _ level: String, _ message: String, _ fields: Fields, _ line: inout [UInt8]
  ) {
    line += "ts=\(time) level=\(level) msg=".utf8
    LogText.appendLogfmtValue(message, to: &line)
    for (key, value) in fields { appendLogfmt(unambiguous(key), value, &line) }
  }

  /// logfmt has no nesting: what is inside gets its path as its key.
  private static func appendLogfmt(_ key: String, _ value: Logger.MetadataValue, _ line: inout [UInt8]) {
    switch value {
    case .dictionary(let inner):
      for (name, value) in inner.sorted(by: { $0.key < $1.key }) { appendLogfmt("\(key).\(name)", value, &line) }
    case .array(let items):
      for (index, value) in items.enumerated() { appendLogfmt("\(key).\(index)", value, &line) }
    case .string, .stringConvertible:
      line.append(UInt8(ascii: " "))
      LogText.appendLogfmtKey(key, to: &line)
      line.append(UInt8(ascii: "="))
      LogText.appendLogfmtValue("\(value)", to: &line)
    }
  }

  private static func appendJSON(
    _ time: String, _ level: String, _ message: String, _ fields: Fields, _ line: inout [UInt8]
  ) {
    line += "{\"ts\":\"\(time)\",\"level\":\"\(level)\",\"msg\":".utf8
    LogText.appendJSONString(message, to: &line)
    for (key, value) in fields {
      line.append(UInt8(ascii: ","))
      appendJSON(unambiguous(key), value, &line)
    }
    line.append(UInt8(ascii: "}"))
  }

  private static func appendJSON(_ key: String, _ value: Logger.MetadataValue, _ line: inout [UInt8]) {
    LogText.appendJSONString(key, to: &line)
    line.append(UInt8(ascii: ":"))
    appendJSON(value, &line)
  }

  private static func appendJSON(_ value: Logger.MetadataValue, _ line: inout [UInt8]) {
    switch value {
    case .dictionary(let inner):
      line.append(UInt8(ascii: "{"))
      for (index, field) in inner.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { line.append(UInt8(ascii: ",")) }
        appendJSON(field.key, field.value, &line)
      }
      line.append(UInt8(ascii: "}"))
    case .array(let items):
      line.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { line.append(UInt8(ascii: ",")) }
        appendJSON(item, &line)
      }
      line.append(UInt8(ascii: "]"))
    case .string, .stringConvertible: LogText.appendJSONString("\(value)", to: &line)
    }
  }
}
