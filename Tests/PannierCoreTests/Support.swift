// What the core's tests share: bytes of texts, choices from a seed, and how long the long rounds are.

import Foundation
import Testing

@testable import PannierCore

/// How much longer the long rounds are when somebody asks for a soak.
let soakFactor = ProcessInfo.processInfo.environment["PANNIER_SOAK"] == "1" ? 10 : 1

/// As `#expect`, for the long rounds: that macro takes its expression apart, which costs microseconds, and can't hold what isn't
/// copyable.
func check(_ holds: Bool, _ comment: @autoclosure () -> String = "", at location: SourceLocation = #_sourceLocation) {
  if !holds { Issue.record("\(comment())", sourceLocation: location) }
}

/// As `#require`, likewise.
func found<Value>(_ value: Value?, at location: SourceLocation = #_sourceLocation) throws -> Value {
  if let value { return value }
  return try #require(value, sourceLocation: location)
}

func withBytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
  var text = text
  return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
}

/// Lends several texts as bytes, all at once.
func withBytes<Result>(of texts: [String], _ body: ([UnsafeRawBufferPointer]) throws -> Result) rethrows -> Result {
  let joined = texts.flatMap { Array($0.utf8) }
  return try joined.withUnsafeBytes { bytes in
    var offset = 0
    return try body(
      texts.map { text in
        let end = offset + text.utf8.count
        defer { offset = end }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
      })
  }
}

func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension RandomSource {
  mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(bound)) }
  mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }
  /// True in `percent` of a hundred cases.
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  /// An index, chosen in proportion to its weight.
  mutating func weighted(_ weights: [Int]) -> Int {
    var rest = below(weights.reduce(0, +))
    for (index, weight) in weights.enumerated() {
      if rest < weight { return index }
      rest -= weight
    }
    return weights.count - 1
  }
}

extension Arena {
  /// What a block takes, by its header; only for blocks inside a shared chunk.
  func sharedBytes(_ link: Link) -> Int {
    Int(pointer(link).load(fromByteOffset: -4, as: UInt32.self) >> 2) * 8
  }

  /// An entry as the tier would write it, for tests of what links entries together.
  mutating func makeEntry(_ key: String = "k", end: Int64 = Entry.never) -> Link {
    withBytes(key) { key in
      let content = Entry.Content(key: key, value: UnsafeRawBufferPointer(start: nil, count: 0), freshUntil: end)
      guard let link = allocate(content.byteCount) else { return 0 }
      Entry(base: pointer(link)).write(content)
      return link
    }
  }
}
