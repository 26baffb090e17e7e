// The cache's commands as Redis is sent them: script by script, name by name. It sends nothing itself.

import PannierCore
import PannierDispatch
import PannierWire

final class RedisWriter {
  /// What a value that never expires gets all the same, in milliseconds: nothing stays in Redis for ever.
  static let longestLifeMilliseconds: Int64 = 30 * 86_400_000

  let names: RedisNames
  /// Which process this is: another after each start.
  let boot: [UInt8]
  private let logRecords: [UInt8]
  private var run: [UInt8] = []
  /// By which Redis would drop what has no ttl, the log among it, were it full; nil: it never does.
  private(set) var eviction: String?
  private var digests: [String: [UInt8]] = [:]

  init(names: RedisNames, logRecords: Int) {
    self.names = names
    self.logRecords = Array("\(logRecords)".utf8)
    var generator = SystemRandomNumberGenerator()
    boot = Array(String(generator.next(), radix: 16).utf8)
  }

  func value(_ ns: [UInt8], _ key: [UInt8]) -> [UInt8] { lend(ns, key) { names.value($0, $1) } }

  // MARK: Joining

  /// Takes down which Redis it is, from what INFO says. Why it can't be used; nil: it can.
  func identify(_ info: [UInt8]) -> RedisHandshake.Failure? {
    var fields: [Substring: Substring] = [:]
    for line in String(decoding: info, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = parts[1] }
    }
    guard let id = fields["run_id"] else { return .init(reason: "INFO tells no run_id") }
    if let role = fields["role"], role != "master" {
      return .init(reason: "it is a \(role), and changes need the primary")
    }
    run = Array(id.utf8)
    let policy = fields["maxmemory_policy"].map { String($0) } ?? ""
    eviction = policy.hasPrefix("allkeys-") && fields["maxmemory"] != "0" ? policy : nil
    return nil
  }

  func loaded(_ script: RedisScript, _ digest: [UInt8]) { digests[script.name] = digest }

  /// `connection`: nil where it is not the one for commands.
  func join(known: UInt64, namespaces: [[UInt8]], connection: UInt64?) -> [[UInt8]]? {
    guard let home = names.homes.first else { return nil }
    let tables = namespaces.map { ns in ns.withUnsafeBytes { names.groups($0) } }
    return call(
      .join, keys: [home.floor, home.log, names.hosts] + tables,
      [
        run, boot, connection.map(decimal) ?? [], decimal(known), logRecords,
        // Who names a namespace has not seen its table, whatever incarnation it knows.
        namespaces.isEmpty ? [] : decimal(1),
      ] + namespaces)
  }

  // MARK: Changes

  /// `packed`: what is stored in the place of a value's payload, compressed; nil: the payload itself.
  func change(
    _ op: UInt64, _ ns: [UInt8], _ change: SharedChange, packed: [UInt8]?, connection: UInt64, endsLeases: Bool
  ) -> [[UInt8]]? {
    switch change {
    case .set(let value, let guardNumber):
      return changeOne(
        .set, value.birth.incarnation, op, ns, value.key, connection,
        [guardNumber.map(decimal) ?? [], decimal(1)], stored(value, packed), endsLease: endsLeases)
    case .delete(let keys): return keyed(.delete, op, ns, keys, endsLeases: endsLeases)
    case .soften(let keys, _): return keyed(.soft, op, ns, keys, endsLeases: endsLeases)
    case .clear(let scope, let soft):
      guard let home = names.homes.first else { return nil }
      let kind = Array((soft ? "softclear" : "clear").utf8)
      let texts: [[UInt8]] =
        switch scope {
        case .all: [Array("all".utf8)]
        case .match(let glob): [Array("match".utf8), glob]
        case .tags(let tags): [Array("tags".utf8)] + tags
        case .keys: []
        }
      return call(
        .clear, keys: [home.floor, home.log, ns.withUnsafeBytes { names.groups($0) }],
        head(incarnation, op, ns) + [kind] + texts)
    }
  }

  /// `front`: what stands there, as far as `RedisReader.inspection` gives it.
  func setIf(
    _ op: UInt64, _ ns: [UInt8], _ value: SharedValue, packed: [UInt8]?, front: [UInt8], seen: UInt64,
    connection: UInt64, endsLease: Bool
  ) -> [[UInt8]]? {
    let identity = front.withUnsafeBytes { Array(Envelope.identity(of: $0)) }
    return changeOne(
      .setIf, value.birth.incarnation, op, ns, value.key, connection, [decimal(seen)],
      [identity] + stored(value, packed), endsLease: endsLease)
  }

  func touch(
    _ op: UInt64, _ ns: [UInt8], _ value: SharedValue, front: [UInt8], seen: UInt64, connection: UInt64
  ) -> [[UInt8]]? {
    let life = value.ttlMilliseconds ?? Self.longestLifeMilliseconds
    let times = Envelope.times(
      lifeMilliseconds: life, staleMilliseconds: value.staleMilliseconds, ageMilliseconds: value.ageMilliseconds)
    return changeOne(
      .touch, incarnation, op, ns, value.key, connection, [decimal(seen)],
      [front, decimal(max(1, life + value.staleMilliseconds)), times])
  }

  /// A change of one key, which only the host's own connection may make. `condition` stands before the slot, `more` behind the key.
  private func changeOne(
    _ script: RedisScript, _ incarnation: UInt64, _ op: UInt64, _ ns: [UInt8], _ key: [UInt8], _ connection: UInt64,
    _ condition: [[UInt8]], _ more: [[UInt8]], endsLease: Bool = false
  ) -> [[UInt8]]? {
    let slot = slot(ns, key)
    let home = names.home(ofSlot: slot)
    return call(
      script,
      keys: [home.floor, home.log, names.hosts, value(ns, key)] + (endsLease ? [lease(ns, key)] : []),
      head(incarnation, op, ns) + [decimal(connection)] + condition + [decimal(slot), key] + more)
  }

  private func keyed(
    _ script: RedisScript, _ op: UInt64, _ ns: [UInt8], _ keys: [[UInt8]], endsLeases: Bool = false
  ) -> [[UInt8]]? {
    guard let home = names.homes.first else { return nil }
    return call(
      script,
      keys: [home.floor, home.log] + keys.map { value(ns, $0) } + (endsLeases ? keys.map { lease(ns, $0) } : []),
      head(incarnation, op, ns) + [decimal(keys.count)] + keys.map { decimal(slot(ns, $0)) } + keys)
  }

  func fill(_ ns: [UInt8], _ value: SharedValue, packed: [UInt8]?, under token: LeaseToken?) -> [[UInt8]]? {
    let slot = slot(ns, value.key)
    let home = names.home(ofSlot: slot)
    return call(
      .fill,
      keys: [home.floor, home.log, self.value(ns, value.key)] + (token == nil ? [] : [lease(ns, value.key)]),
      head(value.birth.incarnation, 0, ns) + [
        decimal(value.birth.number), decimal(slot), value.key,
      ] + stored(value, packed) + (token.map { [Array($0.text.utf8)] } ?? []))
  }

  // MARK: Leases of all hosts

  func claim(
    _ ns: [UInt8], _ key: [UInt8], _ token: LeaseToken, milliseconds: Int64, connection: UInt64
  ) -> [[UInt8]]? {
    let home = names.home(ofSlot: slot(ns, key))
    return call(
      .claim, keys: [home.floor, names.hosts, lease(ns, key)],
      [decimal(incarnation), boot, decimal(connection), ns, Array(token.text.utf8), decimal(milliseconds)])
  }

  func release(
    _ ns: [UInt8], _ key: [UInt8], _ token: LeaseToken, _ pause: PauseReason?, milliseconds: Int64
  ) -> [[UInt8]]? {
    let home = names.home(ofSlot: slot(ns, key))
    return call(
      .release, keys: [home.floor, home.log, lease(ns, key)],
      head(incarnation, 0, ns) + [
        key, Array(token.text.utf8), pause.map { Array($0.rawValue.utf8) } ?? [], decimal(max(1, milliseconds)),
      ])
  }

  /// Whose changes these are: told by each join.
  var incarnation: UInt64 = 0

  // MARK: The log

  func follow(after id: RecordID, count: Int, blockMilliseconds: Int64) -> [[UInt8]] {
    let words = ["XREAD", "COUNT", "\(count)", "BLOCK", "\(blockMilliseconds)", "STREAMS"].map { Array($0.utf8) }
    return words + [names.homes.first?.log ?? [], Array(id.text.utf8)]
  }

  /// Which incarnation and number the floor has.
  func floor() -> [[UInt8]] { [Array("HMGET".utf8), names.homes.first?.floor ?? [], Array("E".utf8), Array("n".utf8)] }

  /// What the log has after `id`.
  func since(_ id: RecordID, count: Int) -> [[UInt8]] {
    [Array("XRANGE".utf8), names.homes.first?.log ?? [], Array("(\(id.text)".utf8), Array("+".utf8)]
      + [Array("COUNT".utf8), decimal(count)]
  }

  // MARK: The walk

  func scan(_ ns: [UInt8], _ cursor: [UInt8], count: Int) -> [[UInt8]] {
    let pattern = ns.withUnsafeBytes { names.pattern($0) }
    return [Array("SCAN".utf8), cursor, Array("MATCH".utf8), pattern, Array("COUNT".utf8), decimal(count)]
  }

  /// So many bytes of a value.
  func front(_ name: [UInt8], bytes: Int) -> [[UInt8]] {
    [Array("GETRANGE".utf8), name, decimal(0), decimal(bytes - 1)]
  }

  func key(_ ns: [UInt8], ofValue name: [UInt8]) -> [UInt8]? {
    lend(ns, name) { ns, name in names.key(ns, ofValue: name).map { Array($0) } }
  }

  func remove(_ ns: [UInt8], _ values: [(name: [UInt8], front: [UInt8])]) -> [[UInt8]]? {
    guard let home = names.homes.first else { return nil }
    return call(.remove, keys: [home.floor] + values.map(\.name), head(incarnation, 0, ns) + values.map(\.front))
  }

  // MARK: Parts

  private func head(_ incarnation: UInt64, _ op: UInt64, _ ns: [UInt8]) -> [[UInt8]] {
    [decimal(incarnation), logRecords, boot, decimal(op), ns]
  }

  private func call(_ script: RedisScript, keys: [[UInt8]], _ arguments: [[UInt8]]) -> [[UInt8]]? {
    guard let digest = digests[script.name] else { return nil }
    return [Array("EVALSHA".utf8), digest, decimal(keys.count)] + keys + arguments
  }

  private func lease(_ ns: [UInt8], _ key: [UInt8]) -> [UInt8] { lend(ns, key) { names.lease($0, $1) } }

  private func slot(_ ns: [UInt8], _ key: [UInt8]) -> Int { lend(ns, key) { RedisNames.slot($0, $1) } }

  /// Its time in Redis, and the value as it stands there.
  private func stored(_ value: SharedValue, _ packed: [UInt8]?) -> [[UInt8]] {
    var buffer = OutputBuffer()
    var kept: Int64 = 1
    (packed ?? value.value).withUnsafeBytes { payload in
      var envelope = Envelope(
        birth: RecordID(incarnation: value.birth.incarnation, number: value.birth.number), version: value.version,
        lifeMilliseconds: value.ttlMilliseconds ?? Self.longestLifeMilliseconds, payload: payload)
      envelope.encoding = packed == nil ? .json : .zstd
      envelope.staleMilliseconds = value.staleMilliseconds
      envelope.ageMilliseconds = value.ageMilliseconds
      envelope.isSoft = value.isSoftened
      kept = envelope.keptMilliseconds
      withBorrowed(value.tags) { tags in
        envelope.tags = tags
        value.key.withUnsafeBytes { envelope.encode(key: $0, into: &buffer) }
      }
    }
    return [decimal(kept), Array(buffer.bytes)]
  }

  private func decimal(_ number: some BinaryInteger) -> [UInt8] { Array("\(number)".utf8) }

  private func lend<Result>(_ ns: [UInt8], _ key: [UInt8], _ body: (Bytes, Bytes) -> Result) -> Result {
    ns.withUnsafeBytes { ns in key.withUnsafeBytes { body(ns, $0) } }
  }
}
