// When a sidecar that failed is asked again.

import NIOCore
import Testing

@testable import PannierClient

/// #expect takes no calls that change a value.
private final class Timed {
  private var breaker = Breaker(pause: .seconds(1))

  func allows(isChange: Bool = false, at milliseconds: UInt64) -> Bool {
    breaker.allows(isChange: isChange, now: .uptimeNanoseconds(milliseconds * 1_000_000))
  }

  func fail(isCheap: Bool = false, at milliseconds: UInt64) -> Bool {
    breaker.fail(isCheap: isCheap, now: .uptimeNanoseconds(milliseconds * 1_000_000))
  }

  func succeed() -> Bool { breaker.succeed() }
}

@Suite struct BreakerTests {
  @Test func oneProbesInEachPause() {
    let breaker = Timed()
    #expect(breaker.allows(at: 0))
    #expect(breaker.fail(at: 0))
    #expect(!breaker.fail(at: 1))
    #expect(!breaker.allows(isChange: true, at: 900))
    #expect(breaker.allows(at: 1001))
    #expect(!breaker.allows(at: 1002))
    #expect(breaker.allows(at: 2001))
    #expect(breaker.succeed())
    #expect(!breaker.succeed())
    #expect(breaker.allows(at: 2002))
  }

  @Test func changesAreTriedWhereThatIsCheap() {
    let breaker = Timed()
    _ = breaker.fail(isCheap: true, at: 0)
    #expect(breaker.allows(isChange: true, at: 1))
    #expect(!breaker.allows(at: 1))
  }

  @Test func tooManyUntoldChangesBecomeOne() {
    var untold = Untold()
    for number in 0...Untold.most { untold.add(.delete(ns: "n", keys: ["\(number)"], soft: false)) }
    untold.add(.ping)
    let all = untold.take()
    #expect(all.count == 1)
    guard case .clear(ns: "*", .all, soft: false, dryRun: false) = all.first else {
      Issue.record("\(all)")
      return
    }
    #expect(untold.isEmpty)
  }
}
