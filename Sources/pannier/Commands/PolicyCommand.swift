// `pannier policy`: shows a namespace's policy, or changes fields of it.

import ArgumentParser
import PannierDispatch
import PannierWire

struct PolicyCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Show a namespace's policy, or change it.",
    discussion: """
      Values are as in the configuration file, in one line. A change is for administrators, and lasts until the daemon ends.

        pannier policy quiz
        pannier policy quiz ttl=10m max_bytes=64MiB
        pannier policy quiz max_ttl=none 'rules=[{match: "tmp:*", ttl: 5s}]'
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: ArgumentHelp("Fields to change.", valueName: "field=value")) var changes: [Word] = []
  @OptionGroup var connection: ConnectionOptions

  func request() throws -> RequestLine {
    var line = RequestLine(op: "policy", namespace: namespace.text)
    if !changes.isEmpty { line.add("set", raw: try changesJSON()) }
    return line
  }

  func show(_ answer: Answer) throws { Output.print(lines: PolicyLines(try answer.json("policy")).lines) }

  private func changesJSON() throws(Failure) -> [UInt8] {
    var fields: Set<String> = []
    var members: [[UInt8]] = []
    for change in changes {
      let parts = change.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Failure("a change is FIELD=VALUE, as ttl=10m, not \(Printable.line(change.text))")
      }
      guard fields.insert(parts[0]).inserted else { throw Failure("\(Printable.line(parts[0])) is given twice") }
      members.append(RequestLine.json(parts[0]) + [UInt8(ascii: ":")] + (try Self.json(parts[1], of: parts[0])))
    }
    return Array("{".utf8) + members.joined(separator: ",".utf8) + Array("}".utf8)
  }

  /// Numbers, null, and lists in JSON go as they are, lists in YAML as JSON; all else is text (`10m`, `64KiB`, `read_only`),
  /// which needs no quotes here.
  private static func json(_ text: String, of field: String) throws(Failure) -> [UInt8] {
    let isFlow = text.hasPrefix("[") || text.hasPrefix("{")
    if let value = JSONValue(text.utf8), value.isNumber || value.isNull || isFlow { return value.line }
    guard isFlow else { return RequestLine.json(text) }
    do throws(SettingRefusal) { return try FlowText.json(text) } catch {
      throw Failure(Printable.line("\(field): \(error.message)"))
    }
  }
}
