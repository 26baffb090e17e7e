// `pannier serve`: runs the daemon.

import ArgumentParser

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run the cache.",
    discussion: """
      With nothing given it serves with defaults. Force, increasing: defaults, file, PANNIER_… variables, flags.

        pannier serve --socket ./pannier.sock
        pannier serve --config /etc/pannier.yaml --memory 1GiB
      """)

  @Option(
    help: ArgumentHelp("The configuration, in YAML ('pannier check' reads it without serving).", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Where to listen.", valueName: "path"))
  var socket: String?

  @Option(help: ArgumentHelp("How much memory all entries may take, as 256MiB.", valueName: "size"))
  var memory: String?

  @Flag(help: "For tests: time stands still, and the op \"advance\" moves it.")
  var testClock = false

  func run() throws {
    throw Failure("not wired yet")
  }
}
