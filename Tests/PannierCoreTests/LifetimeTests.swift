// How long values live: ttl and its caps, jitter, stale, max_age, and the conditions that ask for it.

import Testing

@testable import PannierCore

/// What the policy says, what is asked, and for how long the value is fresh; nil: for good.
private struct TTLCase: Sendable {
  var ttl: Int64? = 1000
  var maximum: Int64?
  var negative: Int64?
  var asked: Cache.Lifetime = .policy
  var value = "1"
  var expected: Int64?
}

@Test(arguments: [
  TTLCase(expected: 1000), TTLCase(ttl: nil, expected: nil), TTLCase(asked: .milliseconds(5), expected: 5),
  TTLCase(asked: .milliseconds(5000), expected: 5000), TTLCase(asked: .unlimited, expected: nil),
  TTLCase(maximum: 300, expected: 300), TTLCase(maximum: 3000, expected: 1000),
  TTLCase(ttl: nil, maximum: 300, expected: 300), TTLCase(maximum: 300, asked: .milliseconds(301), expected: 300),
  TTLCase(maximum: 300, asked: .milliseconds(299), expected: 299),
  TTLCase(maximum: 300, asked: .unlimited, expected: 300),
  TTLCase(negative: 50, expected: 1000), TTLCase(negative: 50, value: "null", expected: 50),
  TTLCase(ttl: nil, negative: 50, value: "null", expected: 50),
  TTLCase(negative: 50, asked: .milliseconds(20), value: "null", expected: 20),
  TTLCase(negative: 50, asked: .milliseconds(200), value: "null", expected: 50),
  TTLCase(maximum: 30, negative: 50, value: "null", expected: 30),
  TTLCase(negative: 5000, value: "null", expected: 1000),
  TTLCase(negative: 50, value: "\"nul\"", expected: 1000), TTLCase(negative: 50, value: "true", expected: 1000),
])
private func ttlIsCapped(_ row: TTLCase) throws {
  let subject = Subject()
  try subject.add {
    $0.lifetimes.ttlMilliseconds = row.ttl
    $0.lifetimes.maxTTLMilliseconds = row.maximum
    $0.lifetimes.negativeTTLMilliseconds = row.negative
  }
  #expect(subject.set("k", row.value, ttl: row.asked) == .stored)
  #expect(subject.ttl("k") == row.expected)
  // A touch asks by the same rules.
  subject.now += 1
  #expect(subject.touch("k", ttl: row.asked))
  #expect(subject.ttl("k") == row.expected)
  guard let expected = row.expected else {
    subject.now += 1 << 39
    #expect(subject.get("k") == .fresh(row.value))
    return
  }
  subject.now += expected - 1
  #expect(subject.get("k") == .fresh(row.value))
  // Past the deadline in the same instant, whether anything has swept it or not.
  subject.now += 1
  #expect(subject.get("k") == .miss(.expired))
  #expect(subject.counters().expirations == 1)
}

@Test func firstRuleThatFitsOverrides() throws {
  let subject = Subject()
  try subject.add {
    $0.lifetimes.staleMilliseconds = 9
    var short = LifetimeOverrides()
    short.ttlMilliseconds = 10
    short.negativeTTLMilliseconds = 3
    var endless = LifetimeOverrides()
    endless.ttlMilliseconds = .some(nil)
    endless.maxTTLMilliseconds = 7000
    var never = LifetimeOverrides()
    never.ttlMilliseconds = .some(nil)
    never.staleMilliseconds = 0
    $0.rules = [("a*", short), ("ab*", never), ("b?", endless), ("c", never)].compactMap { pattern, overrides in
      Glob(pattern.utf8).map { Rule(match: $0, overrides: overrides) }
    }
  }
  let rows: [(String, String, Int64?)] = [
    ("a", "1", 10), ("ab", "1", 10), ("ab", "null", 3), ("bb", "1", 7000), ("b", "1", 300_000), ("c", "1", nil),
    ("d", "null", 300_000),
  ]
  for (key, value, expected) in rows {
    subject.set(key, value)
    #expect(subject.ttl(key) == expected, "\(key)")
  }
}

@Test(arguments: [0.05, 0.1, 0.5, 0.99])
func jitterOnlyShortens(share: Double) throws {
  let subject = Subject(memoryBytes: 16 << 20, seed: 42)
  try subject.add { $0.lifetimes.jitter = share }
  let ttl: Int64 = 1_000_000
  var spans: [Int64] = []
  for number in 0..<2000 {
    subject.set("\(number)", ttl: number % 2 == 0 ? .milliseconds(ttl) : .milliseconds(ttl * 2))
    let got = try found(subject.ttl("\(number)"))
    spans.append(number % 2 == 0 ? got : got / 2)
  }
  let lowest = Int64(Double(ttl) * (1 - share)) - 1
  #expect(spans.allSatisfy { $0 <= ttl && $0 >= lowest })
  // Evenly over the whole share: a quarter of them in each quarter, within a tenth of all.
  for quarter in 0..<4 {
    let from = Double(ttl) * (1 - share * Double(quarter + 1) / 4)
    let count = spans.count { Double($0) >= from && Double($0) < from + Double(ttl) * share / 4 }
    #expect(abs(count - 500) < 100, "\(count) in quarter \(quarter)")
  }
  // A ttl of one millisecond isn't shortened to nothing, and none at all has nothing to shorten.
  subject.set("short", ttl: .milliseconds(1))
  #expect(subject.ttl("short") == 1)
  subject.set("endless", ttl: .unlimited)
  #expect(subject.details("endless")?.ttlMilliseconds == nil)
}

