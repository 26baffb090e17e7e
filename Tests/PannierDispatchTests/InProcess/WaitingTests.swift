// Lines that wait behind a clear are held to the bounds that hold for all others.

import PannierWire
import Testing

@testable import PannierDispatch

@Suite struct WaitingTests {
  /// So many entries that a clear of them takes many slices.
  private static let many = 5000
  private static let clear = #"{"op":"clear","ns":"big"}"#

  private func server(_ limits: String) throws -> InProcessServer {
    let server = try InProcessServer("limits: {\(limits)}\ndefaults: {jitter: 0}")
    let filler = server.connect()
    for first in stride(from: 0, to: Self.many, by: 1000) {
      let items = (first..<first + 1000).map { #"{"key":"k\#($0)","value":1}"# }.joined(separator: ",")
      #expect(filler.ask(#"{"op":"set","ns":"big","items":[\#(items)]}"#).count == 1)
    }
    return server
  }

  /// A clear, and behind it what is to wait for it; nothing is settled yet.
  private func send(_ lines: some Sequence<String>, behindClearBy client: InProcessClient) {
    client.send(line: ([Self.clear] + lines).joined(separator: "\n"), settles: false)
  }

  @Test func theirAnswersKeepToTheBoundOfOutput() throws {
    let server = try server("output_bytes: 64KiB")
    let client = server.connect()
    let value = String(repeating: "x", count: 10_000)
    #expect(client.ask(#"{"op":"set","ns":"a","key":"k","value":"\#(value)"}"#) == [#"{"ok":true,"stored":true}"#])
    client.reads = false
    send(repeatElement(#"{"op":"get","ns":"a","key":"k"}"#, count: 200), behindClearBy: client)
    var answered = 0
    while answered < 201 {
      client.settle()
      #expect(client.session.output.count < 64 << 10 + value.utf8.count + 100)
      client.reads = true
      let lines = client.lines()
      client.reads = false
      try #require(!lines.isEmpty)
      answered += lines.count
    }
    #expect(answered == 201)
  }

  @Test func theyTakeTurnsWithOthers() throws {
    let server = try server("in_flight: 1000")
    let client = server.connect()
    send(repeatElement(#"{"op":"ping"}"#, count: 500), behindClearBy: client)
    server.settle()
    var turns = [client.lines().count]
    while client.session.inFlight > 0 {
      _ = server.dispatcher.receive(from: client.session)
      turns.append(client.lines().count)
    }
    #expect(turns.reduce(0, +) == 501)
    #expect(turns.allSatisfy { $0 <= Dispatcher.linesPerTurn }, "\(turns)")
  }

  /// Each of them is over at once, and lets the next begin.
  @Test func clearsWithoutEndAmongThemNeedNoStack() throws {
    let server = try server("in_flight: 10000")
    let client = server.connect()
    #expect(client.ask(#"{"op":"set","ns":"small","key":"k","value":1}"#) == [#"{"ok":true,"stored":true}"#])
    let count = 4_000
    send(repeatElement(#"{"op":"clear","ns":"small","dry_run":true}"#, count: count), behindClearBy: client)
    client.settle()
    let answers = client.lines()
    #expect(answers.count == count + 1)
    #expect(answers.last == #"{"ok":true,"cleared":1,"sample":["k"]}"#)
  }

  @Test func theirBytesAreBounded() throws {
    let server = try server("line_bytes: 64KiB")
    let client = server.connect()
    let line = #"{"op":"set","ns":"a","key":"k","value":"\#(String(repeating: "x", count: 50_000))"}"#
    send(repeatElement(line, count: 20), behindClearBy: client)
    // One more may be taken while those before it are just below the bound.
    #expect(client.session.framer.pending >= 17 * line.utf8.count)
    client.settle()
    #expect(client.lines().count == 21)
  }

  /// A line without id that comes when the way is free, while others still wait, must not overtake them.
  @Test func theOrderIsKeptWhenTheWayBecomesFreeAmongThem() throws {
    let server = try server("in_flight: 1000")
    let client = server.connect()
    send((0..<200).map { #"{"op":"set","ns":"a","key":"k","value":\#($0)}"# }, behindClearBy: client)
    // It gives the clear its last slices, and is answered before it.
    server.settle()
    client.send(line: #"{"op":"get","ns":"a","key":"k"}"#)
    #expect(client.lines().last == #"{"ok":true,"hit":true,"value":199}"#)
  }

  /// Nothing behind a line that is not UTF-8 is carried out, also where it had to wait.
  @Test func nothingIsCarriedOutBehindWhatIsNotUTF8() throws {
    let server = try server("in_flight: 1000")
    let client = server.connect()
    send([#"{"op":"ping"}"#], behindClearBy: client)
    client.send(
      [0x22, 0xFF, 0x0A] + Array(#"{"id":1,"op":"set","ns":"a","key":"k","value":1}"#.utf8) + [0x0A], settles: false)
    client.settle()
    let answers = client.lines()
    #expect(answers.count == 3)
    #expect(answers.last?.contains("bad_utf8") == true)
    #expect(server.connect().ask(#"{"op":"exists","ns":"a","key":"k"}"#) == [#"{"ok":true,"exists":false}"#])
  }

  @Test func aClockThatIsMovedKeepsWithinWhatTimesCanBe() {
    var clock = CacheClock.manual
    let moved = [clock.advance(315_360_000_000), clock.advance(315_360_000_000)]
    #expect(moved == [true, false])
    #expect(clock.now == 315_360_000_000)
  }

  /// Each of many waits is told the value, but not more than its client's share of memory.
  @Test func answersToWaitsKeepToTheBoundOfOutput() throws {
    let server = try InProcessServer("limits: {output_bytes: 64KiB}\ndefaults: {jitter: 0}")
    let loader = server.connect()
    let client = server.connect()
    let granted = try #require(loader.ask(#"{"op":"get","ns":"a","key":"k","lease":true}"#).first)
    let token = try #require(granted.split(separator: "\"").dropLast().last)
    for id in 0..<100 { client.send(line: #"{"id":\#(id),"op":"get","ns":"a","key":"k","wait":5}"#) }
    client.reads = false
    let value = String(repeating: "x", count: 10_000)
    #expect(
      loader.ask(#"{"op":"set","ns":"a","key":"k","lease":"\#(token)","value":"\#(value)"}"#)
        == [#"{"ok":true,"stored":true}"#])
    #expect(client.session.output.count < 64 << 10 + 100 * 150 + value.utf8.count)
    client.reads = true
    let answers = client.lines()
    #expect(answers.count == 100)
    #expect(answers.count { $0.contains("overloaded") } == 93)
  }
}
