// `pannier get`: prints a value as the bytes that were stored.

import ArgumentParser
import PannierWire

struct GetCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print a value, as the JSON that was stored.",
    discussion: """
      The value goes to standard output, and with --meta what is known of it to standard error. Exit status 1: a miss.

        pannier get quiz user:1
        pannier get quiz user:1 --stale --meta
        if value=$(pannier get quiz user:1 --max-age 10s); then echo "$value"; fi
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: "The key.") var key: Word

  @Flag(help: "A value past its ttl will do, while it may still be shown.")
  var stale = false

  @Option(
    help: ArgumentHelp("Count an older value as stale: 10s, 5m.", valueName: "duration"),
    transform: DurationArgument.init)
  var maxAge: DurationArgument?

  @Flag(help: "Also tell its ttl, age, tier, version, tags and size.")
  var meta = false

  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine {
    var line = RequestLine(op: "get", namespace: namespace.text)
    line.add("key", key.text)
    line.add("stale", ifTrue: stale)
    line.add("max_age", maxAge)
    line.add("meta", ifTrue: meta)
    return line
  }

  func outcome(of answer: Answer) throws -> Outcome { try answer.flag("hit") ? .success : .miss }

  func show(_ answer: Answer) throws {
    guard try answer.flag("hit") else { return Output.note("miss") }
    if meta { MetaLines(answer).lines.forEach(Output.note) }
    Output.print(try answer.json("value").bytes)
  }
}
