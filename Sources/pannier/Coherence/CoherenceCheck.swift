// The rounds of a coherence check: who writes, who reads, and for how long. What it comes to is counted in `CoherenceFindings`.

struct CoherenceCheck {
  /// Some, so that they are in different slots of the floor.
  private static let keyCount = 4
  /// For so long it reads without pause: what usually takes less than a millisecond is so measured to some ten microseconds.
  private static let busySeconds = 0.02
  private static let pauseMicroseconds: UInt32 = 1000

  private let sidecars: [Sidecar]
  private let ns: String
  private let bound: Double
  private let isStrictAlone: Bool
  /// All of it may take so long.
  private let seconds: Double
  /// Nobody else's, in this run or another.
  private let keys: [String]
  private let time = Stopwatch()
  /// The last that was written: each write has the next, so that an older one is told by its number.
  private var number = 0
  private var findings = CoherenceFindings()

  init(_ sidecars: [Sidecar], _ ns: String, bound: Double, isStrictAlone: Bool, seconds: Double) {
    self.sidecars = sidecars
    self.ns = ns
    self.bound = bound
    self.isStrictAlone = isStrictAlone
    self.seconds = seconds
    let run = String(UInt64.random(in: .min ... .max), radix: 16)
    keys = (0..<Self.keyCount).map { "check:\(run):\($0)" }
  }

  mutating func run(rounds: Int) throws(Failure) -> CoherenceFindings {
    do throws(Failure) {
      for round in 0..<rounds where time.seconds < seconds { try self.round(round) }
    } catch {
      // Should this fail too, the keys' own ttl ends them.
      try? sidecars.first?.delete(ns, keys)
      throw error
    }
    try sidecars.first?.delete(ns, keys)
    return findings
  }

  private mutating func round(_ round: Int) throws(Failure) {
    let place = round % sidecars.count
    let key = keys[round % keys.count]
    let others = sidecars.indices.filter { $0 != place }
    if !isStrictAlone, !others.isEmpty, let answered = try write(key, through: sidecars[place]) {
      try readUntilShown(key, others, since: answered)
    }
    if try write(key, through: sidecars[place]) != nil {
      findings.countOwn(isOlder: try sidecars[place].read(ns, key).map { $0 < number } ?? false)
      for other in others.isEmpty ? [place] : others {
        let shown = try sidecars[other].read(ns, key, isStrict: true)
        findings.countStrict(isMiss: shown == nil, isOlder: shown.map { $0 < number } ?? false)
      }
    }
    findings.rounds += 1
  }

  /// Since when it is answered; nil: Redis doesn't have it, and so nothing is promised of it.
  private mutating func write(_ key: String, through sidecar: Sidecar) throws(Failure) -> Stopwatch? {
    number += 1
    guard try sidecar.write(number, ns, key) else {
      findings.unconfirmed += 1
      return nil
    }
    findings.writes += 1
    return Stopwatch()
  }

  /// Each of them by turns. Longer than any bound they are not waited for.
  private mutating func readUntilShown(_ key: String, _ others: [Int], since answered: Stopwatch) throws(Failure) {
    let most = 2 * bound + 1
    var left = others
    while !left.isEmpty {
      for other in left {
        // Of the moment when it is asked: what it is answered was not older then.
        let age = answered.seconds
        guard let shown = try sidecars[other].read(ns, key) else {
          findings.countMiss()
          continue
        }
        findings.countPlain(staleSeconds: shown < number ? age : nil, bound: bound)
        if shown < number { continue }
        findings.lags.append(answered.seconds)
        left.removeAll { $0 == other }
      }
      if answered.seconds > most || time.seconds > seconds { break }
      if answered.seconds > Self.busySeconds { pause(microseconds: Self.pauseMicroseconds) }
    }
    findings.neverShown += left.count
  }
}
