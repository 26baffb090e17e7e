// Where things stand in Redis: what others who look there, or an older daemon, must find under the same names.

import PannierWire
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct RedisNamesTests {
  private let names = RedisNames(prefix: Array("pannier".utf8))

  @Test func namesAreLegible() {
    #expect(text(names.hosts) == "pannier:~hosts")
    #expect(text(names.home(ofSlot: 7).log) == "pannier:~log")
    #expect(text(names.home(ofSlot: 7).floor) == "pannier:~floor")
    #expect(names.homes == [names.home(ofSlot: 0)])
    withBytes("quiz", "q:1") { ns, key in
      #expect(text(names.value(ns, key)) == "pannier:quiz:q:1")
      #expect(text(names.lease(ns, key)) == "pannier:~lease:quiz:q:1")
      #expect(text(names.groups(ns)) == "pannier:~groups:quiz")
    }
  }

  @Test func aSlotIsTheChecksumThatEverybodyComputes() {
    var checksum = Checksum()
    for byte in "123456789".utf8 { checksum.add(byte) }
    #expect(checksum.value == 0xCBF4_3926)
    // As Python's zlib.crc32(b"quiz:q:1") % 4096 has them.
    withBytes("quiz", "q:1") { #expect(RedisNames.slot($0, $1) == 1014) }
    withBytes("a", Array(0...255)) { #expect(RedisNames.slot($0, $1) == 197) }
    withBytes("q", "") { #expect(RedisNames.slot($0, $1) == 1018) }
  }

  @Test func aPatternHoldsNoOtherSigns() {
    let names = RedisNames(prefix: Array(#"a*b?[c]\d"#.utf8))
    withBytes("x.y-z_1", "") { ns, _ in
      #expect(text(names.pattern(ns)) == #"a\*b\?\[c\]\\d:x.y\-z_1:*"#)
    }
  }

  @Test(arguments: [
    ("pannier:quiz:q:1", "q:1"), ("pannier:quiz:", nil), ("pannier:quiz", nil), ("pannier:quizz:q", nil),
    ("other:quiz:q", nil), ("", nil),
  ])
  func aKeyIsReadBackFromAName(name: String, key: String?) {
    withBytes("quiz", name) { ns, name in
      #expect(names.key(ns, ofValue: name).map { text(Array($0)) } == key)
    }
  }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func withBytes<Result>(_ first: String, _ second: String, _ body: (Bytes, Bytes) -> Result) -> Result {
  withBytes(first, Array(second.utf8), body)
}

func withBytes<Result>(_ first: String, _ second: [UInt8], _ body: (Bytes, Bytes) -> Result) -> Result {
  Array(first.utf8).withUnsafeBytes { first in second.withUnsafeBytes { body(first, $0) } }
}
