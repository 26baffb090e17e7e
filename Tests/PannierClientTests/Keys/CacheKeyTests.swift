// Keys: the vectors that all clients share, and what Swift adds.

import Foundation
import Testing

@testable import PannierClient

@Suite struct CacheKeyTests {
  @Test func vectors() throws {
    let vectors = try Vectors(named: "keys").values
    #expect(vectors.count >= 38)
    var spelled = 0
    for vector in vectors {
      let key: CacheKey = "\(try part(vector))"
      #expect(key.text == vector.spelled, "\(vector)")
      spelled += 1
    }
    #expect(spelled == vectors.count)
  }

  @Test func fixedPartsStandAsTheyAre() {
    let name = "a:b"
    #expect(("user:\(7):\(name)%" as CacheKey).text == "user:7:a%3Ab%")
    #expect(CacheKey("a:b").text == "a:b")
  }

  private enum Color: String, CacheKeyPart { case red }
  private enum Size: Int { case small = 1 }

  @Test func whatSwiftHas() {
    let none: Int? = nil
    #expect(("\(Color.red):\(Size.small):\(none)" as CacheKey).text == "red:1:%N")
    #expect(("\([Color.red: [1, 2]])" as CacheKey).text == #"{"red"%3A[1,2]}"#)
    #expect(("\(UInt8(200)):\(Int64.min):\("ab".dropFirst())" as CacheKey).text == "200:-9223372036854775808:b")
    #expect(
      ("\(Optional(UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))))" as CacheKey).text
        == "01020304-0506-0708-090a-0b0c0d0e0f10")
  }

  @Test(arguments: [
    (9_007_199_254_740_992, "9007199254740992.0"), (9.1e15, "9100000000000000.0"), (1e15, "1000000000000000.0"),
    (9.999999999999998e15, "9999999999999998.0"), (1e16, "1e+16"), (-1.5e300, "-1.5e+300"),
    (0.00012345, "0.00012345"), (123.25, "123.25"),
  ])
  func floatingPoint(number: Double, digits: String) {
    #expect(number.keyDigits == digits)
    #expect(Double(digits) == number)
  }

  /// Swift takes them for one text; the sidecar doesn't.
  @Test func twoSpellingsOfALetterAreTwoKeys() {
    let keys: Set<CacheKey> = [CacheKey("\u{E9}"), CacheKey("e\u{301}"), CacheKey("\u{E9}")]
    #expect(keys.count == 2)
  }

  @Test func patternsTakeWhatIsFilledInAsItIs() {
    let name = "a*[b]?\\:"
    #expect(("user:\(name):*" as CacheKeyPattern).text == #"user:a\*\[b\]\?\\%3A:*"#)
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 1_000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
  ])
  func hashes(message: String, digest: String) { #expect(SHA256.hexadecimal(Array(message.utf8)) == digest) }
}

/// What a vector's value is in Swift.
private func part(_ vector: Vectors.Vector) throws -> AnyPart {
  let text = vector.value.text
  let part: (any CacheKeyPart)? =
    switch vector.kind {
    case nil: spelling(vector.value)
    case "float": Double(text)
    case "decimal": Decimal(string: text)
    case "uuid": UUID(uuidString: text)
    // Without an offset it is no moment, and has no type here: a text.
    case "datetime": text.contains("+") ? Date(rfc3339: text) : text
    case "date": text
    case "timedelta": Double(text).map { Duration.seconds($0) }
    case "bytes": Data(anyBase64: text)
    case "path": URL(filePath: text)
    case "set": if case .array(let elements) = vector.value { Set(elements.map(\.text)) } else { nil }
    default: nil
    }
  return AnyPart(keySpelling: try #require(part).keySpelling)
}

private struct AnyPart: CacheKeyPart {
  let keySpelling: KeySpelling
}

private func spelling(_ json: JSON) -> AnyPart {
  let spelled: KeySpelling =
    switch json {
    case .null: .nothing
    case .bool(let bool): bool.keySpelling
    case .integer(let number): number.keySpelling
    case .negative(let number): number.keySpelling
    case .string(let text): text.keySpelling
    case .array(let elements): .list(elements.map { spelling($0).keySpelling })
    case .object(let members): .record(members.mapValues { spelling($0).keySpelling })
    }
  return AnyPart(keySpelling: spelled)
}
