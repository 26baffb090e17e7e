// What the commands of one request have in common: connect, ask, show the answer, end with its status.

import ArgumentParser

protocol OneShot: ParsableCommand {
  var connection: ConnectionOptions { get }

  /// How long the answer may take.
  var patienceSeconds: Int { get }

  /// The request that the command line asks for.
  func request() throws -> RequestLine

  /// What the answer comes to, for the exit status.
  func outcome(of answer: Answer) throws -> Outcome

  /// Prints the answer as people read it best.
  func show(_ answer: Answer) throws
}

extension OneShot {
  var patienceSeconds: Int { Client.patienceSeconds }

  func outcome(of answer: Answer) -> Outcome { .success }

  func run() throws {
    // Built first: what is wrong with the command line is said whether or not a daemon runs.
    let request = try request()
    var client = try connection.connect(patienceSeconds: patienceSeconds)
    let answer = try client.ask(request)
    if connection.json { Output.print(answer.line) }
    if let failure = answer.failure { throw failure }
    if !connection.json { try show(answer) }
    try outcome(of: answer).end()
  }
}
