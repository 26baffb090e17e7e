// The command `pannier`: which subcommands there are, and how a run begins and ends. What each does is its own file's.

import ArgumentParser
import Glibc
import PannierDispatch

@main
struct Pannier: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pannier",
    abstract: "A cache shared by every process on this host, over a Unix domain socket.",
    usage: "pannier <subcommand> …",
    discussion: """
      Start it, then store and read from any process:

        pannier serve --socket ./pannier.sock &
        export PANNIER_SOCKET=./pannier.sock
        pannier set quiz user:1 '{"name":"Ada"}' --ttl 5m
        pannier get quiz user:1

      The socket is --socket, else $PANNIER_SOCKET, else $XDG_RUNTIME_DIR/pannier.sock, else
      \(Configuration.systemSocketPath).
      Exit status: 0 success or hit, 1 miss, 2 error. A key that begins with - goes after --.
      """,
    version: "pannier \(serverVersion)",
    groupedSubcommands: [
      CommandGroup(name: "Daemon", subcommands: [ServeCommand.self, CheckCommand.self]),
      CommandGroup(
        name: "Value",
        subcommands: [
          GetCommand.self, SetCommand.self, DeleteCommand.self, TouchCommand.self, ExistsCommand.self,
        ]),
      CommandGroup(name: "Namespace", subcommands: [KeysCommand.self, ClearCommand.self, PolicyCommand.self]),
      CommandGroup(
        name: "Insight",
        subcommands: [
          PingCommand.self, ExplainCommand.self, StatsCommand.self, WatchCommand.self, CoherenceCheckCommand.self,
        ]),
    ])

  static func main() {
    // A reader that has enough (`| head -1`) is seen as EPIPE, and ends the run quietly.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot(try Arguments.given())
      try command.run()
    } catch let failure as Failure {
      Output.complain(failure.description)
      Outcome.failure.exit()
    } catch let outcome as Outcome {
      outcome.exit()
    } catch {
      end(parsing: error)
    }
  }

  /// Help and the version are asked for, and a success; all else that the parser throws is bad usage.
  private static func end(parsing error: any Error) -> Never {
    var message = Arguments.unprotected(fullMessage(for: error))
    while message.hasSuffix("\n") { message.removeLast() }
    if exitCode(for: error).isSuccess {
      Output.print(message)
      Outcome.success.exit()
    }
    let prefix = "Error: "
    Output.complain(message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message)
    Outcome.failure.exit()
  }
}
