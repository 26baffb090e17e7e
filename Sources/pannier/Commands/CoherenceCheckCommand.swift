// `pannier coherence-check`: whether sidecars that share a Redis agree, tried out on the live ones.

import ArgumentParser
import PannierServer
import PannierWire

struct CoherenceCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coherence-check",
    abstract: "Try out on live sidecars whether what one was told the others show.",
    discussion: """
      Each round writes through one sidecar, by turns, and reads through the others at once and until they show it; then writes
      again, and reads through the same, and strictly through the others. Of the namespace only keys of its own are touched, and removed at the end. With one socket that
      sidecar is checked against itself and Redis.
      Exit status 1: a plain read was stale for longer than coherence.bound, or one that may not be stale at all was: a strict
      one, or one of what the same sidecar was told. 2: nothing could be checked, as where the sidecars don't share one Redis.

        pannier coherence-check --socket a.sock --socket b.sock
        pannier coherence-check --socket a.sock --socket b.sock --rounds 10000 --json | jq .plain.stale_per_million
      """)

  @Option(parsing: .singleValue, help: ArgumentHelp("A sidecar's socket; one for each.", valueName: "path"))
  var socket: [Word] = []

  @Option(help: ArgumentHelp("How often to try.", valueName: "n"), transform: Self.rounds)
  var rounds: Int = 1000

  @Option(help: ArgumentHelp("The namespace to try it in.", valueName: "namespace"))
  var ns = Word(argument: "pannier-check")

  @Option(
    help: ArgumentHelp("End by then, whatever rounds are left.", valueName: "duration"),
    transform: DurationArgument.init)
  var within: DurationArgument?

  @Flag(help: "Read strictly alone: no waiting until the others show it.") var strict = false
  @Flag(help: "Print the findings as one JSON object.") var json = false

  /// Where the command line doesn't say.
  private static let usualSeconds = 60.0

  private static func rounds(_ argument: String) throws -> Int {
    guard let rounds = Int(Arguments.unprotected(argument)), rounds > 0 else {
      throw Failure("write how often to try, a whole number from 1 on")
    }
    return rounds
  }

  func run() throws {
    let sidecars = try sidecars()
    let agreement = try Agreement(sidecars, ns.text)
    var check = CoherenceCheck(
      sidecars, ns.text, bound: agreement.bound, isStrictAlone: strict,
      seconds: within.flatMap { Double($0.seconds) } ?? Self.usualSeconds)
    let findings = try check.run(rounds: rounds)
    guard findings.writes > 0 else {
      throw Failure("redis took none of \(findings.unconfirmed) writes: nothing is known")
    }
    if json {
      Output.print(findings.json(agreement, sidecarCount: sidecars.count))
    } else {
      Output.print(lines: findings.lines(agreement, sidecarCount: sidecars.count))
    }
    try (findings.isCoherent ? Outcome.success : .miss).end()
  }

  private func sidecars() throws -> [Sidecar] {
    let paths = socket.isEmpty ? [Daemon.socketPath(explicit: nil)] : socket.map(\.text)
    if let twice = paths.enumerated().first(where: { paths[..<$0.offset].contains($0.element) }) {
      throw Failure("\(Printable.line(twice.element)) is named twice")
    }
    return try paths.map { try Sidecar($0) }
  }
}
