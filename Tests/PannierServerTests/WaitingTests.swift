// Lines that wait behind a clear are held to the bounds that hold for all others.

import PannierServer
import PannierWire
import Testing

@Suite struct WaitingTests {
  /// So many entries that a clear of them takes many slices.
  private static let many = 5000

  private func dispatcher(_ limits: String) throws -> Dispatcher {
    let dispatcher = Client.dispatcher(try load("limits: {\(limits)}").0)
    let filler = Client(dispatcher)
    for first in stride(from: 0, to: Self.many, by: 1000) {
      let items = (first..<first + 1000).map { #"{"key":"k\#($0)","value":1}"# }.joined(separator: ",")
      #expect(filler.ask(#"{"op":"set","ns":"big","items":[\#(items)]}"#.utf8)?.contains("true") == true)
    }
    return dispatcher
  }

  private static let clear = #"{"op":"clear","ns":"big"}"#

  @Test func theirAnswersKeepToTheBoundOfOutput() throws {
    let dispatcher = try dispatcher("output_bytes: 64KiB")
    let client = Client(dispatcher)
    let value = String(repeating: "x", count: 10_000)
    #expect(client.ask(#"{"op":"set","ns":"a","key":"k","value":"\#(value)"}"#.utf8) == #"{"ok":true,"stored":true}"#)
    let gets = repeatElement(#"{"op":"get","ns":"a","key":"k"}"#, count: 200)
    client.send(([Self.clear] + gets).joined(separator: "\n").utf8)
    client.work()
    var answered = 0
    while !client.session.output.isEmpty {
      #expect(client.session.output.count < 64 << 10 + value.utf8.count + 100)
      answered += client.take().count
      client.work()
    }
    #expect(answered == 201)
  }

  @Test func theyTakeTurnsWithOthers() throws {
    let dispatcher = try dispatcher("in_flight: 1000")
    let client = Client(dispatcher)
    client.send(([Self.clear] + repeatElement(#"{"op":"ping"}"#, count: 500)).joined(separator: "\n").utf8)
    while dispatcher.needsUpkeep { dispatcher.upkeep() }
    var turns = [client.take().count]
    while client.session.inFlight > 0 {
      _ = dispatcher.receive(from: client.session)
      turns.append(client.take().count)
    }
    #expect(turns.reduce(0, +) == 501)
    #expect(turns.allSatisfy { $0 <= Dispatcher.linesPerTurn }, "\(turns)")
  }

  /// Each of them is over at once, and lets the next begin.
  @Test func clearsWithoutEndAmongThemNeedNoStack() throws {
    let dispatcher = try dispatcher("in_flight: 10000")
    let client = Client(dispatcher)
    #expect(client.ask(#"{"op":"set","ns":"small","key":"k","value":1}"#.utf8) == #"{"ok":true,"stored":true}"#)
    let count = 4_000
    let small = repeatElement(#"{"op":"clear","ns":"small","dry_run":true}"#, count: count)
    client.send(([Self.clear] + small).joined(separator: "\n").utf8)
    let answers = client.answers()
    #expect(answers.count == count + 1)
    #expect(answers.last == Array(#"{"ok":true,"cleared":1,"sample":["k"]}"#.utf8))
  }

  @Test func theirBytesAreBounded() throws {
    let dispatcher = try dispatcher("line_bytes: 64KiB")
    let client = Client(dispatcher)
    client.send(Self.clear.utf8)
    let line = #"{"op":"set","ns":"a","key":"k","value":"\#(String(repeating: "x", count: 50_000))"}"#
    for _ in 0..<20 { client.send(line.utf8) }
    // One more may be taken while those before it are just below the bound.
    #expect(client.session.framer.pending >= 17 * line.utf8.count)
    #expect(client.answers().count == 21)
  }

  /// A line without id that comes when the way is free, while others still wait, must not overtake them.
  @Test func theOrderIsKeptWhenTheWayBecomesFreeAmongThem() throws {
    let dispatcher = try dispatcher("in_flight: 1000")
    let client = Client(dispatcher)
    let sets = (0..<200).map { #"{"op":"set","ns":"a","key":"k","value":\#($0)}"# }
    client.send(([Self.clear] + sets).joined(separator: "\n").utf8)
    // It gives the clear its last slices, and is answered before it.
    while dispatcher.needsUpkeep { dispatcher.upkeep() }
    client.send(#"{"op":"get","ns":"a","key":"k"}"#.utf8)
    #expect(client.answers().last == Array(#"{"ok":true,"hit":true,"value":199}"#.utf8))
  }
}
