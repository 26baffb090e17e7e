// How well quantiles are kept, and in how much memory.
import PannierTestSupport
import Testing

@testable import PannierCore

@Suite struct DelayHistogramTests {
  @Test func emptyHasNothing() {
    let histogram = DelayHistogram()
    #expect(histogram.count == 0)
    #expect(histogram.max == 0)
    #expect(histogram.quantile(0.99) == 0)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 31, 32, 33, 1000, 123_456_789, .max - 1, .max] as [UInt64])
  func oneValueIsKeptExactly(value: UInt64) {
    var histogram = DelayHistogram()
    histogram.record(value)
    for q in [-1, 0, 0.5, 1, 2, .infinity] { #expect(histogram.quantile(q) == value) }
    #expect(histogram.max == value)
  }

  /// Never less than the true quantile, and at most a sixteenth more.
  @Test(arguments: [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0]) func agreesWithSortedValues(q: Double) {
    var generator = SeededGenerator(seed: 42)
    var histogram = DelayHistogram()
    var values: [UInt64] = []
    for _ in 0..<20_000 {
      let value = UInt64.random(in: 0...UInt64.max, using: &generator) >> UInt64.random(in: 0..<64, using: &generator)
      values.append(value)
      histogram.record(value)
    }
    values.sort()
    let exact = values[max(0, Int((q * Double(values.count)).rounded(.up)) - 1)]
    let kept = histogram.quantile(q)
    #expect(kept >= exact)
    #expect(kept - exact <= exact / 16)
    #expect(histogram.max == values.last)
    #expect(histogram.count == 20_000)
  }

  @Test func smallValuesAreExact() {
    var histogram = DelayHistogram()
    for value in 0..<16 as Range<UInt64> { histogram.record(value) }
    #expect(histogram.quantile(0.5) == 7)
    #expect(histogram.quantile(1) == 15)
  }

  @Test func aRareSlowOneShowsInMaxAlone() {
    var histogram = DelayHistogram()
    for _ in 0..<999 { histogram.record(10) }
    histogram.record(50_000)
    #expect(histogram.quantile(0.5) == 10)
    #expect(histogram.quantile(0.99) == 10)
    #expect(histogram.max == 50_000)
  }

  @Test func resettingForgets() {
    var histogram = DelayHistogram()
    histogram.record(10)
    histogram.reset()
    #expect(histogram.count == 0)
    #expect(histogram.quantile(1) == 0)
  }
}
