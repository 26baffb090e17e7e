// When Redis is left alone, and how soon it is tried again. No time passes but what the tests say.
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct RedisBreakerTests {
  /// #expect takes no mutating call.
  private func opens(_ breaker: inout RedisBreaker, _ count: Int = 1, now: Int64) -> Bool {
    breaker.fail(count, now: now)
  }

  @Test func fiveInARowOpenItHoweverLongTheyTake() {
    var breaker = RedisBreaker()
    for number in 1..<5 { #expect(!opens(&breaker, now: Int64(number) * 60_000)) }
    #expect(opens(&breaker, now: 300_000))
  }

  @Test func anAnswerInBetweenBeginsTheRowAnew() {
    var breaker = RedisBreaker()
    for number in 0..<20 {
      if number % 4 == 0 { breaker.succeed() }
      #expect(!opens(&breaker, now: Int64(number) * 1000))
    }
  }

  @Test func fiveWithinASecondOpenItWhateverIsAnswered() {
    var breaker = RedisBreaker()
    for number in 0..<4 {
      #expect(!opens(&breaker, now: 5000 + Int64(number) * 249))
      breaker.succeed()
    }
    var slower = breaker
    #expect(opens(&breaker, now: 5999))
    #expect(!opens(&slower, now: 6000))
    slower.succeed()
    // The first of them is too long ago by now, and not the second.
    #expect(opens(&slower, now: 6001))
  }

  @Test func manyAtOnceAreAsMany() {
    var breaker = RedisBreaker()
    #expect(!opens(&breaker, 4, now: 0))
    breaker.succeed()
    #expect(!opens(&breaker, 4, now: 2000))
    breaker.succeed()
    #expect(opens(&breaker, 1000, now: 4000))
  }

  @Test func pausesDoubleUpToASecondAndBeginAnew() {
    var breaker = RedisBreaker()
    for whole: UInt64 in [100, 200, 400, 800, 1000, 1000, 1000] {
      let pause = breaker.nextPause()
      #expect((whole - whole / 5...whole).contains(pause), "\(pause) of \(whole)")
    }
    #expect(opens(&breaker, 5, now: 0))
    breaker.close()
    let first = breaker.nextPause()
    #expect(first <= 100)
    #expect(!opens(&breaker, now: 1))
  }
}
