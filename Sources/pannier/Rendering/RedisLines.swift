// What `stats` tells of Redis, in a few lines.

import PannierWire

struct RedisLines {
  let lines: [String]

  init(_ redis: JSONValue) {
    func count(_ part: JSONValue?, _ name: String) -> String { part?[name]?.text ?? "0" }
    let log = redis["log"]
    let queue = redis["queue"]
    let behind = redis["behind"]
    let oldest = behind?["oldest"]?.number.map { ", the oldest for \(Units.roughly(seconds: $0))" } ?? ""
    let walk = redis["walk"]
    let proven = log?["proven"]?.number.map { "\(Units.delay(seconds: $0)) ago" } ?? "never yet"
    let walked = "\(count(walk, "scanned")) values looked at, \(count(walk, "removed")) removed"
    let isWalking = walk?["running"]?.bool == true
    lines = [
      "redis        \(Self.state(redis))",
      "redis reads  \(count(redis, "hits")) hits, \(count(redis, "misses")) misses, \(count(redis, "voids")) void, "
        + "\(count(redis, "shed")) shed, \(count(redis, "timeouts")) timeouts; \(count(redis, "in_flight")) in flight",
      "redis errors \(nonZeroCounts(redis["errors"]))",
      "redis log    at \(count(log, "position")), \(count(log, "lag")) behind, proven \(proven); "
        + "\(count(log, "records")) records, \(count(log, "gaps")) gaps; \(count(redis, "unproven")) unproven hits",
      "redis queue  \(count(queue, "depth")) waiting, of \(count(queue, "queued")) queued",
      "redis behind \(count(behind, "pending")) pending\(oldest), \(count(behind, "waiting")) waiting for room; "
        + "\(count(behind, "sent")) sent, \(count(behind, "conflicts")) sent again",
      "redis walk   \(walked); \(isWalking ? "\(count(walk, "namespaces")) namespaces to go" : "idle")",
    ]
  }

  private static func state(_ redis: JSONValue) -> String {
    var text = Printable.line(redis["state"]?.string ?? "-")
    if let since = redis["since"]?.number { text += " for \(Units.roughly(seconds: since))" }
    if let reason = redis["reason"]?.string { text += ": \(Printable.line(reason))" }
    let times = ["p50", "p99"].compactMap { name in
      redis["round_trip"]?[name]?.number.map { "\(name) \(Units.delay(seconds: $0))" }
    }
    return times.isEmpty ? text : text + "; round trip \(times.joined(separator: ", "))"
  }
}
