// `pannier set`: stores a value, after seeing that it is JSON.

import ArgumentParser
import PannierWire

struct SetCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Store a value, which is any JSON.",
    discussion: """
      Text needs its JSON quotes, inside the shell's. Exit status 1: not stored, since a condition did not hold.

        pannier set quiz user:1 '{"name":"Ada"}' --ttl 5m --tags users,class:7
        pannier set quiz greeting '"hello"' --if-absent
        curl -s https://example.org/a.json | pannier set pages a -
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: "The key.") var key: Word
  @Argument(help: "The value, as JSON; - reads standard input.") var value: Word

  @Option(
    help: ArgumentHelp("How long it is fresh: 5m, 1h30m, none. Else the policy's.", valueName: "duration"),
    transform: TimeToLive.init)
  var ttl: TimeToLive?

  @Option(
    help: ArgumentHelp("How long after its ttl it may still be shown as stale.", valueName: "duration"),
    transform: DurationArgument.init)
  var stale: DurationArgument?

  @Option(help: ArgumentHelp("Tags by which it can be cleared: a,b.", valueName: "tags"), transform: TagList.init)
  var tags: TagList?

  @Flag(exclusivity: .exclusive) var condition: Presence?

  @Option(help: ArgumentHelp("Store only where the value has this version.", valueName: "version"))
  var ifVersion: Word?

  @OptionGroup var connection: ConnectionOptions

  /// What must be there for the value to be stored.
  enum Presence: String, EnumerableFlag {
    case ifAbsent, ifPresent

    static func help(for value: Presence) -> ArgumentHelp? {
      value == .ifAbsent ? "Store only where a get would miss." : "Store only where a get would hit."
    }
  }

  func request() throws -> RequestLine {
    var line = RequestLine(op: "set", namespace: namespace.text)
    line.add("key", key.text)
    if let ttl { line.add("ttl", raw: ttl.json.utf8) }
    line.add("stale", stale)
    if let tags { line.add("tags", tags.tags) }
    if let condition = try conditionJSON() { line.add("if", raw: condition.utf8) }
    line.add("value", raw: try ValueArgument.json(value.text))
    return line
  }

  func outcome(of answer: Answer) throws -> Outcome { try answer.flag("stored") ? .success : .miss }

  func show(_ answer: Answer) throws {
    if try answer.flag("stored") { return Output.print("stored") }
    let reason = try answer.string("reason")
    let words =
      switch reason {
      case "exists": "there is a value already"
      case "missing": "there is no value"
      case "changed": "the value has another version"
      case "disabled": "the namespace's mode keeps sets from being stored"
      default: Printable.line(reason)
      }
    Output.print("not stored: \(words)")
  }

  private func conditionJSON() throws(Failure) -> String? {
    switch (condition, ifVersion) {
    case (nil, nil): return nil
    case (.ifAbsent, nil): return "\"absent\""
    case (.ifPresent, nil): return "\"present\""
    case (nil, let version?):
      guard let number = JSONValue(version.text.utf8), number.isNumber else {
        throw Failure("--if-version takes a value's version, a number as 'pannier get --meta' tells it")
      }
      return "{\"version\":\(number.text)}"
    default: throw Failure("--if-absent, --if-present and --if-version exclude each other")
    }
  }
}
