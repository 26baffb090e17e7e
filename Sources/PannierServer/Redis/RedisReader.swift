// What Redis answers as the cache understands it: values, outcomes, records. Whatever is not as our scripts and envelopes write it
// is named, and nothing of it is used.

import PannierCore
import PannierDispatch
import PannierWire

enum RedisReader {
  enum Found {
    case read(SharedRead)
    /// Its payload is still a zstd frame.
    case packed(SharedValue, leftMilliseconds: Int64)
    /// A value that is none of ours; the name is counted.
    case foreign(String)
  }

  /// `left`: the answer to PTTL that was asked for with it.
  static func value(_ reply: RedisReply, left: RedisReply, key: [UInt8]) -> Found {
    switch reply {
    case .null: return .read(.nothing)
    // An error has been counted as one.
    case .lost, .error: return .read(.failed)
    case .bytes(var bytes):
      guard case .integer(let milliseconds) = left else { return .foreign("foreign") }
      // Gone between the two: a miss.
      if milliseconds == -2 { return .read(.nothing) }
      return bytes.withUnsafeMutableBytes { bytes in
        key.withUnsafeBytes { name in
          do throws(EnvelopeFault) {
            let envelope = try Envelope.decode(bytes, key: name)
            // Without a time it is none of ours: every value that we write has one.
            if milliseconds < 0 { return .foreign("foreign") }
            let value = SharedValue(envelope, key: key)
            switch envelope.encoding {
            case .json: return .read(.value(value, leftMilliseconds: milliseconds))
            case .zstd: return .packed(value, leftMilliseconds: milliseconds)
            }
          } catch {
            return .foreign(error.rawValue)
          }
        }
      }
    default: return .foreign("foreign")
    }
  }

  /// What the line says with which a value begins; nil: it is none of ours.
  static func line(_ front: [UInt8], key: [UInt8]) -> (birth: Birth, tags: [[UInt8]])? {
    var front = front
    return front.withUnsafeMutableBytes { front in
      key.withUnsafeBytes { key in
        guard let envelope = try? Envelope.line(front, key: key) else { return nil }
        let birth = Birth(incarnation: envelope.birth.incarnation, number: envelope.birth.number)
        return (birth, envelope.tags.map { Array($0) })
      }
    }
  }

  /// What a script made of a change.
  static func outcome(_ reply: RedisReply) -> SharedReply {
    switch reply {
    case .integer(let number): return UInt64(exactly: number).map { .done(number: $0, count: 0) } ?? .lost
    case .array(let parts):
      guard parts.count == 2, case .integer(let second) = parts[1], let second = UInt64(exactly: second) else {
        return .lost
      }
      switch parts[0] {
      case .bytes(let word) where word.elementsEqual("CONFLICT".utf8): return .conflict(number: second)
      case .bytes: return .done(number: second, count: 0)
      case .integer(let first):
        return UInt64(exactly: first).map { .done(number: $0, count: Int(clamping: second)) } ?? .lost
      default: return .lost
      }
    case .error(let error) where [.gap, .fenced].contains(error.code): return .refused
    default: return .lost
    }
  }

  /// What a script made of a change that depends on what stands.
  static func conditional(_ reply: RedisReply) -> SharedConditionalReply {
    switch reply {
    case .array(let parts):
      guard parts.count == 2, case .bytes(let word) = parts[0], case .integer(let number) = parts[1],
        let number = UInt64(exactly: number)
      else { return .lost }
      return word.elementsEqual("CHANGED".utf8) ? .changed(number: number) : .done(number: number)
    case .error(let error) where [.gap, .fenced].contains(error.code): return .refused
    default: return .lost
    }
  }

