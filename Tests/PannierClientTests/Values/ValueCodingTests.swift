// Values: the vectors that all clients share, and that each kind comes back as it was.

import Foundation
import NIOCore
import Testing

@testable import PannierClient

@Suite struct ValueCodingTests {
  @Test func vectors() throws {
    let vectors = try Vectors(named: "values").values
    #expect(vectors.count >= 10)
    for vector in vectors {
      let read = try #require(vector.read)
      let text = vector.value.text
      switch vector.kind {
      case "uuid": try check(read, is: UUID(uuidString: text), written: vector.written ?? read)
      case "datetime":
        let date = try #require(Date(rfc3339: text))
        // Written in UTC: a Date has no offset of its own.
        try check(read, is: date, written: "\"\(date.spelledInUTC)\"")
      case "date": try check(read, is: text, written: read)
      case "timedelta": try check(read, is: .seconds(86_400) + .microseconds(5), written: vector.written ?? read)
      case "decimal": try check(read, is: Decimal(string: text), written: "\"1.1\"")
      case "bytes": try check(read, is: Data(anyBase64: text), written: vector.written ?? read)
      case "set": try check(read, is: Set(["a"]), written: vector.written ?? read)
      default: Issue.record("no such kind: \(vector)")
      }
    }
  }

  private func check<Value: Codable & Equatable & Sendable>(_ read: String, is value: Value?, written: String) throws {
    let value = try #require(value)
    let coding = ValueCoding<Value>.codable
    #expect(try coding.decode(ByteBuffer(string: read)) == value)
    #expect(String(buffer: try coding.encode(value)) == written)
  }

  private struct Everything: Codable, Equatable, Sendable {
    enum Color: String, Codable { case red }
    struct Inner: Codable, Equatable, Sendable { var moment: Date }
    var uuid = UUID()
    var moment = Date(timeIntervalSinceReferenceDate: 800_000_000.25)
    var price = Decimal(string: "12345678901234567890.10")
    var span = Duration.seconds(90) + .milliseconds(500)
    var bytes = Data([0, 255, 62])
    var link = URL(string: "https://example.org/a?b=c")
    var color = Color.red
    var missing: UUID?
    var list: [UUID] = [UUID()]
    var pairs: [[Date]] = [[Date(timeIntervalSinceReferenceDate: 0)]]
    var byNumber: [Int: Inner] = [7: Inner(moment: Date(timeIntervalSinceReferenceDate: 1))]
    var byName: [String: Decimal] = ["a": 1]
    var set: Set<String> = ["x"]
    var large = UInt64.max
    var text = "Zoë \"☃\" / \u{1}"
  }

  @Test func everyKindComesBackAsItWas() throws {
    let value = Everything()
    let coding = ValueCoding<Everything>.codable
    let bytes = try coding.encode(value)
    #expect(try coding.decode(bytes) == value)
    let text = String(buffer: bytes)
    #expect(text.contains(#""uuid":"\#(value.uuid.uuidString.lowercased())""#))
    #expect(text.contains(#""list":["\#(value.list[0].uuidString.lowercased())"]"#))
    #expect(text.contains(#""price":"12345678901234567890.1""#))
    #expect(text.contains(#""byNumber":{"7":{"moment":"2001-01-01T00:00:01Z"}}"#))
    #expect(text.contains(#""span":"PT90.5S""#))
    #expect(text.contains(#""missing":null"#))
    #expect(text.contains(#""link":"https://example.org/a?b=c""#))
  }

  @Test(arguments: [1, 2])
  func aMissingValueIsNull(count: Int) throws {
    let coding = ValueCoding<Int?>.codable
    #expect(String(buffer: try coding.encode(nil)) == "null")
    #expect(try coding.decode(ByteBuffer(string: "null")) == nil)
    #expect(try coding.decode(ByteBuffer(string: "\(count)")) == count)
  }

  @Test(arguments: ["\"no uuid\"", "7", "null", "{}", "[1"])
  func whatIsAnotherTypeIsNone(text: String) {
    #expect(throws: (any Error).self) { try ValueCoding<UUID>.codable.decode(ByteBuffer(string: text)) }
  }

  @Test(arguments: [
    ("PT1M30S", 90.0), ("P1D", 86_400), ("-P1DT1H", -90_000), ("PT0S", 0), ("P1W", 604_800), ("PT1.5S", 1.5),
    ("PT0,25S", 0.25),
  ])
  func spansAreRead(text: String, seconds: Double) { #expect(Duration(iso8601: text) == .seconds(seconds)) }

  @Test(arguments: ["", "P", "PT", "1D", "P1M", "P1Y", "PT1", "P1H", "PTxS", "P1DT", "PT1.S", "PT1.2.3S"])
  func whatIsNoSpanIsNone(text: String) { #expect(Duration(iso8601: text) == nil) }

  @Test(arguments: [
    "2026-11-26T16:05:00+02:00", "2026-11-26T14:05:00Z", "2026-11-26T14:05:00", "2026-11-26 14:05:00.000",
    "2026-11-26T09:35:00.0-04:30",
  ])
  func momentsAreRead(text: String) {
    #expect(Date(rfc3339: text) == Date(timeIntervalSince1970: 1_795_701_900))
  }

  @Test(arguments: ["", "2026-11-26", "yesterday", "2026-13-26T14:05:00Z", "T"])
  func whatIsNoMomentIsNone(text: String) { #expect(Date(rfc3339: text) == nil) }

  @Test(arguments: ["{\"a\": [1,\n 2]}", " null ", "\"x\""])
  func rawJSONIsOneLine(text: String) throws {
    let raw = try #require(RawJSON(text.utf8))
    #expect(!raw.bytes.readableBytesView.contains(0x0A))
  }

  /// Else a value could be another request.
  @Test(arguments: ["", "1 2", "1}\n{\"op\":\"clear\",\"ns\":\"*\"", "nul", "\"\u{0}\"", "[1"])
  func whatIsNotOneValueIsRefused(text: String) { #expect(RawJSON(text.utf8) == nil) }
}
