// A transcript of protocol/transcripts as steps; its README defines the notation. What an answer has to be is
// `AnswerPattern`'s matter.

import Foundation

package struct Transcript: CustomStringConvertible {
  package enum Action: Equatable {
    case send(connection: String, text: String)
    case expect(connection: String, text: String)
    case expectNothing(connection: String)
    case expectClosed(connection: String)
    case advance(seconds: String)
  }

  package struct Step: Equatable {
    package let line: Int
    package let action: Action
  }

  package struct Fault: Error {
    package let line: Int
    package let problem: String

    package init(line: Int, problem: String) {
      self.line = line
      self.problem = problem
    }
  }

  package let name: String
  /// YAML, for the server that it is replayed against.
  package let configuration: String
  package let steps: [Step]

  package var description: String { name }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "protocol/transcripts")

  /// The names of all there are.
  package static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
  }()

  package init(named name: String) throws {
    try self.init(name, String(contentsOf: Self.folder.appending(path: "\(name).txt"), encoding: .utf8))
  }

  package init(_ name: String, _ text: String) throws {
    self.name = name
    var configuration = ""
    var steps: [Step] = []
    var isAtHead = true
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("#!") {
        guard isAtHead else { throw Fault(line: index + 1, problem: "configuration stands at the head alone") }
        configuration += line.dropFirst(3) + "\n"
        continue
      }
      isAtHead = false
      if line.isEmpty || line == "#" || line.hasPrefix("# ") { continue }
      steps.append(Step(line: index + 1, action: try Self.action(line, number: index + 1)))
    }
    guard configuration.contains("jitter:") else {
      throw Fault(line: 1, problem: "the head does not say what jitter is")
    }
    self.configuration = configuration
    self.steps = steps
  }

  private static func action(_ line: Substring, number: Int) throws -> Action {
    if let clock = line.wholeMatch(of: /@ \+([0-9]+(?:\.[0-9]+)?)s/) { return .advance(seconds: String(clock.1)) }
    guard let said = line.wholeMatch(of: /([A-Z]?)(-->|<--)(?: (.*))?/) else {
      throw Fault(line: number, problem: "no such line: \(line)")
    }
    let (connection, text) = (String(said.1), said.3.map { String($0) } ?? "")
    if said.2 == "-->" { return .send(connection: connection, text: text) }
    switch text {
    case "": throw Fault(line: number, problem: "an answer is missing")
    case "(nothing)": return .expectNothing(connection: connection)
    case "(closed)": return .expectClosed(connection: connection)
    default: return .expect(connection: connection, text: text)
    }
  }
}
