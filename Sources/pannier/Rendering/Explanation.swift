// What `explain` answers, as a sentence or two.

import PannierWire

struct Explanation {
  let sentence: String

  init(_ answer: Answer) throws(Failure) {
    let state = try answer.string("state")
    sentence =
      (state == "absent" ? try Self.absence(answer) + Self.elsewhere(answer) : try Self.presence(state, answer))
      + Self.load(answer)
  }

  /// Who loads it at the moment.
  private static func load(_ answer: Answer) -> String {
    guard let lease = answer["lease"], let pid = lease["pid"] else { return "" }
    let waiting = lease["waiting"]?.integer ?? 0
    return " Process \(pid.text) has been loading it for \(Units.roughly(seconds: lease["age"]?.number ?? 0))"
      + (waiting > 0 ? ", and \(waiting) \(waiting == 1 ? "waits" : "wait") for it." : ".")
  }

  /// What Redis has, where it was asked.
  private static func elsewhere(_ answer: Answer) -> String {
    switch answer["redis"]?.string {
    case nil: ""
    case "absent": " Redis has none either."
    case "void": " Redis still has a value, older than a change or a clear that took it in: nobody is shown it."
    case "queued": " A change of it waits for Redis to be told, and until then it isn't read there."
    case "unavailable": " Redis could not be asked."
    case "timeout": " Redis did not answer in time."
    case let fault?: " What Redis has there is no value that this version reads (\(Printable.line(fault)))."
    }
  }

  private static func presence(_ state: String, _ answer: Answer) throws(Failure) -> String {
    let age = Units.roughly(seconds: answer["age"]?.number ?? 0)
    let filler = answer["filled_by"]
    var text = "\(Printable.line(state)): stored \(age) ago"
    if let pid = filler?["pid"], let uid = filler?["uid"] { text += " by process \(pid.text) of user \(uid.text)" }
    if state == "fresh", let ttl = answer["ttl"] {
      text += ttl.number.map { ", fresh for another \(Units.roughly(seconds: $0))" } ?? ", does not expire"
    }
    let size = try answer.integer("size")
    text += ". Version \(try answer.json("version").text), \(size) \(size == 1 ? "byte" : "bytes")"
    if let tier = answer["tier"]?.string { text += " in \(Printable.line(tier))" }
    let tags = (answer["tags"]?.elements ?? []).compactMap(\.string).map(Printable.line)
    if !tags.isEmpty { text += ", \(tags.count == 1 ? "tag" : "tags") \(tags.joined(separator: ", "))" }
    return text + "."
  }

  private static func absence(_ answer: Answer) throws(Failure) -> String {
    let reason = try answer.string("reason")
    let by = answer["by"]
    let words =
      switch reason {
      case "never_stored": "it was never stored"
      case "expired": "it expired"
      case "evicted": "it was evicted to make room"
      case "deleted": "it was deleted"
      case "cleared": "it was cleared"
      case "unknown": "why is no longer known"
      default: Printable.line(reason)
      }
    var text = "absent: \(words)"
    if let age = by?["age"]?.number { text += " \(Units.roughly(seconds: age)) ago" }
    if let pid = by?["pid"] { text += " by process \(pid.text)" }
    if let match = by?["match"]?.string { text += ", match \(Printable.line(match))" }
    if let tag = by?["tag"]?.string { text += ", tag \(Printable.line(tag))" }
    return text + "."
  }
}
