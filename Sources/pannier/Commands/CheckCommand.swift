// `pannier check`: reads a configuration without serving.

import ArgumentParser
import PannierDispatch
import PannierServer

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration file and name all its faults.",
    discussion: """
        pannier check /etc/pannier.yaml && systemctl reload pannier
      """)

  @Argument(help: "The configuration, in YAML.")
  var file: Word

  func run() throws {
    do throws(ConfigurationFaults) {
      for warning in try Daemon.check(file: file.text) { Output.note("warning: \(warning)") }
      Output.print("\(file.text): no faults")
    } catch {
      throw Failure("\(error)")
    }
  }
}
