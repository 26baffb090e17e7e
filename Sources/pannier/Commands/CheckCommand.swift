// `pannier check`: reads a configuration without serving.

import ArgumentParser

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file and name all its faults.",
    discussion: """
        pannier check /etc/pannier.yaml && systemctl reload pannier
      """)

  @Argument(help: "The configuration, in YAML.")
  var file: String

  func run() throws {
    throw Failure("not wired yet")
  }
}
