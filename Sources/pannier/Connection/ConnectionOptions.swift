// The options that every command over the socket has.

import ArgumentParser
import PannierServer

struct ConnectionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The daemon's socket.", valueName: "path"))
  var socket: Word?

  @Flag(help: "Print the server's answer as it came, one JSON object a line.")
  var json = false

  func connect(patienceSeconds: Int = Client.patienceSeconds) throws -> Client {
    try Client(path: Daemon.socketPath(explicit: socket?.text), patienceSeconds: patienceSeconds)
  }
}
