// Values of each kind that both clients have: what Python writes Swift reads, and the reverse.

import Foundation
import Testing

@testable import PannierClient

/// As everything.py has it.
private struct Everything: Codable, Equatable, Sendable {
  enum Color: String, Codable { case red }
  struct Inner: Codable, Equatable, Sendable { var moment: Date }
  struct Pair: Codable, Equatable, Sendable {
    var number: Int
    var text: String

    init(_ number: Int, _ text: String) {
      self.number = number
      self.text = text
    }

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      self.init(try container.decode(Int.self), try container.decode(String.self))
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(number)
      try container.encode(text)
    }
  }

  var uuid: UUID
  var moment: Date
  var price: Decimal
  var span: Duration
  var data: Data
  var color: Color
  var missing: UUID?
  var ids: [UUID]
  var pair: Pair
  var names: Set<String>
  var by_number: [Int: Inner]
  var large: UInt64
  var ratio: Double
  var text: String
}

@Suite(.timeLimit(.minutes(5))) struct PythonTests {
  @Test func bothClientsReadWhatTheOtherWrites() async throws {
    let sidecar = try Sidecar()
    var settings = PannierConfiguration(socketPath: sidecar.socketPath)
    settings.requestTimeout = .seconds(10)
    settings.throwsErrors = true
    let values = PannierClient(configuration: settings).namespace("everything", of: Everything.self)
    let id = try #require(UUID(uuidString: "e9fcf578-69b8-4b21-8ad2-b5ca457ec8e2"))
    let moment = try #require(Date(rfc3339: "2026-11-26T16:05:00.25Z"))
    let expected = Everything(
      uuid: id, moment: moment, price: try #require(Decimal(string: "12345678901234567890.25")),
      span: .seconds(86_400) + .microseconds(5), data: Data([0, 255, 62]), color: .red, missing: nil, ids: [id],
      pair: .init(7, "seven"), names: ["a"], by_number: [7: .init(moment: moment)], large: 1 << 63, ratio: 0.1,
      text: "Zoë \"☃\" / \u{1}")

    try run("write", on: sidecar)
    #expect(try await values.get("python") == expected)
    try await values.set("swift", to: expected)
    try run("read", on: sidecar)
  }

  private func run(_ task: String, on sidecar: Sidecar) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let python = Process()
    // As `make test` has made it: the client's models need pydantic.
    python.executableURL = root.appending(path: ".venv/bin/python")
    python.arguments = [root.appending(path: "clients/python/tests/everything.py").path, task]
    python.environment = [
      "PYTHONPATH": root.appending(path: "clients/python/src").path, "PANNIER_SOCKET": sidecar.socketPath,
    ]
    let said = Pipe()
    python.standardOutput = said
    python.standardError = said
    try python.run()
    let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    python.waitUntilExit()
    #expect(python.terminationStatus == 0, "\(text)")
  }
}
