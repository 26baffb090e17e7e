import Foundation
import PannierServer
import PannierWire
import Testing

/// Lines of a file in Tests/Corpus, comments and empty lines left out. `«1F»` stands for a byte, `«[*3»` for a text repeated.
private func corpus(_ name: String) throws -> [[UInt8]] {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let text = try String(contentsOf: folder.appending(path: "Corpus/\(name)"), encoding: .utf8)
  return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(expanded)
}

private func expanded(_ line: Substring) -> [UInt8] {
  var result: [UInt8] = []
  var rest = line
  while let open = rest.firstIndex(of: "«"), let close = rest[open...].firstIndex(of: "»") {
    result += Array(rest[..<open].utf8)
    let inside = rest[rest.index(after: open)..<close]
    if let star = inside.lastIndex(of: "*"), let count = Int(inside[inside.index(after: star)...]) {
      for _ in 0..<count { result += Array(inside[..<star].utf8) }
    } else {
      let digits = inside.filter { $0 != " " }.map { $0 }
      for index in stride(from: 0, to: digits.count - 1, by: 2) {
        result.append(UInt8(String(digits[index...index + 1]), radix: 16) ?? 0)
      }
    }
    rest = rest[rest.index(after: close)...]
  }
  return result + Array(rest.utf8)
}

private let ping = Array(#"{"id":"next","op":"ping"}"#.utf8)

@Test func badLinesAreBadJSONAndTheConnectionGoesOn() throws {
  let lines = try corpus("bad_json.txt")
  #expect(lines.count >= 150)
  for line in lines {
    let client = Client(Client.dispatcher())
    let answer = client.ask(line) ?? ""
    #expect(
      answer.contains(#""error":{"code":"bad_json","#),
      "\(String(decoding: line.prefix(200), as: UTF8.self)) → \(answer)")
    #expect(client.ask(ping) == #"{"id":"next","ok":true}"#, "\(String(decoding: line.prefix(200), as: UTF8.self))")
  }
}

@Test func bytesThatAreNotUTF8CloseTheConnection() throws {
  for bytes in try corpus("bad_utf8.txt") {
    let client = Client(Client.dispatcher())
    let answer = client.ask(Array(#"{"op":"get","ns":"q","key":""#.utf8) + bytes + Array(#""}"#.utf8)) ?? ""
    #expect(answer.contains(#""error":{"code":"bad_utf8","#), "\(bytes) → \(answer)")
    #expect(client.session.isEnding)
  }
}

@Test func goodValuesComeBackByteForByte() throws {
  let values = try corpus("good_values.txt")
  #expect(values.count >= 60)
  let client = Client(Client.dispatcher())
  for value in values {
    let stored = client.ask(Array(#"{"op":"set","ns":"q","key":"a","value":"#.utf8) + value + Array("}".utf8))
    #expect(stored == #"{"ok":true,"stored":true}"#, "\(String(decoding: value.prefix(200), as: UTF8.self))")
    client.send(Array(#"{"op":"get","ns":"q","key":"a"}"#.utf8))
    #expect(client.answers() == [Array(#"{"ok":true,"hit":true,"value":"#.utf8) + value + Array("}".utf8)])
  }
}

/// Cut anywhere, a request is refused and nothing else; whole, it is carried out.
@Test func aRequestCutAnywhereIsBadJSON() {
  let whole = Array(
    #"{"id":7,"op":"set","ns":"q","key":"k\u00e9\n","value":{"a":[1,-2.5e3,"x\"y",null,true]},"ttl":1.5,"tags":["t"]}"#
      .utf8)
  for length in 1..<whole.count {
    let answer = Client(Client.dispatcher()).ask(whole.prefix(length)) ?? ""
    #expect(answer.contains(#""code":"bad_json""#), "\(length): \(answer)")
  }
  #expect(Client(Client.dispatcher()).ask(whole) == #"{"id":7,"ok":true,"stored":true}"#)
}
