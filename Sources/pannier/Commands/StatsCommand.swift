// `pannier stats`: what the daemon has counted.

import ArgumentParser
import PannierWire

struct StatsCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Show what the daemon has counted, for all namespaces or one in detail.",
    discussion: """
        pannier stats
        pannier stats quiz
        pannier stats --json | jq .namespaces.quiz.misses_by
      """)

  @Argument(help: "The namespace.") var namespace: Word?
  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine { RequestLine(op: "stats", namespace: namespace?.text) }

  func show(_ answer: Answer) throws {
    let namespaces = try answer.json("namespaces").members ?? []
    guard let namespace else {
      return Output.print(lines: ServerLines(answer).lines + [""] + NamespaceTable(namespaces).lines)
    }
    guard let counters = namespaces.first(where: { $0.name == namespace.text })?.value else {
      return Output.print("no namespace \(Printable.line(namespace.text)) yet")
    }
    Output.print(lines: NamespaceLines(counters).lines)
  }
}