  /// What stands under a key, whatever it is, and of it what a conditional change must find again.
  static func inspection(_ reply: RedisReply, left: RedisReply, key: [UInt8]) -> (found: Found, front: [UInt8]) {
    switch reply {
    case .bytes(let bytes):
      // Decoding changes the tags in place.
      let front = bytes.withUnsafeBytes { Array(Envelope.front(of: $0)) }
      return (value(reply, left: left, key: key), front)
    case .null: return (.read(.nothing), [])
    // What is no string is none of ours, and a set replaces it.
    case .error(let error) where error.code.rawValue == "WRONGTYPE":
      return (.foreign(EnvelopeFault.foreign.rawValue), [])
    default: return (.read(.failed), [])
    }
  }

  /// Who is to load a key, as of the record `number`.
  static func claim(_ reply: RedisReply) -> (SharedClaimReply, number: UInt64) {
    // Without a time, or with one beyond reason, it is none of ours.
    guard case .array(let parts) = reply, parts.count == 3, case .bytes(let word) = parts[0],
      case .integer(let left) = parts[1], case .integer(let last) = parts[2], let number = UInt64(exactly: last),
      (0...RedisWriter.longestLifeMilliseconds).contains(left)
    else { return (.unknown, 0) }
    switch String(decoding: word, as: UTF8.self) {
    case "WON": return (.won, number)
    case "HELD": return (.elsewhere(leftMilliseconds: left), number)
    case let word:
      let pause = PauseReason(rawValue: word.lowercased())
      return (pause.map { .paused($0, leftMilliseconds: left) } ?? .unknown, number)
    }
  }

  /// Of a fill: its key was changed since, or Redis has no room for it, and its lease stands.
  static func isRefusal(_ reply: RedisReply) -> Bool {
    if case .error = reply { return true }
    guard case .array(let parts) = reply, case .bytes(let word) = parts.first else { return false }
    return word.elementsEqual("REFUSED".utf8)
  }

  // MARK: The walk

  struct Page {
    let cursor: [UInt8]
    let names: [[UInt8]]
  }

  /// What SCAN answered.
  static func page(_ reply: RedisReply) -> Page? {
    guard case .array(let parts) = reply, parts.count == 2, case .bytes(let cursor) = parts[0],
      case .array(let found) = parts[1]
    else { return nil }
    return Page(cursor: cursor, names: found.compactMap { if case .bytes(let name) = $0 { name } else { nil } })
  }

  // MARK: Joining

  struct Joined {
    let incarnation: UInt64
    let base: UInt64
    let number: UInt64
    let tables: [Table]
  }

  struct Table {
    var clears: [(scope: SharedScope, number: UInt64, soft: Bool)] = []
    var otherTags: (hard: UInt64, soft: UInt64) = (0, 0)
  }

  static func joined(_ reply: RedisReply) -> Joined? {
    guard case .array(let parts) = reply, parts.count >= 3, let incarnation = number(parts[0]),
      let base = number(parts[1]), let number = number(parts[2])
    else { return nil }
    let tables = parts.dropFirst(3).map { table($0) }
    guard !tables.contains(where: { $0 == nil }) else { return nil }
    return Joined(incarnation: incarnation, base: base, number: number, tables: tables.compactMap { $0 })
  }

  private static func number(_ reply: RedisReply) -> UInt64? {
    switch reply {
    case .integer(let number): UInt64(exactly: number)
    case .bytes(let text): text.withUnsafeBytes { decimal($0) }
    default: nil
    }
  }

  /// Members and scores by turns: see the script `clear`.
  private static func table(_ reply: RedisReply) -> Table? {
    guard case .array(let parts) = reply, parts.count.isMultiple(of: 2) else { return nil }
    var table = Table()
    for index in stride(from: 0, to: parts.count, by: 2) {
      guard case .bytes(let member) = parts[index], case .bytes(let score) = parts[index + 1],
        let number = score.drop(while: { $0 == UInt8(ascii: "-") }).withUnsafeBytes({ decimal($0) })
      else { return nil }
      table.add(member, number)
    }
    return table
  }

