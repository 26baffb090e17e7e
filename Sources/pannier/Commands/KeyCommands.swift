// `pannier delete`, `touch` and `exists`: single answers about single keys.

import ArgumentParser
import PannierWire

struct DeleteCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Remove values.",
    discussion: """
      Exit status 1: there was none. With --soft a value may still be shown as stale, for as long as the policy's stale says.

        pannier delete quiz user:1
        pannier delete quiz user:1 user:2 --soft
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: "The keys.") var keys: [Word]
  @Flag(help: "End freshness only; the value may be shown as stale.") var soft = false
  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine {
    var line = RequestLine(op: "delete", namespace: namespace.text)
    if keys.count == 1 {
      line.add("key", keys[0].text)
    } else {
      line.add("keys", keys.map(\.text))
    }
    line.add("soft", ifTrue: soft)
    return line
  }

  func outcome(of answer: Answer) throws -> Outcome { try answer.integer("deleted") > 0 ? .success : .miss }

  func show(_ answer: Answer) throws { Output.print("deleted \(try answer.integer("deleted"))") }
}

struct TouchCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "touch",
    abstract: "Start a fresh value's ttl again.",
    discussion: """
      Exit status 1: there is no fresh value.

        pannier touch quiz session:9 --ttl 30m
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: "The key.") var key: Word

  @Option(
    help: ArgumentHelp("The new ttl: 30m, none. Else the policy's.", valueName: "duration"), transform: TimeToLive.init)
  var ttl: TimeToLive?

  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine {
    var line = RequestLine(op: "touch", namespace: namespace.text)
    line.add("key", key.text)
    if let ttl { line.add("ttl", raw: ttl.json.utf8) }
    return line
  }

  func outcome(of answer: Answer) throws -> Outcome { try answer.flag("touched") ? .success : .miss }

  func show(_ answer: Answer) throws {
    Output.print(try answer.flag("touched") ? "touched" : "not touched: there is no fresh value")
  }
}

struct ExistsCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "exists",
    abstract: "Ask whether a get would hit, without counting as one.",
    discussion: """
      Prints true or false; exit status 1: false.

        pannier exists quiz user:1 >/dev/null || ./load-user 1
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: "The key.") var key: Word
  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine {
    var line = RequestLine(op: "exists", namespace: namespace.text)
    line.add("key", key.text)
    return line
  }

  func outcome(of answer: Answer) throws -> Outcome { try answer.flag("exists") ? .success : .miss }

  func show(_ answer: Answer) throws { Output.print(try answer.flag("exists") ? "true" : "false") }
}
