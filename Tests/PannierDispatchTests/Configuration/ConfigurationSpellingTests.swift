import Testing

@testable import PannierDispatch

@Test(
  arguments: [
    ("250ms", 250), ("10m", 600_000), ("1h30m", 5_400_000), ("90s", 90_000), ("2d", 172_800_000), ("0", 0), ("0s", 0),
    ("5", 5000), ("0.25", 250), ("1.5", 1500), ("1.5h", 5_400_000), ("1d2h3m4s5ms", 93_784_005), ("1e3", 1_000_000),
    ("25E-2", 250), ("1.9999", 1999), ("0.0009", 0), ("007", 7000), ("3650d", 315_360_000_000), ("0.5ms", 0),
    ("1000000000e-9", 1000), ("0.000000000000000000000001e24", 1000),
  ] as [(String, Int64)])
func durationsAreRead(text: String, milliseconds: Int64) throws {
  #expect(try Durations.milliseconds(text) == milliseconds)
}

@Test(arguments: [
  "", " ", "10 minutes", "10 m", "m", "10M", "10min", "1m1h", "1h1h", "1h30", "-", ".", "1.", ".5", "1.2.3s", "+5",
  "0x10",
  "1e", "1e3s", "e3", "inf", "nan", "1_000", "١٠", "10m ", "1,5s", "none",
])
func whatIsNoDurationIsRefused(text: String) {
  let expected = "\"\(text)\" is not a duration; write 10m, 1h30m, 250ms or a number of seconds"
  #expect(throws: SettingRefusal(message: expected)) { try Durations.milliseconds(text) }
}

@Test(arguments: [
  "3650d1ms", "315360000.001", "1e300", "9223372036854775808", "99999999999999999999999999d", "1e999999999999999999999",
  "106751991167d106751991167h", "-1", "-1e99", "-0.001",
])
func durationsOutOfRangeAreRefused(text: String) {
  #expect(throws: SettingRefusal(message: "\"\(text)\" is out of range; it must be 0s to 3650d")) {
    try Durations.milliseconds(text)
  }
}

@Test(
  arguments: [
    (0, "0s", "0"), (1, "1ms", "0.001"), (250, "250ms", "0.25"), (1000, "1s", "1"), (1500, "1500ms", "1.5"),
    (60_000, "1m", "60"), (5_400_000, "90m", "5400"), (86_400_000, "1d", "86400"), (10_010, "10010ms", "10.01"),
    (-1250, "-1250ms", "-1.25"), (.max, "9223372036854775807ms", "9223372036854775.807"),
    (.min, "-9223372036854775808ms", "-9223372036854775.808"),
  ] as [(Int64, String, String)])
func durationsArePrinted(milliseconds: Int64, text: String, seconds: String) throws {
  #expect(Durations.text(milliseconds) == text)
  #expect(Durations.seconds(milliseconds) == seconds)
}

@Test(
  arguments: [
    ("100", 100), ("0", 0), ("64KiB", 65_536), ("1.5GiB", 1_610_612_736), ("512KB", 512_000), ("1MB", 1_000_000),
    ("1MiB", 1_048_576), ("2gb", 2_000_000_000), ("1tib", 1_099_511_627_776), ("1TB", 1_000_000_000_000), ("7B", 7),
    ("0.3KiB", 307), ("1e6", 1_000_000), ("1.5e3", 1500), ("3.0", 3),
  ] as [(String, Int)])
func sizesAreRead(text: String, bytes: Int) throws {
  #expect(try Sizes.bytes(text, in: 0...(.max)) == bytes)
}

@Test(arguments: [
  "", "64 KiB", "64K", "64k", "M", "1.5", "1e-1", "KiB", "0x10", "1.KiB", "-1KiB", "1KiBs", "1e3KiB", "1KiB1B", "1Kı",
  "٣",
])
func whatIsNoSizeIsRefused(text: String) {
  let expected = "\"\(text)\" is not a size; write 64KiB, 1.5GiB, 512KB or a number of bytes"
  #expect(throws: SettingRefusal(message: expected)) { try Sizes.bytes(text, in: 0...(.max)) }
}

@Test(arguments: ["1023", "1TiB", "9223372036854775808", "9999999999TiB", "1e400", "-5"])
func sizesOutOfRangeAreRefused(text: String) {
  #expect(throws: SettingRefusal(message: "\"\(text)\" is out of range; it must be 1KiB to 32GiB")) {
    try Sizes.bytes(text, in: 1024...32 << 30)
  }
}

@Test(arguments: [
  (0, "0"), (1000, "1000"), (1024, "1KiB"), (1536, "1536"), (1 << 30, "1GiB"), (3 << 19, "1536KiB"),
  (1 << 50, "1024TiB"),
])
func sizesArePrinted(bytes: Int, text: String) {
  #expect(Sizes.text(bytes) == text)
}

/// A refusal quotes what was written; it must not be able to forge lines of a log, or fill it.
@Test func refusalsQuoteSafely() {
  #expect(
    throws: SettingRefusal(message: #""a\u{a}b" is not a duration; write 10m, 1h30m, 250ms or a number of seconds"#)
  ) {
    try Durations.milliseconds("a\nb")
  }
  let long = String(repeating: "x", count: 1_000_000)
  do throws(SettingRefusal) {
    _ = try Durations.milliseconds(long)
    Issue.record("taken")
  } catch {
    #expect(error.message.utf8.count < 200)
  }
}
