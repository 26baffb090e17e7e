// `pannier serve`: runs the daemon.

import ArgumentParser
import PannierDispatch
import PannierServer

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
  var config: Word?

  @Option(help: ArgumentHelp("Where to listen.", valueName: "path"))
  var socket: Word?

  @Option(help: ArgumentHelp("How much memory all entries may take, as 256MiB.", valueName: "size"))
  var memory: Word?

  @Flag(help: "For tests: time stands still, and the op \"advance\" moves it.")
  var testClock = false

  func run() throws {
    var flags: [Configuration.Flag] = []
    if let socket { flags.append(Configuration.Flag(name: "--socket", path: "socket.path", value: socket.text)) }
    if let memory { flags.append(Configuration.Flag(name: "--memory", path: "memory", value: memory.text)) }
    do throws(Daemon.StartFault) {
      try Daemon.serve(file: config?.text, flags: flags, testClock: testClock)
    } catch {
      switch error {
      case .configuration(let faults): throw Failure("\(faults)")
      case .socket(let fault): throw Failure("\(fault)")
      }
    }
  }
}
