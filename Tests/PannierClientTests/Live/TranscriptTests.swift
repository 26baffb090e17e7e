// The protocol's transcripts said through the client's connections, to the real sidecar and to the fake.

import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import PannierTestSupport
import PannierTesting
import Testing

@testable import PannierClient

/// A transcript without the lines that a client can't say, and without their answers: it gives ids of its own, into objects
/// alone, and what comes unasked is none of its matter.
struct SayableTranscript {
  /// By name, why nothing of them is said.
  static let leftOut = [
    "ids": "it is about ids, and the client gives its own",
    "line_limit": "its last connection is closed by the sidecar, of which the client tells nobody: it opens another",
    "lease_insight": "it watches: events come without being asked for",
    "watch": "it watches: events come without being asked for",
    "waiting": "a part of it is about the order of requests without id, and the client gives ids",
    "stats": "it counts the error of a line that is no object, which is not said",
  ]

  static let names = Transcript.names.filter { leftOut[$0] == nil }

  let transcript: Transcript
  let steps: [Transcript.Step]

  init(named name: String) throws {
    transcript = try Transcript(named: name)
    var steps = transcript.steps
    while let place = steps.firstIndex(where: {
      if case .send(_, let text) = $0.action { !Self.canSay(text) } else { false }
    }),
      case .send(let connection, let text) = steps[place].action
    {
      steps.remove(at: place)
      guard !text.trimmingCharacters(in: .whitespaces).isEmpty else { continue }
      let answer = steps[place...].firstIndex { step in
        guard case .expect(connection, let answer) = step.action else { return false }
        return Self.id(of: text).map { answer.hasPrefix("{\"id\":\($0),") } ?? !answer.hasPrefix("{\"id\"")
      }
      if let answer { steps.remove(at: answer) }
    }
    self.steps = steps
  }

  static func canSay(_ text: String) -> Bool {
    text.hasPrefix("{\"") && !text.contains("\"id\"") && text.hasSuffix("}")
  }

  /// As written; nil: none that an answer could have.
  private static func id(of text: String) -> Substring? {
    text.firstMatch(of: /"id"\s*:\s*(-?[0-9]+(?=[,}\s])|"(?:[^"\\]|\\.)*")/)?.1
  }
}

/// Says a transcript, a client for each of its connections.
final class SaidTranscript {
  private struct Said {
    let line: Int
    let answer: Task<Answer, any Error>
    let isAnswered = NIOLockedValueBox(false)
  }

  private let sayable: SayableTranscript
  private let makeClient: () -> PannierClient
  private let control: PannierClient
  private var clients: [String: PannierClient] = [:]
  private var said: [String: [Said]] = [:]
  private var names: AnswerPattern.Names = [:]

  init(_ sayable: SayableTranscript, makeClient: @escaping () -> PannierClient) {
    self.sayable = sayable
    self.makeClient = makeClient
    control = makeClient()
  }

  func run() async throws {
    defer { for client in clients.values { client.close() } }
    for step in sayable.steps { try await take(step) }
    for (connection, left) in said where !left.isEmpty {
      Issue.record("\(sayable.transcript): more is answered on \(connection) than is expected: line \(left[0].line)")
    }
  }

  private func take(_ step: Transcript.Step) async throws {
    switch step.action {
    case .send(let connection, let text): try say(text, on: connection, line: step.line)
    case .expect(let connection, let text):
      let place = "\(sayable.transcript).txt:\(step.line)"
      guard said[connection]?.isEmpty == false, let next = said[connection]?.removeFirst() else {
        Issue.record("\(place): nothing was said")
        return
      }
      let answer = try await next.answer.value.withoutID
      let known = AnswerPattern(text).match(answer, names)
      #expect(known != nil, "\(place): expected \(text), found \(String(decoding: answer, as: UTF8.self))")
      names = known ?? names
    case .expectNothing(let connection):
      _ = try await clients[connection]?.ping()
      let early = said[connection, default: []].filter { $0.isAnswered.withLockedValue { $0 } }
      #expect(early.isEmpty, "\(sayable.transcript).txt:\(step.line): it is answered")
    case .expectClosed: break
    case .advance(let seconds): try await ask(#"{"op":"advance","seconds":\#(seconds)}"#)
    }
  }

  private func say(_ text: String, on connection: String, line: Int) throws {
    guard let bytes = AnswerPattern.substitute(text, names) else {
      throw Transcript.Fault(line: line, problem: "no answer has given a name in it yet")
    }
    let client = clients[connection] ?? makeClient()
    clients[connection] = client
    let (answers, continuation) = AsyncThrowingStream<Answer, any Error>.makeStream()
    let entry = Said(
      line: line,
      answer: Task {
        for try await answer in answers { return answer }
        throw CancellationError()
      })
    try client.links.ask(.line(ByteBuffer(bytes: bytes))) { result in
      entry.isAnswered.withLockedValue { $0 = true }
      continuation.yield(with: result)
    }
    said[connection, default: []].append(entry)
  }

  private func ask(_ line: String) async throws {
    _ = try await control.links.ask(.line(ByteBuffer(string: line))).members()
  }
}

extension Answer {
  fileprivate var withoutID: [UInt8] {
    let bytes = Array(line.readableBytesView)
    guard bytes.starts(with: #"{"id":"#.utf8), let comma = bytes.firstIndex(of: UInt8(ascii: ",")) else { return bytes }
    return [UInt8(ascii: "{")] + bytes[(comma + 1)...]
  }
}

@Suite(.timeLimit(.minutes(5))) struct TranscriptTests {
  @Test(arguments: SayableTranscript.names)
  func isSaidToTheSidecar(name: String) async throws {
    let sayable = try SayableTranscript(named: name)
    let sidecar = try Sidecar(sayable.transcript.configuration)
    var settings = PannierConfiguration(socketPath: sidecar.socketPath)
    settings.connectTimeout = .seconds(5)
    settings.requestTimeout = .seconds(10)
    // One loop each: what is said on one connection stays on it.
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    try await SaidTranscript(sayable) { [settings] in
      PannierClient(configuration: settings, eventLoopGroup: loop)
    }.run()
  }

  @Test(arguments: SayableTranscript.names)
  func isSaidToTheFake(name: String) async throws {
    let sayable = try SayableTranscript(named: name)
    let fake = try FakePannier(configuration: sayable.transcript.configuration)
    try await SaidTranscript(sayable) { fake.makeClient() }.run()
  }

  /// Else most of them could be left out unnoticed.
  @Test func littleIsLeftOut() throws {
    var (all, said) = (0, 0)
    for name in Transcript.names {
      let sends = try Transcript(named: name).steps.filter { if case .send = $0.action { true } else { false } }
      all += sends.count
      guard SayableTranscript.leftOut[name] == nil else { continue }
      said += try SayableTranscript(named: name).steps.count { if case .send = $0.action { true } else { false } }
    }
    #expect(said * 100 > all * 78, "\(said) of \(all)")
    for name in SayableTranscript.leftOut.keys { #expect(Transcript.names.contains(name)) }
  }
}
