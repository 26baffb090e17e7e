// Values as they stand in Redis: what is written is read again, and whatever else stands there has a reason.

import PannierTestSupport
import PannierWire
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct EnvelopeTests {
  /// The Python tests of the scripts build the same.
  @Test func aValueIsLegible() {
    #expect(
      text(Sample().encoded)
        == #"{"pannier":1,"version":            4711,"soft":0,"birth":"1732575271000000-42"                  ,"#
        + #""life":       300000,"stale":        60000,"age":         1500,"#
        + #""encoding":"json","bytes":13,"key":"q:1","tags":["maths","a\"b"]}"# + "\n" + #"{"answer":42}"#)
  }

  @Test func theLineIsJSON() throws {
    var sample = Sample()
    sample.key = Array("\"\\\n\r\t\u{0}\u{1F}é😀".utf8)
    let line = try #require(sample.encoded.split(separator: 0x0A).first)
    let value = try #require(JSONValue(line))
    #expect(value["version"]?.integer == 4711)
    #expect(value["life"]?.integer == 300_000)
    #expect(value["birth"]?.string == "1732575271000000-42")
    #expect(value["key"]?.string == text(sample.key))
  }

  @Test func theScriptsKnowWhereThingsStand() throws {
    let encoded = Sample().encoded
    let line = text(encoded)
    #expect(Array(encoded[Layout.softName...].prefix(Layout.soft.utf8CodeUnitCount)) == utf8(Layout.soft))
    #expect(encoded[Layout.softFlag] == UInt8(ascii: "0"))
    #expect(Array(encoded[Layout.birthName...].prefix(Layout.birth.utf8CodeUnitCount)) == utf8(Layout.birth))
    #expect(Layout.birthPlace == Layout.birthName + Layout.birth.utf8CodeUnitCount)
    #expect(Layout.timesPlace == Layout.birthPlace + Layout.birthWidth)
    let times = Envelope.times(lifeMilliseconds: 300_000, staleMilliseconds: 60_000, ageMilliseconds: 1500)
    #expect(times.count == Layout.timesWidth)
    #expect(Array(encoded[Layout.timesPlace...].prefix(Layout.timesWidth)) == times)
    encoded.withUnsafeBytes {
      #expect(line.hasPrefix(text(Array(Envelope.identity(of: $0)))))
      #expect(Envelope.identity(of: $0).count == Layout.softName)
      #expect(Envelope.front(of: $0).count == Layout.birthName)
      #expect(Envelope.identity(of: Bytes(rebasing: $0.prefix(3))).count == 3)
    }
    #expect(RedisScript.soft.text.contains("'GETRANGE', KEYS[2 + i], 0, \(Layout.softFlag))"))
    #expect(RedisScript.soft.text.contains("'SETRANGE', KEYS[2 + i], \(Layout.softFlag), '1')"))
    #expect(RedisScript.soft.text.contains("'^\(Layout.format).*\(Layout.soft)0$'"))
    #expect(RedisScript.setIf.text.contains("'GETRANGE', value, 0, \(Layout.softName - 1))"))
    #expect(RedisScript.touch.text.contains("'GETRANGE', value, 0, \(Layout.birthName - 1))"))
    #expect(RedisScript.touch.text.contains("#ARGV[10] ~= \(Layout.birthName)"))
    #expect(Envelope.origin(of: encoded) == Array(encoded[..<Layout.timesPlace]))
    #expect(Envelope.origin(of: Array(encoded[..<Layout.timesPlace].dropLast())) == nil)
    #expect(RedisScript.remove.text.contains("'GETRANGE', KEYS[i], 0, \(Layout.timesPlace - 1))"))
    #expect(RedisScript.remove.text.contains("#standing == \(Layout.timesPlace)"))
    for script in [RedisScript.set, .setIf, .touch] {
      #expect(script.text.contains(", \(Layout.birthPlace), "))
      #expect(script.text.contains("string.format('%-\(Layout.birthWidth)s', '\"' .. id .. '\"')"))
    }
  }

  /// Also keys and tags that no UTF-8 is: they are compared as bytes.
  @Test(arguments: 0..<8) func whatIsWrittenIsReadAgain(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<150 {
      let sample = Sample(&random)
      #expect(sample.decoded(from: sample.encoded) == .success(sample))
    }
  }

  @Test func theGreatestNumbersHaveRoom() {
    var sample = Sample()
    sample.birth = RecordID(incarnation: .max, number: 1 << 53 - 1)
    sample.version = 1 << 53 - 1
    (sample.life, sample.stale, sample.age) = (9_999_999_999_999, 9_999_999_999_999, 9_999_999_999_999)
    #expect(sample.decoded(from: sample.encoded) == .success(sample))
    (sample.life, sample.version) = (.max, .max)
    #expect((try? sample.decoded(from: sample.encoded).get())?.life == 9_999_999_999_999)
    #expect((try? sample.decoded(from: sample.encoded).get())?.version == 1 << 53 - 1)
  }

  @Test(arguments: 0..<4) func theLineIsReadWithAnyPartOfThePayload(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<50 {
      let sample = Sample(&random)
      let encoded = sample.encoded
      let end = try #require(encoded.firstIndex(of: UInt8(ascii: "\n"))) + 1
      #expect(end <= Layout.longestLineBytes(keyBytes: sample.key.count))
      for count in [end - 1, end, Int.random(in: end...encoded.count, using: &random)] {
        let line = RedisReader.line(Array(encoded[..<count]), key: sample.key)
        #expect((line == nil) == (count < end))
        if let line { #expect(line.tags == sample.tags) }
      }
    }
  }

  @Test func everyTruncationHasAReason() {
    let sample = Sample()
    let encoded = sample.encoded
    for count in encoded.indices {
      guard case .failure(let fault) = sample.decoded(from: Array(encoded.prefix(count))) else {
        Issue.record("\(count) bytes are a value")
        continue
      }
      #expect(count >= 11 || fault == .foreign)
    }
    #expect(sample.decoded(from: encoded + [0x20]) == .failure(.payload))
  }

  /// Every byte as every other: it is no value, or one of this key; never another length, a line feed in the payload,
  /// or more tags than there can be.
  @Test func everySpoiltByteIsSurvived() {
    let sample = Sample()
    let encoded = sample.encoded
    var read = 0
    for place in encoded.indices {
      for byte in UInt8.min...UInt8.max where byte != encoded[place] {
        var spoilt = encoded
        spoilt[place] = byte
        guard case .success(let value) = sample.decoded(from: spoilt) else { continue }
        read += 1
        #expect(value != sample)
        #expect(value.payload.count == sample.payload.count && !value.payload.contains(0x0A))
      }
    }
    // Digits, the flag, and bytes of tags and payload can be others; not much else.
    #expect(read < 40 * 256)
  }

  @Test(arguments: 0..<8) func randomBytesAreSurvived(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let signs = Array(#"{}[]":,\ nu0019-"#.utf8)
    for _ in 0..<500 {
      let sample = Sample(&random)
      var spoilt = sample.encoded
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: spoilt.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: spoilt.insert(signs.randomElement(using: &random) ?? 0, at: place)
        case 1: spoilt.remove(at: place)
        default: spoilt.removeSubrange(place..<min(spoilt.count, place + 9))
        }
        if spoilt.isEmpty { break }
      }
      _ = sample.decoded(from: spoilt)
    }
  }

  @Test(arguments: [
    ("{\"pannier\":1,", "{\"other\":1,", EnvelopeFault.foreign), ("{\"pannier\":1,", "{\"pannier\":2,", .format),
    ("{\"pannier\":1,", "{\"pannier\":1}", .format), ("\"json\"", "\"lz4\"", .encoding), ("q:1", "q:2", .otherKey),
    ("q:1", "q:", .otherKey), ("q:1", "q:1x", .otherKey), ("q:1", "q\\u003a1", .otherKey),
    ("\"soft\":0", "\"soft\":2", .malformed), ("        4711", "000000004711", .malformed),
    ("            4711", "9007199254740992", .malformed), ("       300000", "      -300000", .malformed),
    ("-42\"", "\"   ", .malformed), ("-42\" ", "-42  ", .malformed), ("\"maths\"", "\"\"", .malformed),
    ("\"maths\",", "\"maths\" ", .malformed), ("\"maths\",", "\"maths\",,", .malformed), ("a\\\"b", "a\tb", .malformed),
    ("a\\\"b", "a\\b", .malformed), ("a\\\"b", "a\\u0022", .malformed), ("a\\\"b", "a\\u00", .malformed),
    ("\"bytes\":13", "\"bytes\":013", .malformed), ("\"bytes\":13", "\"bytes\":", .malformed),
    ("\"bytes\":13", "\"bytes\":12", .payload), ("\"bytes\":13", "\"bytes\":99999999999999999999", .malformed),
    ("{\"answer\":42}", "{\"answer\":\n2}", .payload), ("]}\n", "]}", .malformed), ("]}\n", ",\"x\":1]}\n", .malformed),
  ])
  func aReason(part: String, other: String, fault: EnvelopeFault) throws {
    let sample = Sample()
    let encoded = text(sample.encoded)
    let range = try #require(encoded.ranges(of: part).first)
    #expect(sample.decoded(from: Array(encoded.replacingCharacters(range, with: other).utf8)) == .failure(fault))
  }

  @Test func noMoreTagsThanTheProtocolAllows() {
    var sample = Sample()
    sample.tags = Array(repeating: Array("t".utf8), count: 17)
    #expect(sample.decoded(from: sample.encoded) == .failure(.malformed))
    sample.tags = [Array(repeating: 0x74, count: 129)]
    #expect(sample.decoded(from: sample.encoded) == .failure(.malformed))
  }

  @Test func timesAreToldByWhatIsLeft() {
    var envelope = Envelope(
      birth: RecordID(incarnation: 1, number: 1), version: 1, lifeMilliseconds: 1000,
      payload: Bytes(start: nil, count: 0))
    envelope.staleMilliseconds = 500
    envelope.ageMilliseconds = 50
    #expect(envelope.keptMilliseconds == 1500)
    #expect(envelope.freshMilliseconds(left: 1500) == 1000)
    #expect(envelope.ageMilliseconds(left: 1500) == 50)
    #expect(envelope.freshMilliseconds(left: 400) == -100)
    #expect(envelope.ageMilliseconds(left: 400) == 1150)
    envelope.lifeMilliseconds = .max
    #expect(envelope.keptMilliseconds == 10_000_000_000_499)
    envelope.lifeMilliseconds = 1000
    // Another wrote a longer life.
    #expect(envelope.ageMilliseconds(left: 9000) == 50)
  }
}

