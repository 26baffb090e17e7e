// What `stats` answers: the server in a few lines, namespaces as a table, one namespace in detail.

import PannierDispatch
import PannierWire

struct ServerLines {
  let lines: [String]

  init(_ answer: Answer) {
    let memory = answer["memory"]
    let used = memory?["used"]?.integer ?? 0
    let limit = memory?["limit"]?.integer ?? 0
    let delay = answer["loop_delay"]
    var lines = [
      "up           \(Units.roughly(seconds: answer["uptime"]?.number ?? 0))",
      "connections  \(answer["connections"]?.text ?? "-")",
      "memory       \(Units.size(roughly: used)) of \(Units.size(roughly: limit)) (\(Units.share(used, of: limit)))"
        + ", resident \(Units.size(roughly: answer["resident"]?.integer ?? 0))",
    ]
    let delays = ["p50", "p99", "max"].compactMap { name in
      delay?[name]?.number.map { "\(name) \(Units.delay(seconds: $0))" }
    }
    if !delays.isEmpty { lines.append("loop delay   \(delays.joined(separator: ", "))") }
    lines.append("requests     \(nonZeroCounts(answer["requests"]))")
    lines.append("errors       \(nonZeroCounts(answer["errors"]))")
    if let redis = answer["redis"] { lines += RedisLines(redis).lines }
    self.lines = lines
  }
}

struct NamespaceTable {
  let lines: [String]

  init(_ namespaces: [(name: String, value: JSONValue)]) {
    if namespaces.isEmpty {
      lines = ["no namespaces yet"]
      return
    }
    let head = [
      "namespace", "hit rate", "hits", "stale", "misses", "sets", "deletes", "cleared", "expired", "evicted", "entries",
      "size",
    ]
    let rows = namespaces.sorted { $0.name < $1.name }.map { Self.row($0.name, Counters($0.value)) }
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    lines = ([head] + rows).map { row in
      zip(row, widths).enumerated().map { column, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == 0 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ")
    }
  }

  private static func row(_ name: String, _ counters: Counters) -> [String] {
    [
      Printable.line(name), counters.hitRate, "\(counters["hits"])", "\(counters["stale_hits"])",
      "\(counters["misses"])", "\(counters["sets"])", "\(counters["deletes"])", "\(counters["cleared"])",
      "\(counters["expirations"])", "\(counters.evictions)", "\(counters["entries"])",
      Units.size(roughly: counters["bytes"]),
    ]
  }
}

struct NamespaceLines {
  let lines: [String]

  init(_ json: JSONValue) {
    let counters = Counters(json)
    let asked = counters["hits"] + counters["misses"]
    let maxBytes = json["max_bytes"]?.integer.map { " of \(Sizes.text($0))" } ?? ""
    let maxEntries = json["max_entries"]?.integer.map { " of \($0)" } ?? ""
    var lines = [
      "hit rate     \(counters.hitRate) of \(asked) \(asked == 1 ? "key" : "keys") asked for",
      "hits         \(counters["hits"]), \(counters["stale_hits"]) of them stale\(Self.tiers(json))",
      "misses       \(counters["misses"])\(counters["misses"] > 0 ? ": \(nonZeroCounts(json["misses_by"]))" : "")",
      "sets         \(counters["sets"])",
      "deletes      \(counters["deletes"])",
      "clears       \(counters["clears"]), \(counters["cleared"]) entries cleared",
      "expirations  \(counters["expirations"])",
      "evictions    \(counters.evictions)\(counters.evictions > 0 ? ": \(nonZeroCounts(json["evictions"]))" : "")",
      "entries      \(counters["entries"])\(maxEntries)",
      "size         \(Units.size(roughly: counters["bytes"]))\(maxBytes)",
    ]
    if let age = json["evicted_age"]?.number {
      lines.append("evicted age  \(Units.roughly(seconds: age))")
    }
    if let leases = json["leases"], leases["granted"]?.integer ?? 0 > 0 { lines += Self.loads(leases, json) }
    lines += Self.claims(json["claims"])
    self.lines = lines
  }

  /// Where there is another than memory.
  private static func tiers(_ json: JSONValue) -> String {
    guard let fetched = json["hits_redis"]?.integer, let hits = json["hits"]?.integer else { return "" }
    let unproven = json["unproven"]?.integer ?? 0
    return "; \(hits - fetched) from memory, \(fetched) from redis" + (unproven > 0 ? "; \(unproven) unproven" : "")
  }

  /// Where anything was loaded under a lease.
  private static func loads(_ leases: JSONValue, _ json: JSONValue) -> [String] {
    let loads = json["loads"]
    let waits = json["waits"]
    func time(_ part: JSONValue?, _ name: String) -> String { Units.delay(seconds: part?[name]?.number ?? 0) }
    return [
      "leases       \(nonZeroCounts(leases))",
      "loads        \(loads?["count"]?.text ?? "0"), p50 \(time(loads, "p50")), p99 \(time(loads, "p99")), "
        + "\(time(loads, "seconds")) together",
      "waits        \(waits?["count"]?.text ?? "0"), \(time(waits, "seconds")) together, \(waits?["now"]?.text ?? "0") now",
      "refreshes    \(json["refreshes"]?.text ?? "0")",
      "work saved   \(Units.roughly(seconds: json["saved_seconds"]?.number ?? 0)) of loading",
    ]
  }

  /// Where leases are all hosts'.
  private static func claims(_ claims: JSONValue?) -> [String] {
    let won = claims?["won"]?.integer ?? 0
    let elsewhere = claims?["elsewhere"]?.integer ?? 0
    guard won + elsewhere > 0 else { return [] }
    return ["of all hosts \(won) loads won here, \(elsewhere) times another host had the load"]
  }
}

/// One namespace's counters; what isn't there counts as 0.
private struct Counters {
  private let values: [String: JSONValue]

  init(_ json: JSONValue) {
    values = Dictionary((json.members ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(name: String) -> Int { values[name]?.integer ?? 0 }

  var evictions: Int {
    (values["evictions"]?.members ?? []).reduce(0) { $0 + ($1.value.integer ?? 0) }
  }

  var hitRate: String { Units.share(self["hits"], of: self["hits"] + self["misses"]) }
}

/// `3 get, 1 set`: those that are not 0, the largest first.
func nonZeroCounts(_ counts: JSONValue?) -> String {
  let some = (counts?.members ?? []).map { (name: $0.name, count: $0.value.integer ?? 0) }.filter { $0.count > 0 }
  if some.isEmpty { return "none" }
  return some.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    .map { "\($0.count) \(Printable.line($0.name))" }.joined(separator: ", ")
}
