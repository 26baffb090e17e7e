// One sidecar as the coherence check speaks to it: numbers written and read under keys, and what it says of its Redis.

import PannierWire

final class Sidecar {
  let path: String
  private var client: Client

  init(_ path: String) throws(Failure) {
    self.path = path
    client = try Client(path: path, patienceSeconds: Client.patienceSeconds)
  }

  /// Its path, for a message.
  var name: String { Printable.line(path) }

  /// False where Redis does not have it yet: others are told later, or it was refused.
  func write(_ number: Int, _ ns: String, _ key: String) throws(Failure) -> Bool {
    var line = RequestLine(op: "set", namespace: ns)
    line.add("key", key)
    // Should the check be ended before it removes its keys.
    line.add("ttl", raw: "600".utf8)
    line.add("value", raw: "\(number)".utf8)
    let answer = try client.ask(line)
    if answer["error"]?["code"]?.string == "tier_unavailable" { return false }
    if let failure = failure(of: answer) { throw failure }
    guard try answer.flag("stored") else { throw Failure("\(name) doesn't store in \(Printable.line(ns))") }
    return answer["redis"] == nil
  }

  /// What is shown under a key; nil: a miss.
  func read(_ ns: String, _ key: String, isStrict: Bool = false) throws(Failure) -> Int? {
    var line = RequestLine(op: "get", namespace: ns)
    line.add("key", key)
    line.add("strict", ifTrue: isStrict)
    let answer = try client.ask(line)
    if let failure = failure(of: answer) { throw failure }
    return try answer.flag("hit") ? try answer.integer("value") : nil
  }

  func delete(_ ns: String, _ keys: [String]) throws(Failure) {
    var line = RequestLine(op: "delete", namespace: ns)
    line.add("keys", keys)
    if let failure = failure(of: try client.ask(line)) { throw failure }
  }

  /// `stats.redis`; nil: it has none.
  func redis(_ ns: String) throws(Failure) -> JSONValue? {
    let answer = try client.ask(RequestLine(op: "stats", namespace: ns))
    if let failure = failure(of: answer) { throw failure }
    return answer["redis"]
  }

  func policy(_ ns: String) throws(Failure) -> JSONValue {
    let answer = try client.ask(RequestLine(op: "policy", namespace: ns))
    if let failure = failure(of: answer) { throw failure }
    return try answer.json("policy")
  }

  private func failure(of answer: Answer) -> Failure? { answer.failure.map { Failure("\(name): \($0.description)") } }
}
