// `pannier keys`: lists keys, asking page after page until there are enough.

import ArgumentParser
import PannierWire

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "List the keys that have a value, in no particular order.",
    discussion: """
      One a line; control characters and backslashes are written as \\n, \\u{1b}, \\\\ (--json has keys exactly).

        pannier keys quiz
        pannier keys quiz --match 'user:*' --all
      """)

  @Argument(help: "The namespace.") var namespace: Word

  @Option(help: ArgumentHelp("Only keys that this glob fits: *, ?, [abc], [!a-z].", valueName: "glob"))
  var match: Word?

  @Option(help: ArgumentHelp("List at most this many.", valueName: "n"))
  var limit: Int = 100

  @Flag(help: "List every key.")
  var all = false

  @OptionGroup var connection: ConnectionOptions

  /// The most keys that the protocol lets one request ask for.
  private static let mostAPage = 1000
  /// What the server gives where a request doesn't say.
  private static let usualPage = 100

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit is at least 1") }
  }

  func run() throws {
    var client = try connection.connect()
    var listed = 0
    var next: String?
    repeat {
      let wanted = all ? Self.usualPage : min(limit - listed, Self.mostAPage)
      let answer = try client.ask(request(wanted, after: next))
      if connection.json { Output.print(answer.line) }
      if let failure = answer.failure { throw failure }
      let keys = try answer.strings("keys")
      if !connection.json { Output.print(lines: keys.map(Printable.line)) }
      listed += keys.count
      next = answer["next"]?.string
    } while next != nil && (all || listed < limit)
    if next != nil, !connection.json { Output.note("there are more: --limit or --all lists them") }
  }

  private func request(_ wanted: Int, after next: String?) -> RequestLine {
    var line = RequestLine(op: "keys", namespace: namespace.text)
    if let match { line.add("match", match.text) }
    if wanted != Self.usualPage { line.add("limit", raw: "\(wanted)".utf8) }
    if let next { line.add("after", next) }
    return line
  }
}
