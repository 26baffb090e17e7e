// A value as it stands in Redis: one line of JSON that says what it is, then the payload. It knows no scripts and no
// clock, and nothing of what the payload says.

package import PannierWire

/// What stands with a payload, and the payload, both borrowed.
///
/// The line is JSON for those who look with redis-cli, and begins with members of fixed width, padded with blanks, so
/// that the scripts compare and change them in place: they read 48 bytes of a value of a megabyte, and write one. The
/// offsets below stand in the scripts, too.
package struct Envelope {
  package enum Encoding: String, CaseIterable, Sendable {
    case json
    /// JSON in one zstd frame.
    case zstd
  }

  /// The numbers of the change that it reflects, and all before it.
  package var birth: RecordID
  /// 53 bits.
  package var version: UInt64
  /// A soft delete has marked it stale.
  package var isSoft = false
  /// How long it is fresh and then stale, counted from when it was written or touched. Redis drops it after both.
  package var lifeMilliseconds: Int64
  package var staleMilliseconds: Int64 = 0
  /// How long it had been stored when it was written or touched.
  package var ageMilliseconds: Int64 = 0
  package var encoding = Encoding.json
  package var tags: [Bytes] = []
  package var payload: Bytes

  package init(birth: RecordID, version: UInt64, lifeMilliseconds: Int64, payload: Bytes) {
    self.birth = birth
    self.version = version
    self.lifeMilliseconds = lifeMilliseconds
    self.payload = payload
  }

  // MARK: Time

  /// For how long it is still fresh (below 0: it is stale), told by what Redis says is left of it.
  package func freshMilliseconds(left: Int64) -> Int64 { left - staleMilliseconds }

  package func ageMilliseconds(left: Int64) -> Int64 {
    ageMilliseconds + max(0, lifeMilliseconds + staleMilliseconds - left)
  }

  /// What Redis is told to keep it for: never nothing, which Redis would take for a fault.
  package var keptMilliseconds: Int64 {
    max(1, min(lifeMilliseconds, Layout.maximumTime) + min(staleMilliseconds, Layout.maximumTime))
  }

  // MARK: What the scripts compare and change

  /// What of a value `setIf` must find again: all that stands before the soft flag. Of what is shorter, everything.
  package static func identity(of value: Bytes) -> Bytes { Bytes(rebasing: value.prefix(Layout.softName)) }

  /// What of a value `touch` must find again: the same and the flag.
  package static func front(of value: Bytes) -> Bytes { Bytes(rebasing: value.prefix(Layout.birthName)) }

  /// What of a value `remove` must find again: all up to its birth. Nil where there is less.
  package static func origin(of value: [UInt8]) -> [UInt8]? {
    value.count < Layout.timesPlace ? nil : Array(value[..<Layout.timesPlace])
  }

  /// The three times as `touch` writes them over those that stand.
  package static func times(lifeMilliseconds: Int64, staleMilliseconds: Int64, ageMilliseconds: Int64) -> [UInt8] {
    var buffer = OutputBuffer()
    append(lifeMilliseconds, staleMilliseconds, ageMilliseconds, to: &buffer)
    return Array(buffer.bytes)
  }

  // MARK: Writing

  /// Appends the whole value. A birth that only the script will know may be anything: it writes it over.
  package func encode(key: Bytes, into buffer: inout OutputBuffer) {
    buffer.append(Layout.format)
    buffer.append(Layout.version)
    buffer.append(padded: min(version, Layout.maximumVersion), to: Layout.versionWidth)
    buffer.append(Layout.soft)
    buffer.append(UInt8(ascii: isSoft ? "1" : "0"))
    buffer.append(Layout.birth)
    let start = buffer.mark
    buffer.append(UInt8(ascii: "\""))
    buffer.append(number: birth.incarnation)
    buffer.append(UInt8(ascii: "-"))
    buffer.append(number: min(birth.number, Layout.maximumVersion))
    buffer.append(UInt8(ascii: "\""))
    buffer.append(blanks: Layout.birthWidth - (buffer.mark - start))
    Self.append(lifeMilliseconds, staleMilliseconds, ageMilliseconds, to: &buffer)
    buffer.append(Layout.encoding)
    buffer.append(string: encoding.rawValue)
    buffer.append(Layout.size)
    buffer.append(number: payload.count)
    buffer.append(Layout.key)
    buffer.append(string: key)
    buffer.append(Layout.tags)
    for tag in tags {
      buffer.separate()
      buffer.append(string: tag)
    }
    buffer.append(Layout.end)
    buffer.append(payload)
  }

  private static func append(_ life: Int64, _ stale: Int64, _ age: Int64, to buffer: inout OutputBuffer) {
    for (name, time) in [(Layout.life, life), (Layout.stale, stale), (Layout.age, age)] {
      buffer.append(name)
      buffer.append(padded: UInt64(min(max(0, time), Layout.maximumTime)), to: Layout.timeWidth)
    }
  }
}

/// How the line is laid out: the names with what parts them, the widths of what follows them, and where they stand.
enum Layout {
  /// What makes it ours, the number of the format, and the comma behind.
  static let mark: StaticString = #"{"pannier":"#
  static let format: StaticString = #"{"pannier":1,"#
  static let version: StaticString = #""version":"#
  static let soft: StaticString = #","soft":"#
  static let birth: StaticString = #","birth":"#
  static let life: StaticString = #","life":"#
  static let stale: StaticString = #","stale":"#
  static let age: StaticString = #","age":"#
  static let encoding: StaticString = #","encoding":"#
  static let size: StaticString = #","bytes":"#
  static let key: StaticString = #","key":"#
  static let tags: StaticString = #","tags":["#
  static let end: StaticString = "]}\n"

  /// 2^53 - 1 has 16 digits.
  static let versionWidth = 16
  static let maximumVersion: UInt64 = 1 << 53 - 1
  /// Quotes, a dash, and the 20 and 16 digits of the greatest numbers.
  static let birthWidth = 39
  /// Three hundred years of milliseconds.
  static let timeWidth = 13
  static let maximumTime: Int64 = 9_999_999_999_999

  static let softName = 39
  static let softFlag = 47
  static let birthName = 48
  static let birthPlace = 57
  static let timesPlace = 96
  static let timesWidth = 63

  /// No line of such a key is longer: all else takes less than 1 KiB, and of key and tags each byte may take six.
  static func longestLineBytes(keyBytes: Int) -> Int {
    1024 + 6 * keyBytes + RequestLimits.tags * (6 * RequestLimits.tagBytes + 3)
  }
}

extension OutputBuffer {
  /// Behind blanks: a JSON number has no leading zeros.
  fileprivate mutating func append(padded number: UInt64, to width: Int) {
    var digits = 1
    var rest = number / 10
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    append(blanks: width - digits)
    append(number: number)
  }

  fileprivate mutating func append(blanks count: Int) {
    var left = count
    while left > 0 {
      append(UInt8(ascii: " "))
      left -= 1
    }
  }
}
