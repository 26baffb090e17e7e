// `pannier ping`: whether the daemon answers.

import ArgumentParser

struct PingCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "ping",
    abstract: "Ask whether the daemon answers.",
    discussion: """
        pannier ping && echo it is up
      """)

  @OptionGroup var connection: ConnectionOptions

  func request() -> RequestLine { RequestLine(op: "ping") }

  func show(_ answer: Answer) { Output.print("pong") }
}
