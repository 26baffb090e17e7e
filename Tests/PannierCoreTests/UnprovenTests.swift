// Hits that memory answers while nothing proves it to be current: counted where the policy lets it answer, and nowhere else.

import Testing

@testable import PannierCore

private let bound: Int64 = 500

/// A cache that shares, of which nothing is proven yet, with a value in each of its namespaces.
private func sharing(_ policies: (inout Policy) -> Void...) throws -> Subject {
  let subject = Subject()
  subject.cache = Cache(memoryBytes: 4 << 20, namespaceLimit: 64, seed: 1, sharedTimeoutMilliseconds: 100)
  for (number, policy) in policies.enumerated() { try subject.add("n\(number)", policy) }
  // Its link is down: what is set holds here.
  for number in policies.indices {
    withBytes("k") { key in
      withBytes("1") { value in
        _ = subject.cache.setShared(
          number, Cache.NewValue(key: key, value: value), by: subject.caller, now: subject.now)
      }
    }
  }
  return subject
}

private func hit(_ subject: Subject, _ id: NamespaceID) -> Bool {
  withBytes("k") { key in
    withBytes("n\(id)") { subject.cache.freshValue($0, key, seeks: false, now: subject.now) != nil }
  }
}

@Test func memoryIsCountedWhileNothingProvesIt() throws {
  let subject = try sharing({ _ in })
  for count in 1...3 {
    #expect(hit(subject, 0))
    #expect(subject.cache.unproven(of: 0) == count)
  }
  subject.cache.sharedProven(at: subject.now, bound: bound)
  for _ in 0..<5 { #expect(hit(subject, 0)) }
  #expect(subject.cache.unproven(of: 0) == 3)
  // A later proof goes on with the one before; then there is none in time.
  subject.now += bound - 1
  subject.cache.sharedProven(at: subject.now, bound: bound)
  subject.now += bound - 1
  subject.cache.upkeep(entries: 10, now: subject.now)
  #expect(hit(subject, 0))
  #expect(subject.cache.unproven(of: 0) == 3)
  subject.now += 1
  subject.cache.upkeep(entries: 10, now: subject.now)
  #expect(hit(subject, 0))
  #expect(subject.cache.unproven(of: 0) == 4)
}

@Test func onlyWhatIsSharedAndServedIsCounted() throws {
  let subject = try sharing({ $0.onLinkLoss = .verify }, { $0.tiers = .memory }, { _ in })
  #expect(!hit(subject, 0))
  #expect(hit(subject, 1))
  #expect(hit(subject, 2))
  #expect((0..<3).map { subject.cache.unproven(of: $0) } == [0, 0, 1])
  // What was counted stays, whatever the policy wants from now on.
  subject.change(2) { $0.onLinkLoss = .verify }
  #expect(!hit(subject, 2))
  #expect(subject.cache.unproven(of: 2) == 1)
  subject.change(2) { $0.onLinkLoss = .serve }
  #expect(hit(subject, 2))
  #expect(subject.cache.unproven(of: 2) == 2)
}
