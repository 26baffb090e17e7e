// What callers get while the sidecar is gone, killed, hanging or strange; and that no answer ever goes to another.

import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import PannierWire
import Testing

@testable import PannierClient

@Suite(.timeLimit(.minutes(5))) struct OutageTests {
  /// Ten times as many in `make soak`.
  private static let cancellations =
    ProcessInfo.processInfo.environment["PANNIER_CANCELLATIONS"].flatMap { Int($0) } ?? 1000

  private static func client(
    _ path: String, log: Lines = Lines(), _ change: (inout PannierConfiguration) -> Void = { _ in }
  ) -> PannierClient {
    var settings = PannierConfiguration(socketPath: path)
    settings.connectTimeout = .seconds(5)
    change(&settings)
    return PannierClient(configuration: settings, logger: log.logger)
  }

  @Test func withoutASidecarValuesAreLoaded() async throws {
    let log = Lines()
    let client = Self.client("/nonexistent/pannier.sock", log: log)
    let numbers = client.namespace("n", of: Int.self)
    for number in 0..<100 {
      #expect(try await numbers.value(for: "k\(number)") { number } == number)
      #expect(try await numbers.get("k") == nil)
      #expect(try await !numbers.set("k", to: 1))
    }
    #expect(log.lines == ["the cache can't be used, and values are simply loaded"])
  }

  @Test func withoutASidecarOneLoadsForAllWhoAskMeanwhile() async throws {
    let client = Self.client("/nonexistent/pannier.sock") { $0.breakerPause = .seconds(3600) }
    let numbers = client.namespace("n", of: Int.self)
    _ = try await numbers.get("k")
    let source = Source()
    source.close()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<100 { group.addTask { try await numbers.value(for: "k") { await source.load(7) } } }
      // All of them have come when each has had a turn behind the one that loads.
      while client.solo.waiting(at: .init(ns: "n", key: "k")) < 99 { try await nextTurn() }
      source.open()
      for try await number in group { #expect(number == 7) }
    }
    #expect(source.runs == 1)
  }

  @Test func whereItsCallerIsCancelledTheNextLoadsForAll() async throws {
    let solo = SoloLoads()
    let place = SoloLoads.Place(ns: "n", key: "k")
    let source = Source()
    source.close()
    let first = Task {
      try await solo.value(at: place) {
        _ = await source.load(0)
        try Task.checkCancellation()
        return 0
      }
    }
    while source.runs == 0 { try await nextTurn() }
    let next = Source()
    next.close()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { try await solo.value(at: place) { await next.load(1) } } }
      while solo.waiting(at: place) < 20 { try await nextTurn() }
      first.cancel()
      source.open()
      while next.runs == 0 || solo.waiting(at: place) < 19 { try await nextTurn() }
      next.open()
      for try await number in group { #expect(number == 1) }
    }
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(next.runs == 1)
  }

  @Test func theErrorGoesUpWhereThatIsWanted() async throws {
    let client = Self.client("/nonexistent/pannier.sock") { $0.throwsErrors = true }
    let numbers = client.namespace("n", of: Int.self)
    await #expect(throws: PannierError.self) { try await numbers.get("k") }
    await #expect(throws: PannierError.self) { try await numbers.value(for: "k") { 1 } }
  }

  @Test func whatChangedMeanwhileIsToldWhenItIsBack() async throws {
    let log = Lines()
    let sidecar = try Sidecar()
    let client = Self.client(sidecar.socketPath, log: log) { $0.requestTimeout = .seconds(10) }
    let numbers = client.namespace("n", of: Int.self)
    try await numbers.set(["a": 1, "b": 2, "c": 3])
    sidecar.suspend()
    let impatient = Self.client(sidecar.socketPath, log: log) { $0.requestTimeout = .milliseconds(50) }
    #expect(try await impatient.namespace("n", of: Int.self).delete("a") == 0)
    #expect(try await impatient.namespace("n", of: Int.self).clear(matching: "b*") == 0)
    sidecar.resume()
    // The sidecar has read the first delete by itself, or it is told again: either way it holds before the first answer.
    while try await !impatient.ping() { try await nextTurn() }
    #expect(try await numbers.values(for: ["a", "b", "c"]) == ["c": 3])
    #expect(log.lines.contains("the cache is used again"))
  }

  @Test func aRestartedSidecarIsUsedAgain() async throws {
    let sidecar = try Sidecar()
    let client = Self.client(sidecar.socketPath) {
      $0.breakerPause = .milliseconds(1)
      $0.requestTimeout = .seconds(10)
    }
    let numbers = client.namespace("n", of: Int.self)
    for round in 0..<5 {
      while try await !numbers.set("k", to: round) { try await nextTurn() }
      #expect(try await numbers.get("k") == round)
      sidecar.kill()
      #expect(try await numbers.value(for: "k") { -1 } == -1)
      try sidecar.start()
    }
  }

  @Test func aHangingSidecarIsGivenUp() async throws {
    let sidecar = try Sidecar()
    let log = Lines()
    let client = Self.client(sidecar.socketPath, log: log) {
      $0.requestTimeout = .milliseconds(50)
      $0.breakerPause = .seconds(3600)
    }
    let numbers = client.namespace("n", of: Int.self)
    try await numbers.set("k", to: 1)
    sidecar.suspend()
    // One waits; the others find out from it.
    for _ in 0..<1000 { #expect(try await numbers.value(for: "k") { 2 } == 2) }
    sidecar.resume()
    #expect(log.lines == ["the cache can't be used, and values are simply loaded"])
  }

  @Test func cancellationCostsNoConnectionAndNoOtherItsAnswer() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("n", of: Int.self)
    for number in 0..<64 { try await numbers.set("\(number)", to: number) }
    let connections = try await subject.connections()
    let cancelled = NIOLockedValueBox(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      var generator = SystemRandomNumberGenerator()
      for round in 0..<Self.cancellations {
        let turns = Int.random(in: 0..<12, using: &generator)
        let number = round % 64
        group.addTask {
          let asking = Task { try await numbers.get("\(number)") }
          for _ in 0..<turns { try await nextTurn() }
          asking.cancel()
          do {
            let found = try await asking.value
            #expect(found == number)
          } catch is CancellationError {
            cancelled.withLockedValue { $0 += 1 }
          }
        }
        if round % 16 == 15 { for _ in 0..<8 { try await group.next() } }
      }
      try await group.waitForAll()
    }
    #expect(cancelled.withLockedValue { $0 } > 0)
    #expect(try await subject.connections() <= connections + 2)
  }

  @Test func cancelledWaitersLeaveNoLease() async throws {
    let subject = try Subject()
    let numbers = subject.client.namespace("n", of: Int.self)
    for round in 0..<200 {
      let asking = Task { try await numbers.value(for: "k") { 1 } }
      for _ in 0..<(round % 10) { try await nextTurn() }
      asking.cancel()
      _ = try? await asking.value
      try await numbers.delete("k")
    }
    // Whatever became of them, the key can be loaded at once.
    #expect(try await numbers.value(for: "k") { 2 } == 2)
    #expect(try await numbers.get("k") == 2)
  }

  @Test(arguments: [1, 7, 4096])
  func answersInAnyOrderAndInPiecesFindWhoAsked(bytesAtATime: Int) async throws {
    let odd = try await OddServer(bytesAtATime: bytesAtATime)
    let client = Self.client(odd.path) { $0.requestTimeout = .seconds(10) }
    let texts = client.namespace("n", of: String.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          let found = try await texts.get("\(number)")
          #expect(found == "\(number)")
        }
      }
      try await group.waitForAll()
    }
    try await odd.close()
  }

  @Test func whatIsNoSidecarIsNone() async throws {
    let odd = try await OddServer(bytesAtATime: 4096, says: "HTTP/1.1 400 Bad Request\r\n\r\n")
    let client = Self.client(odd.path) { $0.requestTimeout = .milliseconds(100) }
    #expect(try await client.namespace("n", of: Int.self).value(for: "k") { 1 } == 1)
    try await odd.close()
  }
}

