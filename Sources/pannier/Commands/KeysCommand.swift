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

  @Option(help: ArgumentHelp("List at most this many.", valueName: "n"), transform: Self.limit)
  var limit: Int = 100

  @Flag(help: "List every key.")
  var all = false

  @OptionGroup var connection: ConnectionOptions

  /// What the server gives where a request doesn't say, or limits.items, where that is less.
  private static let usualPage = 100
  /// More a page would only make its line long.
  private static let largestPage = 1000

  private static func limit(_ argument: String) throws -> Int {
    guard let limit = Int(Arguments.unprotected(argument)), limit > 0 else {
      throw Failure("write how many keys to list at most, a whole number from 1 on")
    }
    return limit
  }

  func run() throws {
    var client = try connection.connect()
    var pageLimit: Int?
    var listed = 0
    var next: String?
    repeat {
      var wanted = all ? Self.usualPage : limit - listed
      if wanted != Self.usualPage {
        // Only now, since a usual page needs no second question.
        let most = try pageLimit ?? Self.largestPage(&client)
        pageLimit = most
        wanted = min(wanted, most)
      }
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

  /// The most keys that one request may ask for here: more than limits.items is refused.
  private static func largestPage(_ client: inout Client) throws(Failure) -> Int {
    let answer = try client.ask(RequestLine(op: "hello"))
    if let failure = answer.failure { throw failure }
    guard let items = try answer.json("limits")["items"]?.integer, items > 0 else {
      throw Failure("the answer to hello has no limits.items")
    }
    return min(items, largestPage)
  }

  private func request(_ wanted: Int, after next: String?) -> RequestLine {
    var line = RequestLine(op: "keys", namespace: namespace.text)
    if let match { line.add("match", match.text) }
    if wanted != Self.usualPage { line.add("limit", raw: "\(wanted)".utf8) }
    if let next { line.add("after", next) }
    return line
  }
}