  /// Nil: the floor is lost.
  static func floor(_ reply: RedisReply) -> (incarnation: UInt64, number: UInt64)? {
    guard case .array(let parts) = reply, parts.count == 2, let incarnation = number(parts[0]),
      let number = number(parts[1])
    else { return nil }
    return (incarnation, number)
  }

  // MARK: The log

  /// What XREAD answered; nil: there is something that this version doesn't know.
  static func records(_ reply: RedisReply, boot: [UInt8]) -> [SharedRecord]? {
    if reply == .null { return [] }
    guard case .array(let streams) = reply, streams.count == 1, case .array(let stream) = streams[0],
      stream.count == 2
    else { return nil }
    return entries(stream[1], boot: boot)
  }

  /// What XRANGE answered; nil as above.
  static func entries(_ reply: RedisReply, boot: [UInt8]) -> [SharedRecord]? {
    guard case .array(let entries) = reply else { return nil }
    var records: [SharedRecord] = []
    for entry in entries {
      guard let record = record(entry) else { return nil }
      records.append(SharedRecord(record, boot: boot))
    }
    return records
  }

  private static func record(_ entry: RedisReply) -> RedisRecord? {
    guard case .array(let parts) = entry, parts.count == 2, case .bytes(let id) = parts[0],
      case .array(let fields) = parts[1]
    else { return nil }
    let texts = fields.compactMap { if case .bytes(let text) = $0 { text } else { nil } }
    guard texts.count == fields.count else { return nil }
    let joined = texts.flatMap { $0 }
    return joined.withUnsafeBytes { bytes in
      var offset = 0
      let fields = texts.map { text in
        defer { offset += text.count }
        return Bytes(rebasing: bytes[offset..<offset + text.count])
      }
      return id.withUnsafeBytes { RedisRecord(id: $0, fields: fields) }
    }
  }
}

extension RedisReader.Table {
  fileprivate mutating func add(_ member: [UInt8], _ number: UInt64) {
    let isSoft = member.starts(with: "s:".utf8)
    let name = isSoft ? Array(member.dropFirst(2)) : member
    if name.elementsEqual("all".utf8) {
      clears.append((.all, number, isSoft))
    } else if name.elementsEqual("F".utf8) {
      if isSoft { otherTags.soft = number } else { otherTags.hard = number }
    } else if name.starts(with: "m:".utf8) {
      clears.append((.match(Array(name.dropFirst(2))), number, isSoft))
    } else if name.starts(with: "t:".utf8) {
      clears.append((.tags([Array(name.dropFirst(2))]), number, isSoft))
    }
  }
}

extension SharedValue {
  fileprivate init(_ envelope: Envelope, key: [UInt8]) {
    self.init(
      key: key, value: Array(envelope.payload), tags: envelope.tags.map { Array($0) },
      ttlMilliseconds: envelope.lifeMilliseconds, staleMilliseconds: envelope.staleMilliseconds,
      ageMilliseconds: envelope.ageMilliseconds, version: envelope.version,
      birth: Birth(incarnation: envelope.birth.incarnation, number: envelope.birth.number),
      isSoftened: envelope.isSoft)
  }
}

extension SharedRecord {
  fileprivate init(_ record: RedisRecord, boot: [UInt8]) {
    let kind: SharedRecord.Kind =
      switch record.kind {
      case .open: .open
      case .set: .set
      case .del: .delete
      case .soft: .soften
      case .touch: .touch
      case .clear: .clear
      case .softclear: .softClear
      case .filled: .filled
      }
    let scope: SharedScope =
      switch record.scope {
      case .keys(let keys): .keys(keys)
      case .all: .all
      case .match(let glob): .match(glob)
      case .tags(let tags): .tags(tags)
      }
    self.init(
      incarnation: record.incarnation, number: record.number, kind: kind, ns: record.ns, scope: scope,
      isOwn: record.host == boot, op: record.op)
  }
}
