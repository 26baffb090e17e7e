// Numbers of seconds, versions and counts, as requests have them.

import Testing

@testable import PannierWire

@Suite struct TimeTests {
  /// Seconds as written, and milliseconds; nil: refused as `stale`, which may be zero.
  static let times: [(seconds: String, milliseconds: Int64?)] = [
    ("0", 0), ("0.0", 0), ("-0", 0), ("-0.0e7", 0), ("0e5", 0), ("0e99999999999999999999", 0), ("-0E-0", 0),
    ("1", 1000), ("1.5", 1500), ("0.001", 1), ("1e-3", 1), ("1E-3", 1), ("10e-4", 1), ("0.01e-1", 1),
    ("0.0009", 0), ("9e-4", 0), ("0.00099999999999999999999999", 0), ("1e-400", 0), ("1e-99999999999999999999", 0),
    ("0.0019999", 1), ("1.9999999999999999999999", 1999), ("0.1", 100), ("0.3", 300), ("1.005", 1005), ("2.675", 2675),
    ("4.35", 4350), ("1.001", 1001), ("99999.9999999999999999999", 99_999_999),
    ("1E+2", 100_000), ("1e2", 100_000), ("1.25e1", 12_500), ("12345.6789e-2", 123_456), ("1e008", 100_000_000_000),
    ("315360000", 315_360_000_000), ("315360000.0", 315_360_000_000), ("3.1536e8", 315_360_000_000),
    ("3153600000e-1", 315_360_000_000), ("0.0031536e11", 315_360_000_000), ("315360000.0009", 315_360_000_000),
    ("315359999.999", 315_359_999_999), ("1000000000000000000000e-18", 1_000_000),
    ("0.000000000000000000001e21", 1000), ("123456789012345678901234567890e-24", 123_456_789),
    ("315360000.001", nil), ("315360001", nil), ("1e9", nil), ("1e400", nil), ("1e99999999999999999999", nil),
    ("9223372036854775807", nil), ("99999999999999999999999999999999999999", nil), ("18446744073709551617", nil),
    ("-1", nil), ("-0.001", nil), ("-1e-9", nil), ("-1e-99999", nil),
    (String(repeating: "9", count: 5000), nil), ("0.\(String(repeating: "0", count: 5000))1", 0),
    ("0.\(String(repeating: "0", count: 20_000))1e20001", 1000),
    ("1\(String(repeating: "0", count: 20_000))e-20000", 1000),
  ]

  @Test(arguments: times.indices) func secondsAreMilliseconds(index: Int) {
    let (seconds, milliseconds) = Self.times[index]
    let shown = seconds.prefix(60)
    var limits = RequestLimits()
    limits.testClock = true
    for (line, request) in [
      (#"{"op":"touch","ns":"q","key":"a","stale":\#(seconds)}"#, "touch q a stale="),
      (#"{"op":"get","ns":"q","key":"a","max_age":\#(seconds)}"#, "get q a max_age="),
      (#"{"op":"advance","seconds":\#(seconds)}"#, "advance "),
      (#"{"op":"set","ns":"q","items":[{"key":"a","value":1,"stale":\#(seconds)}]}"#, "set q [a=1 stale="),
    ] {
      let decoded = decode(line, limits)
      if let milliseconds {
        #expect(decoded.text == ByteText("\(request)\(milliseconds)\(request.contains("[") ? "]" : "")"), "\(shown)")
      } else {
        #expect(decoded.code == .badRequest, "\(shown)")
        #expect(decoded.text.description.contains("315360000"), "\(shown)")
      }
    }
    // What is left of a ttl after cutting must not be nothing.
    for (line, request) in [
      (#"{"op":"set","ns":"q","key":"a","value":1,"ttl":\#(seconds)}"#, "set q a=1 ttl="),
      (#"{"op":"touch","ns":"q","key":"a","ttl":\#(seconds)}"#, "touch q a ttl="),
    ] {
      let decoded = decode(line, limits)
      if let milliseconds, milliseconds > 0 {
        #expect(decoded.text == ByteText("\(request)\(milliseconds)"), "\(shown)")
      } else {
        #expect(decoded.code == .badRequest, "\(shown)")
        #expect(decoded.text.description.contains("\"ttl\""), "\(shown)")
      }
    }
  }

  static let versions: [(text: String, version: UInt64?)] = [
    ("0", 0), ("1", 1), ("9007199254740990", 9_007_199_254_740_990), ("9007199254740991", 9_007_199_254_740_991),
    ("9007199254740992", nil), ("9007199254740999", nil), ("18446744073709551616", nil), ("18446744073709551617", nil),
    ("99999999999999999999999999", nil), ("-1", nil), ("1.0", nil), ("1e3", nil), ("\"1\"", nil), ("null", nil),
    ("true", nil), ("[1]", nil), ("{}", nil),
  ]

  @Test(arguments: versions.indices) func versionsAreWholeNumbersBelow2To53(index: Int) {
    let (text, version) = Self.versions[index]
    let get = decode(#"{"op":"get","ns":"q","key":"a","unless":\#(text)}"#)
    let set = decode(#"{"op":"set","ns":"q","key":"a","value":1,"if":{"version":\#(text)}}"#)
    if let version {
      #expect(get.text == ByteText("get q a unless=\(version)"))
      #expect(set.text == ByteText("set q a=1 if=\(version)"))
    } else {
      for decoded in [get, set] {
        #expect(decoded.code == .badRequest)
        #expect(decoded.text.description.contains("2^53"))
      }
    }
  }

  static let ids: [(id: String, isTaken: Bool)] = [
    ("0", true), ("-0", true), ("-1", true), ("12345678901234567890", true), (String(repeating: "9", count: 64), true),
    (String(repeating: "9", count: 65), false), ("1.0", false), ("1e2", false), ("-1.5", false), ("null", false),
    ("true", false), ("false", false), ("[]", false), ("{}", false), ("\"\"", true), ("\"a\"", true),
    ("\"\(String(repeating: "a", count: 64))\"", true), ("\"\(String(repeating: "a", count: 65))\"", false),
    ("\"\(String(repeating: "é", count: 32))\"", true), ("\"\(String(repeating: "é", count: 32))a\"", false),
    (#""\u0061\"\\\/""#, true), (#""\ud83d\ude00""#, true),
    ("\"\(String(repeating: #"\u0061"#, count: 10))abcd\"", true),
    ("\"\(String(repeating: #"\u0061"#, count: 11))\"", false),
  ]

  @Test(arguments: ids.indices) func anIDIsAShortStringOrAnInteger(index: Int) {
    let (id, isTaken) = Self.ids[index]
    for line in [#"{"id":\#(id),"op":"ping"}"#, #"{"op":"ping","id":\#(id)}"#, #"{ "op":"ping", "id" : \#(id) }"#] {
      let decoded = decode(line)
      if isTaken {
        #expect(decoded == Decoded(id: ByteText(id), text: "ping"))
      } else {
        #expect(decoded.id == nil)
        #expect(decoded.code == .badRequest)
        #expect(decoded.text.description.contains("\"id\""))
      }
    }
  }
}