// MARK: Stale

@Test(
  arguments: [
    (policy: 0, own: nil, span: 0), (policy: 50, own: nil, span: 50), (policy: 50, own: 0, span: 0),
    (policy: 0, own: 70, span: 70), (policy: 50, own: 70, span: 70), (policy: 50, own: 20, span: 20),
  ] as [(policy: Int64, own: Int64?, span: Int64)])
func staleSpan(policy: Int64, own: Int64?, span: Int64) throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = policy }
  subject.set("k", "7", ttl: .milliseconds(100), stale: own)
  subject.now += 100
  guard span > 0 else {
    #expect(subject.get("k", stale: true) == .miss(.expired))
    return
  }
  #expect(subject.get("k") == .miss(.expired))
  #expect(!subject.exists("k"))
  #expect(subject.explain("k") == .stale)
  #expect(subject.ttl("k") == 0)
  #expect(subject.list() == ["k"])
  subject.now += span - 1
  #expect(subject.get("k", stale: true) == .stale("7"))
  subject.now += 1
  #expect(subject.list() == [])
  #expect(subject.get("k", stale: true) == .miss(.expired))
  #expect(subject.explain("k") == .absent(.expired))
  let counters = subject.counters()
  #expect(counters.hits == 1 && counters.staleHits == 1 && counters.misses[of: .expired] == 2)
}

@Test func aValueWithoutEndHasNoStaleSpan() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = 50 }
  subject.set("k", ttl: .unlimited, stale: 99)
  subject.now += 1 << 39
  #expect(subject.get("k") == .fresh("1"))
}

@Test func maxAgeMakesOlderValuesStale() throws {
  let subject = Subject()
  try subject.add()
  subject.set("k", "7")
  subject.now += 100
  #expect(subject.get("k", maxAge: 100) == .fresh("7"))
  #expect(subject.get("k", maxAge: 99) == .miss(.expired))
  #expect(subject.get("k", stale: true, maxAge: 99) == .stale("7"))
  #expect(subject.get("k", maxAge: 0) == .miss(.expired))
  // Age is since it was stored: a touch doesn't make it younger.
  #expect(subject.touch("k"))
  #expect(subject.get("k", maxAge: 99) == .miss(.expired))
  subject.set("k", "8")
  #expect(subject.get("k", maxAge: 0) == .fresh("8"))
}

@Test func unlessTellsTheSameVersion() throws {
  let subject = Subject()
  try subject.add { $0.lifetimes.staleMilliseconds = 500 }
  subject.set("k", "7", ttl: .milliseconds(100))
  let version = try found(subject.version("k"))
  #expect(subject.get("k", unless: version) == .hit("7", stale: false, same: true))
  #expect(subject.get("k", unless: version - 1) == .fresh("7"))
  subject.set("k", "7", ttl: .milliseconds(100))
  #expect(subject.get("k", unless: version) == .fresh("7"))
  let next = try found(subject.version("k"))
  #expect(next > version && next < 1 << 53)
  subject.now += 100
  #expect(subject.get("k", stale: true, unless: next) == .hit("7", stale: true, same: true))
  #expect(subject.get("k", unless: next) == .miss(.expired))
}

// MARK: Conditions

/// A key that is absent, fresh, stale or past its end, and what each condition says of it.
@Test(
  arguments: [
    ("absent", .stored, .missing, .missing), ("fresh", .exists, .stored, .stored),
    ("stale", .stored, .missing, .stored),
    ("over", .stored, .missing, .missing), ("cleared", .stored, .missing, .missing),
    ("softened", .stored, .missing, .stored),
  ] as [(String, Cache.SetStep, Cache.SetStep, Cache.SetStep)])
func conditions(state: String, absent: Cache.SetStep, present: Cache.SetStep, version: Cache.SetStep) throws {
  func prepared() throws -> (Subject, UInt64) {
    let subject = Subject()
    try subject.add { $0.lifetimes.staleMilliseconds = 50 }
    if state == "absent" { return (subject, 5) }
    subject.set("k", "old", ttl: .milliseconds(100))
    let version = try found(subject.version("k"))
    switch state {
    case "stale": subject.now += 100
    case "over": subject.now += 150
    case "cleared": try subject.clear(.match("k"))
    case "softened": try subject.clear(.match("k"), soft: true)
    default: break
    }
    return (subject, version)
  }
  for (condition, expected) in [(Cache.Condition.absent, absent), (.present, present)] {
    let subject = try prepared().0
    #expect(subject.set("k", "new", if: condition) == expected)
    #expect((subject.get("k") == .fresh("new")) == (expected == .stored))
  }
  let (subject, known) = try prepared()
  #expect(subject.set("k", "new", if: .version(known)) == version)
  #expect(subject.set("k", "newer", if: .version(known)) == (version == .stored ? .changed : version))
  #expect(subject.set("k", "plain") == .stored)
}
