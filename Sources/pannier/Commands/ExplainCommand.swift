// `pannier explain`: why a key has a value, or has none.

import ArgumentParser

struct ExplainCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tell why a key has a value, or why not.",
    discussion: """
      Who stored it and how long it lasts; or what removed it, where that is still known. Exit status 1: it has none.

        pannier explain quiz user:1
      """)

  @Argument(help: "The namespace.") var namespace: Word
  @Argument(help: "The key.") var key: Word
  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine {
    var line = RequestLine(op: "explain", namespace: namespace.text)
    line.add("key", key.text)
    return line
  }

  func outcome(of answer: Answer) throws -> Outcome { try answer.string("state") == "absent" ? .miss : .success }

  func show(_ answer: Answer) throws { Output.print(try Explanation(answer).sentence) }
}
