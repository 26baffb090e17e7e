// `pannier watch`: prints what happens as it happens, until it is interrupted or nobody reads on.

import ArgumentParser
import PannierWire

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Show what happens to values as it happens, until interrupted.",
    discussion: """
      Events: set, fill, delete, clear, expire, evict, lease, release, policy, redis.
      One that reads too slowly is told how many it lost.

        pannier watch
        pannier watch quiz --events delete,clear
        pannier watch --sample 0.01 --json | jq .key
      """)

  @Argument(help: "The namespace; else all.") var namespace: Word?

  @Option(help: ArgumentHelp("Only these events: set,delete.", valueName: "events"), transform: EventList.init)
  var events: EventList?

  @Option(help: ArgumentHelp("Show this share of the events, 0 to 1.", valueName: "share"))
  var sample: Word?

  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    let request = try request()
    var client = try connection.connect()
    let answer = try client.ask(request)
    if connection.json { Output.print(answer.line) }
    if let failure = answer.failure { throw failure }
    if !connection.json { Output.note("watching; Ctrl-C ends it") }
    while client.hasLine || client.waitForMoreWhileRead() {
      guard let line = try client.line() else { throw Failure("the server closed the connection") }
      try show(line)
    }
  }

  private func request() throws(Failure) -> RequestLine {
    var line = RequestLine(op: "watch", namespace: namespace?.text)
    if let events { line.add("events", events.events) }
    if let sample {
      guard let share = JSONValue(sample.text.utf8), share.isNumber else {
        throw Failure("--sample takes a share from 0 to 1, as 0.1")
      }
      line.add("sample", raw: share.line)
    }
    return line
  }

  private func show(_ line: [UInt8]) throws(Failure) {
    if connection.json { Output.print(line) }
    let event = try Answer(line)
    // What is no event is an error, as at the daemon's end.
    guard event["event"] != nil else {
      if let failure = event.failure { throw failure }
      return
    }
    if !connection.json { Output.print(EventLine(event).text) }
  }
}
