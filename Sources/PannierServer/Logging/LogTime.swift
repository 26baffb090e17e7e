// The time of a log line: UTC, to the millisecond.
// It reads the clock only where it is asked to.
internal import Glibc

enum LogTime {
  static func millisecondsSince1970() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// As in "2026-01-31T23:59:59.042Z".
  static func rfc3339(millisecondsSince1970 time: Int64) -> String {
    let (wholeSeconds, milliseconds) = floored(time, 1000)
    var seconds = time_t(wholeSeconds)
    var date = tm()
    gmtime_r(&seconds, &date)
    return padded(Int64(date.tm_year) + 1900, 4) + "-" + padded(Int64(date.tm_mon) + 1, 2) + "-"
      + padded(Int64(date.tm_mday), 2) + "T" + padded(Int64(date.tm_hour), 2) + ":" + padded(Int64(date.tm_min), 2)
      + ":" + padded(Int64(date.tm_sec), 2) + "." + padded(milliseconds, 3) + "Z"
  }

  /// Rounds down: a time before 1970 has its milliseconds after its second too.
  private static func floored(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
    return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
  }

  private static func padded(_ number: Int64, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
