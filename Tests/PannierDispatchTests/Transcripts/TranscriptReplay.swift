// Replays one transcript against a server in process, by the rules of the README beside the transcripts.

import PannierDispatch
import PannierTestSupport
import Testing

/// How what clients say reaches the server: it must not matter.
enum Delivery: String, CaseIterable {
  /// One read a line.
  case lineByLine
  /// One read a byte.
  case byteByByte
  /// One read for all that is said on a connection before anything else happens.
  case together
}

struct TranscriptReplay {
  struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ transcript: String, line: Int, expected: String, found: String) {
      description = "\(transcript).txt:\(line)\n  expected \(expected)\n  found    \(found)"
    }
  }

  private let transcript: Transcript
  private let delivery: Delivery
  private let server: InProcessServer
  private var clients: [String: InProcessClient] = [:]
  /// Answers that came before the one that was looked for.
  private var early: [String: [[UInt8]]] = [:]
  private var names: AnswerPattern.Names = [:]
  private var unsent: (connection: String, bytes: [UInt8])?

  init(_ transcript: Transcript, _ delivery: Delivery) throws {
    self.transcript = transcript
    self.delivery = delivery
    server = try InProcessServer(transcript.configuration)
  }

  mutating func run() throws {
    for step in transcript.steps { try take(step) }
    sendUnsent()
    // An answer too many is as wrong as one too few.
    for connection in clients.keys.sorted() {
      try expectNothing(connection, line: (transcript.steps.last?.line ?? 0) + 1)
    }
  }

  private mutating func take(_ step: Transcript.Step) throws {
    if case .send(let connection, let text) = step.action { return try send(connection, text, line: step.line) }
    sendUnsent()
    switch step.action {
    case .send: break
    case .expect(let connection, let text): try expect(connection, text, line: step.line)
    case .expectNothing(let connection): try expectNothing(connection, line: step.line)
    case .expectClosed(let connection):
      try expectNothing(connection, line: step.line)
      guard clients[connection]?.isClosed == true else { throw mismatch(step.line, "(closed)", "an open connection") }
    case .advance(let seconds):
      let answers = server.connect().ask(#"{"op":"advance","seconds":\#(seconds)}"#)
      guard answers == [#"{"ok":true}"#] else { throw mismatch(step.line, #"{"ok":true}"#, "\(answers)") }
      server.settle()
    }
  }

  private mutating func send(_ connection: String, _ text: String, line: Int) throws {
    guard let request = AnswerPattern.substitute(text, names) else {
      throw Transcript.Fault(line: line, problem: "no answer has given a name in it yet")
    }
    if unsent?.connection != connection || delivery != .together { sendUnsent() }
    unsent = (connection, (unsent?.bytes ?? []) + request + [0x0A])
  }

  private mutating func sendUnsent() {
    guard let (connection, bytes) = unsent else { return }
    unsent = nil
    let client = clients[connection] ?? server.connect()
    clients[connection] = client
    client.send(bytes, atMost: delivery == .byteByByte ? 1 : .max)
  }

  private mutating func expect(_ connection: String, _ text: String, line: Int) throws {
    guard let client = clients[connection] else {
      throw Transcript.Fault(line: line, problem: "nothing was said on this connection")
    }
    while let answer = client.nextLine() { early[connection, default: []].append(answer) }
    let wanted = Self.id(Array(text.utf8))
    guard let place = early[connection, default: []].firstIndex(where: { Self.id($0) == wanted }) else {
      let found = early[connection, default: []].map { String(decoding: $0, as: UTF8.self) }
      throw mismatch(line, text, found.isEmpty ? "(nothing)" : "no such id in \(found)")
    }
    let answer = early[connection, default: []].remove(at: place)
    guard let known = AnswerPattern(text).match(answer, names) else {
      throw mismatch(line, text, String(decoding: answer, as: UTF8.self))
    }
    names = known
  }

  private mutating func expectNothing(_ connection: String, line: Int) throws {
    let answers =
      early[connection, default: []].map { String(decoding: $0, as: UTF8.self) } + (clients[connection]?.lines() ?? [])
    if let answer = answers.first { throw mismatch(line, "(nothing)", answer) }
  }

  /// The id that an answer begins with.
  private static func id(_ line: [UInt8]) -> ArraySlice<UInt8>? {
    guard line.starts(with: #"{"id":"#.utf8) else { return nil }
    let rest = line.dropFirst(6)
    var isInString = false
    var isEscaped = false
    return rest.prefix { byte in
      if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
      isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
      return byte != UInt8(ascii: ",") || isInString
    }
  }

  private func mismatch(_ line: Int, _ expected: String, _ found: String) -> Mismatch {
    Mismatch(transcript.name, line: line, expected: expected, found: found)
  }
}