extension Subject {
  fileprivate func connections() async throws -> Int {
    try await client.links.ask(.stats(ns: nil)).members()["connections"]?.integer ?? 0
  }
}

/// Answers each `get` with its key, several at once in reverse order, and so many bytes at a time.
private final class OddServer: Sendable {
  let path: String
  private let channel: any Channel

  init(bytesAtATime: Int, says text: String? = nil) async throws {
    path = NSTemporaryDirectory() + "odd-\(UUID().uuidString.prefix(8)).sock"
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Handler(bytesAtATime: bytesAtATime, text: text))
        }
      }
      .bind(unixDomainSocketPath: path).get()
  }

  func close() async throws {
    try await channel.close()
    try? FileManager.default.removeItem(atPath: path)
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let bytesAtATime: Int
    private let text: String?
    private var cutter = LineCutter()

    init(bytesAtATime: Int, text: String?) {
      self.bytesAtATime = bytesAtATime
      self.text = text
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var bytes = unwrapInboundIn(data)
      cutter.receive(&bytes)
      var answers: [String] = []
      while let line = cutter.next() {
        let said = String(buffer: line)
        guard let match = said.firstMatch(of: /"id":([0-9]+).*"key":("[^"]*")/) else { continue }
        answers.append(#"{"id":\#(match.1),"ok":true,"hit":true,"value":\#(match.2)}"# + "\n")
      }
      var answer = ByteBuffer(string: text ?? answers.reversed().joined())
      while let part = answer.readSlice(length: min(bytesAtATime, answer.readableBytes)), part.readableBytes > 0 {
        context.writeAndFlush(wrapOutboundOut(part), promise: nil)
      }
    }
  }
}
