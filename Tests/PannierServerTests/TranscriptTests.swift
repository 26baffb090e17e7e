import Foundation
import PannierServer
import Testing

private let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "protocol/transcripts")

private func names() -> [String] {
  let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return files.filter { $0.hasSuffix(".txt") }.sorted()
}

@Test func thereAreTranscripts() { #expect(names().count >= 25) }

/// Each transcript in process: sessions for connections, and a clock that stands still. The Python tests replay them over a socket.
@Test(arguments: names())
func transcript(name: String) throws {
  let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  var replay = try Replay(text)
  try replay.run()
}

/// The notation of protocol/transcripts/README.md.
private struct Replay {
  private let lines: [(number: Int, text: Substring)]
  private let dispatcher: Dispatcher
  private var clients: [Character: Client] = [:]
  private var unread: [Character: [String]] = [:]
  private var names: [String: String] = [:]

  init(_ text: String) throws {
    let all = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      ($0.offset + 1, $0.element)
    }
    let yaml = all.filter { $0.1.hasPrefix("#! ") }.map { $0.1.dropFirst(3) }.joined(separator: "\n")
    let file = FileManager.default.temporaryDirectory.appending(path: "pannier-\(UUID().uuidString).yaml")
    try yaml.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    dispatcher = Client.dispatcher(try Configuration.load(file: file.path, environment: [:]).0)
    lines = all.filter { !$0.1.isEmpty && !$0.1.hasPrefix("#") }
  }

  mutating func run() throws {
    for (number, text) in lines {
      if text.hasPrefix("@") {
        let seconds = text.dropFirst(1).trimmingCharacters(in: .whitespaces).dropFirst().dropLast()
        #expect(Client(dispatcher).ask(Array(#"{"op":"advance","seconds":\#(seconds)}"#.utf8)) == #"{"ok":true}"#)
        continue
      }
      let name = text.first.flatMap { $0.isUppercase ? $0 : nil } ?? "-"
      let rest = name == "-" ? text : text.dropFirst()
      let content = rest.dropFirst(3).drop { $0 == " " }
      if clients[name] == nil { clients[name] = Client(dispatcher) }
      if rest.hasPrefix("-->") {
        clients[name]?.send(Array(known(content).utf8))
      } else {
        try expect(String(content), on: name, number)
      }
    }
    for name in clients.keys {
      collect(name)
      #expect(unread[name, default: []].isEmpty, "left unread on \(name)")
    }
  }

  private mutating func collect(_ name: Character) {
    unread[name, default: []] += (clients[name]?.answers() ?? []).map { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func expect(_ pattern: String, on name: Character, _ number: Int) throws {
    collect(name)
    let waiting = unread[name, default: []]
    if pattern == "(nothing)" {
      #expect(waiting.isEmpty, "line \(number)")
      return
    }
    if pattern == "(closed)" {
      #expect(waiting.isEmpty && clients[name]?.isClosed == true, "line \(number)")
      return
    }
    // Answers with an id may come in another order; those without may not.
    let index = pattern.hasPrefix(#"{"id":"#) ? waiting.firstIndex { matches(pattern, $0) != nil } ?? 0 : 0
    let answer = try #require(waiting.indices.contains(index) ? waiting[index] : nil, "line \(number): no answer")
    let taken = try #require(matches(pattern, answer), "line \(number): expected \(pattern), found \(answer)")
    names.merge(taken) { $1 }
    unread[name]?.remove(at: index)
  }

  /// A request with what names stand for.
  private func known(_ request: Substring) -> String {
    names.keys.sorted { $0.count > $1.count }.reduce(String(request)) { text, name in
      [":", ",", "["].reduce(text) { $0.replacingOccurrences(of: "\($1)$\(name)", with: "\($1)\(names[name] ?? "")") }
    }
  }

  /// What the names in `pattern` take in `answer`; nil where it doesn't fit.
  private func matches(_ pattern: String, _ answer: String) -> [String: String]? {
    var expression = ""
    var order: [String] = []
    var rest = Substring(pattern)
    var previous: Character = " "
    while let character = rest.first {
      if rest.hasPrefix("...") {
        expression += ".*"
        rest = rest.dropFirst(3)
        previous = "."
      } else if character == "$", [":", ",", "["].contains(previous),
        let end = rest.dropFirst().firstIndex(where: { !$0.isLowercase && !$0.isNumber && $0 != "_" })
      {
        let name = String(rest[rest.index(after: rest.startIndex)..<end])
        if let value = names[name] {
          expression += NSRegularExpression.escapedPattern(for: value)
        } else if let first = order.firstIndex(of: name) {
          expression += "\\\(first + 1)"
        } else {
          order.append(name)
          expression += #"("(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|true|false|null)"#
        }
        rest = rest[end...]
        previous = "$"
      } else {
        expression += NSRegularExpression.escapedPattern(for: String(character))
        rest = rest.dropFirst()
        previous = character
      }
    }
    guard let regex = try? NSRegularExpression(pattern: "^\(expression)$", options: .dotMatchesLineSeparators),
      let match = regex.firstMatch(in: answer, range: NSRange(answer.startIndex..., in: answer))
    else { return nil }
    var taken: [String: String] = [:]
    for (index, name) in order.enumerated() {
      if let range = Range(match.range(at: index + 1), in: answer) { taken[name] = String(answer[range]) }
    }
    return taken
  }
}
