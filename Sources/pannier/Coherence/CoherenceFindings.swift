// What a coherence check has counted, and how it is told: as lines, and as JSON. Times are in seconds.

import PannierWire

struct CoherenceFindings {
  var rounds = 0
  /// Those that Redis has confirmed, and those that it hasn't: of these nothing is promised.
  var writes = 0
  var unconfirmed = 0
  /// Through another sidecar than was written through.
  private(set) var plainReads = 0
  private(set) var stale = 0
  /// Of the stale: asked for later than coherence.bound after the write was answered.
  private(set) var beyondBound = 0
  private(set) var misses = 0
  private(set) var longestStale = 0.0
  /// Readers that were given up on.
  var neverShown = 0
  /// From each write's answer until another sidecar had shown it.
  var lags: [Double] = []
  private(set) var strictReads = 0
  private(set) var strictMisses = 0
  private(set) var strictOlder = 0
  /// Through the sidecar that was written through.
  private(set) var ownReads = 0
  private(set) var ownOlder = 0

  var isCoherent: Bool { beyondBound == 0 && strictOlder == 0 && ownOlder == 0 }

  /// Each read was asked for right after a write of its key, or until that had shown: with fewer writes there are fewer.
  var stalePerMillion: Int { plainReads == 0 ? 0 : Int((Double(stale) / Double(plainReads) * 1e6).rounded()) }

  // MARK: Counting

  mutating func countMiss() {
    plainReads += 1
    misses += 1
  }

  /// `staleSeconds`: how long what it showed had been replaced when it was asked for; nil: it was current.
  mutating func countPlain(staleSeconds: Double?, bound: Double) {
    plainReads += 1
    guard let staleSeconds else { return }
    stale += 1
    longestStale = max(longestStale, staleSeconds)
    if staleSeconds > bound { beyondBound += 1 }
  }

  mutating func countStrict(isMiss: Bool, isOlder: Bool) {
    strictReads += 1
    if isMiss { strictMisses += 1 }
    if isOlder { strictOlder += 1 }
  }

  mutating func countOwn(isOlder: Bool) {
    ownReads += 1
    if isOlder { ownOlder += 1 }
  }

  private func lag(_ share: Double) -> Double {
    let sorted = lags.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }

  // MARK: Telling

  func lines(_ agreement: Agreement, sidecarCount: Int) -> [String] {
    let bound = Units.duration(seconds: agreement.bound)
    var lines = [
      "sidecars     \(sidecarCount) on one Redis, log \(Printable.line(agreement.log)), coherence.bound \(bound)",
      "writes       \(writes) in \(rounds) rounds"
        + (unconfirmed > 0 ? "; \(unconfirmed) more that Redis didn't confirm" : ""),
    ]
    if plainReads > 0 {
      let longest = stale > 0 ? ", the longest for \(Units.delay(seconds: longestStale))" : ""
      lines.append(
        "plain reads  \(plainReads), \(stale) stale (\(stalePerMillion) per million)\(longest); "
          + "\(Self.number(beyondBound)) beyond coherence.bound")
      if misses > 0 || neverShown > 0 { lines.append("             \(misses) misses; \(neverShown) never showed it") }
      lines.append(
        "lag          "
          + [("p50", 0.5), ("p99", 0.99), ("max", 1)].map { "\($0.0) \(milliseconds(lag($0.1)))" }.joined(
            separator: ", "))
    }
    if ownReads > 0 { lines.append("own reads    \(ownReads), \(Self.number(ownOlder)) stale") }
    let missed = strictMisses > 0 ? ", \(strictMisses) misses" : ""
    lines.append("strict reads \(strictReads), \(Self.number(strictOlder)) stale\(missed)")
    lines.append(isCoherent ? "coherent" : "NOT coherent")
    return lines
  }

  private static func number(_ count: Int) -> String { count == 0 ? "none" : "\(count)" }

  private func milliseconds(_ seconds: Double) -> String {
    let hundredths = Int((seconds * 1e5).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
  }

  func json(_ agreement: Agreement, sidecarCount: Int) -> [UInt8] {
    var output = OutputBuffer()
    output.append("{")
    output.member("coherent", flag: isCoherent)
    output.member("sidecars", count: sidecarCount)
    output.member("log", string: agreement.log)
    output.member("bound", seconds: Int64(agreement.bound * 1000))
    output.member("rounds", count: rounds)
    output.member("writes", count: writes)
    output.member("unconfirmed", count: unconfirmed)
    output.name("plain")
    output.beginObject()
    output.member("reads", count: plainReads)
    output.member("stale", count: stale)
    output.member("stale_per_million", count: stalePerMillion)
    output.member("beyond_bound", count: beyondBound)
    output.member("longest_stale", micro: longestStale)
    output.member("misses", count: misses)
    output.member("never_shown", count: neverShown)
    output.endObject()
    output.name("lag")
    output.beginObject()
    output.member("p50", micro: lag(0.5))
    output.member("p99", micro: lag(0.99))
    output.member("max", micro: lag(1))
    output.endObject()
    output.name("own")
    output.beginObject()
    output.member("reads", count: ownReads)
    output.member("stale", count: ownOlder)
    output.endObject()
    output.name("strict")
    output.beginObject()
    output.member("reads", count: strictReads)
    output.member("stale", count: strictOlder)
    output.member("misses", count: strictMisses)
    output.endObject()
    output.endObject()
    return Array(output.bytes)
  }
}

extension OutputBuffer {
  /// Seconds, to a millionth.
  fileprivate mutating func member(_ name: StaticString, micro seconds: Double) {
    self.name(name)
    append(microseconds: UInt64(max(0, seconds) * 1e6))
  }
}