/// What an envelope holds, kept.
private struct Sample: Equatable {
  var key = Array("q:1".utf8)
  var birth = RecordID(incarnation: 1_732_575_271_000_000, number: 42)
  var version: UInt64 = 4711
  var isSoft = false
  var life: Int64 = 300_000
  var stale: Int64 = 60_000
  var age: Int64 = 1500
  var tags = [Array("maths".utf8), Array(#"a"b"#.utf8)]
  var payload = Array(#"{"answer":42}"#.utf8)

  init() {}

  init(_ random: inout SeededGenerator) {
    key = Self.bytes(1...60, &random)
    birth = RecordID(
      incarnation: random.next() >> UInt64.random(in: 0..<64, using: &random), number: random.next() >> 11)
    version = random.next() >> UInt64.random(in: 11..<64, using: &random)
    isSoft = Bool.random(using: &random)
    life = Int64.random(in: 0...9_999_999_999_999, using: &random)
    stale = Int64.random(in: 0...1_000_000, using: &random)
    age = Int64.random(in: 0...1000, using: &random)
    tags = (0..<Int.random(in: 0...16, using: &random)).map { _ in Self.bytes(1...128, &random) }
    payload = Self.bytes(1...200, &random).map { $0 == 0x0A ? 0x20 : $0 }
  }

  /// Half of them what has to be escaped, or looks like it.
  private static func bytes(_ count: ClosedRange<Int>, _ random: inout SeededGenerator) -> [UInt8] {
    let signs = Array("\"\\\n\r\t\u{0}\u{1F}/u0,:]}".utf8)
    return (0..<Int.random(in: count, using: &random)).map { _ in
      Bool.random(using: &random) ? signs.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
    }
  }

  var encoded: [UInt8] {
    var buffer = OutputBuffer()
    payload.withUnsafeBytes { payload in
      var envelope = Envelope(birth: birth, version: version, lifeMilliseconds: life, payload: payload)
      envelope.isSoft = isSoft
      envelope.staleMilliseconds = stale
      envelope.ageMilliseconds = age
      let joined = tags.flatMap { $0 }
      joined.withUnsafeBytes { bytes in
        var start = 0
        envelope.tags = tags.map { tag in
          defer { start += tag.count }
          return Bytes(rebasing: bytes[start..<start + tag.count])
        }
        key.withUnsafeBytes { envelope.encode(key: $0, into: &buffer) }
      }
    }
    return Array(buffer.bytes)
  }

  func decoded(from bytes: [UInt8]) -> Result<Sample, EnvelopeFault> {
    var bytes = bytes
    return bytes.withUnsafeMutableBytes { bytes in
      key.withUnsafeBytes { key in
        Result { () throws(EnvelopeFault) in Sample(try Envelope.decode(bytes, key: key), key: key) }
      }
    }
  }

  private init(_ envelope: Envelope, key: Bytes) {
    self.key = Array(key)
    birth = envelope.birth
    version = envelope.version
    isSoft = envelope.isSoft
    life = envelope.lifeMilliseconds
    stale = envelope.staleMilliseconds
    age = envelope.ageMilliseconds
    tags = envelope.tags.map { Array($0) }
    payload = Array(envelope.payload)
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}

private func utf8(_ text: StaticString) -> [UInt8] {
  Array(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
}
